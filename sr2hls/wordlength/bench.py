"""A setting of the levers → its circuit, proven errors and bill; every setting is lowered and certified once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sr2hls.analyze.ranges import Analysis
from sr2hls.errors import FormatError, UnsupportedError
from sr2hls.formats import Format
from sr2hls.functions import horner, planned_widths
from sr2hls.lower import Lowered, Words, lower, lower_within
from sr2hls.program import Kind, Program
from sr2hls.quantize.budget import exact_steps
from sr2hls.targets import Target
from sr2hls.wordlength.levers import Lever, Setting, levers_of, setting_of, words_of
from sr2hls.wordlength.price import Bill, Timing, bill_of

_PLAN, _WIDE_PLAN = 4.0, 25.0  # what planning an evaluator takes, in lowerings


@dataclass(frozen=True, slots=True)
class Outcome:
    """A lowering, its errors as parts of their targets, and its bill."""

    lowered: Lowered
    ratios: tuple[float, ...]
    bill: Bill

    @property
    def proven(self) -> bool:
        return max(self.ratios, default=0.0) <= 1.0


class Bench:
    """One program on one device: `start` first, then `outcome` of any setting of `levers`.

    `tabled`: sums and products of small tables are among them, which take no multiplier and are faster, but larger.

    `work` counts what was done, in lowerings of a circuit whose evaluators are known: the same on every machine.
    """

    def __init__(
        self,
        program: Program,
        analysis: Analysis,
        outputs: Mapping[str, Format],
        targets: Mapping[str, float],
        device: Target,
        timing: Timing,
        tabled: bool = False,
    ) -> None:
        self.program, self.analysis, self.outputs, self.targets = program, analysis, outputs, targets
        self.device, self.timing, self.tabled = device, timing, tabled
        self.exact = exact_steps(program)
        self.levers: tuple[Lever, ...] = ()
        self.work = 0.0
        self._known: dict[Setting, Outcome | None] = {}
        self._first: tuple[Setting, Outcome] | None = None

    def start(self) -> tuple[Setting, Outcome]:
        """Equal shares of the error. Raises FormatError where even the finest miss the targets."""
        if self._first is None:
            self._first = self._start()
        return self._first

    def _start(self) -> tuple[Setting, Outcome]:
        words, lowered = self._first_words()
        effort = self._efforts(lowered)
        levers = levers_of(self.program, words, _held(self.program), self.tabled)
        self.levers = tuple(sorted(levers, key=lambda lever: effort.get(lever.name, 0.0)))  # the quick ones first
        return setting_of(self.levers, words), self._measured(lowered)

    def _first_words(self) -> tuple[Words, Lowered]:
        """Where the domain is cut into boxes, by slopes box by box or by the whole ones: the smaller circuit."""
        asked = self.program, self.analysis, self.outputs, self.targets, self.device
        if self.analysis.partition is None:
            return lower_within(*asked)
        found: list[tuple[Words, Lowered]] = []
        for boxes in (True, False):
            try:
                found.append(lower_within(*asked, boxes=boxes))
            except FormatError:
                if not boxes and not found:
                    raise
        return min(found, key=lambda one: self._measured(one[1]).bill.area)

    def outcome(self, setting: Setting) -> Outcome | None:
        """None where no circuit does that: a floor's operand too coarse, no evaluator, a word too wide."""
        if setting not in self._known:
            planned = self.planned()
            words = words_of(self.levers, setting)
            try:
                lowered = lower(self.program, self.analysis, words, self.outputs, self.exact, self.device)
                self._known[setting] = self._measured(lowered)
            except (FormatError, UnsupportedError):
                self._known[setting] = None
            self.work += 1.0 + self.planned() - planned
        return self._known[setting]

    def _efforts(self, lowered: Lowered) -> dict[str, float]:
        """Per step, what planning the evaluators takes that a change of its word may change, in lowerings."""
        total: dict[str, float] = {}
        width = {entry.step.symbol.name: entry.format.width for entry in lowered.entries}
        for step in reversed(self.program.assignments):
            name = step.symbol.name
            if step.kind is Kind.FUNCTION:
                (argument,) = (s.name for s in step.expression.free_symbols)
                wide = width.get(argument, 0) > horner.WIDEST
                total[name] = total.get(name, 0.0) + (_WIDE_PLAN if wide else _PLAN)
            for operand in step.expression.free_symbols:
                total[operand.name] = total.get(operand.name, 0.0) + total.get(name, 0.0)
        return total

    def planned(self) -> float:
        """What the evaluators that were planned so far took, in lowerings."""
        functions = self.analysis.functions.values()
        widths = [width for function in functions for width in planned_widths(function)]
        return sum(_WIDE_PLAN if width > horner.WIDEST else _PLAN for width in widths)

    def _measured(self, lowered: Lowered) -> Outcome:
        ratios = tuple(float(lowered.errors[name].magnitude) / target for name, target in self.targets.items())
        return Outcome(lowered, ratios, bill_of(lowered.circuit, self.device, self.timing))


def _held(program: Program) -> frozenset[str]:
    """The steps that a comparison or a floor depends on: coarser ones would widen the band in which it may flip."""
    uses = {a.symbol.name: [s.name for s in a.expression.free_symbols] for a in program.assignments}
    waiting = [name for a in program.assignments if a.kind in (Kind.LESS, Kind.FLOOR) for name in uses[a.symbol.name]]
    held: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in held:
            held.add(name)
            waiting += uses.get(name, [])
    return frozenset(held)
