"""`sr2hls targets` and `sr2hls functions`: what there is to choose from."""

from __future__ import annotations

from typing import Any


def targets_command() -> None:
    """List the devices: part, default clock, and what their delays rest on."""
    from sr2hls.report import terminal
    from sr2hls.targets import load_target, target_names

    rows = terminal.table("target", "part", "clock", "delays")
    for name in target_names():
        target = load_target(name)
        basis = "estimate from published numbers" if target.estimate else "calibrated by place-and-route"
        rows.add_row(name, target.part, f"{target.clock_ns:g} ns", basis)
    terminal.console().print(rows)


def functions_command() -> None:
    """List the operators that are read, and which of them become hardware."""
    from sr2hls.operators.registry import VARIADIC, table, template
    from sr2hls.report import terminal

    ready: dict[str, list[str]] = {}
    missing = []
    for (name, arity), operator in sorted(table().items()):
        expression, _ = template(operator, 2 if arity == VARIADIC else arity)
        count = "two or more" if arity == VARIADIC else ("one", "two", "three")[arity - 1]
        if _without_meaning(expression):
            missing.append(f"{name} ({count} argument{'' if arity == 1 else 's'})")
        else:
            ready.setdefault(count, []).append(name)
    out = terminal.console()
    for count in ("one", "two", "three", "two or more"):
        terminal.block(out, f"{count} argument{'' if count == 'one' else 's'}", ready.get(count, []))
    if missing:
        terminal.block(out, "read, but without hardware yet", missing)


def _without_meaning(expression: Any) -> set[str]:
    import sympy

    import sr2hls.analyze.pysr_operators  # noqa: F401 - gives the PySR operators their meaning
    from sr2hls.analyze.meaning import MEANINGS

    plain = (sympy.Add, sympy.Mul, sympy.Pow, sympy.Number, sympy.NumberSymbol, sympy.Symbol)
    nodes = sympy.preorder_traversal(expression)
    return {type(node).__name__ for node in nodes if not isinstance(node, plain) and type(node) not in MEANINGS}
