"""A formula → the operations that a user of a tracing compiler writes down for it, with a number format at each.

For Alkaid and da4ml, whose primitives are sums, products and full tables of one value. The plan does what their best
user would: every maximal sub-expression of one value is one table, an angle is counted in turns where its range is
wider than a period (the wrap is free), and each value keeps the fewest fraction bits, found by a descent on an
estimate of LUTs, with which the largest error on the drawn vectors stays within the limit. Nothing is proven here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray
from qor_formulas import Case

from sr2hls.analyze.evaluate import array_function
from sr2hls.errors import UnsupportedError
from sr2hls.model import symbol

Floats = NDArray[np.float64]
T = sympy.Symbol("t", real=True)
_PERIODIC = (sympy.sin, sympy.cos, sympy.tan)
_MULTIPLIED = 8  # input bits up to which a power is a table, not products
_GUARD = 12  # fraction bits beyond the output's, at most
_LIMIT = (0.99, 0.98, 0.96, 0.94, 0.92, 0.9, 0.87, 0.84, 0.8)  # ulp, on the vectors of the descent, by round


@dataclass(frozen=True)
class Step:
    """One value. op: input, linear (sum of coefficient · value, and a constant), mul, table (of one value).

    fraction: bits kept; coefficient_bits: fraction bits of a linear step's constants; wrap: keep only the fractional
    part; nearest: round half up, else truncate. function: a table's function of `T`.
    """

    op: str
    args: tuple[int, ...] = ()
    name: str = ""
    coefficients: tuple[float, ...] = ()
    constant: float = 0.0
    function: sympy.Expr | None = None
    wrap: bool = False
    fraction: int = 0
    coefficient_bits: int = 0
    nearest: bool = True
    low: float = 0.0
    high: float = 0.0


@dataclass
class _Writer:
    width: int
    steps: list[Step] = field(default_factory=list)
    known: dict[Any, int] = field(default_factory=dict)

    def add(self, step: Step) -> int:
        if step not in self.known:
            self.known[step] = len(self.steps)
            self.steps.append(step)
        return self.known[step]

    def write(self, e: sympy.Expr) -> int:
        if e.is_Symbol:
            return self.add(Step("input", name=e.name))
        inner, function = peel(e)
        if function != T:
            return self._of_one(inner, function)
        groups: dict[sympy.Expr, list[sympy.Expr]] = {}
        for part in e.args:
            groups.setdefault(peel(part)[0], []).append(part)
        if isinstance(e, sympy.Add):
            return self._sum([sympy.Add(*parts) for parts in groups.values()])
        if isinstance(e, sympy.Mul):
            factors = [self.write(sympy.Mul(*parts)) for parts in groups.values()]
            product = factors[0]
            for factor in factors[1:]:
                product = self.add(Step("mul", (product, factor)))
            return product
        raise UnsupportedError(f"no plan for '{e}'")

    def _sum(self, parts: Sequence[sympy.Expr]) -> int:
        args, coefficients, constant = [], [], 0.0
        for part in parts:
            scale, rest = part.as_independent(*part.free_symbols, as_Add=False)
            inner, function = peel(rest)
            affine = _affine(function)
            if affine is None:
                args.append(self.write(rest if isinstance(rest, sympy.Mul) else part))
                coefficients.append(float(scale) if isinstance(rest, sympy.Mul) else 1.0)
            else:
                args.append(self.write(inner))
                coefficients.append(float(scale * affine[0]))
                constant += float(scale * affine[1])
        return self.add(Step("linear", tuple(args), coefficients=tuple(coefficients), constant=constant))

    def _of_one(self, inner: sympy.Expr, function: sympy.Expr) -> int:
        arg = self.write(inner)
        affine = _affine(function)
        if affine is not None:
            return self.add(Step("linear", (arg,), coefficients=(float(affine[0]),), constant=float(affine[1])))
        power = function.exp if isinstance(function, sympy.Pow) and function.base == T else None
        if power in (2, 3, 4) and self.width > _MULTIPLIED:
            square = self.add(Step("mul", (arg, arg)))
            return {2: square, 3: self.add(Step("mul", (square, arg)))}.get(int(power)) or self.add(
                Step("mul", (square, square))
            )
        period = period_of(function)
        if period is not None and not inner.is_Symbol:
            before = self.steps[arg]
            if before.op == "linear" and not before.wrap:
                scaled = tuple(c / period for c in before.coefficients)
                turns = replace(before, coefficients=scaled, constant=before.constant / period, wrap=True)
            else:
                turns = Step("linear", (arg,), coefficients=(1 / period,), wrap=True)
            return self.add(Step("table", (self.add(turns),), function=function.xreplace({T: period * T})))
        return self.add(Step("table", (arg,), function=function))


def peel(e: sympy.Expr) -> tuple[sympy.Expr | None, sympy.Expr]:
    """(u, F) with e = F(u) and u as far inside as possible; F = T where e combines several values itself."""
    if not e.free_symbols:
        return None, e
    if e.is_Symbol:
        return e, T
    parts = [peel(arg) for arg in e.args]
    inner = {u for u, _ in parts if u is not None}
    if len(inner) == 1:
        return inner.pop(), e.func(*(f for _, f in parts))
    constants = [arg for arg in e.args if not arg.free_symbols]
    if not constants:
        return e, T
    if not isinstance(e, sympy.Add | sympy.Mul):
        raise UnsupportedError(f"no plan for '{e}'")
    return e.func(*(arg for arg in e.args if arg.free_symbols)), e.func(*constants, T)


def _affine(function: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr] | None:
    slope = sympy.diff(function, T)
    return None if slope.free_symbols else (slope, function.subs(T, 0))


def period_of(function: sympy.Expr) -> float | None:
    """The period of a function that holds T only in sines, cosines and tangents of commensurate multiples of it."""
    calls = function.atoms(*_PERIODIC)
    if not calls or function.xreplace({c: sympy.Dummy() for c in calls}).has(T):
        return None
    slopes = [_affine(c.args[0]) for c in calls]
    if any(s is None for s in slopes):
        return None
    rates = [abs(s[0]) for s in slopes if s is not None]
    least = min(rates)
    return float(2 * sympy.pi / least) if all((r / least).is_Integer for r in rates) else None


def drawn(case: Case, count: int, seed: int) -> dict[str, Floats]:
    """Values of the ports: all corners of the box, then random ones."""
    rng = np.random.default_rng(seed)
    names = list(case.inputs)
    grid = np.meshgrid(*([case.limits[n][0], case.limits[n][1]] for n in names), indexing="ij")
    columns = {}
    for name, corner in zip(names, grid, strict=True):
        ulp = float(case.inputs[name].ulp)
        low, high = (round(v / ulp) for v in case.limits[name])
        columns[name] = np.concatenate([np.round(corner.ravel() / ulp), rng.integers(low, high + 1, count)]) * ulp
    return columns


def truth(case: Case, columns: Mapping[str, Floats]) -> Floats:
    """The formula in float64."""
    f = array_function(case.model.outputs[0].expression, [symbol(n) for n in columns])
    return np.asarray(f(*columns.values()), dtype=np.float64)


Functions = dict[int, Callable[[Floats], Floats]]


def run(
    steps: Sequence[Step], columns: Mapping[str, Floats], functions: Functions, exact: bool = False
) -> list[Floats]:
    """The value of every step; `exact`: without any rounding."""
    with np.errstate(all="ignore"):
        return _values(steps, columns, functions, exact)


def _values(steps: Sequence[Step], columns: Mapping[str, Floats], functions: Functions, exact: bool) -> list[Floats]:
    values: list[Floats] = []
    for index, step in enumerate(steps):
        a = [values[i] for i in step.args]
        match step.op:
            case "input":
                values.append(columns[step.name])
                continue
            case "linear":
                unit = 0.0 if exact else 2.0**-step.coefficient_bits
                v = sum((_near(c, unit) * x for c, x in zip(step.coefficients, a, strict=True)), np.zeros_like(a[0]))
                v = v + (_near(step.constant, 0.0 if exact else 2.0**-step.fraction))
            case "mul":
                v = a[0] * a[1]
            case _:
                v = functions[index](a[0])
        if not exact:
            scale = 2.0**step.fraction
            v = np.floor(v * scale + (0.5 if step.nearest else 0.0)) / scale
        values.append(v - np.floor(v) if step.wrap else v)
    return values


def _near(value: float, unit: float) -> float:
    return value if unit == 0.0 else math.floor(value / unit + 0.5) * unit


def functions_of(steps: Sequence[Step]) -> Functions:
    return {i: array_function(s.function, [T]) for i, s in enumerate(steps) if s.op == "table"}


def word(step: Step, extra: int = 0) -> int:
    """Bits of a step's value."""
    if step.wrap:
        return max(step.fraction, 1)
    size = max(abs(step.low), abs(step.high) + 2.0**-step.fraction)
    return max(1, math.ceil(math.log2(size)) + step.fraction + (step.low < 0) + extra)


