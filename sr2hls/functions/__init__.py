"""A one-variable function and the word of its argument → circuit nodes with a proven local error.

A family is one file that turns a `FunctionSpec` into evaluators with a proven error (`table`, `multipartite`,
`horner`, `polynomial`); `fold` halves the arguments of even and odd ones. The chooser prices each candidate on the
target.
"""

from sr2hls.functions.choose import choose, planned_widths
from sr2hls.functions.cost import Taste, dsp_luts
from sr2hls.functions.spec import Evaluator, FunctionSpec

__all__ = ["Evaluator", "FunctionSpec", "Taste", "choose", "dsp_luts", "planned_widths"]
