"""The name of a template or RTL file → its path, in a checkout and in an installed wheel alike."""

from __future__ import annotations

from pathlib import Path

from sr2hls.errors import ToolError

_PACKAGE = Path(__file__).resolve().parent


def resource(folder: str, name: str = "") -> Path:
    """The path of `name` in `templates` or `hw`.

    In a wheel the two folders lie inside the package (pyproject's force-include); in a checkout, beside it.
    Raises ToolError when the installation lacks the file.
    """
    for root in (_PACKAGE, _PACKAGE.parent):
        path = root / folder / name
        if path.exists():
            return path
    raise ToolError(f"this installation of sr2hls lacks {folder}/{name}; reinstall it with 'pip install sr2hls'")
