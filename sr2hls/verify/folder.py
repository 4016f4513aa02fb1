"""A compiled folder → a verdict per output: verified, refused with the first discrepancy, or not decided."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flint
import sympy

from sr2hls.circuit import Op, Overflow
from sr2hls.design import Design
from sr2hls.emit.design_json import design_data, short_digest, stated_digest
from sr2hls.emit.design_read import read_design
from sr2hls.emit.summary import promise
from sr2hls.errors import LoadError, MismatchError, Sr2hlsError
from sr2hls.load.native import from_json
from sr2hls.model import SymbolicModel, symbol
from sr2hls.ranges import result_range
from sr2hls.verify.algebra import require_equal
from sr2hls.verify.forms import fits
from sr2hls.verify.kernels import required
from sr2hls.verify.ledger import check_ledger, check_totals
from sr2hls.verify.proof import Proof
from sr2hls.verify.refused import Open, Wrong
from sr2hls.verify.span import point
from sr2hls.verify.steps import prove_steps
from sr2hls.verify.whole import whole

_PRECISION = 128
VERIFIED, REFUSED, UNDECIDED = "verified", "refused", "not verified"
_TEXTS = (".v", ".h", ".cpp", ".py", ".md", ".tcl", ".json", ".sv")


@dataclass(frozen=True, slots=True)
class Verdict:
    """status: verified, refused or not verified; detail: the discrepancy, or what was done."""

    status: str
    detail: str
    outputs: tuple[str, ...]  # a line for each, where verified
    seconds: float

    @property
    def verified(self) -> bool:
        return self.status == VERIFIED

    def data(self) -> dict[str, Any]:
        """As JSON data."""
        return {
            "status": self.status, "detail": self.detail, "outputs": list(self.outputs), "seconds": self.seconds,
        }  # fmt: skip


def verify_folder(folder: Path) -> Verdict:
    """Check the certificate of a compiled folder again, and that its files belong together.

    A design.json that cannot be read or has another digest is refused like any other discrepancy. Raises LoadError
    when there is no design.json.
    """
    start = time.monotonic()
    place = folder / "design.json" if folder.is_dir() else folder
    if not place.is_file():
        raise LoadError(f"{folder}: there is no design.json in it; give the folder that 'sr2hls compile' wrote")
    try:
        design = read_design(place)
        if folder.is_dir():
            _files(design, folder)
    except (LoadError, MismatchError) as error:
        return Verdict(REFUSED, str(error), (), time.monotonic() - start)
    except Wrong as wrong:
        return Verdict(REFUSED, str(wrong), (), time.monotonic() - start)
    return verify_design(design, start=start)


def verify_design(design: Design, *, totals: bool = True, start: float | None = None) -> Verdict:
    """Check a design's certificate by own means. `totals` = False leaves out the sums that only book-keeping needs."""
    start = time.monotonic() if start is None else start
    try:
        with flint.ctx.workprec(_PRECISION):
            proof, lines = _verified(design, totals)
    except Wrong as wrong:
        return Verdict(REFUSED, str(wrong), (), time.monotonic() - start)
    except Open as undecided:
        return Verdict(UNDECIDED, str(undecided), (), time.monotonic() - start)
    except (Sr2hlsError, ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
        return Verdict(REFUSED, f"it cannot be followed: {error}", (), time.monotonic() - start)
    count = len(design.certificate.nodes)
    detail = f"{count} steps; {proof.run} functions run on every argument"
    if proof.followed:
        detail += f", {proof.followed} proven by segments"
    return Verdict(VERIFIED, detail, tuple(lines), time.monotonic() - start)


def _verified(design: Design, totals: bool) -> tuple[Proof, list[str]]:
    if not design.certificate.outputs or not design.certificate.nodes:
        raise Open(f"design '{design.name}' has no certificate")
    model = _model(design)
    as_compiled = design
    design = whole(design)
    proof = prove_steps(design)
    _outputs(design, proof)
    _promises(design, proof)
    _composition(design, model, proof)
    check_ledger(design, proof, model)
    if totals:
        check_totals(as_compiled)
    lines = []
    for output in design.certificate.outputs:
        own = float(proof.steps[output.symbol].error.size)
        lines.append(f"{promise(design, output)} (own bound {own:.4g})")
    return proof, lines


def _model(design: Design) -> SymbolicModel:
    try:
        return from_json(json.dumps(design.provenance["model"]))
    except KeyError:
        raise Open(f"design '{design.name}' does not hold its formula") from None
    except LoadError as error:
        raise Wrong(f"the design's formula: {error}") from None


def _outputs(design: Design, proof: Proof) -> None:
    """The circuit's outputs are the nodes of the steps that the certificate names."""
    ports = dict(design.circuit.outputs)
    names = [output.name for output in design.certificate.outputs]
    if sorted(names) != sorted(ports):
        raise Wrong(f"the certificate promises {', '.join(names)}, the circuit has {', '.join(ports)}")
    nodes = design.circuit.nodes
    for output in design.certificate.outputs:
        step = proof.steps.get(output.symbol)
        if step is None or step.kind == "input":
            raise Wrong(f"output '{output.name}' is no step of the certificate")
        if step.kind == "turns":
            raise Wrong(f"output '{output.name}' is an angle that wraps")
        at = ports[output.name]
        while at != step.line.node:
            node = nodes[at]
            if node.op is Op.CONSTANT and step.line.node < 0 and step.hardware == point(node.format.value(node.value)):
                break
            keeps = node.op is Op.CAST and nodes[node.args[0]].format.fraction <= node.format.fraction
            if not keeps or not fits(design.circuit, node):
                raise Wrong(f"output '{output.name}' is not the node of its step, {step.line.node}")
            at = node.args[0]


def _promises(design: Design, proof: Proof) -> None:
    """Every wrapping cast that promises a range was proven to keep it."""
    circuit = design.circuit
    for index, node in enumerate(circuit.nodes):
        if node.op is not Op.CAST or node.overflow is not Overflow.WRAP or index in proof.claims:
            continue
        if (node.low, node.high) != result_range(node, circuit.nodes, circuit.tables):
            raise Open(f"no step shows the range [{node.low}, {node.high}] of node {index}")


def _composition(design: Design, model: SymbolicModel, proof: Proof) -> None:
    """The steps, put into each other, are the formulas."""
    whole: dict[sympy.Symbol, sympy.Expr] = {}
    positive: dict[sympy.Expr, None] = {}  # what is nowhere negative: the steps are defined on the whole domain
    for name, step in proof.steps.items():
        if step.expression is not None:
            whole[symbol(name)] = step.expression.xreplace(whole)
            if step.kind == "function":
                positive.update(dict.fromkeys(inside.xreplace(whole) for inside in required(step.expression)))
        if step.exact.low >= 0 and step.kind != "turns":
            positive[whole.get(symbol(name), symbol(name))] = None
    formulas = {output.name: output.expression for output in model.outputs}
    if [output.name for output in design.certificate.outputs] != list(formulas):
        raise Wrong("the outputs are not those of the formulas")
    for output in design.certificate.outputs:
        require_equal(formulas[output.name], whole[symbol(output.symbol)], output.name, positive)


def _files(design: Design, folder: Path) -> None:
    """certificate.json is the design's; every file that states a digest states this design's."""
    digest = short_digest(design)
    path = folder / "certificate.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise Wrong(f"certificate.json cannot be read: {error}") from None
    if not isinstance(data, dict):
        raise Wrong("certificate.json is none of sr2hls")
    expected = {
        "schema": "sr2hls-certificate",
        "design": design.name,
        "digest": digest,
        "promises": [promise(design, entry) for entry in design.certificate.outputs],
        **design_data(design)["certificate"],
    }
    for key in sorted(expected.keys() | data.keys()):
        if _text(data.get(key)) != _text(expected.get(key)):
            raise Wrong(f"certificate.json: '{key}' is not that of design.json")
    for file in sorted(folder.rglob("*")):
        if file.suffix in _TEXTS and file.is_file() and file.name not in ("design.json", "certificate.json"):
            stated = stated_digest(file.read_text(encoding="utf-8", errors="replace"))
            if stated is not None and stated != digest:
                raise Wrong(f"{file.relative_to(folder)} is of another design: its digest is {stated}, not {digest}")


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
