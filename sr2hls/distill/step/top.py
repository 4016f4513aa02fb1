"""`SerialStep` → the Verilog of its top module and of everything that it needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sr2hls import api
from sr2hls.distill.step.certificate import StepCertificate, asked_of, certify
from sr2hls.distill.step.serial import SerialStep, message_width
from sr2hls.emit.design_json import short_digest
from sr2hls.emit.names import fresh_prefix, safe_names
from sr2hls.emit.text import render
from sr2hls.emit.verilog import module_name, one_line, port_names, verilog
from sr2hls.errors import LoadError, MismatchError
from sr2hls.formats import Format
from sr2hls.report.folder import staged
from sr2hls.resources import resource

SHELL_FILES = ("sr2hls_delay.v", "sr2hls_accumulate.v")
CERTIFICATE = "step_certificate.json"


@dataclass(frozen=True, slots=True)
class _Port:
    port: str
    format: Format
    pin: str = ""


@dataclass(frozen=True, slots=True)
class _Pin:
    port: str
    wire: str
    low: int
    width: int


@dataclass(frozen=True, slots=True)
class _Lane:
    number: int
    first: int
    outputs: tuple[_Port, ...]


def top_names(step: SerialStep) -> tuple[dict[str, str], list[dict[str, str]]]:
    """(field → port of the top module, for each lane: output → port)."""
    wanted = {
        name: [name if step.lanes == 1 else f"{name}_{lane}" for lane in range(step.lanes)] for name in step.outputs
    }
    own = ("resetn", "in_ready", "out_body")
    safe = safe_names([*own, *step.words.formats, *(port for ports in wanted.values() for port in ports)], "verilog")
    lanes = [{name: safe[ports[lane]] for name, ports in wanted.items()} for lane in range(step.lanes)]
    return {field: safe[field] for field in step.words.formats}, lanes


def index_width(step: SerialStep) -> int:
    """Bits of a body's number."""
    return max(1, (step.bodies - 1).bit_length())


def step_files(step: SerialStep) -> dict[str, str]:
    """File name → text: the top module `step.name`, edge and node unit, the shell, and the certificate."""
    files = {name: resource("hw", name).read_text(encoding="utf-8") for name in SHELL_FILES}
    for design in (step.edge, step.node):
        files[f"{module_name(design)}.v"] = verilog(design, short_digest(design))
    return {f"{step.name}.v": step_top(step), **files, CERTIFICATE: step.certificate.text()}


def save(step: SerialStep, folder: str | Path, *, force: bool = False) -> Path:
    """Write the files of the step, and the projects of both designs in `edge` and `node`; returns the folder."""
    place = Path(folder)
    with staged(place, step_files(step), force=force) as staging:
        step.edge.save(staging / "edge")
        step.node.save(staging / "node")
    return place


def check_folder(folder: str | Path) -> StepCertificate:
    """Compose the certificates in a folder that `save` wrote anew, and require that the stated one is the same.

    `sr2hls verify` on the folders `edge` and `node` proves what this rests on, without the compiler's code.

    Raises MismatchError: the certificate is of other designs, or says something else. LoadError: a file is damaged.
    """
    place = Path(folder)
    try:
        stated = (place / CERTIFICATE).read_text(encoding="utf-8")
        bodies, words, accumulator, targets = asked_of(stated)
    except (OSError, UnicodeDecodeError) as error:
        raise LoadError(f"{place / CERTIFICATE}: cannot be read ({error})") from None
    edge, node = api.Design.read(place / "edge"), api.Design.read(place / "node")
    found = certify(edge, node, words, bodies, accumulator, targets)
    if found.text() != stated:
        raise MismatchError(f"{place / CERTIFICATE}: it does not follow from the certificates in edge and node")
    return found


def step_top(step: SerialStep) -> str:
    """The Verilog-2001 text of the top module."""
    fields, lanes = top_names(step)
    taken = [*fields.values(), *(port for lane in lanes for port in lane.values())]
    order = _layout(step)
    low = 0
    lanes_of: dict[str, tuple[int, int]] = {}
    for field in order:
        width = step.words.formats[field].width
        lanes_of[field] = (low, width)
        low += width
    node_fields = [name for name in step.node.input_formats if not name.startswith("sum_")]
    node_width = max(1, sum(step.words.formats[name[:-2]].width for name in node_fields))
    bits = step.certificate.messages[0].accumulator
    numbers = [m.name.removeprefix("message_") for m in step.certificate.messages]
    edge_ports, node_ports = port_names(step.edge), port_names(step.node)

    def edge_pin(name: str) -> _Pin:
        return _Pin(edge_ports[name], "receiver" if name[-1] == "i" else "sender", *lanes_of[name[:-2]])

    def node_pin(name: str) -> _Pin:
        if name.startswith("sum_"):
            at = numbers.index(name.removeprefix("sum_"))
            return _Pin(node_ports[name], "sums", at * bits, step.node.input_formats[name].width)
        return _Pin(node_ports[name], "own", *lanes_of[name[:-2]])

    formats = step.node.output_formats
    sets = tuple(
        _Lane(k, k * step.receivers, tuple(_Port(lane[o], formats[o], node_ports[o]) for o in step.outputs))
        for k, lane in enumerate(lanes)
    )
    return render(
        "verilog/step_top.v.j2",
        title=one_line(f"{step.law.system}: " + "; ".join(map(str, step.law.edge))),
        name=step.name,
        p=fresh_prefix(taken, "s"),
        bodies=step.bodies,
        receivers=step.receivers,
        interval=step.interval,
        latency=step.latency,
        index_width=index_width(step),
        fields=[_Port(fields[field], step.words.formats[field]) for field in order],
        outputs=[port for lane in sets for port in lane.outputs],
        lanes=sets,
        state_width=low,
        node_width=node_width,
        messages=[_Port(edge_ports[name], fmt) for name, fmt in step.edge.output_formats.items()],
        message_width=message_width(step.edge),
        sum_width=bits,
        edge=module_name(step.edge),
        node=module_name(step.node),
        edge_latency=step.edge.latency,
        node_latency=step.node.latency,
        edge_digest=short_digest(step.edge),
        node_digest=short_digest(step.node),
        edge_pins=[edge_pin(name) for name in step.edge.input_formats],
        node_pins=[node_pin(name) for name in step.node.input_formats],
    )


def _layout(step: SerialStep) -> list[str]:
    """The fields from the lowest bits of a state upward: those of the node unit first, which the shell hands on."""
    own = [name[:-2] for name in step.node.input_formats if not name.startswith("sum_")]
    return own + [field for field in step.words.formats if field not in own]
