"""PySR's own class, with its search left out, to the checkpoints and data files of this folder (seeded).

    pip install --no-deps pysr==2.7.2 && pip install scikit-learn pandas sympy
    python examples/make_checkpoints.py

Julia is not needed: a stand-in for `juliacall` lets `import pysr` through, and the one method that would start the
search writes the equations given below instead. Parameter checks, data validation, the losses' place in the tables,
scores and pickling are PySR's own code; losses are the mean squared error of each equation on the data.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import types
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent


class _Silent:
    """Any attribute and any call of Julia's side, to no effect."""

    VERSION = types.SimpleNamespace(major=1, minor=10, patch=0)

    def seval(self, _text: str) -> _Silent:
        return self

    def __getattr__(self, _name: str) -> _Silent:
        return self

    def __call__(self, *_arguments: object) -> _Silent:
        return self


def _stand_in() -> None:
    module = types.ModuleType("juliacall")
    for name in ("AnyValue", "VectorValue"):
        setattr(module, name, type(name, (), {}))
    module.JuliaError = type("JuliaError", (Exception,), {})
    module.Main = _Silent()
    module.convert = lambda _kind, value: value
    sys.modules["juliacall"] = module


def _julia_text(value: float) -> str:
    """The shortest decimal text of a float32, near enough to Julia's."""
    text = np.format_float_scientific(np.float32(value), unique=True, trim="-")
    mantissa, exponent = text.split("e")
    if -4 <= int(exponent) < 6:
        return np.format_float_positional(np.float32(value), unique=True, trim="0")
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{int(exponent)}"


Rows = list[tuple[int, str, object]]  # complexity, text, the same formula as a function of the columns


def _write(folder: Path, x: object, y: np.ndarray, outputs: list[Rows], **options: object) -> None:
    import pandas as pd
    from pysr import PySRRegressor

    columns = {name: np.asarray(x[name], dtype=np.float64) for name in x.columns}
    targets = y if y.ndim == 2 else y[:, None]

    def run(self: object, *_arguments: object, **_options: object) -> object:
        directory = Path(self.output_directory_) / self.run_id_
        directory.mkdir(parents=True, exist_ok=True)
        for j, rows in enumerate(outputs):
            lines, best = ["Complexity,Loss,Equation"], np.inf
            for complexity, text, function in rows:
                loss = float(np.float32(np.mean((function(**columns) - targets[:, j]) ** 2)))
                if loss >= best:  # a hall of fame keeps improvements only
                    continue
                best = loss
                lines.append(f'{complexity},{_julia_text(loss)},"{text}"')
            name = "hall_of_fame.csv" if len(outputs) == 1 else f"hall_of_fame_output{j + 1}.csv"
            for file in (name, name + ".bak"):
                (directory / file).write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.logger_ = None
        self.julia_options_stream_ = self.julia_state_stream_ = np.zeros(0, dtype=np.uint8)
        self.equations_ = self.get_hof(None)
        return self

    PySRRegressor._run = run
    model = PySRRegressor(run_id=folder.name, output_directory=".", verbosity=0, progress=False, **options)
    model.fit(x, pd.DataFrame(y) if y.ndim == 2 else y)
    folder.mkdir(parents=True, exist_ok=True)
    source = Path(folder.name)
    shutil.move(str(source / "checkpoint.pkl"), folder / "model.pkl")
    for table in sorted(source.glob("*.csv")):
        shutil.copy(table, folder / table.name)
    shutil.rmtree(source)
    x.to_csv(folder / "data.csv", index=False, float_format="%.6g")


