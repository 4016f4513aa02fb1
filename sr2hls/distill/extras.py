"""The name of an optional package → nothing, or the one error that says which extra brings it."""

from __future__ import annotations

from importlib.util import find_spec

from sr2hls.errors import ToolError

_EXTRAS = {
    "torch": "distill",
    "torch_geometric": "distill",
    "matplotlib": "distill",
    "jplephem": "ephemerides",
    "de421": "ephemerides",
}


def need(package: str) -> None:
    """ToolError unless `package` can be imported; it names the extra to install."""
    if find_spec(package) is None:
        extra = _EXTRAS.get(package, "distill")
        raise ToolError(f"distill needs {package}, which is not installed: pip install 'sr2hls[{extra}]'")
