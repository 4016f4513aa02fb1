"""A one-variable function and the word of its argument → circuit nodes with a proven local error.

A family is one file that turns a `FunctionSpec` into evaluators with a proven error (`table`, `multipartite`,
`horner`, `polynomial`); `fold` halves the arguments of even and odd ones. The chooser prices each candidate on the
target.
"""

from sr2hls.functions.choose import choose
from sr2hls.functions.spec import Evaluator, FunctionSpec

__all__ = ["Evaluator", "FunctionSpec", "choose"]