def quickstart() -> None:
    """Transverse mass squared of a lepton and missing momentum, in units of (100 GeV)^2."""
    import pandas as pd

    rng = np.random.default_rng(1)
    n = 500
    x = pd.DataFrame(
        {"pt": rng.uniform(0.2, 2, n), "met": rng.uniform(0.2, 2, n), "dphi": rng.uniform(-np.pi, np.pi, n)}
    ).round(6)
    y = 2 * x.pt * x.met * (1 - np.cos(x.dphi)) + rng.normal(0, 0.02, n)
    rows: Rows = [
        (1, "2.4171085", lambda pt, met, dphi: 2.4171085 + 0 * pt),
        (3, "pt + met", lambda pt, met, dphi: pt + met),
        (5, "(pt * met) * 2.0139172", lambda pt, met, dphi: pt * met * 2.0139172),
        (6, "pt * (met - cos(dphi))", lambda pt, met, dphi: pt * (met - np.cos(dphi))),
        (8, "(pt * met) * (2.0 - cos(dphi))", lambda pt, met, dphi: pt * met * (2 - np.cos(dphi))),
        (
            10,
            "(pt * met) * (2.0003622 - (cos(dphi) * 1.9997401))",
            lambda pt, met, dphi: pt * met * (2.0003622 - np.cos(dphi) * 1.9997401),
        ),
        (
            14,
            "(pt * met) * ((2.0003622 - (cos(dphi) * 1.9997401)) - (1.5e-5 * exp(met)))",
            lambda pt, met, dphi: pt * met * (2.0003622 - np.cos(dphi) * 1.9997401 - 1.5e-5 * np.exp(met)),
        ),
    ]
    _write(
        HERE / "quickstart",
        x,
        y.to_numpy(),
        [rows],
        binary_operators=["+", "-", "*"],
        unary_operators=["cos", "exp"],
    )


def momentum() -> None:
    """Three outputs: the momentum components of a track from (pt, eta, phi)."""
    import pandas as pd

    rng = np.random.default_rng(2)
    n = 400
    x = pd.DataFrame(
        {"pt": rng.uniform(0.5, 8, n), "eta": rng.uniform(-1.5, 1.5, n), "phi": rng.uniform(-np.pi, np.pi, n)}
    ).round(6)
    noise = rng.normal(0, 1e-3, (n, 3))
    y = np.stack([x.pt * np.cos(x.phi), x.pt * np.sin(x.phi), x.pt * np.sinh(x.eta)], axis=1) + noise
    outputs: list[Rows] = [
        [
            (2, "cos(phi)", lambda pt, eta, phi: np.cos(phi)),
            (4, "pt * cos(phi)", lambda pt, eta, phi: pt * np.cos(phi)),
        ],
        [
            (2, "sin(phi)", lambda pt, eta, phi: np.sin(phi)),
            (4, "pt * sin(phi)", lambda pt, eta, phi: pt * np.sin(phi)),
        ],
        [
            (1, "eta", lambda pt, eta, phi: eta),
            (3, "pt * eta", lambda pt, eta, phi: pt * eta),
            (4, "pt * sinh(eta)", lambda pt, eta, phi: pt * np.sinh(eta)),
        ],
    ]
    _write(HERE / "momentum", x, y, outputs, binary_operators=["+", "*"], unary_operators=["cos", "sin", "sinh"])


def kepler() -> None:
    """Kepler's third law for a star of mass `mass`, with a custom operator given to PySR as Julia text."""
    import pandas as pd

    def kepler_root(value: object) -> object:
        return np.cbrt(value) ** 2

    rng = np.random.default_rng(3)
    n = 300
    x = pd.DataFrame({"period": rng.uniform(0.25, 12, n), "mass": rng.uniform(0.5, 2, n)}).round(6)
    y = np.cbrt(x.mass * x.period**2) + rng.normal(0, 0.01, n)
    rows: Rows = [
        (1, "period", lambda period, mass: period),
        (2, "kepler_root(period)", lambda period, mass: kepler_root(period)),
        (5, "kepler_root(period) * cbrt(mass)", lambda period, mass: kepler_root(period) * np.cbrt(mass)),
        (
            7,
            "(kepler_root(period) * cbrt(mass)) * 1.0000731",
            lambda period, mass: kepler_root(period) * np.cbrt(mass) * 1.0000731,
        ),
    ]
    import sympy

    _write(
        HERE / "kepler",
        x,
        y.to_numpy(),
        [rows],
        binary_operators=["+", "*"],
        unary_operators=["cbrt", "kepler_root(x) = cbrt(x)^2"],
        extra_sympy_mappings={"kepler_root": lambda v: sympy.cbrt(v) ** 2},
    )


def main() -> None:
    """Write all examples."""
    import tempfile
    import warnings

    warnings.simplefilter("ignore")
    _stand_in()
    with tempfile.TemporaryDirectory() as scratch, contextlib.chdir(scratch):
        quickstart()
        momentum()
        kepler()
    print(f"written to {os.path.relpath(HERE)}")


if __name__ == "__main__":
    main()
