"""`Design` → design.json, the whole design with its digest; and design.json → the same `Design`, checked.

The digest is the SHA-256 of the canonical JSON (sorted keys, no spaces, ASCII) of everything but itself. All other
emitted files carry its first 16 hexadecimal digits, so that files of different designs are not mixed unnoticed.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import fields
from importlib import metadata
from pathlib import Path
from typing import Any

from sr2hls.circuit import Circuit, Node, Table
from sr2hls.design import Certificate, Design, NodeCertificate, OutputCertificate
from sr2hls.errors import FormatError

SCHEMA = "sr2hls-design"
SCHEMA_VERSION = 1
SHORT = 16  # hexadecimal digits of the digest that the other files carry

Json = dict[str, Any]

_STATED = re.compile(r"\bsr2hls-digest: ([0-9a-f]{16})\b")

_OPTIONAL = ("value", "name", "table", "rounding", "overflow", "origin")  # written only where not the default
_DEFAULTS = {f.name: f.default for f in fields(Node) if f.name in _OPTIONAL}


def design_json(design: Design) -> str:
    """The text of design.json: one line per node, table and certificate entry.

    Raises FormatError when the provenance is not JSON data.
    """
    data = design_data(design)
    data["digest"] = digest_of(data)
    return _pretty(data)


def design_digest(design: Design) -> str:
    """The SHA-256 of the design, 64 hexadecimal digits."""
    return digest_of(design_data(design))


def short_digest(design: Design) -> str:
    """The first 16 hexadecimal digits of the digest: what every other emitted file carries."""
    return design_digest(design)[:SHORT]


def stated_digest(text: str) -> str | None:
    """The digest that an emitted file states after the words `sr2hls-digest:`; None for a file without one."""
    found = _STATED.search(text)
    return found[1] if found else None


def digest_of(data: Json) -> str:
    """The SHA-256 of JSON data, its key `digest` left out."""
    return _sha256({key: value for key, value in data.items() if key != "digest"})


def table_digest(table: Table) -> str:
    """The SHA-256 of a table's codes as a JSON list."""
    return _sha256(list(table.codes))


def software() -> str:
    """Name and version of this program."""
    try:
        return f"sr2hls {metadata.version('sr2hls')}"
    except metadata.PackageNotFoundError:  # run from a checkout without an installation
        return "sr2hls"


def design_data(design: Design) -> Json:
    """The design as JSON data, without the digest. The reverse is `sr2hls.emit.design_read.read_design`."""
    try:
        provenance = json.loads(json.dumps(design.provenance, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise FormatError(f"the provenance of '{design.name}' is not JSON data: {error}") from None
    written_by = provenance.pop("software", None) or software()
    circuit, target = design.circuit, design.target
    return {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "software": written_by,
        "name": design.name,
        "latency": design.latency,
        "initiation_interval": 1,
        "stages": design.stages,
        "register_inputs": design.register_inputs,
        "register_outputs": design.register_outputs,
        "clock_ns": float(design.clock_ns),
        "critical_ns": float(design.critical_ns),
        "target": {"name": target.name, "part": target.part, "family": target.family, "estimate": target.estimate},
        "inputs": [_port(circuit, name, index) for name, index in circuit.inputs],
        "outputs": [_port(circuit, name, index) for name, index in circuit.outputs],
        "nodes": [_node(node) | {"cycle": cycle} for node, cycle in zip(circuit.nodes, design.cycles, strict=True)],
        "tables": [_table(table) for table in circuit.tables],
        "certificate": _certificate(design.certificate),
        "provenance": provenance,
        "warnings": list(design.warnings),
    }


def write_design(design: Design, path: Path) -> None:
    """Write design.json (UTF-8) to `path`."""
    path.write_text(design_json(design), encoding="utf-8")


def _port(circuit: Circuit, name: str, index: int) -> Json:
    return {"name": name, "node": index, "format": str(circuit.nodes[index].format)}


def _node(node: Node) -> Json:
    data: Json = {
        "op": str(node.op),
        "args": list(node.args),
        "format": str(node.format),
        "low": node.low,
        "high": node.high,
    }
    for key, default in _DEFAULTS.items():
        value = getattr(node, key)
        if value != default:
            data[key] = value if isinstance(value, int) else str(value)
    return data


def _table(table: Table) -> Json:
    return {
        "name": table.name,
        "format": str(table.format),
        "sha256": table_digest(table),
        "codes": list(table.codes),
    }


def _certificate(certificate: Certificate) -> Json:
    return {
        "outputs": [_record(output) for output in certificate.outputs],
        "nodes": [_record(node) for node in certificate.nodes],
        "domain": [[name, _number(low), _number(high)] for name, low, high in certificate.domain],
        "notes": list(certificate.notes),
        **({"boxes": [[name, code] for name, code in certificate.boxes]} if certificate.boxes else {}),
        "totals": dict(certificate.totals),
    }


def _record(entry: NodeCertificate | OutputCertificate) -> Json:
    data = {f.name: _plain(getattr(entry, f.name)) for f in fields(entry)}
    if not data.get("boxes", True):  # written only where the domain is cut into boxes
        del data["boxes"]
    return data


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, str | int) else _number(value)


def _number(value: float) -> float | str:
    """JSON has no infinity; it is written as the text "inf"."""
    value = float(value)
    return value if math.isfinite(value) else str(value)


def _sha256(data: Any) -> str:
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _pretty(data: Json) -> str:
    lines = [f"{json.dumps(key)}: {_value(value, '  ')}" for key, value in data.items()]
    return "{\n  " + ",\n  ".join(lines) + "\n}\n"


def _value(value: Any, indent: str) -> str:
    inner = indent + "  "
    if isinstance(value, dict) and any(isinstance(v, list) and v and isinstance(v[0], dict) for v in value.values()):
        items = [f"{json.dumps(key)}: {_value(item, inner)}" for key, item in value.items()]
        return "{\n" + inner + f",\n{inner}".join(items) + f"\n{indent}}}"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + inner + f",\n{inner}".join(json.dumps(item) for item in value) + f"\n{indent}]"
    return json.dumps(value)
