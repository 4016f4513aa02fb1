"""Rewriting by an e-graph beside the compiler's own search: LUTs, DSPs, cycles and CPU seconds of both chosen forms.

    python benchmarks/rewriting_egglog.py [--cases jets feynman rules] [--target ecp5-6] [--no-dsp]
        [--iterations 12] [--nodes 6000] [--seconds 20] [--hopeless 1.0] [--work 20]

Needs `pip install egglog` (13.2.0 was measured), which the project does not depend on. Formulas, words and the proven
error are those of benchmarks/rewriting.py; identities and cost are in benchmarks/egraph.py. The e-graph grows until
nothing is new or a limit is met; its cheapest term is compared with the formula at random points by Arb (`agree`).

How it is compiled: `sr2hls.wordlength.forms.neighbors` is patched to offer only the extracted term, in three readings:
sub-terms that sympy would merge again held apart, the same with sums under functions left open, and as sympy has it.
All are lowered, whatever their estimate; the compiler takes the cheapest by its bill, or the formula as written.
ours: effort "normal" as it is; --hopeless: forms whose estimate is up to so many times that of the formula as written
are lowered, too; --work: as long as this many lowerings take (`Patience`).
CPU s: saturation, extraction, check and compilation, or compilation alone. ended: why saturation did.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.metadata import version
from typing import Any
from unittest.mock import patch

import sympy
from egraph import FUNCTION, LINEAR, NODE, OF_INPUT, PRODUCT, Limit, saturated
from egraph_read import Reader, encoded, short
from rewriting import ABOVE, FEYNMAN, JETS, RULES, WORD, bill

from sr2hls.analyze.identity import agree
from sr2hls.compiler import Options, compile_model
from sr2hls.errors import Sr2hlsError
from sr2hls.load import from_json, load
from sr2hls.load.native import to_json
from sr2hls.model import SymbolicModel
from sr2hls.quantize.domains import domains_of
from sr2hls.rewrite.form import Form
from sr2hls.wordlength import PATIENCE, Bill, Limits, forms
from sr2hls.wordlength.forms import Patience

READINGS = {"apart": (True, True), "arguments open": (True, False), "plain": (False, False)}
COLUMNS = (
    "formula",
    "as written: LUT/DSP/cycles",
    "e-graph: form (reading)",
    "LUT/DSP/cycles",
    "CPU s",
    "e-nodes",
    "ended",
    "ours: LUT/DSP/cycles",
    "CPU s",
    "rules",
    "area, e-graph/ours",
)
TIE = 0.01


@dataclass(frozen=True)
class Row:
    bill: Bill
    seconds: float
    rules: tuple[str, ...]


def compiled(model: SymbolicModel, options: Options, patience: Patience, offered: Sequence[Form] = ()) -> Row:
    """offered: the only forms that the compiler may take beside the formula as written."""
    fresh = from_json(to_json(model))  # without what an earlier compilation may have kept

    def only(form: Form, *, rare: bool) -> Iterator[Form]:
        return iter(() if form.steps else offered)

    start = time.process_time()
    with ExitStack() as stack:
        stack.enter_context(patch.dict(PATIENCE, {options.effort: patience}))
        if offered:
            stack.enter_context(patch.object(forms, "neighbors", only))
            stack.enter_context(patch.object(forms, "_STEPS", math.inf))
        design = compile_model(fresh, options)
    rules = tuple(step["rule"] for step in design.provenance["rewrites"])
    return Row(bill(design), time.process_time() - start, rules)


@dataclass(frozen=True)
class Choice:
    """What the e-graph led to: the form that was taken, or the first offered one, and its circuit."""

    row: Row
    text: str
    nodes: int
    ended: str
    agreed: bool


def by_egraph(bindings: Any, model: SymbolicModel, options: Options, limit: Limit) -> Choice:
    """Saturate, extract, read, check and compile."""
    start = time.process_time()
    numbers: dict[str, Any] = {}
    (output,) = model.outputs
    domains = domains_of(model, options.inputs, options.ranges)
    positive = [name for name, domain in domains.items() if domain.range.low > 0]
    found = saturated(bindings, encoded(output.expression, numbers), positive, limit)
    offered = [Reader(found, numbers, *how).form(model, reading) for reading, how in READINGS.items()]
    agreed = all(agree(output.expression, form.steps[0].after, domains, 0) for form in offered)
    spent = time.process_time() - start
    row = compiled(model, options, Patience(len(offered), math.inf, math.inf), offered)
    taken = [form for form in offered if (form.steps[0].rule,) == row.rules]
    text = f"{short(taken[0])} ({row.rules[0]})" if taken else f"not taken: {short(offered[0])}"
    text += "" if agreed else ", DIFFERS FROM THE FORMULA"
    return Choice(replace(row, seconds=row.seconds + spent), text, found.nodes, found.ended, agreed)


def cell(row: Row) -> str:
    return f"{row.bill.luts:.0f}/{row.bill.dsp:.0f}/{row.bill.latency}"


def summary(ratios: Sequence[float], chosen: Sequence[tuple[Choice, Row]]) -> None:
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    smaller, larger = sum(r < 1 - TIE for r in ratios), sum(r > 1 + TIE for r in ratios)
    saturated_ones = sum(found.ended == "saturated" for found, _ in chosen)
    print(
        f"\nArea, e-graph/ours: geometric mean {mean:.3f}; by over {TIE:.0%} smaller in {smaller} formulas, larger in "
        f"{larger}, ties {len(ratios) - smaller - larger}. Saturated: {saturated_ones}. "
        f"CPU seconds: {sum(f.row.seconds for f, _ in chosen):.0f}, ours {sum(row.seconds for _, row in chosen):.0f}."
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    groups = ("jets", "feynman", "rules")
    parser.add_argument("--cases", nargs="+", choices=groups, default=list(groups))
    parser.add_argument("--target", default="ecp5-6")
    parser.add_argument("--no-dsp", action="store_true")
    parser.add_argument("--iterations", type=int, default=12)
    parser.add_argument("--nodes", type=int, default=6000)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--hopeless", type=float, default=PATIENCE["normal"].hopeless)
    parser.add_argument("--work", type=float, default=PATIENCE["normal"].work)
    arguments = parser.parse_args()
    try:
        bindings = import_module("egglog.bindings")
    except ImportError:
        print("this benchmark needs egglog: pip install egglog", file=sys.stderr)
        return 1
    limit = Limit(arguments.iterations, arguments.nodes, arguments.seconds)
    own = replace(PATIENCE["normal"], hopeless=arguments.hopeless, work=arguments.work)
    cases: list[tuple[str, SymbolicModel, dict[str, tuple[float, float]]]] = []
    cases += [(name, load(JETS, output=name), {}) for name in "gqtwz" if "jets" in arguments.cases]
    for group, texts in (("rules", RULES), ("feynman", FEYNMAN)):
        cases += [(text, load(text), {"*": ABOVE}) for text in texts if group in arguments.cases]
    print(f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|")
    limits = Limits(dsp=0) if arguments.no_dsp else Limits()
    ratios, chosen = [], []
    for name, model, ranges in cases:
        options = Options(inputs={"*": WORD}, ranges=ranges, target=arguments.target, limits=limits)
        try:
            written = compiled(model, options, PATIENCE["low"])
        except Sr2hlsError as error:
            print(f"| {name} | refused: {type(error).__name__} |{' |' * (len(COLUMNS) - 2)}", flush=True)
            continue
        found = by_egraph(bindings, model, options, limit)
        ours = compiled(model, options, own)
        chosen.append((found, ours))
        ratios.append(max(found.row.bill.area, 1.0) / max(ours.bill.area, 1.0))
        cells = [name, cell(written), found.text, cell(found.row), f"{found.row.seconds:.2f}", str(found.nodes)]
        cells += [found.ended, cell(ours), f"{ours.seconds:.2f}", ", ".join(ours.rules) or "-", f"{ratios[-1]:.2f}"]
        print(f"| {' | '.join(cells)} |", flush=True)
    summary(ratios, chosen)
    print(
        f"egglog {version('egglog')}, sympy {sympy.__version__}, Python {sys.version.split()[0]}; {arguments.target}"
        f"{', no DSPs' * arguments.no_dsp}; at most {limit.iterations} iterations, {limit.nodes} e-nodes and "
        f"{limit.seconds:g} s; ours lowers forms up to {own.hopeless:g} times the first estimate, work {own.work:g}.\n"
        f"Cost: product {PRODUCT:g}, function {FUNCTION:g}, function of an input {OF_INPUT:g}, sum or constant "
        f"multiple that is a step {LINEAR:g}, e-node {NODE:g}."
    )
    return int(not all(found.agreed for found, _ in chosen))


if __name__ == "__main__":
    sys.exit(main())
