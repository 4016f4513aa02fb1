"""A one-variable function and the word of its argument → circuit nodes with a proven local error.

A family is one file that turns a `FunctionSpec` into evaluators with a proven error (`table`, `multipartite`,
`polynomial`). The chooser builds each candidate and takes the cheapest on the target.
"""

from sr2hls.functions.choose import choose
from sr2hls.functions.spec import Evaluator, FunctionSpec

__all__ = ["Evaluator", "FunctionSpec", "choose"]
