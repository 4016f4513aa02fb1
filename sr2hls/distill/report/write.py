"""A `Story` → report.json, report.html (one file, its images inside) and the figures of a folder."""

from __future__ import annotations

import tempfile
from pathlib import Path

from sr2hls.distill.report.figures import figures
from sr2hls.distill.report.page import page
from sr2hls.distill.report.story import Story, data
from sr2hls.errors import OutputError
from sr2hls.report.data import report_text
from sr2hls.report.folder import replace_text

JSON, HTML, FIGURES = "report.json", "report.html", "figures"


def write_report(story: Story, folder: Path) -> list[Path]:
    """Write report.json, report.html, and figures/NAME.png and .svg; those paths, in this order.

    Old files of these names are replaced one by one, never half; figures that this story has not are removed. Raises
    OutputError where the folder cannot be written, ToolError where matplotlib is missing (nothing is written then).
    """
    drawn = figures(story)
    html = page(story, {name: kinds["png"] for name, kinds in drawn.items()})
    place = folder / FIGURES
    try:
        place.mkdir(parents=True, exist_ok=True)
        written = []
        for name, kinds in drawn.items():
            for kind, content in kinds.items():
                written.append(place / f"{name}.{kind}")
                _replace(written[-1], content)
        for name in {"curves", "significance", "messages", "fronts", "errors"} - set(drawn):
            for kind in ("png", "svg"):
                (place / f"{name}.{kind}").unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror or error})") from None
    replace_text(folder / JSON, report_text(data(story)))
    replace_text(folder / HTML, html)
    return [folder / JSON, folder / HTML, *written]


def _replace(path: Path, content: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
    place = Path(file.name)
    place.chmod(0o644)
    place.replace(path)
