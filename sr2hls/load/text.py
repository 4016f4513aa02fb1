"""Formulas typed by a person, such as `x0*sin(x1) + 0.3*x2`, to a catalog; ordinary mathematics, decimals exact."""

from __future__ import annotations

from collections.abc import Sequence

from sr2hls.errors import LoadError
from sr2hls.load.assemble import CONSTANTS
from sr2hls.load.catalog import Catalog, check_names, natural, output_names, variables
from sr2hls.load.parser import parse
from sr2hls.load.selection import Row
from sr2hls.load.syntax import PLAIN
from sr2hls.load.template import assignments


def read_text(text: str, inputs: Sequence[str] | None = None, source: str = "text") -> Catalog:
    """One formula, or several as `name = formula` separated by `;` or line ends; later ones may use earlier names.

    Both `^` and `**` are powers, `-1.5 ^ x` is -(1.5^x), decimals are exact, `pi` is the constant.
    inputs: their order (default: natural order of the names used). Raises LoadError.
    """
    found = assignments(text)
    if not found:
        raise LoadError(f"{source}: there is no formula in it")
    trees = []
    for name, formula in found:
        try:
            trees.append(parse(formula, PLAIN))
        except LoadError as error:
            shown = formula if len(formula) <= 80 else formula[:77] + "..."
            label = f"{name} = {shown}" if name else shown
            raise LoadError(f"{source}: {label}: {error}") from None
    given = [name for name, _ in found if name]
    used: set[str] = set()
    for at, tree in enumerate(trees):
        used |= variables(tree) - {n for n, _ in found[:at]} - set(CONSTANTS)
    order = check_names(list(inputs) if inputs is not None else sorted(used, key=natural), "input")
    if missing := used - set(order):
        raise LoadError(f"{source}: the formula uses {', '.join(sorted(missing))}, which is not among the inputs")
    fresh = iter(output_names(len(found) - len(given), [*order, *given]) if len(given) < len(found) else ())
    names = check_names([name or next(fresh) for name, _ in found], "output")
    if clash := set(names) & set(order):
        raise LoadError(f"{source}: {', '.join(sorted(clash))} is both an input and an output")
    rows = tuple((Row(formula),) for _, formula in found)
    return Catalog(source, "", order, rows, names)