def estimate(steps: Sequence[Step]) -> float:
    """LUTs, roughly: what a plan is judged by before any synthesis."""
    total = 0.0
    for step in steps:
        match step.op:
            case "linear":
                digits = sum(_digits(c, step.coefficient_bits) for c in (*step.coefficients,))
                total += max(digits - 1, 0) * (word(step) + 2) + (word(step) if step.constant else 0)
            case "mul":
                a, b = (word(steps[i]) for i in step.args)
                total += 2.1 * a * b + (word(step) if step.nearest else 0)
            case "table":
                n, m = word(steps[step.args[0]]), word(step)
                total += m * (1.0 if n <= 6 else 0.9 * 2.0 ** (n - 6))
    return total


def _digits(value: float, bits: int) -> int:
    """Nonzero digits of the canonical signed form."""
    code, count = abs(round(value * 2.0**bits)), 0
    while code:
        if code & 1:
            count += 1
            code += 1 if code & 3 == 3 else -1
        code >>= 1
    return count


def plan_of(case: Case, width: int) -> tuple[tuple[Step, ...], float]:
    """The steps with their formats, the last one the output in its word, and its largest error found, in ulp."""
    writer = _Writer(width)
    last = writer.write(case.model.outputs[0].expression)
    steps = writer.steps
    if last != len(steps) - 1 or steps[last].op == "input":
        raise UnsupportedError("the output is no step of its own")
    functions = functions_of(steps)
    fresh = drawn(case, 100000, 2)
    exact = run(steps, fresh, functions, exact=True)
    for i, step in enumerate(steps):
        fraction = case.inputs[step.name].fraction if step.op == "input" else case.output.fraction
        steps[i] = replace(step, low=float(exact[i].min()), high=float(exact[i].max()), fraction=fraction)
    columns, hard = drawn(case, 3000, 1), np.zeros(0, dtype=np.int64)
    for limit in _LIMIT:
        columns = {name: np.concatenate([v, fresh[name][hard]]) for name, v in columns.items()}
        best, met = _formatted(tuple(steps), columns, functions, truth(case, columns) / case.ulp, case.ulp, limit)
        errors = np.abs(run(best, fresh, functions)[-1] - truth(case, fresh)) / case.ulp
        if not met or errors.max() <= 1.0:
            break
        hard = np.argsort(errors)[-300:]  # the vectors that the descent had not seen
    return best, float(errors.max())


