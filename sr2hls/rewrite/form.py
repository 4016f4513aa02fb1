"""Formulas + a rule at one place → an equal `Form`: the formulas, what they share, and the rules that led there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import sympy

from sr2hls.model import SymbolicModel

PLACE = sympy.Symbol("_place", real=True)  # in what a rule gives: the shared part


@dataclass(frozen=True, slots=True)
class Rewrite:
    """One applied rule; both sides are over the inputs. `text`: what it leads to, with names for what is shared."""

    rule: str
    before: sympy.Expr
    after: sympy.Expr
    text: str


@dataclass(frozen=True, slots=True)
class Form:
    """Expressions equal to a model's outputs, in their order.

    shared: symbols that the outputs and later shared ones use, each computed once. What a symbol stands for is hidden
    from sympy, which would merge 1/(x·y) into 1/x·1/y again.
    """

    outputs: tuple[sympy.Expr, ...]
    shared: tuple[tuple[sympy.Symbol, sympy.Expr], ...] = ()
    steps: tuple[Rewrite, ...] = ()

    def over_inputs(self, expression: sympy.Expr) -> sympy.Expr:
        """The expression with the shared symbols put in."""
        for name, meaning in reversed(self.shared):
            expression = expression.xreplace({name: meaning})
        return expression

    @property
    def parts(self) -> tuple[sympy.Expr, ...]:
        return (*(meaning for _, meaning in self.shared), *self.outputs)

    def model(self, like: SymbolicModel) -> SymbolicModel:
        """The model whose formulas are these; the shared symbols are still in them."""
        pairs = zip(like.outputs, self.outputs, strict=True)
        return replace(like, outputs=tuple(replace(output, expression=e) for output, e in pairs))


def form_of(model: SymbolicModel) -> Form:
    """The formulas as they are."""
    return Form(tuple(output.expression for output in model.outputs))


def rewritten(form: Form, rule: str, changes: Mapping[sympy.Expr, sympy.Expr], shared: sympy.Expr | None) -> Form:
    """The form with sub-expressions replaced everywhere; `shared` is what `PLACE` stands for in the new ones."""
    definitions = list(form.shared)
    after = dict(changes)
    if shared is not None:
        known = {meaning: name for name, meaning in definitions}
        name = known.get(shared, sympy.Symbol(f"_w{len(definitions)}", real=True))
        after = {old: new.xreplace({PLACE: name}) for old, new in changes.items()}
        if shared not in known:
            definitions.append((name, shared))
    whole = Form((), tuple(definitions))
    steps = tuple(
        Rewrite(rule, form.over_inputs(old), whole.over_inputs(new), _text(new, whole)) for old, new in after.items()
    )
    ordered = _ordered([(name, meaning.xreplace(after)) for name, meaning in form.shared], definitions)
    return Form(tuple(e.xreplace(after) for e in form.outputs), ordered, (*form.steps, *steps))


def _text(expression: sympy.Expr, form: Form) -> str:
    used = [name for name, _ in form.shared if name in expression.free_symbols]
    return ", ".join([str(expression), *(f"{name} = {form.over_inputs(name)}" for name in used)])


def _ordered(
    changed: list[tuple[sympy.Symbol, sympy.Expr]], definitions: list[tuple[sympy.Symbol, sympy.Expr]]
) -> tuple[tuple[sympy.Symbol, sympy.Expr], ...]:
    """Definitions after those that they use: an old one may use the new one now."""
    waiting = [*changed, *definitions[len(changed) :]]
    names = {name for name, _ in waiting}
    done: list[tuple[sympy.Symbol, sympy.Expr]] = []
    while waiting:
        found = {name for name, _ in done}
        ready = [item for item in waiting if item[1].free_symbols & names <= found]
        if not ready:
            return tuple(definitions)  # a circle: the new part uses what would use it, so that stays as it was
        done += ready
        waiting = [item for item in waiting if item not in ready]
    return tuple(done)


def places(form: Form) -> Iterator[sympy.Expr]:
    """Every distinct sub-expression of more than one symbol, large ones first."""
    seen: dict[sympy.Expr, None] = {}
    for part in reversed(form.parts):
        for node in sympy.preorder_traversal(part):
            if node.args and len(node.free_symbols) > 1:
                seen.setdefault(node)
    yield from seen
