"""`SymbolicModel` to JSON and back, exactly: the expression tree is written head by head, never as text to parse."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import sympy

from sr2hls.errors import LoadError
from sr2hls.load.catalog import check_names
from sr2hls.load.guard import check
from sr2hls.model import Output, Provenance, SymbolicModel, symbol
from sr2hls.operators import HEADS, foreign

VERSION = 1
MAX_TEXT = 16 << 20
LAW, LAW_KEY = "law.json", "sr2hls_law"  # two models, an edge and a node function, see `sr2hls.distill.law_json`
_HEADS = {head.__name__: head for head in HEADS}
_RATIONAL = re.compile(r"-?\d{1,5000}(?:/\d{1,5000})?")
_ATOMS = {"pi": sympy.pi, "E": sympy.E}


def is_law(head: str) -> bool:
    """Whether a JSON text that begins so is a force law's."""
    return f'"{LAW_KEY}"' in head[:200]


def encode(node: sympy.Basic) -> Any:
    """An expression as nested JSON lists: [head, argument, ...], ["input", name], a rational as text, pi, E."""
    if node.is_Symbol:
        return ["input", node.name]
    if node.is_Rational:
        return str(node.p) if node.q == 1 else f"{node.p}/{node.q}"
    for name, atom in _ATOMS.items():
        if node == atom:
            return name
    return [type(node).__name__, *(encode(a) for a in node.args)]


def _decode(data: Any, inputs: frozenset[str]) -> sympy.Expr:
    if isinstance(data, str):
        if data in _ATOMS:
            return _ATOMS[data]
        if not _RATIONAL.fullmatch(data):
            raise LoadError(f"{data[:40]!r} is not a rational number")
        numerator, _, denominator = data.partition("/")
        if denominator and int(denominator) == 0:
            raise LoadError(f"{data[:40]!r} divides by 0")
        return sympy.Rational(int(numerator), int(denominator or "1"))
    if not isinstance(data, list) or len(data) < 2 or not isinstance(data[0], str):
        raise LoadError("an expression is neither a number nor [head, argument, ...]")
    if data[0] == "input":
        if len(data) != 2 or data[1] not in inputs:
            raise LoadError(f"unknown input {str(data[1])[:40]!r}")
        return symbol(data[1])
    head = _HEADS.get(data[0])
    if head is None:
        raise LoadError(f"unknown head {data[0][:40]!r}; known: {' '.join(sorted(_HEADS))}")
    arguments = [_decode(a, inputs) for a in data[1:]]
    try:
        return head(*arguments, evaluate=False)
    except (TypeError, ValueError) as error:
        raise LoadError(f"{data[0]} does not take {len(arguments)} argument(s) ({error})") from None


def _number(value: Any) -> float | None:
    if isinstance(value, str) and value in ("inf", "-inf", "nan"):
        return float(value)
    return float(value) if isinstance(value, int | float) else None


def to_json(model: SymbolicModel) -> str:
    """The model as JSON text; `from_json` gives an equal model. Raises ValueError for a node outside the closed set."""
    outputs = []
    for output in model.outputs:
        stranger = foreign(output.expression)
        if stranger is not None:
            raise ValueError(f"{output.name}: {stranger} cannot be written")
        origin = output.provenance
        loss = origin.loss
        outputs.append(
            {
                "name": output.name,
                "expression": encode(output.expression),
                "source": origin.source,
                "equation": origin.equation,
                "loss": loss if loss is None or math.isfinite(loss) else str(loss),
                "complexity": origin.complexity,
                "writer": origin.writer,
            }
        )
    return json.dumps({"sr2hls_model": VERSION, "inputs": list(model.inputs), "outputs": outputs}, indent=1)


def _texts(value: Any, what: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise LoadError(f"its {what} are not a list of names")
    return check_names(value, what)


def _output(data: Any, inputs: frozenset[str]) -> Output:
    if not isinstance(data, dict) or not isinstance(data.get("name"), str) or "expression" not in data:
        raise LoadError("an output without a name or an expression")
    expression = _decode(data["expression"], inputs)
    check(expression)
    complexity = data.get("complexity")
    origin = Provenance(
        str(data.get("source", "")),
        str(data.get("equation", "")),
        _number(data.get("loss")),
        complexity if isinstance(complexity, int) else None,
        str(data.get("writer", "")),
    )
    return Output(data["name"], expression, origin)


def from_json(text: str) -> SymbolicModel:
    """The model that `to_json` wrote. Raises LoadError (UnsupportedError for constants of absurd size)."""
    if len(text) > MAX_TEXT:
        raise LoadError(f"a JSON text of {len(text)} characters; the limit is {MAX_TEXT}")
    try:
        data = json.loads(text)
        if not isinstance(data, dict) or data.get("sr2hls_model") != VERSION:
            raise LoadError(f"not an sr2hls model of version {VERSION}")
        inputs = _texts(data.get("inputs"), "inputs")
        if not isinstance(data.get("outputs"), list) or not data["outputs"]:
            raise LoadError("it has no outputs")
        outputs = tuple(_output(o, frozenset(inputs)) for o in data["outputs"])
    except (json.JSONDecodeError, RecursionError) as error:
        raise LoadError(f"damaged JSON ({error})"[:200]) from None
    check_names([o.name for o in outputs], "outputs")
    return SymbolicModel(inputs, outputs)
