"""The fixed set of formulas of the QoR table: text, input boxes, and for a width the words of their ports.

Sources: the five published hls4ml jet formulas (hls4ml tutorial, part 8); pair forces in the plane, their distance
softened; laws of the Feynman symbolic regression database (Udrescu, Tegmark, Science Advances 6, 2020, under its
numbers there) and of EmpiricalBench (arXiv 2305.01582), constants set to one; the PySR runs in `examples/`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import flint

from sr2hls.analyze.subdivide import BOXES, RESCUE, subdivided
from sr2hls.formats import Format
from sr2hls.load import load
from sr2hls.model import SymbolicModel
from sr2hls.quantize.domains import domains_of
from sr2hls.rewrite.fuse import fuse

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
Box = Mapping[str, tuple[float, float]]  # least value, and the first that is not taken where it is the word's end
_JET = dict.fromkeys(("x2", "x3", "x14", "x15"), (-4.0, 4.0))
_PLANE = {"dx": (-4.0, 4.0), "dy": (-4.0, 4.0)}


@dataclass(frozen=True)
class Formula:
    """`text`: a formula, or `FILE:OUTPUT` below examples/."""

    group: str
    text: str
    box: Box


FORMULAS: dict[str, Formula] = {
    **{f"jet_{c}": Formula("jets", f"jets/published.txt:{c}", _JET) for c in "gqtwz"},
    "spring": Formula("force laws", "dx*(1 - 1/sqrt(dx^2 + dy^2 + 0.0625))", _PLANE),
    "inverse_square": Formula("force laws", "dx/(dx^2 + dy^2 + 0.25)^1.5", _PLANE),
    "coulomb": Formula(
        "force laws", "q1*q2*dx/(dx^2 + dy^2 + 0.25)^1.5", {**_PLANE, "q1": (-1.0, 1.0), "q2": (-1.0, 1.0)}
    ),
    "damped": Formula("force laws", "dx*(1 - 1/sqrt(dx^2 + dy^2 + 0.0625)) + 0.3*dv", {**_PLANE, "dv": (-2.0, 2.0)}),
    "yukawa": Formula("force laws", "exp(-r)/r", {"r": (0.25, 4.0)}),
    "I.6.2a": Formula("Feynman", "exp(-theta^2/2)/sqrt(2*3.14159265)", {"theta": (-4.0, 4.0)}),
    "I.8.14": Formula(
        "Feynman", "sqrt((x2 - x1)^2 + (y2 - y1)^2)", dict.fromkeys(("x1", "x2", "y1", "y2"), (0.0, 2.0))
    ),
    "I.10.7": Formula("Feynman", "m/sqrt(1 - v^2)", {"m": (0.0, 2.0), "v": (0.0, 0.875)}),
    "I.12.11": Formula(
        "Feynman",
        "q*(Ef + B*v*sin(theta))",
        {"q": (0.0, 1.0), "Ef": (0.0, 1.0), "B": (0.0, 1.0), "v": (0.0, 1.0), "theta": (-4.0, 4.0)},
    ),
    "I.16.6": Formula("Feynman", "(u + v)/(1 + u*v)", {"u": (0.0, 1.0), "v": (0.0, 1.0)}),
    "I.27.6": Formula("Feynman", "1/(1/d1 + n/d2)", {"d1": (1.0, 4.0), "d2": (1.0, 4.0), "n": (0.0, 2.0)}),
    "I.29.16": Formula(
        "Feynman",
        "sqrt(x1^2 + x2^2 - 2*x1*x2*cos(t1 - t2))",
        {"x1": (1.0, 2.0), "x2": (0.0, 0.75), "t1": (-4.0, 4.0), "t2": (-4.0, 4.0)},
    ),
    "I.37.4": Formula(
        "Feynman", "I1 + I2 + 2*sqrt(I1*I2)*cos(delta)", {"I1": (0.0, 1.0), "I2": (0.0, 1.0), "delta": (-4.0, 4.0)}
    ),
    "I.40.1": Formula("Feynman", "n*exp(-m*x/T)", {"n": (0.0, 1.0), "m": (0.0, 1.0), "x": (0.0, 4.0), "T": (1.0, 4.0)}),
    "I.44.4": Formula("Feynman", "n*T*log(V2/V1)", dict.fromkeys(("n", "T", "V1", "V2"), (1.0, 2.0))),
    "II.11.27": Formula("Feynman", "n*a*E/(1 - n*a/3)", dict.fromkeys(("n", "a", "E"), (0.0, 1.0))),
    "II.35.18": Formula(
        "Feynman", "n/(exp(m*B/T) + exp(-m*B/T))", {"n": (0.0, 1.0), "m": (0.0, 2.0), "B": (0.0, 2.0), "T": (1.0, 2.0)}
    ),
    "III.10.19": Formula("Feynman", "mu*sqrt(Bx^2 + By^2 + Bz^2)", dict.fromkeys(("mu", "Bx", "By", "Bz"), (0.0, 1.0))),
    "III.17.37": Formula(
        "Feynman", "beta*(1 + alpha*cos(theta))", {"beta": (0.0, 1.0), "alpha": (0.0, 1.0), "theta": (-4.0, 4.0)}
    ),
    "planck": Formula("EmpiricalBench", "nu^3/(exp(nu/T) - 1)", {"nu": (0.5, 8.0), "T": (1.0, 2.0)}),
    "schechter": Formula("EmpiricalBench", "L^(-1.25)*exp(-L)", {"L": (0.25, 4.0)}),
    "newton": Formula("EmpiricalBench", "m1*m2/r^2", {"m1": (0.0, 1.0), "m2": (0.0, 1.0), "r": (0.5, 4.0)}),
    "mass": Formula("PySR runs", "quickstart/model.pkl:y", {"pt": (0.0, 2.0), "met": (0.0, 2.0), "dphi": (-4.0, 4.0)}),
    "momentum_x": Formula("PySR runs", "momentum/model.pkl:y0", {"pt": (0.0, 8.0), "phi": (-4.0, 4.0)}),
    "momentum_z": Formula("PySR runs", "momentum/model.pkl:y2", {"pt": (0.0, 8.0), "eta": (-1.5, 1.5)}),
    "kepler": Formula("PySR runs", "kepler/model.pkl:y", {"period": (0.25, 12.0), "mass": (0.5, 2.0)}),
}


@dataclass(frozen=True)
class Case:
    """A formula's model with the words of its ports; `limits` are the values that an input takes, both included."""

    name: str
    model: SymbolicModel
    inputs: Mapping[str, Format]
    limits: Mapping[str, tuple[float, float]]
    output: Format

    @property
    def ulp(self) -> float:
        return float(self.output.ulp)


