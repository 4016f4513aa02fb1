"""The command line as people use it: what it prints, exit codes, and that a refused command leaves nothing behind."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from sr2hls.cli import main
from sr2hls.version import __version__

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
QUICKSTART = str(EXAMPLES / "quickstart" / "model.pkl")
DATA = str(EXAMPLES / "quickstart" / "data.csv")
EIGHT = ("--inputs", "fixed<8,3>")


@dataclass
class Result:
    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Result:
        code = 0
        try:
            main(arguments)
        except SystemExit as end:
            code = int(end.code or 0)
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return call


def process(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from sr2hls.cli import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, timeout=120)


def test_compile_and_what_it_prints(run: Run, tmp_path: Path) -> None:
    result = run("compile", QUICKSTART, "--data", DATA)
    assert (result.code, result.err) == (0, "")
    assert "formula:   y = (pt * met) * (2.0003622 - (cos(dphi) * 1.9997401))" in result.out
    assert "proven:    |y - f(pt, met, dphi)| <= " in result.out
    assert "for all 2^36 inputs" in result.out
    assert "next:      sr2hls simulate quickstart_sr2hls" in result.out
    assert (tmp_path / "quickstart_sr2hls" / "verilog" / "quickstart.v").is_file()
    again = run("compile", QUICKSTART, "--data", DATA)  # our own folder is replaced without being asked
    assert again.code == 0
    shown = run("show", "quickstart_sr2hls", "--nodes")
    assert shown.code == 0
    assert "simulated: not yet" in shown.out
    assert "product" in shown.out


def test_json(run: Run) -> None:
    result = run("compile", "x0*x1 + 0.25", *EIGHT, "-o", "out", "--json")
    report = json.loads(result.out)
    assert report["outputs"][0]["error_proven"] <= report["outputs"][0]["error_asked"]
    assert report["folder"] == "out"
    assert json.loads(run("show", "out", "--json").out)["digest"] == report["digest"]


def test_options_reach_the_compiler(run: Run) -> None:
    result = run(
        *(
            "compile",
            "a = x0*x1; b = x0",
            "--inputs",
            "x0=fixed<8,3>",
            "--inputs",
            "*=ufixed<7,2>",
            "--range",
            "x1=0:3",
        ),
        *(
            "--output",
            "a=fixed<14,6>",
            "--max-error",
            "2ulp",
            "--target",
            "vu9p-2",
            "--clock",
            "100MHz",
            "--latency",
            "4",
        ),
        *("--register", "both", "--name", "mine", "--only", "a", "-o", "deep/er", "--json"),
    )
    assert result.code == 0, result.err
    report = json.loads(result.out)
    assert (report["name"], report["latency_cycles"], report["clock_ns"]) == ("mine", 4, 10.0)
    assert report["target"]["name"] == "vu9p-2"
    assert [(p["name"], p["format"]) for p in report["ports"][:2]] == [("x0", "fixed<8,3>"), ("x1", "ufixed<7,2>")]
    assert report["ranges"] == {"x1": [0.0, 3.0]}
    assert report["outputs"][0]["error_asked"] == 2 / 256


def test_a_custom_operator(run: Run) -> None:
    result = run("compile", str(EXAMPLES / "kepler" / "model.pkl"), "--data", str(EXAMPLES / "kepler" / "data.csv"))
    assert result.code == 0, result.err


def test_select(run: Run) -> None:
    result = run("compile", QUICKSTART, "--inputs", "fixed<8,3>", "--select", "complexity=3", "--json")
    assert json.loads(result.out)["outputs"][0]["formula"] == "pt + met"


def test_lists(run: Run) -> None:
    assert "calibrated" in run("targets").out
    functions = run("functions").out
    assert "relu" in functions
    assert run("operators").out == functions
    table = run("equations", str(EXAMPLES / "momentum")).out
    assert "pt * sinh(eta)" in table
    rows = json.loads(run("equations", QUICKSTART, "--json").out)
    assert rows["outputs"][0]["rows"][rows["outputs"][0]["default"]]["complexity"] == 10
    assert run("--version").out == f"sr2hls {__version__}\n"


REFUSED = [
    (("compile", QUICKSTART), "no number format for pt, met, dphi"),
    (("compile", "x0 + x1", "--inputs", "x0=fixed<8,3>"), "--inputs 'x1=fixed<12,4>'"),
    (("compile", "x0", *EIGHT, "--inputs", "x7=fixed<8,3>"), "no input 'x7'; its inputs are x0"),
    (("compile", "x0", "--inputs", "x0=fixed<8>"), "write the integer bits too"),
    (("compile", "x0", "--inputs", "x0=float"), "'float' is no number format"),
    (("compile", "x0", "--inputs", "fixed<999,4>"), "999 bits"),
    (("compile", "x0", *EIGHT, *EIGHT), "given twice for all inputs"),
    (("compile", "x0", *EIGHT, "--target", "stratix"), "is no target; choose one of"),
    (("compile", "x0", *EIGHT, "--clock", "fast"), "not a period or frequency"),
    (("compile", "x0", *EIGHT, "--range", "4:-4"), "empty"),
    (("compile", "x0", *EIGHT, "--range", "x0=5:6"), "no value of fixed<8,3> lies in the range"),
    (("compile", "x0", *EIGHT, "--max-error", "tiny"), "is no error"),
    (("compile", "x0", *EIGHT, "--output", "y=fixed<8,3>", "--output", "z=fixed<8,3>"), "no output 'z'"),
    (("compile", "x0", *EIGHT, "--select", "nicest"), "unknown choice 'nicest'"),
    (("compile", "x0", *EIGHT, "--only", "q"), "no output 'q'"),
    (("compile", "x0", *EIGHT, "--name", "../x"), "is no name for a design"),
    (("compile", "x0", *EIGHT, "--domain", "hope"), "strict or clamp"),
    (("compile", "1/x0", *EIGHT), "is not finite at x0 = 0"),
    (("compile", "log(x0)", *EIGHT), "--range"),
    (("compile", "exp(exp(exp(x0)))", *EIGHT), "exp(exp(exp(x0)))"),
    (("compile", "frobnicate(x0)", *EIGHT), "unknown operator 'frobnicate'"),
    (("compile", "x0 +* 3", *EIGHT), "x0 +* 3"),
    (("compile", "", *EIGHT), "no formula"),
    (("compile", "missing.pkl", *EIGHT), "missing.pkl: there is no such file"),
    (("compile", "x0", "--data", DATA), "there is no column 'x0'; the columns are: pt, met, dphi"),
    (("compile", "x0", "--data", "missing.npz"), "missing.npz: cannot be read"),
    (("compile", "x0", *EIGHT, "-o", "in_the_way"), "in_the_way: a file is in the way"),
    (("compile", "x0", *EIGHT, "-o", "in_the_way/below"), "not a folder that may be written to"),
    (("compile", "x0", *EIGHT, "-o", "."), "holds other files"),
    (("simulate", "."), "there is no design.json in it"),
    (("simulate", "nowhere"), "there is no such folder"),
    (("synth", "nowhere"), "there is no such folder"),
    (("show", "in_the_way"), "not JSON"),
    (("equations", "nowhere.csv"), "there is no such file"),
]


@pytest.mark.parametrize(
    ("arguments", "message"), REFUSED, ids=lambda v: " ".join(v)[:60] if isinstance(v, tuple) else ""
)
def test_refused_in_one_line(run: Run, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    (tmp_path / "in_the_way").write_text("mine", encoding="utf-8")
    result = run(*arguments)
    assert result.code == 2
    assert result.out == ""
    assert result.err.startswith("error: ")
    assert result.err.count("\n") == 1
    assert message in result.err
    assert [path.name for path in tmp_path.iterdir()] == ["in_the_way"]


def test_an_unwritable_folder(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> str:  # root, as in a container, may write everywhere
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("sr2hls.report.folder.tempfile.mkdtemp", refuse)
    result = run("compile", "x0", *EIGHT, "-o", "out")
    assert (result.code, result.out) == (2, "")
    assert result.err == "error: out: cannot be written (Permission denied); choose another one with -o\n"
    assert not list(tmp_path.iterdir())


def test_hostile_files_execute_nothing(run: Run, tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    pickle = b"cposix\nsystem\n(S'touch " + str(mark).encode() + b"'\ntR."
    (tmp_path / "model.pkl").write_bytes(pickle)
    (tmp_path / "text.txt").write_text(f"__import__('os').system('touch {mark}')", encoding="utf-8")
    before = {path.name for path in tmp_path.iterdir()}
    for name in ("model.pkl", "text.txt"):
        result = run("compile", name, *EIGHT)
        assert result.code == 2
        assert result.err.startswith(f"error: {name}")
        assert result.err.count("\n") == 1
    assert {path.name for path in tmp_path.iterdir()} == before


def test_usage_errors(run: Run) -> None:
    assert run("frobnicate").code == 2
    assert run("compile").code == 2
    assert run("compile", "x0", "--no-such-option").code == 2


def test_a_bug_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("somewhere\ndeep")

    monkeypatch.setattr("sr2hls.api.compile", broken)
    result = run("compile", "x0", *EIGHT)
    assert result.code == 70
    assert result.err.count("\n") == 1
    assert "bug of sr2hls (ZeroDivisionError: somewhere)" in result.err
    with pytest.raises(ZeroDivisionError):
        main(["compile", "x0", *EIGHT, "--debug"])


def test_a_missing_tool_is_named(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    result = run("compile", "x0", *EIGHT, "--simulate", "-o", "out")
    assert result.code == 2
    assert "'no-such-compiler' is missing; install it with" in result.err
    assert not list(tmp_path.iterdir())


def test_synth_of_one_tool(run: Run, tmp_path: Path) -> None:
    assert run("compile", "x0*x1", *EIGHT, "-o", "out").code == 0
    result = run("synth", "out", "--tool", "yosys-xc7", "--tool", "vivado")
    assert result.code == 0, result.err
    assert "yosys-xc7" in result.out
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert [r["tool"] for r in report["synthesis"]] == ["yosys-xc7", "vivado"]
    assert "yosys-xc7" in run("show", "out").out
    assert run("synth", "out", "--tool", "abacus").code == 2
    assert run("synth", "out", "--tool", "vitis").code == 0  # what the others found stays
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert [r["tool"] for r in report["synthesis"]] == ["yosys-xc7", "vivado", "vitis"]


def test_help_is_quick(tmp_path: Path) -> None:
    def seconds() -> float:
        """Of the processor: the wall clock of a busy machine says nothing."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = process("--help", cwd=tmp_path)
        assert done.returncode == 0
        assert "compile" in done.stdout
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(5)) < 0.5


