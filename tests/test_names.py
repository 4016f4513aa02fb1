"""Names: legal, distinct, stable; and Verilator agrees that they are harmless."""

from __future__ import annotations

import pytest

from sr2hls.check.verilator import lint
from sr2hls.emit.names import fresh_prefix, safe_names

WORDS = """
    x0 y1 wire wire_ wire_2 reg logic signed table clk in_valid out_valid valid int class this new sin exp min max time
    index bit byte std string var do final priority pt _x __x x__y x_y ___ _1 p_1 and xor union auto template begin end
    input output module assign real event small strong0 context matrix NULL abs
"""
WILD = WORDS.split()


@pytest.mark.parametrize("language", ["verilog", "c++"])
def test_one_to_one_and_legal(language: str) -> None:
    names = safe_names(WILD, language)
    assert list(names) == WILD
    assert len(set(names.values())) == len(WILD)
    for name in names.values():
        assert name.isidentifier() and not name.startswith("_") and "__" not in name
    assert names["x0"] == "x0" and names["y1"] == "y1" and names["wire_"] == "wire_"
    assert set(safe_names(names.values(), language).values()) == set(names.values())


def test_reserved_words_move() -> None:
    assert safe_names(["wire", "clk", "x"], "verilog") == {"wire": "wire_", "clk": "clk_", "x": "x"}
    assert safe_names(["wire", "int"], "c++") == {"wire": "wire", "int": "int_"}
    assert safe_names(["reg", "reg_"], "verilog") == {"reg": "reg_2", "reg_": "reg_"}


def test_verilator_has_nothing_to_say() -> None:
    names = safe_names(WILD, "verilog").values()
    ports = ",\n".join(f"    input wire {name}" for name in names)
    body = f"module m (\n{ports},\n    output wire q_q\n);\n    assign q_q = &{{{', '.join(names)}}};\nendmodule\n"
    assert lint(body, "m") == []


def test_fresh_prefix() -> None:
    assert fresh_prefix(["x0", "n"], "n") == "n"
    assert fresh_prefix(["n1", "x"], "n") == "n_"
    assert fresh_prefix(["n1", "n_2"], "n") == "n_2_"
