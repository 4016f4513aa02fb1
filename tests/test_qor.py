"""The QoR benchmark: plans for rivals keep their error, their circuits compute them, and no DSP means none."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sympy

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "benchmarks"))
from qor import summary
from qor_circuit import circuit_of
from qor_formulas import FORMULAS, case_of
from qor_plan import T, as_json, drawn, functions_of, peel, period_of, plan_of, run, truth
from qor_rivals import value

from sr2hls.circuit import Op
from sr2hls.compiler import Options, compile_model
from sr2hls.emit.verilog import verilog
from sr2hls.interpret import interpret
from sr2hls.load import load
from sr2hls.wordlength import Limits


def test_at_least_twenty_formulas() -> None:
    assert len(FORMULAS) >= 20
    assert {f.group for f in FORMULAS.values()} >= {"jets", "force laws", "Feynman", "EmpiricalBench", "PySR runs"}


@pytest.mark.parametrize("name", ["I.16.6", "momentum_x", "schechter"])
def test_plan_keeps_its_error_and_its_circuit_computes_it(name: str) -> None:
    case = case_of(name, 8)
    steps, worst = plan_of(case, 8)
    assert 0.4 < worst <= 1.0
    columns = drawn(case, 5000, 11)
    found = run(steps, columns, functions_of(steps))[-1]
    assert np.abs(found - truth(case, columns)).max() <= case.ulp
    circuit = circuit_of(case, steps)
    assert circuit is not None
    codes = {n: np.round(v / float(case.inputs[n].ulp)).astype(np.int64) for n, v in columns.items()}
    assert np.array_equal(interpret(circuit, codes)["y"] * case.ulp, found)
    tables = [s for s in as_json(case, steps, columns)["steps"] if s["op"] == "table"]
    for step, entry in zip((s for s in steps if s.op == "table"), tables, strict=True):
        t = np.linspace(*entry["from"], 50)
        assert np.allclose(value(entry["function"], t), sympy.lambdify(T, step.function, "numpy")(t))


def test_one_table_for_what_depends_on_one_value() -> None:
    x, y = sympy.symbols("x y", real=True)
    inner, function = peel(sympy.sin(x + y) * sympy.cos(x + y))
    assert (inner, function) == (x + y, sympy.sin(T) * sympy.cos(T))
    assert peel(x * y + sympy.exp(x))[1] == T
    assert period_of(sympy.sin(2 * T) * sympy.cos(4 * T)) == pytest.approx(np.pi)
    assert period_of(sympy.sin(T) + T) is None


def test_no_multiplier_blocks_where_none_are_allowed() -> None:
    case = case_of("momentum_x", 8)
    options = Options(inputs=case.inputs, ranges=case.limits, output={"*": case.output})
    with_blocks = compile_model(case.model, options)
    without = compile_model(case.model, replace(options, limits=Limits(dsp=0)))
    assert without.target.name == f"{with_blocks.target.name}-nodsp"
    for design, blocks in ((with_blocks, True), (without, False)):
        areas = [design.target.area(design.circuit, i) for i in range(len(design.circuit.nodes))]
        assert (sum(area.dsp for area in areas) > 0) == blocks
        multiplies = any(node.op is Op.MUL for node in design.circuit.nodes)
        assert ('use_dsp = "no"' in verilog(design)) == (multiplies and not blocks)
        assert design.certificate.outputs[0].bound <= float(case.output.ulp)


def test_a_constant_formula_needs_no_limit() -> None:
    design = compile_model(
        load("x0 + 0.5"), Options(inputs={"*": case_of("schechter", 8).output}, limits=Limits(dsp=0))
    )
    assert "use_dsp" not in verilog(design)


def test_summary_names_what_only_one_does(capsys: pytest.CaptureFixture[str]) -> None:
    def row(tool: str, formula: str, **more: object) -> tuple[tuple[str, int, str], dict[str, object]]:
        return (formula, 8, tool), {"formula": formula, "width": 8, "tool": tool, **more}

    numbers = {"worst": 0.9, "ecp5_lut": 10, "ns": 5.0, "mhz": 200.0, "clock": 5.0}
    rows = dict(
        [
            row("ours", "a", lut=50, **numbers),
            row("alkaid", "a", lut=100, **numbers),
            row("ours", "b", lut=300, **numbers),
            row("alkaid", "b", lut=200, **numbers | {"mhz": 199.0}),
            row("ours", "c", lut=7, **numbers),
            row("alkaid", "c", fails="no division"),
        ]
    )
    summary(rows, "alkaid")
    said = capsys.readouterr().out
    assert "2 rows, error no worse in 2; geometric mean of LUT 0.87" in said
    assert "above 1.0 in LUT: b 8 (1.50)" in said
    assert "clock met by ours in 2, by alkaid in 1 of 2" in said
    assert "only ours: c 8: no division" in said
