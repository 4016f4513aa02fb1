"""design.json → `Design`: every field validated, the circuit checked, the digest recomputed; altered files refused."""

from __future__ import annotations

import json
import math
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from sr2hls.checker import checked
from sr2hls.circuit import Circuit, Node, Op, Overflow, Rounding, Table
from sr2hls.design import Certificate, Design, NodeCertificate, OutputCertificate
from sr2hls.emit.design_json import SCHEMA, SCHEMA_VERSION, Json, digest_of, table_digest
from sr2hls.errors import CircuitError, FormatError, LoadError, MismatchError
from sr2hls.formats import Format
from sr2hls.targets import Target, load_target

_E = TypeVar("_E", bound=StrEnum)


def read_design(path: Path | str) -> Design:
    """The design that a design.json holds.

    Raises LoadError when the file is missing, is no design.json, or breaks a rule of the circuit; MismatchError when
    its content does not have the digest that it claims (somebody altered it). Nothing in the file is executed.
    """
    path = Path(path)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LoadError(f"{path}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise LoadError(f"{path}: not JSON: {error}") from None
    try:
        return parse_design(data)
    except (LoadError, MismatchError) as error:
        raise type(error)(f"{path}: {error}") from None
    except (CircuitError, FormatError) as error:
        raise LoadError(f"{path}: {error}") from None
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, RecursionError) as error:
        raise LoadError(f"{path}: damaged design.json ({type(error).__name__}: {error})") from None


def parse_design(data: Any) -> Design:
    """The design in the JSON data of a design.json; errors as `read_design`, but those of Python for wrong shapes."""
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise LoadError("this is no design.json of sr2hls")
    if data.get("schema_version") != SCHEMA_VERSION:
        raise LoadError(f"schema version {data.get('schema_version')!r}; this sr2hls reads version {SCHEMA_VERSION}")
    if data.get("digest") != digest_of(data):
        raise MismatchError("the content does not have the digest that the file states; compile the model again")
    circuit = _circuit(data)
    provenance = dict(data["provenance"])
    provenance["software"] = _text(data["software"])  # so that the design keeps its digest under a newer sr2hls
    design = Design(
        name=_text(data["name"]),
        circuit=circuit,
        cycles=tuple(_int(node["cycle"]) for node in data["nodes"]),
        stages=_int(data["stages"]),
        register_inputs=_bool(data["register_inputs"]),
        register_outputs=_bool(data["register_outputs"]),
        clock_ns=_number(data["clock_ns"]),
        target=_target(data["target"]),
        certificate=_certificate(data["certificate"]),
        provenance=provenance,
        critical_ns=_number(data["critical_ns"]),
        warnings=_texts(data["warnings"]),
    )
    _check(design, data)
    return design


def _check(design: Design, data: Json) -> None:
    if not design.name.isidentifier() or not design.name.isascii():
        raise LoadError(f"'{design.name}' is no design name")
    if not (math.isfinite(design.clock_ns) and design.clock_ns > 0):
        raise LoadError("the clock period must be positive")
    if _int(data["initiation_interval"]) != 1:
        raise LoadError("the initiation interval is not 1")
    if design.latency != _int(data["latency"]):
        raise LoadError("the latency is not the one of the stages")
    nodes = design.circuit.nodes
    for index, cycle in enumerate(design.cycles):
        if not 0 <= cycle < design.stages or any(design.cycles[arg] > cycle for arg in nodes[index].args):
            raise LoadError(f"node {index} is scheduled before one of its arguments or outside the stages")
    for key, ports in (("inputs", design.circuit.inputs), ("outputs", design.circuit.outputs)):
        stated = [(port["name"], port["node"], port["format"]) for port in data[key]]
        if stated != [(name, index, str(nodes[index].format)) for name, index in ports]:
            raise LoadError(f"the list of {key} is not the one of the nodes")


def _circuit(data: Json) -> Circuit:
    outputs = tuple((_text(port["name"]), _int(port["node"])) for port in data["outputs"])
    return checked(Circuit(tuple(map(_node, data["nodes"])), outputs, tuple(map(_table, data["tables"]))))


