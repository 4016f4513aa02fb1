"""Stories of distillations, whole and bare → what the report says, draws and refuses."""

from __future__ import annotations

import base64
import json
import re
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from test_distill_extract import per_mass, record_of

from sr2hls.distill.extract import frame, significance, verdict
from sr2hls.distill.recipe import Recipe
from sr2hls.distill.report import (
    Candidate,
    Case,
    Curve,
    Formula,
    Front,
    Panel,
    Story,
    panels,
    versions,
    write_report,
)
from sr2hls.distill.report.figures import figures
from sr2hls.distill.report.story import data, missing
from sr2hls.distill.trajectories import Floats
from sr2hls.errors import OutputError, ToolError

BARE = Story("my data", 2, Recipe())
PNG = b"\x89PNG\r\n"
VOID = {"meta", "img", "br"}


def rows(k: int = 12) -> Floats:
    steps = np.linspace(100, 2000, k)
    return np.stack([steps, 5 * np.exp(-steps / 500) + 0.3, 5 * np.exp(-steps / 500) + 0.4], axis=1)


@pytest.fixture(scope="module")
def story() -> Story:
    record = record_of("r2", factors=(per_mass, per_mass), b=300, width=4)
    judged, framed = verdict(record), frame(record)
    return Story(
        "r2",
        2,
        Recipe(strategy="l1", soften=3.0),
        data="100 runs of 4 bodies",
        unit="length/time²",
        curves=(Curve("training", rows(), 12.5), Curve("edge is a formula", rows(), 2.0, finished=False)),
        significance=significance(record),
        verdict=judged,
        frame_line=framed.line,
        panels=panels(record, judged, framed),
        formulas=(
            Formula("edge", "a_x", "-m_j*dx/r**3", 0.01, 14, 9, "-m_j*dx/r**3", True),
            Formula("node", "a_x", "sum_1 < 2", 0.2, equal=False),
        ),
        law=("a_x = Σ_j -m_j dx/r³",),
        fronts=(Front("edge", (Candidate("dx", 1, 1, 1.0), Candidate("dx/r", 9, 3, 0.0, True))),),
        cases=(
            Case("held-out runs", True, 4, 100, 0.021, 0.0042),
            Case("n = 16", False, 16, 50, None, 0.005),
        ),
        hardware={"LUTs": "412"},
        seeds={"data": 0, "training": 3},
        versions=versions(),
        not_run=("place and route",),
    )