@cache
def model_of(name: str) -> SymbolicModel:
    """The model of one output, only the inputs that it uses."""
    text = FORMULAS[name].text
    if ":" not in text:
        return load(text)
    file, _, output = text.partition(":")
    loaded = load(EXAMPLES / file)
    (chosen,) = (o for o in loaded.outputs if o.name == output)
    used = {s.name for s in chosen.expression.free_symbols}
    return replace(loaded, inputs=tuple(n for n in loaded.inputs if n in used), outputs=(chosen,))


def case_of(name: str, width: int) -> Case:
    """The words of `width` bits that hold the inputs' boxes and the formula's proven range."""
    model, box = model_of(name), FORMULAS[name].box
    inputs, limits = {}, {}
    for port in model.inputs:
        low, high = box[port]
        integer = math.ceil(math.log2(max(-low, high))) + (low < 0)
        word = inputs[port] = Format(low < 0, width, width - integer)
        limits[port] = (max(low, float(word.value(word.least))), min(high, float(word.value(word.greatest))))
    with flint.ctx.workprec(64):
        domains = domains_of(model, inputs, limits)
        program = fuse(model, [d.name for d in domains.values() if d.narrow])
        found = subdivided(program, domains, BOXES["normal"], RESCUE).ranges[program.outputs[0][1].name]
    return Case(name, model, inputs, limits, _holding(*found.floats(), width))


def _holding(low: float, high: float, width: int) -> Format:
    """The word of `width` bits with the most fraction bits that holds a range."""
    signed, integer = low < 0, -width
    while True:
        word = Format(signed, width, width - integer)
        if word.value(word.least) <= low and high <= word.value(word.greatest):
            return word
        integer += 1
