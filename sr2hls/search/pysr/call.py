"""Problem, settings and costs → `Call`: the keyword arguments of `PySRRegressor` and of its `fit`. PySR not needed."""

from __future__ import annotations

import difflib
import keyword
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import sympy

from sr2hls import operators as known_operators
from sr2hls.errors import FormatError
from sr2hls.search.costs import OperatorCosts
from sr2hls.search.problem import Problem
from sr2hls.search.pysr import julia
from sr2hls.search.pysr.definitions import julia_definitions
from sr2hls.search.pysr.mappings import sympy_mappings
from sr2hls.search.pysr.scale import Scale, scale_of
from sr2hls.search.pysr.vocabulary import SAFE, Operators, Version, canonical, operators_of
from sr2hls.search.settings import Settings

_OPERATORS = ("operators", "unary_operators", "binary_operators")
# Of each group PySR takes one: what the user gives replaces what is built here.
_GROUPS = (
    ("complexity_of_operators", "complexity_of_constants", "complexity_of_variables", "complexity_mapping"),
    ("elementwise_loss", "loss_function", "loss_function_expression"),
)
_OF_FIT = ("weights", "variable_names", "Xresampled", "X_units", "y_units")


@dataclass(frozen=True, slots=True)
class Call:
    """One run of PySR, described.

    constructor, fit: keyword arguments of `PySRRegressor` and of its `fit` (beside X and y); columns: the names of the
    inputs in PySR's equations, in the problem's order; operators, scale: what they were made from; precision: bits.
    """

    version: Version
    constructor: Mapping[str, Any]
    fit: Mapping[str, Any]
    columns: tuple[str, ...]
    operators: Operators
    scale: Scale
    precision: int


def check_options(options: Mapping[str, Any], parameters: Collection[str], version: Version) -> None:
    """Refuse an option that this PySR does not have. Raises FormatError, naming those that look like it."""
    for name in options:
        if name in parameters:
            continue
        if name in _OF_FIT:
            raise FormatError(f"PySR's '{name}' comes with the data, not as an option")
        alike = difflib.get_close_matches(name, parameters, n=3)
        hint = f"; did you mean {', '.join(alike)}?" if alike else ""
        raise FormatError(f"PySR {version[0]}.{version[1]} has no option '{name}'{hint}")


def column_names(names: tuple[str, ...], taken: Collection[str]) -> tuple[str, ...]:
    """Names that PySR accepts: the user's own, or x0, x1, ... by place where one is a word of sympy or an operator's.

    PySR refuses such names as beta, gamma, S and N, and everything that is not ASCII.
    """
    found: list[str] = []
    for at, name in enumerate(names):
        plain = re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) and not keyword.iskeyword(name)
        word = hasattr(sympy, name) or name in taken or name in known_operators.known()
        found.append(name if plain and not word else _fresh(f"x{at}", {*names, *found}))
    return tuple(found)


def _fresh(name: str, taken: Collection[str]) -> str:
    return name if name not in taken else _fresh(name + "_", taken)


def _given_operators(options: Mapping[str, Any], settings: Settings) -> Settings:
    """Operators given as PySR options stand in for those of the settings, so that the cost tables follow them."""
    if not any(options.get(name) is not None for name in _OPERATORS):
        return settings
    by_arity = options.get("operators") or {}
    listed = [options.get("unary_operators") or [], options.get("binary_operators") or [], *by_arity.values()]
    texts = [str(text) for part in listed for text in part]
    own = {text.partition("(")[0].strip(): text for text in texts if "(" in text}
    names = tuple(text.partition("(")[0].strip() for text in texts)
    used = {name: text for name, text in settings.definitions.items() if name in names}
    return replace(settings, operators=names, definitions={**used, **own})


def _constraints(settings: Settings, operators: Operators, scale: Scale) -> dict[str, int | tuple[int, ...]]:
    """PySR's `constraints`, in complexity for the objective "sum" and in nodes otherwise.

    A limit of n nodes becomes, in complexity, what n nodes can cost at most (exact for the usual n = 1).
    """
    dearest = max(scale.steps.values()) if scale.objective == "sum" else 1
    found: dict[str, int | tuple[int, ...]] = {}
    if operators.arity("^"):
        found["^"] = (-1, -1)  # PySR warns where this is left to it
    for given, limits in settings.constraints.items():
        name = given if given in operators.texts else canonical(given)
        arity = operators.arity(name)
        if not arity:
            raise FormatError(f"a constraint on '{given}', which is not among the operators")
        if len(limits) != arity:
            raise FormatError(f"{len(limits)} constraint(s) on '{given}', which takes {arity} argument(s)")
        if name in "+-" and limits[0] != limits[1]:
            raise FormatError(f"PySR needs equal constraints on both arguments of '{name}', not {limits}")
        sizes = tuple(n if n < 1 else 1 + (n - 1) * dearest for n in limits)
        found[name] = sizes[0] if arity == 1 else sizes
    return found


