"""`Design` → the sentences that people read first: ports, the proven bound, the latency. Numbers are rounded upward."""

from __future__ import annotations

import math
from fractions import Fraction

from sr2hls.design import Design, OutputCertificate
from sr2hls.formats import Format


def rounded_up(value: float, digits: int = 3) -> str:
    """The decimal text of a nonnegative bound, never below it."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    exponent = math.floor(math.log10(value)) - digits + 1
    for power in (exponent, exponent + 1):
        scale = Fraction(10) ** power
        text = f"{float(math.ceil(Fraction(value) / scale) * scale):.{digits}g}"
        if Fraction(text) >= Fraction(value):
            return text
    return repr(value)


def promise(design: Design, entry: OutputCertificate) -> str:
    """The proven bound of one output, in one line."""
    inputs = ", ".join(design.input_formats)
    fmt = design.output_formats.get(entry.name) or Format.parse(entry.format)
    if not math.isfinite(entry.bound):
        return f"no bound is proven for |{entry.name} - f({inputs})|"
    ulps = rounded_up(float(Fraction(entry.bound) / fmt.ulp))
    text = f"|{entry.name} - f({inputs})| <= {rounded_up(entry.bound)} ({ulps} ulp of {fmt})"
    return f"{text} for {scope(design)}" + (", outside the bands named below" if entry.bands else "")


def scope(design: Design) -> str:
    """What the promise covers: "all 2^36 inputs"."""
    bits = sum(fmt.width for fmt in design.input_formats.values())
    if bits == 0:
        return "the one result"
    narrowed = ranges(design)
    return f"all 2^{bits} inputs" + (", each clamped to its range" if narrowed else "")


def ranges(design: Design) -> dict[str, tuple[float, float]]:
    """The inputs whose declared range is narrower than their format; the circuit clamps them."""
    found = {}
    for name, low, high in design.certificate.domain:
        fmt = design.input_formats.get(name)
        if fmt is not None and (low > fmt.value(fmt.least) or high < fmt.value(fmt.greatest)):
            found[name] = (low, high)
    return found


def timing(design: Design) -> str:
    """Cycles, clock, ns, and what stands behind the numbers."""
    if design.target.estimate:
        basis = "an estimate from published delays"
    else:
        basis = "by delays calibrated with place-and-route"
    cycles = f"{design.latency} cycle{'' if design.latency == 1 else 's'}"
    total = f"{design.latency * design.clock_ns:g} ns"
    return f"{cycles} x {design.clock_ns:g} ns = {total} on {design.target.name} ({basis}), a new sample every cycle"


def ports(design: Design) -> list[tuple[str, str, str, str]]:
    """(direction, name, format, values) of each port; the values are those that the promise covers."""
    domain = {name: (low, high) for name, low, high in design.certificate.domain}
    rows = []
    for name, fmt in design.input_formats.items():
        low, high = domain.get(name, (float(fmt.value(fmt.least)), float(fmt.value(fmt.greatest))))
        rows.append(("input", name, str(fmt), f"{low:g} to {high:g}"))
    for name, fmt in design.output_formats.items():
        node = next(design.circuit.nodes[index] for output, index in design.circuit.outputs if output == name)
        rows.append(("output", name, str(fmt), f"{float(fmt.value(node.low)):g} to {float(fmt.value(node.high)):g}"))
    return rows
