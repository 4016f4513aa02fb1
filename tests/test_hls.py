"""HLS C++ under g++ with the open ap_types: bit for bit; its project builds, passes, and refuses mixtures."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from designs import make_design, random_design
from extreme_circuits import cast_circuit, edge_codes, wide_circuit
from test_emulator import disagreements, golden_design, without_digest

from sr2hls.builder import CircuitBuilder
from sr2hls.check import gxx, hls
from sr2hls.emit.design_json import short_digest, stated_digest
from sr2hls.emit.hls import hls_source, local_prefix, top_name
from sr2hls.emit.hls_project import hls_project, part_of, vectors_text, vivado_project
from sr2hls.errors import FormatError, ToolError
from sr2hls.formats import Format

GOLDEN = Path(__file__).parent / "golden"
PROJECT = ("build_prj.tcl", "Makefile", "golden_test.cpp", "golden_vectors.txt")


def test_random_and_extreme_designs_are_bit_exact() -> None:
    edges = [cast_circuit(True, 33), cast_circuit(False, 63), wide_circuit()]
    designs = [random_design(seed) for seed in range(100, 142)]
    designs += [make_design(f"edge_{i}", circuit) for i, circuit in enumerate(edges)]
    cases = [(design, edge_codes(design.circuit, 300, seed)) for seed, design in enumerate(designs)]
    results = hls.run_many(cases, flags=("-O0",), batch=25, jobs=2)
    assert len(results) == len(designs)
    for (design, inputs), result in zip(cases, results, strict=True):
        assert disagreements(design, inputs, result.outputs) == [], design.name


def test_awkward_names_no_inputs_and_a_wrong_text() -> None:
    b = CircuitBuilder()
    total = b.input("n0", Format(True, 5, 9))
    for name in ("ap_int", "short", "awkward", "table_0", "leading_zeros"):
        total = b.add(total, b.input(name, Format(False, 4, -2)))
    zeros = b.leading_zeros(b.slice(total, 3, 0))
    table = b.lookup(zeros, (5, 3, 1, 7, 9, 11, 2, 0), 0)
    awkward = make_design("awkward", b.build([("y", total), ("code", zeros), ("z", table)]))
    constant = CircuitBuilder()
    assert local_prefix(make_design("table_0", awkward.circuit)) == "own_"
    fixed = make_design("fixed", constant.build([("y", constant.constant(-7, 3))]))
    inputs = edge_codes(awkward.circuit, 100)
    wrong = {name: text.replace("5, 3, 1", "5, 3, 2") for name, text in hls_source(awkward).items()}
    texts = [hls_source(awkward), hls_source(fixed), wrong]
    results = hls.run_many([(awkward, inputs), (fixed, {}), (awkward, inputs)], texts=texts, flags=("-O0",))
    assert top_name(awkward) == "awkward_top"
    assert disagreements(awkward, inputs, results[0].outputs) == []
    assert results[1].outputs["y"].tolist() == [-7]
    assert disagreements(awkward, inputs, results[2].outputs)


def test_golden_text() -> None:
    design = golden_design()
    for name, text in hls_source(design).items():
        assert without_digest(text, design) == (GOLDEN / f"hls_{name}").read_text()
    files = hls_project(design, edge_codes(design.circuit, 6, 3))
    for name in PROJECT:
        assert without_digest(files[name], design) == (GOLDEN / f"hls_{name}").read_text()
    for name, text in vivado_project(design, "../verilog/golden.v").items():
        assert without_digest(text, design) == (GOLDEN / name).read_text()


def test_every_file_carries_the_digest() -> None:
    design = random_design(11)
    inputs = edge_codes(design.circuit, 4)
    for text in {**hls_project(design, inputs), **vivado_project(design)}.values():
        assert stated_digest(text) == short_digest(design)


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "-s", f"AP_TYPES={gxx.ap_types()}", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_project_passes_and_refuses_wrong_vectors(tmp_path: Path) -> None:
    design = golden_design()
    inputs = edge_codes(design.circuit, 50)
    for name, text in hls_project(design, inputs).items():
        (tmp_path / name).write_text(text)
    done = make(tmp_path, "test")
    assert (done.returncode, done.stdout) == (0, f"PASS: 50 vectors, design {short_digest(design)}\n")

    program, vectors = tmp_path / "golden_test", tmp_path / "golden_vectors.txt"

    def verdict(text: str) -> tuple[int, str]:
        vectors.write_text(text)
        ran = subprocess.run([str(program)], cwd=tmp_path, capture_output=True, text=True, check=False)
        return ran.returncode, ran.stdout

    good = vectors_text(design, inputs)
    first = good.splitlines()[2].split()
    altered = good.replace(" ".join(first), " ".join([*first[:-1], str(int(first[-1]) + 1)]), 1)
    assert verdict(altered)[0] == 1
    assert "1 mismatches in 50 vectors" in verdict(altered)[1]
    assert verdict(good.replace(short_digest(design), "0123456789abcdef"))[0] == 2
    assert "ends after 49 of 50" in verdict(good.rsplit("\n", 2)[0] + "\n")[1]
    assert verdict("")[0] == 2
    assert verdict(good)[0] == 0


def test_the_makefile_finds_the_headers_by_itself(tmp_path: Path) -> None:
    design = golden_design()
    for name, text in hls_project(design, edge_codes(design.circuit, 3)).items():
        (tmp_path / name).write_text(text)
    shown = subprocess.run(
        ["make", "-n", "test", f"PYTHON={sys.executable}"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert f'-isystem "{gxx.ap_types()}"' in shown.stdout


def test_a_part_that_amd_does_not_make_is_replaced_and_said() -> None:
    from dataclasses import replace

    design = golden_design()
    lattice = replace(design, target=replace(design.target, name="ecp5-6", part="LFE5U-25F-6BG381"))
    text = hls_project(lattice, edge_codes(design.circuit, 3))["build_prj.tcl"]
    assert part_of(lattice) in text
    assert "no device of AMD" in text
    assert "no device of AMD" not in hls_project(design, edge_codes(design.circuit, 3))["build_prj.tcl"]


def test_vectors_need_a_sample() -> None:
    design = golden_design()
    with pytest.raises(FormatError, match="at least one vector"):
        hls_project(design, {"x0": np.empty(0, dtype=np.int64), "x1": np.empty(0, dtype=np.int64)})


def test_missing_headers_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    gxx.ap_types.cache_clear()
    monkeypatch.setattr(gxx, "find_spec", lambda name: None)
    with pytest.raises(ToolError, match="pip install hls4ml"):
        hls.run(golden_design(), {})
    monkeypatch.undo()
    gxx.ap_types.cache_clear()
    assert gxx.ap_types().is_dir()
    assert shutil.which("make"), "the project's Makefile needs make: apt-get install make"
