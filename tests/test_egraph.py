"""The e-graph benchmark without egglog: identities hold, costs are the compiler's steps, terms are read back."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import sympy

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "benchmarks"))
from egraph import HALF, IDENTITIES, NODE, Found, Steps, combined, program
from egraph_read import Reader, encoded

from sr2hls.load import load
from sr2hls.model import symbol

EXPONENTS = [Fraction(n) for n in (-3, -2, -1, 1, 2, 3, 4)] + [Fraction(-1, 2), Fraction(1, 2), Fraction(3, 2)]
POINTS = [(0.7, 1.3, 2.1), (1.9, 0.4, 0.8), (-0.6, 1.1, -1.7), (1.2, -0.9, 0.3), (-1.4, -0.5, 0.6)]
LINES = IDENTITIES.format(**HALF).strip().splitlines()


def parsed(text: str) -> list[Any]:
    """Every s-expression of the text, as nested lists."""
    stack: list[list[Any]] = [[]]
    for part in re.findall(r'[()]|"[^"]*"|[^\s()]+', text):
        if part == "(":
            stack.append([])
        elif part == ")":
            stack[-2].append(stack.pop())
        else:
            stack[-1].append(part)
    return stack[0]


def value(term: Any, given: dict[str, Any]) -> Any:
    """Real, or ValueError."""
    if isinstance(term, str):
        return Fraction(term[1:]) if term.startswith("#") else given[term]
    head, *parts = term
    a, *rest = [value(part, given) for part in parts]
    match head:
        case "Num":
            return float(a)
        case "Add" | "+":
            return a + rest[0]
        case "-":
            return a - rest[0]
        case "Mul" | "*":
            return a * rest[0]
        case "Pow":
            return math.pow(a, rest[0])
        case "floor":
            return Fraction(math.floor(a))
        case "Positive" | ">":
            return a > (rest[0] if rest else 0)
        case "<":
            return a < rest[0]
        case "=" | "!=":
            return (a == rest[0]) == (head == "=")
    return {"Exp": math.exp, "Log": math.log, "Sin": math.sin, "Cos": math.cos}[head](a)


def points(line: str) -> Iterator[dict[str, Any]]:
    for (a, b, c), m, n in product(POINTS, EXPONENTS, EXPONENTS):
        if (m == 1 or re.search(r"\bm\b", line)) and (n == 1 or re.search(r"\bn\b", line)):
            yield {"a": a, "b": b, "c": c, "m": m, "n": n}


@pytest.mark.parametrize("line", LINES)
def test_an_identity_holds_wherever_its_left_side_is_defined(line: str) -> None:
    rule, _, conditions = line.partition(" ; ")
    both = " <=> " in rule
    left, right = (parsed(side)[0] if "(" in side else side for side in re.split(" <?=> ", rule))
    held = 0
    for given in points(line):
        if not all(value(condition, given) for condition in parsed(conditions)):
            continue
        for before, after in ((left, right), (right, left))[: 1 + both]:
            try:
                wanted = value(before, given)
            except ValueError:
                continue
            assert value(after, given) == pytest.approx(wanted, rel=1e-9, abs=1e-12)
            held += 1
    assert held > 0


def test_the_program_has_every_identity_and_no_shorthand() -> None:
    text = program()
    assert text.count("(rewrite ") == len(LINES) + sum(" <=> " in line for line in LINES)
    assert "#" not in text
    assert "{" not in text
    assert text.count("(") == text.count(")")


def found_of(text: str) -> Found:
    """The table of nodes of a term's text, equal nodes once, as an extracted term has it."""
    known: dict[tuple[Any, ...], int] = {}

    def add(term: Any) -> int:
        if isinstance(term, str):
            node: tuple[Any, ...] = ("literal", term.strip('"'))
        else:
            node = (term[0], *(add(part) for part in term[1:]))
        return known.setdefault(node, len(known))

    (term,) = parsed(text)
    root = add(term)
    return Found({at: node for node, at in known.items()}, root, len(known), "")


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize(
    "text",
    [
        "x0*x1/(x2*x3^2) - 0.123456789012345678901*x0",
        "sin(x0 - x1)*cos(x0 - x1) + exp(-x0^2 - x1^2)",
        "sqrt(x0)*log(x1 + 2*x0) + tanh(x0*x1)",
        "sin(-0.75)*x0/(exp(x0/x1) - 1)",
    ],
)
def test_a_term_is_read_back_as_the_formula(text: str, apart: bool) -> None:
    model = load(text)
    (output,) = model.outputs
    numbers: dict[str, Any] = {}
    found = found_of(encoded(output.expression, numbers))
    form = Reader(found, numbers, apart, apart).form(model, "read")
    assert form.steps[0].after == output.expression
    assert bool(form.shared) <= apart


def test_what_sympy_would_merge_is_held_apart() -> None:
    numbers: dict[str, Any] = {}
    two, minus = (f'(bigrat (from-string "{n}") (from-string "1"))' for n in (2, -1))
    x, y = '(Var "x0")', '(Var "x1")'
    found = found_of(f"(Mul (Num {two}) (Mul (Add {x} {y}) (Pow (Mul {x} {y}) {minus})))")
    form = Reader(found, numbers, True, True).form(load("x0 + x1"), "read")
    x0, x1 = symbol("x0"), symbol("x1")
    assert {part for _, part in form.shared} == {x0 + x1, x0 * x1}
    assert len(form.outputs[0].free_symbols) == 2
    assert sympy.simplify(form.over_inputs(form.outputs[0]) - 2 * (x0 + x1) / (x0 * x1)) == 0


def cost(text: str) -> float:
    """Without what e-nodes cost."""

    def of(term: Any) -> Steps:
        if isinstance(term, str):
            return Steps(value=Fraction(term) if term[0] in "-0123456789" else term, nodes=0)
        parts = [of(part) for part in term[1:]]
        return combined(term[0], (str(term),), parts)

    steps = of(parsed(text)[0])
    return round(steps.total - NODE * steps.nodes, 6)


def test_costs_are_those_of_fused_steps() -> None:
    x0, x1, x2 = '(Var "x0")', '(Var "x1")', '(Var "x2")'
    assert cost(f"(Exp (Mul (Num -1) (Pow {x0} 2)))") == 1.5  # one table
    assert cost(f"(Mul (Exp {x0}) (Exp {x1}))") == 4.0
    assert cost(f"(Exp (Add {x0} {x1}))") == 3.2
    assert cost(f"(Add (Mul (Num 3) {x0}) {x1})") == 0.2  # one sum of constant multiples
    assert cost(f"(Pow (Add {x0} {x1}) 2)") == 1.2  # a square of a step is a product
    shared = f"(Mul {x0} {x1})"
    assert cost(f"(Add {shared} (Mul {shared} {x2}))") == 2.2
    assert cost(f"(Add (Mul {x0} (Cos {x2})) (Mul {x1} (Cos {x2})))") == 3.7  # the cosine once
