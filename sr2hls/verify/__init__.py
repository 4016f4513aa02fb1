"""A compiled folder → its certificate checked again, by code that shares nothing with what made it.

The compiler (`rewrite`, `quantize`, `functions`, `lower`, `certify`) may be wrong in any way: this room reads the
finished design only, and establishes by its own means that |circuit - formula| is at most the stated bound.
"""

from sr2hls.verify.folder import Verdict, verify_design, verify_folder

__all__ = ["Verdict", "verify_design", "verify_folder"]
