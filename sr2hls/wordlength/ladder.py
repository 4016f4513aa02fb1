"""Words and error targets + limits → the tightest error at which a circuit within the limits is found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from sr2hls.analyze.ranges import Analysis
from sr2hls.errors import FormatError
from sr2hls.formats import Format
from sr2hls.lower import Lowered
from sr2hls.program import Program
from sr2hls.targets import Target
from sr2hls.wordlength.bench import Bench
from sr2hls.wordlength.descent import Effort, cheapest_words, first_found, nearest_start
from sr2hls.wordlength.limits import Limits
from sr2hls.wordlength.price import Bill, Timing

_FAR = 1.0  # excess at which a larger error is tried at once
_COARSEST = 1 / 8  # of an output's largest value: errors beyond that are no result


@dataclass(frozen=True, slots=True)
class Rung:
    """The outputs' words and error targets, and in words how they were relaxed."""

    outputs: Mapping[str, Format]
    targets: Mapping[str, float]
    relaxed: str = ""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A lowering with the words and targets that it meets."""

    lowered: Lowered
    rung: Rung


def fitted(
    program: Program,
    analysis: Analysis,
    first: Rung,
    relaxed: Mapping[str, bool] | None,
    device: Target,
    timing: Timing,
    limits: Limits,
    latency: int | None,
    effort: Effort,
    bench: Bench | None = None,
) -> Fitted:
    """The cheapest lowering at the first error target where one keeps the limits.

    Args:
        first: what was asked for.
        relaxed: per output whether its word loses a fraction bit where its error is doubled. None: the error was
            asked for, so nothing is relaxed.
        latency: cycles that the schedule will have; where no circuit has as few, it is the schedule that says so.
        bench: one of this program and the first rung, whose work is not done again.

    Raises FormatError that names the nearest bill where none keeps the limits.
    """
    start = bench or Bench(program, analysis, first.outputs, first.targets, device, timing, tabled=limits.any)
    if not limits.any:
        return Fitted(cheapest_words(start, Limits(latency), effort).lowered, first)
    if latency is not None:
        limits = replace(limits, latency=latency if limits.latency is None else min(latency, limits.latency))
    nearest: tuple[float, Bill, Rung] | None = None
    for rung in [first] if relaxed is None else _rungs(first, relaxed, analysis, program):
        here = start
        if rung is not first:
            here = Bench(program, analysis, rung.outputs, rung.targets, device, timing, tabled=True)
        try:
            nearest_start(here, limits)  # its work is not the descent's
            found = first_found(here, limits)
            if relaxed is None or limits.excess(found.bill) <= _FAR:
                found = cheapest_words(here, limits, effort)
        except FormatError:
            if nearest is None:
                raise
            continue  # a coarse word that no longer holds its range
        excess = limits.excess(found.bill)
        if excess == 0.0:
            return Fitted(found.lowered, rung)
        if nearest is None or excess < nearest[0]:
            nearest = excess, found.bill, rung
    if nearest is None:
        raise FormatError("no error target is left to try")
    _, bill, rung = nearest
    error = max(rung.targets.values())
    remedy = "allow a larger error (--max-error)" if relaxed is None else "take fewer input bits"
    raise FormatError(
        f"no circuit with at most {limits} was found: the nearest, with an error of at most {error:.3g}, has "
        f"{bill.latency} cycles, {bill.luts:.0f} LUT, {bill.dsp:.0f} DSP by the model of {device.name}; {remedy}, "
        "narrow the ranges, or try --effort high"
    )


def _rungs(first: Rung, narrower: Mapping[str, bool], analysis: Analysis, program: Program) -> Iterator[Rung]:
    """Ever larger errors, up to an eighth of an output's range."""
    reach = {name: float(analysis.ranges[symbol.name].magnitude) for name, symbol in program.outputs}
    rung, step = first, 0
    yield first
    while all(2 * target <= _COARSEST * reach[name] for name, target in rung.targets.items()):
        step += 1
        words = {
            name: replace(word, width=word.width - 1, fraction=word.fraction - 1) if narrower[name] else word
            for name, word in rung.outputs.items()
        }
        if any(word.width < 2 for word in words.values()):
            return
        targets = {name: 2 * target for name, target in rung.targets.items()}
        said = ", ".join(f"{targets[name]:.3g} for {name} ({words[name]})" for name in targets)
        rung = Rung(words, targets, f"the error was relaxed {step} times to keep the limits: {said}")
        yield rung