def _node(data: Json) -> Node:
    return Node(
        op=_member(Op, data["op"]),
        args=tuple(_int(arg) for arg in data["args"]),
        format=Format.parse(_text(data["format"])),
        low=_int(data["low"]),
        high=_int(data["high"]),
        value=_int(data.get("value", 0)),
        name=_text(data.get("name", "")),
        table=_int(data.get("table", -1)),
        rounding=_member(Rounding, data.get("rounding", Rounding.FLOOR)),
        overflow=_member(Overflow, data.get("overflow", Overflow.WRAP)),
        origin=_text(data.get("origin", "")),
    )


def _table(data: Json) -> Table:
    table = Table(_text(data["name"]), Format.parse(_text(data["format"])), tuple(_int(code) for code in data["codes"]))
    if table_digest(table) != data["sha256"]:
        raise MismatchError(f"the codes of table '{table.name}' do not have the digest that the file states")
    return table


def _target(data: Json) -> Target:
    target = load_target(_text(data["name"]))
    if target.estimate != _bool(data["estimate"]):
        raise LoadError(f"whether the delays of target '{target.name}' are an estimate is now another matter")
    if (target.part, target.family) != (data["part"], data["family"]):
        raise LoadError(f"target '{target.name}' is now {target.part}, the design was made for {data['part']}")
    return target


def _certificate(data: Json) -> Certificate:
    return Certificate(
        outputs=tuple(map(_output_certificate, data["outputs"])),
        nodes=tuple(map(_node_certificate, data["nodes"])),
        domain=tuple((_text(name), _number(low), _number(high)) for name, low, high in data["domain"]),
        notes=_texts(data["notes"]),
        boxes=tuple((_text(name), _int(code)) for name, code in data.get("boxes", ())),
        totals=tuple((_text(name), _text(total)) for name, total in data["totals"].items()),
    )


def _output_certificate(data: Json) -> OutputCertificate:
    return OutputCertificate(
        name=_text(data["name"]),
        formula=_text(data["formula"]),
        format=_text(data["format"]),
        target=_number(data["target"]),
        bound=_number(data["bound"]),
        measured=None if data["measured"] is None else _number(data["measured"]),
        bands=_texts(data["bands"]),
        symbol=_text(data["symbol"]),
    )


def _node_certificate(data: Json) -> NodeCertificate:
    return NodeCertificate(
        expression=_text(data["expression"]),
        kind=_text(data["kind"]),
        range=_pair(data["range"]),
        format=_text(data["format"]),
        local_error=_pair(data["local_error"]),
        error=_pair(data["error"]),
        sensitivity=_number(data["sensitivity"]),
        share=_number(data["share"]),
        method=_text(data["method"]),
        symbol=_text(data["symbol"]),
        definition=_definition(data["definition"]),
        node=_int(data["node"]),
        codes=_codes(data["codes"]),
        exact_range=_pair(data["exact_range"]),
        inherited=_pair(data["inherited"]),
        slope=_number(data["slope"]),
        band=_number(data["band"]),
        boxes=tuple((*_pair(box[:2]), *_pair(box[2:])) for box in data.get("boxes", ())),
    )


def _int(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r:.40} is no integer")
    return value


def _bool(value: Any) -> bool:
    if type(value) is not bool:
        raise TypeError(f"{value!r:.40} is neither true nor false")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.40} is no text")
    return value


def _texts(values: Any) -> tuple[str, ...]:
    return tuple(_text(value) for value in values)


def _number(value: Any) -> float:
    if value in ("inf", "-inf", "nan"):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r:.40} is no number")
    return float(value)


def _pair(values: Any) -> tuple[float, float]:
    low, high = values
    return _number(low), _number(high)


def _codes(values: Any) -> tuple[int, int]:
    low, high = values
    return _int(low), _int(high)


def _definition(data: Any) -> Any:
    """Nested tuples of text, as the certificate holds them."""
    if data is None or isinstance(data, str):
        return data
    if not isinstance(data, list) or not data:
        raise TypeError(f"{data!r:.40} is no definition")
    return tuple(_definition(part) for part in data)


def _member(kind: type[_E], value: Any) -> _E:
    return kind(_text(value))