def _formatted(
    steps: tuple[Step, ...],
    columns: Mapping[str, Floats],
    functions: Functions,
    wanted: Floats,
    ulp: float,
    limit: float,
) -> tuple[tuple[Step, ...], bool]:
    """Formats within one ulp on these vectors, and whether that was possible."""

    def error(trial: Sequence[Step]) -> float:
        found = float(np.abs(run(trial, columns, functions)[-1] / ulp - wanted).max())
        return found if math.isfinite(found) else math.inf

    for guard in range(1, _GUARD + 1):
        guarded = tuple(_guarded(s, guard, i == len(steps) - 1) for i, s in enumerate(steps))
        if error(guarded) <= limit:
            return _descended(guarded, error, limit), True
    return guarded, False


def _guarded(step: Step, guard: int, last: bool) -> Step:
    if step.op == "input":
        return step
    return replace(step, fraction=step.fraction + (0 if last else guard), coefficient_bits=step.fraction + guard + 4)


def _descended(steps: tuple[Step, ...], error: Callable[[Sequence[Step]], float], limit: float) -> tuple[Step, ...]:
    """Fewer bits wherever the error allows, the largest saving first; then a bit more here for fewer there."""
    improved = True
    while improved:
        cost, improved = estimate(steps), False
        singles = sorted(((estimate(t), t) for t in _moves(steps, (-1,))), key=lambda pair: pair[0])
        for price, trial in singles:
            if price < cost and error(trial) <= limit:
                steps, improved = trial, True
                break
        if improved:
            continue
        for more in _moves(steps, (1,)):
            pairs = sorted(((estimate(t), t) for t in _moves(more, (-1, -2))), key=lambda pair: pair[0])
            found = next((t for price, t in pairs[:6] if price < cost - 1 and error(t) <= limit), None)
            if found is not None:
                steps, improved = found, True
                break
    return steps


