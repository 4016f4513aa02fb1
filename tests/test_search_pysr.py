"""Problem, settings and costs → the call of PySR, against facts of real releases; runs against a stand-in regressor."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy

from sr2hls.errors import FormatError, LoadError, UnsupportedError
from sr2hls.load.parser import Number, parse
from sr2hls.load.syntax import JULIA
from sr2hls.model import symbol
from sr2hls.operators import find
from sr2hls.search.costs import OperatorCosts
from sr2hls.search.definitions import defined
from sr2hls.search.problem import Problem
from sr2hls.search.pysr.call import Call, check_options, column_names, pysr_call
from sr2hls.search.pysr.definitions import julia_definitions, literal
from sr2hls.search.pysr.mappings import sympy_mappings
from sr2hls.search.pysr.vocabulary import ALIASES, ARITY, BINARY, TERNARY, UNARY, operators_of
from sr2hls.search.settings import OBJECTIVES, Settings

HERE = Path(__file__).resolve().parent
FACTS = {
    version: json.loads((HERE / f"data/pysr_signatures/pysr-{name}.json").read_text(encoding="utf-8"))
    for version, name in (((1, 5), "1.5.9"), ((2, 7), "2.7.2"))
}
VERSIONS = list(FACTS)
CYCLES = dict.fromkeys([*UNARY, *BINARY, *TERNARY], 0.5) | {"sin": 1.2, "log": 1.7, "^": 4.0, "/": 2.5, "sc": 3.0}
COSTS = OperatorCosts("test", 5.0, CYCLES, {n: 100 * c for n, c in CYCLES.items()}, {}, 1.0, 60.0, 0.4, 20.0, "test")
X = np.random.default_rng(0).normal(size=(40, 2))
PROBLEM = Problem(X, ("a", "b"), X[:, 0] ** 2)
DEFINED = {"sc": "sc(x) = 0.1*sin(x)*cos(x)^2"}


def call(version: tuple[int, int] = (2, 7), options: dict[str, Any] | None = None, **settings: Any) -> Call:
    problem = settings.pop("problem", PROBLEM)
    return pysr_call(problem, Settings(**settings), COSTS, version, options)


def names_of(version: tuple[int, int]) -> list[str]:
    return list(FACTS[version]["constructor"])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_argument_is_one_that_this_pysr_has(version: tuple[int, int], objective: str) -> None:
    weighted = Problem(X, ("a", "b"), X[:, 0], weights=np.ones(40), input_units=("m", ""), output_unit="m^2")
    for problem in (PROBLEM, weighted):
        for limits in ({}, {"max_cycles": 4.0}, {"max_luts": 300.0}):
            described = call(
                version,
                {"niterations": 3},
                problem=problem,
                objective=objective,
                definitions=DEFINED,
                nested={"sin": {"sc": 0}},
                constraints={"/": (-1, 3)},
                seconds=9.0,
                threads=1,
                **limits,
            )
            facts = FACTS[version]
            assert set(described.constructor) <= set(facts["constructor"])
            assert set(described.fit) <= set(facts["fit"])
            required = {n for n, p in facts["constructor"].items() if p["required"]}
            assert not required
            assert described.constructor["random_state"] == 0
            assert described.constructor["deterministic"] is True
            assert described.constructor["parallelism"] == "serial"
            assert described.constructor["timeout_in_seconds"] == 9.0
            assert ("complexity_mapping" in described.constructor) == (objective in ("path", "circuit"))
            assert ("complexity_of_operators" in described.constructor) == (objective == "sum")
            losses = [n for n in described.constructor if "loss" in n]
            assert losses == (["loss_function"] if limits and problem is PROBLEM else ["elementwise_loss"])


@pytest.mark.parametrize("version", VERSIONS)
def test_every_option_of_pysr_passes_through(version: tuple[int, int]) -> None:
    """An option given by the user arrives as it is; those that name the operators decide the cost tables too."""
    special = {"operators", "unary_operators", "binary_operators", "maxsize", "precision"}
    for name in names_of(version):
        if name in special:
            continue
        value = object()
        check_options({name: value}, names_of(version), version)
        built = call(version, {name: value}, max_cycles=5.0).constructor
        assert built[name] is value
    assert call(version, {"maxsize": 44}).constructor["maxsize"] == 44
    assert call(version, {"precision": 64}).precision == 64


def test_units_in_the_spelling_of_julia() -> None:
    units = ("m/s**2", "1", "kg m^2 / s", "N·m", "")
    problem = Problem(np.ones((9, 5)), ("a", "b", "c", "d", "e"), np.ones(9), input_units=units, output_unit="J")
    fit = call(problem=problem).fit
    assert fit["X_units"] == ["m/s^2", "", "kg*m^2/s", "N*m", ""]
    assert fit["y_units"] == "J"
    assert "X_units" not in call().fit


def test_given_options_replace_what_they_exclude() -> None:
    built = call(options={"complexity_of_operators": {"sin": 2}}).constructor
    assert "complexity_mapping" not in built
    assert "elementwise_loss" not in call(options={"loss_function": "f(t, d, o) = 0"}).constructor
    parallel = call(options={"parallelism": "multiprocessing", "cluster_manager": "slurm", "procs": 64}, threads=1)
    assert {"random_state", "deterministic"}.isdisjoint(parallel.constructor)
    assert parallel.constructor["cluster_manager"] == "slurm"
    assert "random_state" not in call(threads=4).constructor


def test_operators_given_as_options_decide_the_tables() -> None:
    described = call((1, 5), {"unary_operators": ["log", "sc(x) = x*sin(x)"], "binary_operators": ["plus", "/"]})
    assert described.operators.names == {1: ("log", "sc"), 2: ("+", "/")}
    assert described.constructor["unary_operators"] == ["log", "sc(x) = (x * sin(x))"]
    assert "cycles_unary = (1700, 3000)" in described.constructor["complexity_mapping"]
    assert "cycles_binary = (500, 2500)" in described.constructor["complexity_mapping"]
    both = call((1, 5), {"unary_operators": ["sc"], "binary_operators": ["+"]}, definitions=DEFINED)
    assert both.constructor["unary_operators"] == ["sc(x) = (0.1f0 * sin(x) * (cos(x))^(2))"]
    newer = call((2, 7), {"operators": {2: ["*"], 1: ["sin"], 3: ["fma"]}})
    assert newer.constructor["operators"] == {1: ["sin"], 2: ["*"], 3: ["fma"]}
    assert "node.degree == 2 ? cycles_binary[node.op] : cycles_ternary" in newer.constructor["complexity_mapping"]
    assert {"unary_operators", "binary_operators"}.isdisjoint(newer.constructor)


@pytest.mark.parametrize(
    ("version", "name", "hint"),
    [
        ((2, 7), "niteration", "did you mean niterations"),
        ((1, 5), "guesses", "PySR 1.5 has no option 'guesses'"),
        ((2, 7), "weights", "comes with the data"),
        ((2, 7), "zzz", "has no option 'zzz'"),
    ],
)
def test_an_unknown_option_is_refused_by_name(version: tuple[int, int], name: str, hint: str) -> None:
    with pytest.raises(FormatError, match=hint):
        check_options({name: 1}, names_of(version), version)


def test_costs_have_the_safe_names_too() -> None:
    given = call((2, 7), operators=("log", "^", "sin", "asin"), objective="sum").constructor["complexity_of_operators"]
    assert set(given) == {"log", "safe_log", "^", "safe_pow", "sin", "asin", "safe_asin"}
    assert given["log"] == given["safe_log"] > given["sin"] > given["asin"] == given["safe_asin"]
    assert all(type(v) is int for v in given.values())  # mixed with floats, Julia would make a slow dictionary
    old = call((1, 5), operators=("log", "^", "sin", "asin"), objective="sum").constructor["complexity_of_operators"]
    assert set(old) == {"log", "^", "sin", "asin"}  # PySR 1 has no safe_asin to look up


@pytest.mark.parametrize("version", VERSIONS)
def test_every_operator_is_known_on_both_sides(version: tuple[int, int]) -> None:
    """PySR maps it to sympy or is given a mapping, and sr2hls reads it back."""
    usable = {n: a for n, a in ARITY.items() if version >= (2, 0) or a < 3}
    operators = operators_of(list(usable), {}, version)
    mappings = sympy_mappings(operators, {})
    for name, arity in usable.items():
        assert find(name, arity) is not None
        same_in_sympy = name in ("sec", "csc", "cot", "sech", "csch", "coth")
        by_pysr = not name[0].isalpha() or name in FACTS[version]["sympy_names"] or same_in_sympy
        assert by_pysr != (name in mappings), name
    x = sympy.Symbol("x")
    assert mappings["expm1"](x) == sympy.exp(x) - 1
    assert mappings["rem"](sympy.Integer(-7), sympy.Integer(3)) == -1  # sympy's own `rem` is of polynomials
    assert set(ALIASES.values()) <= set(ARITY)


def test_operators_are_named_as_pysr_prints_them() -> None:
    operators = operators_of(("plus", "safe_log", ">", "+", "div"), {}, (2, 7))
    assert operators.names == {1: ("log",), 2: ("+", "greater", "/")}
    with pytest.raises(FormatError, match=r"no operator 'ifelse'"):
        operators_of(("ifelse",), {}, (2, 7))
    with pytest.raises(FormatError, match=r"'tanhh'; did you mean tanh"):
        operators_of(("tanhh",), {}, (2, 7))
    with pytest.raises(FormatError, match="3 arguments"):
        operators_of(("fma",), {}, (1, 5))
    with pytest.raises(FormatError, match="at least one"):
        operators_of((), {}, (1, 5))


def test_definitions_become_typed_julia() -> None:
    texts = {"f": "f(x, y) = 0.1*x^2 + log(y)^2.5 - x**-1", "g": "g(x) = x > 1 ? f(x, 2) : pi"}.copy()
    texts["f"] = texts["f"].replace("**", "^")
    made = julia_definitions(texts, 32, (2, 7))
    assert made["f"] == (2, "f(x, y) = ((0.1f0 * (x)^(2)) + safe_pow(safe_log(y), 2.5f0) + (-(x)^(-1)))")
    assert made["g"][1].startswith("g(x) = ifelse(greater(x, 1.0f0) > 0, (((0.1f0 * (x)^(2))")
    assert made["g"][1].endswith("Float32(pi))")
    assert "Float16(0.1)" in julia_definitions(texts, 16, (2, 7))["f"][1]
    assert "(0.1 * " in julia_definitions(texts, 64, (2, 7))["f"][1]
    point = {symbol("x"): sympy.Rational(3, 4), symbol("y"): sympy.Rational(7, 3)}
    for name, (_, text) in julia_definitions(texts, 64, (2, 7)).items():
        before, after = defined(texts)[name].body, defined({name: text})[name].body
        assert abs(float(before.subs(point)) - float(after.subs(point))) < 1e-12


def test_literals_read_back_as_the_same_float() -> None:
    random = np.random.default_rng(3)
    values = [*random.normal(size=40) * 10.0 ** random.integers(-20, 20, 40), 0.1, 1.0, 2.0, 1e6, 1e-5, 0.0]
    for value in map(abs, values):
        for bits, kind in ((32, np.float32), (64, np.float64)):
            node = parse(literal(Fraction(float(value)), bits), JULIA)
            assert isinstance(node, Number)
            assert kind(float(node.value)) == kind(value)
            assert bits == 64 or Fraction(float(kind(value))) == node.value


@pytest.mark.parametrize(
    ("text", "version", "kind", "message"),
    [
        ("f(x) = run(x)", (2, 7), UnsupportedError, "'f'.*'run' of 1"),
        ("f(x) = asin(x)", (1, 5), UnsupportedError, "'asin' inside a definition needs PySR 2"),
        ("f(x) = f(x) + 1", (2, 7), LoadError, "defined by itself"),
        ("f(x) = x + z", (2, 7), LoadError, "unknown name 'z'"),
        ("g(x) = x", (2, 7), LoadError, "does not define the operator 'f'"),
        ("f(x) = ", (2, 7), LoadError, "definition of the operator 'f'"),
    ],
)
def test_broken_definitions_are_one_line(text: str, version: tuple[int, int], kind: type, message: str) -> None:
    with pytest.raises(kind, match=message) as caught:
        julia_definitions({"f": text}, 32, version)
    assert "\n" not in str(caught.value)
    with pytest.raises(LoadError, match="needs another name"):
        julia_definitions({"log": "log(x) = x"}, 32, (2, 7))


def test_constraints_in_the_unit_of_the_objective() -> None:
    limits = {"/": (-1, 3), "sin": (4,), "*": (5, 1), "^": (-1, 1)}
    names = ("+", "*", "/", "^", "sin")
    by_nodes = call(operators=names, constraints=limits, objective="path").constructor["constraints"]
    assert by_nodes == {"/": (-1, 3), "sin": 4, "*": (5, 1), "^": (-1, 1)}
    described = call(operators=names, constraints=limits, objective="sum")
    dearest = max(described.scale.steps.values())
    assert dearest > 1
    assert described.constructor["constraints"]["^"] == (-1, 1)
    assert described.constructor["constraints"]["sin"] == 1 + 3 * dearest
    assert call(operators=("^",)).constructor["constraints"] == {"^": (-1, -1)}
    assert "constraints" not in call(operators=("*",)).constructor
    nested = call(operators=names, nested={"sin": {"sin": 0, "pow": 1}}).constructor["nested_constraints"]
    assert nested == {"sin": {"sin": 0, "^": 1}}
    for wrong in ({"+": (1, 2)}, {"sin": (1, 2)}, {"cos": (1,)}):
        with pytest.raises(FormatError, match=next(iter(wrong)).replace("+", r"\+")):
            call(operators=names, constraints=wrong)
    with pytest.raises(FormatError, match="'tan'"):
        call(operators=names, nested={"sin": {"tan": 0}})


def test_settings_that_pysr_cannot_express_are_refused() -> None:
    for settings, message in (
        ({"formats": (12, 6)}, "fake quantization"),
        ({"objective": "speed"}, "unknown objective 'speed'"),
        ({"max_cycles": 0.0}, "limit on cycles"),
        ({"max_nodes": 0}, "number of nodes"),
        ({"operators": ("zz",)}, "no operator 'zz'"),
    ):
        with pytest.raises(FormatError, match=message):
            call(**settings)
    with pytest.raises(FormatError, match="no figure for the operator 'own'"):
        call(definitions={"own": "own(x) = x*x"}, objective="path")
    with pytest.raises(FormatError, match="7 or more"):
        call(options={"maxsize": 6})
    with pytest.raises(FormatError, match="precision"):
        call(options={"precision": 8})


def test_columns_get_names_that_pysr_accepts() -> None:
    given = ("beta", "x1", "N", "lambda", "größe", "sc", "log", "mass")
    found = column_names(given, ("sc",))
    assert found == ("x0", "x1", "x2", "x3", "x4", "x5", "x6", "mass")
    assert column_names(("pi", "x0"), ()) == ("x0_", "x0")
    assert not any(hasattr(sympy, name) for name in found)