@pytest.fixture(scope="module")
def folder(story: Story, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the whole story."""
    place = tmp_path_factory.mktemp("report") / "out"
    write_report(story, place)
    return place


class Page(HTMLParser):
    """Texts and attributes, and whether every tag is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()
        self.text = re.sub(r"\s+", " ", " ".join(self.texts))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_a_report_is_one_page_with_its_images_inside(folder: Path) -> None:
    drawn = {"curves", "significance", "messages", "fronts", "errors"}
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert files == {"report.json", "report.html"} | {f"figures/{n}.{kind}" for n in drawn for kind in ("png", "svg")}
    page = Page((folder / "report.html").read_text(encoding="utf-8"))
    assert not page.open
    images = [attributes for tag, attributes in page.found if tag == "img"]
    assert len(images) == 5
    for image in images:
        assert image["alt"]
        kind, _, content = (image["src"] or "").partition(",")
        assert kind == "data:image/png;base64"
        assert base64.b64decode(content).startswith(PNG)
    assert not any(name in attributes for _, attributes in page.found for name in ("href", "onclick", "srcset"))
    assert "script" not in {tag for tag, _ in page.found}


def test_the_page_says_what_was_found(story: Story, folder: Path) -> None:
    text = Page((folder / "report.html").read_text(encoding="utf-8")).text
    assert story.verdict is not None
    for part in (
        story.verdict.line,
        story.verdict.criterion,
        "1 of 2 compared formulas equal the known law",
        "a_x = Σ_j -m_j dx/r³",
        "sum_1 < 2",
        "held-out runs: network 2.1 %, formula 0.42 %",
        "n = 16: network not measured, formula 0.5 %",
        "out of the distribution",
        "412",
        "data=0, training=3",
        "strategy=l1",
        "weighted by s/(s + |a|) with s = 3.0",
        f"numpy {np.__version__}",
    ):
        assert re.sub(r"\s+", " ", part) in text, part


def test_texts_of_a_story_cannot_write_html(tmp_path: Path) -> None:
    write_report(replace(BARE, system="<script>alert(1)</script>", notes=("<img src=x onerror=1>",)), tmp_path)
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html


def test_what_was_not_done_is_said(story: Story, tmp_path: Path) -> None:
    lines = " | ".join(missing(BARE))
    for part in ("no network was trained", "significance", "true forces", "no formula", "held-out", "no circuit",
                 "out of the distribution"):  # fmt: skip
        assert part in lines, part
    assert write_report(BARE, tmp_path) == [tmp_path / "report.json", tmp_path / "report.html"]
    text = Page((tmp_path / "report.html").read_text(encoding="utf-8")).text
    assert "not compared with a true force" in text
    assert "no formula was fitted" in text
    assert "recovered" not in text
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["not_run"] == list(missing(BARE))
    whole = missing(story)
    assert "edge is a formula: stopped early, after 2000 steps" in whole
    assert "place and route" in whole
    assert not any("circuit" in line or "held-out" in line for line in whole)
    uncompared = replace(story, formulas=(Formula("edge", "F_x", "dx"),))
    assert any("not compared with a known law" in line for line in missing(uncompared))


def test_a_failure_is_not_dressed_up(story: Story, tmp_path: Path) -> None:
    assert story.verdict is not None
    failed = replace(BARE, verdict=replace(story.verdict, recovered=False, trimmed=(0.6, 0.94999)))
    write_report(failed, tmp_path)
    text = Page((tmp_path / "report.html").read_text(encoding="utf-8")).text
    assert "✗ no not recovered: trimmed R² 0.6000/0.9499" in text
    assert "✓" not in text


def test_the_data_hold_everything_but_points(story: Story, folder: Path) -> None:
    found = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert found == json.loads(json.dumps(data(story)))
    assert found["schema"] == "sr2hls-distill-report"
    assert found["verdict"]["recovered"] is True
    assert found["curves"][0]["rows"] == rows().tolist()
    assert found["cases"][1]["network"] is None
    assert found["formulas"][0]["equal"] is True
    assert {panel["points"] for panel in found["panels"]} == {2000}


def test_figures_are_the_same_for_the_same_story(story: Story, folder: Path) -> None:
    again = figures(story)
    for path in (folder / "figures").iterdir():
        assert again[path.stem][path.suffix[1:]] == path.read_bytes(), path.name
    assert all(kinds["png"].startswith(PNG) and b"<svg" in kinds["svg"] for kinds in again.values())
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


def test_extreme_stories_can_be_drawn() -> None:
    """One component, all zero; a hundred of them; one panel of equal points; a training of one row; a front of one."""
    record = record_of("spring", b=100)
    still = significance(replace(record, messages=np.zeros_like(record.messages[..., :1]), importance=np.zeros(1)))
    many = significance(record_of("spring", b=30, width=100))
    flat = Panel("flat", np.ones(5), np.ones(5), "x", "y")
    odd = replace(
        BARE,
        curves=(Curve("none", np.zeros((0, 3))), Curve("one", rows(1))),
        panels=(flat,) * 4,
        fronts=(Front("empty", ()), Front("one", (Candidate("x", 1, 1, 0.0, True),))),
        cases=(Case("nothing", True, 4, 10), Case("formula only", False, 4, 10, None, 3.0)),
    )
    assert set(figures(replace(odd, significance=still))) == {"curves", "significance", "messages", "fronts", "errors"}
    assert figures(replace(BARE, significance=many)).keys() == {"significance"}


def test_panels_show_messages_against_force_and_framed_vectors_against_the_law() -> None:
    record = record_of("r2", factors=(per_mass, per_mass), b=300, width=4)
    judged, framed = verdict(record), frame(record)
    found = panels(record, judged, framed)
    order = judged.scores[judged.ranking].components
    assert [panel.title for panel in found] == [f"message {c + 1}" for c in order] + [
        "a_x of an edge",
        "a_y of an edge",
    ]
    assert "F/m_i" in found[0].x_label
    assert "true acceleration" in found[2].x_label
    for panel in found:
        assert len(panel.x) == 2000
        middle = np.abs(panel.x) <= np.quantile(np.abs(panel.x), 0.8)
        assert np.corrcoef(panel.x[middle], panel.y[middle])[0, 1] > 0.99
        assert np.median(np.abs(panel.x - panel.y)) < 0.1 * np.std(panel.y[middle])
    own = replace(record, forces=None)
    assert panels(own, None, framed) == ()
    against_law = panels(own, None, framed, framed.vectors)
    np.testing.assert_array_equal(against_law[0].x, against_law[0].y)
    assert "formula" in against_law[0].x_label


def test_a_second_report_replaces_the_first(story: Story, tmp_path: Path) -> None:
    first = write_report(replace(BARE, cases=story.cases), tmp_path)
    assert first[2:] == [tmp_path / "figures" / f"errors.{kind}" for kind in ("png", "svg")]
    (tmp_path / "network.pt").write_text("another's")
    write_report(BARE, tmp_path)
    assert not list((tmp_path / "figures").iterdir())
    assert (tmp_path / "network.pt").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["figures", "network.pt", "report.html", "report.json"]


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        write_report(BARE, tmp_path / "file")


def test_without_matplotlib_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sr2hls.distill.extras.find_spec", lambda _: None)
    with pytest.raises(ToolError, match=r"sr2hls\[distill\]"):
        write_report(BARE, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_versions_are_those_of_installed_packages() -> None:
    found = versions(("numpy", "no-such-package"))
    assert found["numpy"] == np.__version__
    assert found["python"] == sys.version.split()[0]
    assert "no-such-package" not in found
