"""A one-variable function and the word of its argument → circuit nodes with a proven local error.

A family is one file with a function `plan(spec) -> Evaluator | None`. The chooser tries the families in the order of
`FAMILIES` and takes the first that meets the tolerance.
"""

from sr2hls.functions.choose import FAMILIES, choose
from sr2hls.functions.spec import Evaluator, FunctionSpec

__all__ = ["FAMILIES", "Evaluator", "FunctionSpec", "choose"]
