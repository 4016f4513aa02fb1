"""Checkpoints and halls of fame: PySR's own view of every fixture, and refusals that execute nothing."""

from __future__ import annotations

import json
import pickle
import random
import subprocess
import sys
from pathlib import Path

import pytest
import sympy
from hostile_pickles import hostile

from sr2hls.errors import LoadError, Sr2hlsError, UnsupportedError
from sr2hls.load import from_json, load, read, to_json
from sr2hls.load.checkpoint import read_checkpoint
from sr2hls.load.selection import pick
from sr2hls.model import symbol
from sr2hls.operators import known

DATA = Path(__file__).parent / "data" / "pysr"
EXPECTED = sorted(DATA.glob("pysr-*/*/expected.json"))
NEWEST = DATA / "pysr-2.7.2_pandas3"
GOOD = (NEWEST / "single" / "checkpoint.pkl").read_bytes()
X = [symbol(f"x{i}") for i in range(5)]


def _pickle_of(folder: Path) -> Path:
    return next(p for p in (folder / "checkpoint.pkl", folder / "model.pkl") if p.exists())


def _same(a: float | None, b: float | None) -> bool:
    return a == b or (a is not None and b is not None and abs(a - b) <= 1e-12 * abs(b))


def test_all_fixtures_are_here() -> None:
    assert len(EXPECTED) == 49
    assert len(list(DATA.glob("pysr-*/*/*.pkl"))) == 53


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda p: f"{p.parent.parent.name}-{p.parent.name}")
def test_pysr_view(expected: Path) -> None:
    truth = json.loads(expected.read_text())
    path = _pickle_of(expected.parent)
    catalog = read(path)
    rows = [[[r.complexity, r.loss, r.equation] for r in rows] for rows in catalog.outputs]
    assert rows == [[row[:3] for row in rows] for rows in truth["equations"]]
    for mine, theirs in zip(catalog.outputs, truth["equations"], strict=True):
        if path.stat().st_size:
            assert all(_same(r.score, t[3]) for r, t in zip(mine, theirs, strict=True))
        for row in range(len(mine)):
            model = catalog.only(catalog.names[catalog.outputs.index(mine)]).choose(row)
            assert from_json(to_json(model)) == model
    if path.stat().st_size:  # an empty checkpoint names no inputs: they come from the equations
        assert list(catalog.inputs) == truth["feature_names_in"]
        mask = catalog.selection_mask
        assert (mask if mask is None else list(mask)) == truth["selection_mask"]
    if truth["best_index"] is not None:
        picked = [pick(rows, catalog.model_selection, catalog.scored) for rows in catalog.outputs]
        assert picked == truth["best_index"]


@pytest.mark.parametrize("folder", sorted(DATA.glob("pysr-*/single")), ids=lambda p: p.parent.name)
def test_the_formula_of_single(folder: Path) -> None:
    model = load(folder)
    number = sympy.Rational(*(2.5381999015808105).as_integer_ratio())  # 2.5382 as a float32
    assert model.inputs == ("x0", "x3")
    assert model.outputs[0].expression == sympy.cos(X[3]) * number + X[0] ** 2 - sympy.Rational(1, 2)
    assert model.outputs[0].provenance.complexity == 10
    assert model.outputs[0].provenance.writer == ("PySR 2.x" if "2.7" in folder.parent.name else "PySR 1.x")


def test_negative_base_is_julia_s() -> None:
    model = load(NEWEST / "neg_base")
    assert model.outputs[0].expression == sympy.Rational(-3, 2) ** X[0] + X[1]


def test_custom_operators_are_inlined() -> None:
    model = load(NEWEST / "custom_op" / "checkpoint.pkl")
    assert model.outputs[0].expression == X[1] ** 2 + X[0] ** 4 - 2
    bare = NEWEST / "custom_op" / "hall_of_fame.csv"
    with pytest.raises(LoadError, match=r"equation 2 .*unknown operator 'quart'.*--operator 'quart\(x\)"):
        load(bare)
    texts = ["special(x, y) = x^2 + y; quart(x::T) where {T} = x^4"]
    assert load(bare, operators=texts).outputs[0].expression == model.outputs[0].expression


