"""A PySR wheel → facts about its `PySRRegressor`: names, kinds and defaults of the parameters, and its sympy table.

    pip download --no-deps pysr==1.5.9 -d wheels
    python tests/tools/pysr_signature.py wheels/pysr-1.5.9-py3-none-any.whl > tests/data/pysr_signatures/pysr-1.5.9.json

The source is read as a syntax tree; nothing of it is run or copied.
"""

from __future__ import annotations

import ast
import json
import sys
import zipfile
from typing import Any


def _default(node: ast.expr | None) -> Any:
    """A literal default; "<...>" stands for one that is an expression."""
    try:
        return None if node is None else ast.literal_eval(node)
    except ValueError:
        return "<...>"


def _method(tree: ast.Module, name: str) -> ast.FunctionDef:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name == "PySRRegressor":
            return next(f for f in node.body if isinstance(f, ast.FunctionDef) and f.name == name)
    raise SystemExit("there is no class PySRRegressor")


def parameters(tree: ast.Module, name: str) -> dict[str, dict[str, Any]]:
    """The parameters of a method of `PySRRegressor`: name → kind, whether it is required, default."""
    arguments = _method(tree, name).args
    plain = [a for a in arguments.args if a.arg != "self"]
    without = [None] * (len(plain) - len(arguments.defaults))
    found = {}
    for a, d in zip(plain, [*without, *arguments.defaults], strict=True):
        found[a.arg] = {"kind": "positional", "required": d is None, "default": _default(d)}
    for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        found[a.arg] = {"kind": "keyword", "required": d is None, "default": _default(d)}
    return found


def _sympy_names(tree: ast.Module) -> list[str]:
    for node in tree.body:
        targets = [t.id for t in node.targets if isinstance(t, ast.Name)] if isinstance(node, ast.Assign) else []
        if "sympy_mappings" in targets and isinstance(node.value, ast.Dict):
            return sorted(str(ast.literal_eval(key)) for key in node.value.keys if key is not None)
    raise SystemExit("there is no table sympy_mappings")


def facts(wheel: str) -> dict[str, Any]:
    """What the contract tests need to know of one release."""
    with zipfile.ZipFile(wheel) as archive:
        source = ast.parse(archive.read("pysr/sr.py"))
        names = _sympy_names(ast.parse(archive.read("pysr/export_sympy.py")))
    return {
        "version": wheel.rpartition("/")[2].split("-")[1],
        "constructor": parameters(source, "__init__"),
        "other_keywords": _method(source, "__init__").args.kwarg is not None,
        "fit": parameters(source, "fit"),
        "sympy_names": names,
    }


if __name__ == "__main__":
    json.dump(facts(sys.argv[1]), sys.stdout, indent=1)
    print()