def _moves(steps: tuple[Step, ...], by: tuple[int, ...]) -> list[tuple[Step, ...]]:
    found = []
    for i, step in enumerate(steps):
        if step.op == "input":
            continue
        changes = [replace(step, fraction=step.fraction + d) for d in by] if i < len(steps) - 1 else []
        if step.op == "linear":
            changes += [replace(step, coefficient_bits=step.coefficient_bits + d) for d in by]
        if step.op == "mul" and step.nearest and by == (-1,):
            changes.append(replace(step, nearest=False))
        found += [(*steps[:i], change, *steps[i + 1 :]) for change in changes if change.fraction >= -8]
    return found


def as_json(case: Case, steps: Sequence[Step], columns: Mapping[str, Floats]) -> dict[str, Any]:
    """The plan for qor_rivals.py, with integer bits that hold every value found on these vectors."""
    found = run(steps, columns, functions_of(steps))
    data = []
    for index, step in enumerate(steps):
        unit = 2.0**-step.fraction
        low, high = min(step.low, float(found[index].min())), max(step.high, float(found[index].max()))
        low, high = math.floor(low / unit) * unit, math.ceil(high / unit) * unit
        entry: dict[str, Any] = {"op": step.op, "args": step.args}
        if step.op == "input":
            low, high = case.limits[step.name]
            data.append({**entry, "name": step.name, "low": low, "high": high, "step": unit})
            continue
        integer = max(math.ceil(math.log2(max(-low, high + unit))), 1 - step.fraction - (low < 0))
        overflow = "WRAP"
        if step.wrap:
            word = (0, 0, step.fraction)
        elif index == len(steps) - 1:
            out = case.output
            word = (int(out.signed), out.width - out.fraction - int(out.signed), out.fraction)
            overflow = "SAT" if high > float(out.value(out.greatest)) or low < float(out.value(out.least)) else "WRAP"
        else:
            word = (int(low < 0), integer, step.fraction)
        entry |= {"word": word, "overflow": overflow, "rounding": "RND" if step.nearest else "TRN"}
        if step.op == "linear":
            near = 2.0**-step.coefficient_bits
            entry["coefficients"] = [_near(c, near) for c in step.coefficients]
            entry["constant"] = _near(step.constant, unit)
        if step.op == "table":
            arg = steps[step.args[0]]
            values = found[step.args[0]]
            margin = 2 * 2.0**-arg.fraction if arg.op != "input" else 0.0
            entry["from"] = (0.0, 1.0) if arg.wrap else (float(values.min()) - margin, float(values.max()) + margin)
            entry["function"] = _tree(step.function)
        data.append(entry)
    ports = [step.name for step in steps if step.op == "input"]
    return {"steps": data, "vectors": np.stack([columns[name] for name in ports], axis=1).tolist()}


def _tree(e: Any) -> Any:
    if e == T:
        return "t"
    if not e.free_symbols:
        return float(e)
    head = {sympy.Add: "+", sympy.Mul: "*", sympy.Pow: "^"}.get(e.func, e.func.__name__)
    return [head, *(_tree(arg) for arg in e.args)]