def test_several_outputs_and_feature_selection() -> None:
    model = load(NEWEST / "multi")
    assert [o.name for o in model.outputs] == ["y0", "y1"]
    assert model.inputs == ("x0", "x1", "x2")
    assert load(NEWEST / "multi", output="y1", select=0).outputs[0].expression == sympy.exp(X[1])
    assert load(NEWEST / "multi", select=[0, "complexity=2"]).inputs == ("x0", "x1")
    with pytest.raises(LoadError, match="no output 'z'; there are: y0, y1"):
        load(NEWEST / "multi", output="z")
    chosen = load(NEWEST / "selection")
    assert chosen.inputs == ("x1", "x4", "x6")
    assert chosen.outputs[0].expression == X[1] ** 2 + 3 * X[4] - symbol("x6")
    assert load(NEWEST / "df_names").inputs == ("pT", "eta", "delta_R")


def test_precision_64_constants() -> None:
    catalog = read(NEWEST / "rich_params")
    assert catalog.precision == 64
    assert catalog.choose(0).outputs[0].expression == sympy.Rational(*(0.012345679012345678).as_integer_ratio())
    assert read(NEWEST / "rich_params" / "hall_of_fame.csv").precision == 64  # by the number of digits
    assert read(NEWEST / "single" / "hall_of_fame.csv").precision == 32


def test_templates_are_composed() -> None:
    expression = load(NEWEST / "template", select=1).outputs[0].expression
    wanted = sympy.Rational(3, 4) * sympy.sin(X[0] * X[1] + sympy.Rational(3, 2)) + 2 * sympy.cos(X[2])
    assert expression == wanted
    with pytest.raises(UnsupportedError, match="only the checkpoint says how"):
        load(NEWEST / "template" / "hall_of_fame.csv")


def test_choices() -> None:
    path = NEWEST / "single"
    assert load(path, select="complexity=3").outputs[0].expression == X[0] ** 2
    assert load(path, select=1) == load(path, select="complexity=3") == load(path, select="1")
    assert read(path).choose(complexity=3) == load(path, select=1)
    assert load(path, select="accuracy").outputs[0].provenance.loss == 0
    for wrong, message in (("7", "indices are 0 to 5"), ("complexity=4", "there are: 1, 3, 5"), ("bset", "use best")):
        with pytest.raises(LoadError, match=message):
            load(path, select=wrong)


def test_an_interrupted_run_falls_back_on_the_table() -> None:
    catalog = read(NEWEST / "aborted")
    assert catalog.source == "aborted/hall_of_fame.csv.bak"
    assert catalog.choose().outputs[0].expression == X[0]
    assert len(catalog.inputs) == 5  # still known from the checkpoint


def test_nothing_to_fall_back_on(tmp_path: Path) -> None:
    lone = tmp_path / "checkpoint.pkl"
    lone.write_bytes(b"")
    with pytest.raises(LoadError, match="is empty, and there is no"):
        load(lone)
    lone.write_bytes((NEWEST / "aborted" / "checkpoint.pkl").read_bytes())
    with pytest.raises(LoadError, match="interrupted run"):
        load(tmp_path)
    lone.unlink()
    with pytest.raises(LoadError, match="no checkpoint"):
        load(tmp_path)
    with pytest.raises(LoadError, match="no such file"):
        load("missing.pkl")