def _nested(settings: Settings, operators: Operators) -> dict[str, dict[str, int]]:
    def name(given: str) -> str:
        found = given if given in operators.texts else canonical(given)
        if not operators.arity(found):
            raise FormatError(f"a nesting constraint on '{given}', which is not among the operators")
        return found

    return {name(outer): {name(inner): n for inner, n in limits.items()} for outer, limits in settings.nested.items()}


def _complexity(operators: Operators, scale: Scale, version: Version) -> dict[str, Any]:
    if scale.objective == "nodes":
        return {}
    if scale.objective in ("path", "circuit"):
        return {"complexity_mapping": julia.complexity_mapping(operators, scale)}
    steps = scale.steps
    if version >= (2, 0):  # which may look up a cost under the safe name only; PySR 1 lacks some of these names
        steps |= {SAFE[name]: steps[name] for name in operators.all if name in SAFE}
    return {"complexity_of_operators": steps, "complexity_of_constants": 1, "complexity_of_variables": 1}


def _loss(
    problem: Problem, options: Mapping[str, Any], operators: Operators, scale: Scale, version: Version
) -> dict[str, Any]:
    weighted = problem.weights is not None
    limited = scale.max_cycles is not None or scale.max_luts is not None
    # PySR checks units only in its own losses, and PySR 1 gives a loss function batches in another way.
    if limited and problem.input_units is None and not (version < (2, 0) and options.get("batching")):
        return {"loss_function": julia.limited_loss(problem.loss, weighted, operators, scale)}
    return {"elementwise_loss": julia.elementwise_loss(problem.loss, weighted)}


def _unit(text: str) -> str:
    """A unit in Julia's spelling; "" is none."""
    spelled = re.sub(r"\s*([*/^·])\s*", r"\1", text.strip()).replace("**", "^").replace("·", "*")
    return "" if spelled == "1" else re.sub(r"\s+", "*", spelled)


def _repeatable(settings: Settings) -> dict[str, Any]:
    """One thread: the same run for the same seed. More: PySR is faster and cannot be repeated, whatever the seed."""
    if settings.threads == 1:
        return {"random_state": settings.seed, "deterministic": True, "parallelism": "serial"}
    return {"parallelism": "multithreading"}


def _merged(built: dict[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    replaced = {name for group in _GROUPS if any(n in options for n in group) for name in group}
    if options.get("parallelism", "serial") != "serial":
        replaced |= {"random_state", "deterministic"}
    kept = {name: value for name, value in built.items() if name not in replaced}
    return {**kept, **{name: value for name, value in options.items() if name not in _OPERATORS}}


def pysr_call(
    problem: Problem,
    settings: Settings,
    costs: OperatorCosts,
    version: Version,
    options: Mapping[str, Any] | None = None,
) -> Call:
    """The call of PySR that searches `problem`.

    Args:
        version: of PySR, (major, minor).
        options: parameters of `PySRRegressor` in place of what the settings give (see `check_options`).

    Of the settings, islands, island_size and budget concern the native engine only: PySR keeps its own tuned
    `populations`, `population_size` and `niterations` unless they are among the options.

    Raises FormatError for settings that PySR cannot express, LoadError and UnsupportedError for definitions.
    """
    given = dict(options or {})
    if settings.formats is not None:
        raise FormatError("PySR does not search with fake quantization (formats); take the native engine")
    settings = _given_operators(given, settings)
    precision = int(given.get("precision", 32))
    if precision not in (16, 32, 64):
        raise FormatError(f"PySR's precision is 16, 32 or 64, not {precision}")
    definitions = julia_definitions(settings.definitions, precision, version)
    operators = operators_of(settings.operators, definitions, version)
    maxsize = given.pop("maxsize", None)
    scale = scale_of(settings, costs, operators, None if maxsize is None else int(maxsize))
    constructor: dict[str, Any]
    if version >= (2, 0):
        constructor = {"operators": {arity: operators.given(arity) for arity in sorted(operators.names)}}
    else:
        constructor = {"unary_operators": operators.given(1), "binary_operators": operators.given(2)}
    constructor |= {"maxsize": scale.maxsize, "precision": precision}
    constructor |= _complexity(operators, scale, version)
    constructor |= _loss(problem, given, operators, scale, version)
    constructor |= _repeatable(settings)
    if constraints := _constraints(settings, operators, scale):
        constructor["constraints"] = constraints
    if nested := _nested(settings, operators):
        constructor["nested_constraints"] = nested
    if settings.seconds is not None:
        constructor["timeout_in_seconds"] = settings.seconds
    if mappings := sympy_mappings(operators, settings.definitions):
        constructor["extra_sympy_mappings"] = mappings
    columns = column_names(problem.names, operators.all)
    fit: dict[str, Any] = {"variable_names": list(columns)}
    if problem.weights is not None:
        fit["weights"] = problem.weights
    if problem.input_units is not None:
        fit["X_units"] = [_unit(text) for text in problem.input_units]
        fit["y_units"] = None if problem.output_unit is None else _unit(problem.output_unit)
    return Call(version, _merged(constructor, given), fit, columns, operators, scale, precision)
