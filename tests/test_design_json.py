"""design.json: round trip, a stable digest, and every kind of altered or damaged file refused in one line."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from designs import random_design

from sr2hls.design import Certificate, Design, NodeCertificate, OutputCertificate
from sr2hls.emit import design_read
from sr2hls.emit.design_json import design_data, design_digest, design_json, digest_of, short_digest, write_design
from sr2hls.emit.design_read import read_design
from sr2hls.errors import FormatError, LoadError, MismatchError
from sr2hls.targets import Target


@pytest.fixture(autouse=True)
def _targets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in target of `designs`, whatever devices ship."""
    monkeypatch.setattr(design_read, "load_target", stand_in)


def stand_in(name: str) -> Target:
    target = random_design(0).target
    if name != target.name:
        raise FormatError(f"'{name}' is no target; choose {target.name}")
    return target


def rich_design() -> Design:
    """A random design with every optional field set, infinities included."""
    design = random_design(12)
    node = NodeCertificate(
        "x0*x1", "product", (-1.5, 2.25), "fixed<9,3>", (-math.inf, 0.1), (0.0, 1e-300), math.inf, 0.3, "exact"
    )
    output = OutputCertificate("y0", "x0*x1 − π", "fixed<9,3>", 0.125, 0.1, 0.0625, ("|x0 - 1| <= 0.01",))
    return replace(
        design,
        certificate=Certificate((output, replace(output, measured=None)), (node,), (("x0", -4.0, 4.0),), ("clamped",)),
        provenance={"source": "model.pkl", "options": {"max_error": None, "list": [1, 2.5, "é"]}},
        critical_ns=3.25,
        warnings=("wide",),
    )


def test_round_trip_of_random_designs(tmp_path: Path) -> None:
    for design in (*map(random_design, range(40)), rich_design()):
        path = tmp_path / "design.json"
        write_design(design, path)
        read = read_design(path)
        assert read.provenance.pop("software").startswith("sr2hls")
        assert read == design
        assert design_digest(read) == design_digest(design) == json.loads(path.read_text())["digest"]


def test_the_digest_survives_another_version_of_the_software(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    design = rich_design()
    write_design(design, tmp_path / "design.json")
    stated = short_digest(design)
    monkeypatch.setattr("sr2hls.emit.design_json.software", lambda: "sr2hls 99.0")
    assert short_digest(read_design(tmp_path / "design.json")) == stated
    assert short_digest(design) != stated


def test_the_digest_depends_on_everything() -> None:
    design = rich_design()
    nodes = design.circuit.nodes
    renamed = replace(design.circuit, nodes=(replace(nodes[0], origin="other"), *nodes[1:]))
    others = [
        replace(design, name="other"),
        replace(design, clock_ns=5.5),
        replace(design, stages=design.stages + 1),
        replace(design, register_inputs=not design.register_inputs),
        replace(design, provenance={}),
        replace(design, warnings=()),
        replace(design, circuit=renamed),
        replace(design, certificate=replace(design.certificate, notes=())),
    ]
    assert len({design_digest(d) for d in (design, *others)}) == len(others) + 1


def test_provenance_must_be_json() -> None:
    with pytest.raises(FormatError, match="not JSON data"):
        design_json(replace(random_design(1), provenance={"path": Path()}))
    with pytest.raises(FormatError, match="not JSON data"):
        design_json(replace(random_design(1), provenance={"loss": math.nan}))


def test_an_altered_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "design.json"
    text = design_json(rich_design())
    for old, new in (
        ('"latency": ', '"latency": 1'),
        ("x0*x1", "x0*x2"),
        ('"fixed<', '"ufixed<'),
        ('"stages": ', '"stages": 1'),
    ):
        assert old in text
        path.write_text(text.replace(old, new, 1))
        with pytest.raises(MismatchError, match="does not have the digest"):
            read_design(path)


def signed(data: dict[str, Any], path: Path) -> Path:
    """The data as a file whose digest is right: what an attacker would hand over."""
    data["digest"] = digest_of(data)
    path.write_text(json.dumps(data))
    return path


def lookup_design() -> Design:
    return next(d for d in map(random_design, range(100)) if d.circuit.tables and d.stages > 1)


DAMAGE = {
    "no port name": lambda d: d["nodes"][0].update(name="x y"),
    "is no design name": lambda d: d.update(name="../x"),
    "no number format": lambda d: d["nodes"][0].update(format="float"),
    "not an earlier node|damaged": lambda d: d["nodes"][-1].update(args=[10**6] * len(d["nodes"][-1]["args"])),
    "the arguments give|does not hold": lambda d: d["nodes"][0].update(low=1),
    "damaged design.json": lambda d: d["nodes"][0].update(low=1.5),
    "damaged": lambda d: d.pop("nodes"),
    "damaged design": lambda d: d["nodes"][0].update(op="exec"),
    "damaged design.": lambda d: d.update(nodes=7),
    "outside the stages": lambda d: d["nodes"][0].update(cycle=99),
    "the latency is not": lambda d: d.update(latency=99),
    "list of inputs": lambda d: d["inputs"].pop(),
    "clock period": lambda d: d.update(clock_ns=0),
    "clock period must": lambda d: d.update(clock_ns="inf"),
    "codes of table": lambda d: d["tables"][0]["codes"].__setitem__(0, 1),
    "damaged design.jso": lambda d: d["tables"][0].update(codes=[0.5]),
    "is no target": lambda d: d["target"].update(name="moon"),
    "was made for": lambda d: d["target"].update(part="xc7a35t"),
    "reads version 1": lambda d: d.update(schema_version=2),
    "no design.json of sr2hls": lambda d: d.update(schema="other"),
}


@pytest.mark.parametrize("message", DAMAGE)
def test_a_damaged_design_with_a_right_digest_is_refused(message: str, tmp_path: Path) -> None:
    data = json.loads(design_json(lookup_design()))
    DAMAGE[message](data)
    with pytest.raises((LoadError, MismatchError), match=message) as caught:
        read_design(signed(data, tmp_path / "design.json"))
    assert "\n" not in str(caught.value)
    assert "design.json" in str(caught.value)


def test_files_that_are_no_json(tmp_path: Path) -> None:
    path = tmp_path / "design.json"
    with pytest.raises(LoadError, match="No such file"):
        read_design(path)
    for content in (b"", b"{", b"\xff\xfe", b"[" * 100_000, b"1" * 10_000, b"[]", b"null", b'{"schema": {}}'):
        path.write_bytes(content)
        with pytest.raises(LoadError):
            read_design(path)


def test_the_data_has_what_readers_expect() -> None:
    design = lookup_design()
    data = design_data(design)
    assert data["latency"] == design.latency
    assert data["initiation_interval"] == 1
    assert [port["name"] for port in data["outputs"]] == list(design.output_formats)
    assert all(len(table["sha256"]) == 64 for table in data["tables"])
    assert [node["cycle"] for node in data["nodes"]] == list(design.cycles)