def test_csv_damage(tmp_path: Path) -> None:
    path = tmp_path / "hall_of_fame.csv"
    for text, message in (
        ("a,b\n1,2\n", "first line is not Complexity,Loss,Equation"),
        ("Complexity,Loss,Equation\n1,2\n", "line 2: 2 fields"),
        ('Complexity,Loss,Equation\nx,2,"y"\n', "not a number"),
        ('Complexity,Loss,Equation\n1,2,"y', "damaged CSV"),
        ("Complexity,Loss,Equation\n", "no equations"),
        ("", "not a PySR hall"),
    ):
        path.write_text(text)
        with pytest.raises(LoadError, match=message):
            load(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(LoadError, match="cannot be read"):
        load(path)


def test_csv_text_is_never_executed(tmp_path: Path) -> None:
    path, target = tmp_path / "hall_of_fame.csv", tmp_path / "PWNED"
    for text in (
        f"__import__('os').system('touch {target}')",
        f"x0 + open('{target}', 'w').close()",
        "x0.__class__.__bases__",
        "lambda: x0",
        "x0; import os",
        "[x0 for x0 in (1,)]",
        "x0 if x1 else x2",
        "@eval x0",
        "run(`touch x`)",
        "eval(x0)",
    ):
        path.write_text(f'Complexity,Loss,Equation\n1,0.5,"{text}"\n')
        with pytest.raises(LoadError, match=r"hall_of_fame\.csv: equation 0"):
            load(path)
    assert not target.exists()


@pytest.mark.parametrize("name", sorted(hostile(GOOD, Path("x"))))
def test_hostile_pickles(name: str, tmp_path: Path) -> None:
    target = tmp_path / "PWNED"
    path = tmp_path / "checkpoint.pkl"
    path.write_bytes(hostile(GOOD, target)[name])
    with pytest.raises(LoadError, match=r"^checkpoint\.pkl: [^\n]+$"):
        load(path)
    assert not target.exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["checkpoint.pkl"]


def test_the_payload_works_where_pickle_loads_it(tmp_path: Path) -> None:
    """The hostile files are hostile: `pickle.load` would have run them."""
    target = tmp_path / "PWNED"
    path = tmp_path / "checkpoint.pkl"
    for name in ("os_system", "spliced_before", "sympify"):
        path.write_bytes(hostile(GOOD, target)[name])
        code = "import pickle,sys; pickle.load(open(sys.argv[1],'rb'))"
        subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, check=False)
        assert target.exists()
        target.unlink()


@pytest.mark.parametrize("name", ["cloudpickle", "proto4", "proto5"])
def test_other_writers_read(name: str) -> None:
    assert len(read(DATA / "other_writers" / f"{name}.pkl").outputs[0]) == 3


@pytest.mark.parametrize("name", ["dill", "in_dict", "joblib", "joblib_z", "proto2", "proto3", "sk_pipeline"])
def test_other_writers_refused(name: str) -> None:
    with pytest.raises(LoadError, match=rf"^{name}\.pkl: [^\n]+$"):
        read(DATA / "other_writers" / f"{name}.pkl")


def test_mutated_pickles_decode_or_are_refused() -> None:
    rng = random.Random(20250)
    sources = [_pickle_of(e.parent).read_bytes() for e in EXPECTED]
    sources = [s for s in sources if s]
    refused = 0
    for _ in range(2500):
        data = bytearray(rng.choice(sources))
        for _ in range(rng.choice((1, 1, 2, 8))):
            at = rng.randrange(len(data))
            kind = rng.randrange(3)
            if kind == 0:
                data[at] = rng.randrange(256)
            elif kind == 1:
                del data[at : at + rng.randrange(1, 9)]
            else:
                data[at:at] = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 5)))
        try:
            read_checkpoint(bytes(data))
        except LoadError as error:
            refused += 1
            assert "\n" not in str(error)
    assert 1200 < refused < 2500


def test_unsupported_models_are_named(tmp_path: Path) -> None:
    path = tmp_path / "m.pkl"
    path.write_bytes(
        (NEWEST / "template" / "checkpoint.pkl")
        .read_bytes()
        .replace(b"TemplateExpressionSpec", b"ParametricExpressionSp")
    )
    with pytest.raises(LoadError):
        load(path)
    path.write_bytes(pickle.dumps([1]))
    with pytest.raises(LoadError, match="holds list, not a PySRRegressor"):
        load(path)


def test_vocabulary_parses_in_all_versions() -> None:
    for folder in sorted(DATA.glob("pysr-*/vocabulary")):
        catalog = read(folder)
        for row in range(len(catalog.outputs[0])):
            assert catalog.choose(row).inputs
    with pytest.raises(UnsupportedError, match="sqrt"):
        load("sqrt(-1)*x0")
    assert "atanh_clip" in known()
    assert issubclass(LoadError, Sr2hlsError)