def test_help_loads_no_heavy_package(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from sr2hls.cli.app import app\n"
        "heavy = {'numpy', 'sympy', 'flint', 'hls4ml', 'cocotb', 'jinja2', 'pyosys', 'z3'} & set(sys.modules)\n"
        "sys.exit(f'{heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_processes_end_with_the_right_code(tmp_path: Path) -> None:
    good = process("compile", "x0 - 0.5*x1", *EIGHT, "-o", "out", cwd=tmp_path)
    assert (good.returncode, good.stderr) == (0, "")
    assert {path.name for path in tmp_path.iterdir()} == {"out"}
    bad = process("compile", "x0/x1", *EIGHT, "-o", "bad", cwd=tmp_path)
    assert bad.returncode == 2
    assert bad.stderr.count("\n") == 1
    assert {path.name for path in tmp_path.iterdir()} == {"out"}


def test_the_folder_works_on_its_own(run: Run, tmp_path: Path) -> None:
    """The commands that the folder's README names."""
    assert run("compile", "x0*x1 - 1", *EIGHT, "--name", "own", "-o", "out").code == 0
    simulator = "icarus" if shutil.which("iverilog") else "verilator"  # the quicker one to build
    bench = subprocess.run(
        [sys.executable, "sim/run.py", "--sim", simulator],
        cwd=tmp_path / "out",
        capture_output=True,
        text=True,
        check=False,
    )
    assert bench.returncode == 0, bench.stdout + bench.stderr
    make = subprocess.run(
        ["make", "-C", "hls", f"PYTHON={sys.executable}"],
        cwd=tmp_path / "out",
        capture_output=True,
        text=True,
        check=False,
    )
    assert make.returncode == 0, make.stdout + make.stderr
