"""A seed → a random formula compiled on random formats, and its proven bound held against samples."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

import flint
import numpy as np
from random_formulas import Formula, formula

from sr2hls.analyze.evaluate import array_function, ball_function
from sr2hls.check.vectors import input_vectors
from sr2hls.compiler import Options, compile_model
from sr2hls.design import Design
from sr2hls.formats import Format
from sr2hls.interpret import interpret
from sr2hls.load import load
from sr2hls.model import SymbolicModel, symbol

WIDTHS = (4, 6, 8, 9, 10, 12, 12, 14, 16)


@dataclass(frozen=True)
class Drawn:
    """One compiled random formula."""

    seed: int
    text: str
    model: SymbolicModel
    design: Design
    formula: Formula
    seconds: float


def draw(seed: int) -> Drawn:
    """Compile the formula of a seed. Raises Sr2hlsError where it is refused."""
    rng = random.Random(seed)
    drawn = formula(rng, rng.choice((1, 2, 2, 3, 3, 4)))
    inputs, ranges = {}, {}
    for name in ("x0", "x1", "x2"):
        width = rng.choice(WIDTHS)
        inputs[name] = Format(rng.random() < 0.5, width, rng.randint(width // 2, width))
        if rng.random() < 0.3:
            fmt = inputs[name]
            low, high = float(fmt.value(fmt.least)), float(fmt.value(fmt.greatest))
            ranges[name] = (low + (high - low) * rng.random() * 0.5, high - (high - low) * rng.random() * 0.4)
    model = load(drawn.plain)
    keep = set(model.inputs)
    options = Options(
        inputs={n: f for n, f in inputs.items() if n in keep},
        ranges={n: r for n, r in ranges.items() if n in keep},
        target=rng.choice(("ecp5-6", "xc7-2", "vu9p-2")),
        registers=rng.choice(("in", "out", "both", "none")),
        max_error_ulps=rng.choice((0.75, 1.0, 1.0, 4.0)),
        name=f"f{seed}",
    )
    start = time.perf_counter()
    design = compile_model(model, options)
    return Drawn(seed, drawn.plain, model, design, drawn, time.perf_counter() - start)


def worst_ratio(drawn: Drawn, vectors: int) -> tuple[float, bool]:
    """(measured error / proven bound, whether the loader's formula is the independent reference's).

    The ratio is the largest over samples where the formula is finite in float64; 0 where the circuit is exact or has
    thresholds whose band the certificate names. The second is False where a comparison swallows the NaN of a removable
    singularity, such as less(0/x, 1) at x = 0: the formula is continued there.
    """
    design = drawn.design
    codes = input_vectors(design, vectors, seed=drawn.seed, exhaustive_bits=14)
    found = interpret(design.circuit, codes)["y"] * float(design.output_formats["y"].ulp)
    limits = {name: (low, high) for name, low, high in design.certificate.domain}
    shape = found.shape
    values = {name: np.full(shape, limits.get(name, (0.0, 0.0))[0]) for name in ("x0", "x1", "x2")}
    for name, fmt in design.input_formats.items():
        values[name] = np.clip(codes[name] * float(fmt.ulp), *limits[name])
    with np.errstate(all="ignore"):
        independent = np.broadcast_to(drawn.formula.value(values), shape)
    symbols = [symbol(name) for name in values]
    reference = np.broadcast_to(array_function(drawn.model.outputs[0].expression, symbols)(*values.values()), shape)
    both = np.isfinite(reference) & np.isfinite(independent)
    same = bool(np.allclose(reference[both], independent[both], rtol=1e-9, atol=1e-9))
    if design.certificate.outputs[0].bands:
        return 0.0, same
    finite = np.isfinite(reference)
    error = np.abs(found - reference)[finite]
    bound = design.certificate.outputs[0].bound
    slack = 1e-11 * np.abs(reference[finite])  # the reference's own rounding
    excess = np.maximum(error - slack, 0.0)
    if bound == 0.0:
        return (float("inf") if excess.size and excess.max() > 1e-12 else 0.0), same
    if not excess.size:
        return 0.0, same
    ratio = float(excess.max() / bound)
    if ratio > 1.0:  # float64 may be what is wrong: evaluate the worst sample with 256 bits
        worst = np.flatnonzero(finite)[int(excess.argmax())]
        with flint.ctx.workprec(256):
            point = [flint.arb(float(column[worst])) for column in values.values()]
            exact = ball_function(drawn.model.outputs[0].expression, symbols)(*point)
            ratio = float(abs(flint.arb(float(found[worst])) - exact).lower() / bound)
    return ratio, same
