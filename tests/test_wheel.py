"""The built wheel → an installation apart from the checkout that compiles an example: templates and RTL are in it."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def python(*arguments: str, cwd: Path, path: Path | None = None) -> str:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    done = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    python("-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT), cwd=folder)
    (found,) = folder.glob("sr2hls-*.whl")
    return found


def test_templates_and_rtl_are_in_the_wheel(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for folder in ("templates", "hw"):
        wanted = {
            f"sr2hls/{p.relative_to(ROOT)}" for p in (ROOT / folder).rglob("*") if p.suffix in (".j2", ".v", ".py")
        }
        assert wanted
        assert wanted <= set(names)
    assert "sr2hls/targets/ecp5-6.toml" in names
    assert not [name for name in names if name.startswith(("tests/", "examples/", "templates/"))]


def test_an_installed_wheel_compiles(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    python("-m", "pip", "install", "--quiet", "--no-deps", "--target", str(site), str(wheel), cwd=tmp_path)
    where = python("-c", "import sr2hls; print(sr2hls.__file__)", cwd=tmp_path, path=site)
    assert Path(where.strip()).is_relative_to(site)
    example = ROOT / "examples" / "quickstart"
    command = ("compile", str(example / "model.pkl"), "--data", str(example / "data.csv"), "-o", "out")
    text = python("-c", "from sr2hls.cli import main; main()", *command, cwd=tmp_path, path=site)
    assert "proven:" in text
    assert (tmp_path / "out" / "verilog" / "quickstart.v").is_file()
    assert (tmp_path / "out" / "sim" / "run.py").is_file()
