"""Parts of a `Story` → figures as PNG and SVG, without pyplot and its global state.

Colors are those of Okabe and Ito ("Color universal design", 2008), which people with any color vision tell apart; line
styles and markers differ as well.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from sr2hls.distill.extract.significance import Significance
from sr2hls.distill.extras import need
from sr2hls.distill.report.story import Case, Curve, Front, Panel, Story
from sr2hls.distill.trajectories import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, RED, GRAY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#7f7f7f"
BARS = 20  # components that are shown
_STYLE = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e2e2e2",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "svg.hashsalt": "sr2hls",
    "svg.fonttype": "none",
}


def figures(story: Story) -> dict[str, dict[str, bytes]]:
    """Name → {"png": ..., "svg": ...}, of what there is to show. Raises ToolError where matplotlib is missing."""
    need("matplotlib")
    drawings: dict[str, Callable[[], Figure]] = {}
    if any(len(curve.rows) for curve in story.curves):
        drawings["curves"] = lambda: _curves(story.curves, story.unit)
    if story.significance is not None:
        measured = story.significance
        drawings["significance"] = lambda: _significance(measured, story.dimension)
    if story.panels:
        drawings["messages"] = lambda: _panels(story.panels)
    if any(front.candidates for front in story.fronts):
        drawings["fronts"] = lambda: _fronts([front for front in story.fronts if front.candidates])
    if any(case.network is not None or case.formula is not None for case in story.cases):
        drawings["errors"] = lambda: _errors(story.cases)
    with _style():
        return {name: _saved(draw()) for name, draw in drawings.items()}


def _curves(curves: Sequence[Curve], unit: str) -> Figure:
    figure, axes = _figure(1, 1, 7.0, 3.6)
    ax = axes[0]
    start = 0.0
    for curve in curves:
        if not len(curve.rows):
            continue
        steps = curve.rows[:, 0] + start
        label = not start
        ax.plot(steps, curve.rows[:, 1], color=BLUE, label="training" if label else None)
        ax.plot(steps, curve.rows[:, 2], color=RED, linestyle="--", marker=".", label="held out" if label else None)
        if len(curves) > 1:
            ax.axvline(start, color=GRAY, linewidth=0.8, linestyle=":")
            text = curve.name + ("" if curve.finished else " (stopped early)")
            ax.annotate(text, (start, 1.0), (4, -4), xycoords=("data", "axes fraction"), textcoords="offset points",
                        va="top", fontsize=8, color="#404040")  # fmt: skip
        start = float(steps[-1])
    ax.set_yscale("log")
    ax.margins(y=0.12)
    ax.set_xlim(left=0)
    ax.set_xlabel("training step")
    ax.set_ylabel(f"error per graph, Σ|a − â|\n{_bracket(unit)}")
    if len(curves) == 1 and not curves[0].finished:
        ax.set_title("stopped early")
    ax.legend(loc="lower left" if len(curves) > 1 else "upper right")
    return figure


def _significance(measured: Significance, dimension: int) -> Figure:
    """Components in falling order of spread, each measure relative to its largest; and the principal components."""
    figure, axes = _figure(1, 2, 9.0, 3.6, widths=(3, 2))
    left, right = axes
    order = np.argsort(-measured.spread, kind="stable")[:BARS]
    shown = {"5–95 % spread": (measured.spread, BLUE, ""), "standard deviation": (measured.std, ORANGE, "//")}
    if measured.information is not None:
        shown["information"] = (measured.information, GREEN, "..")
    else:
        shown["strategy's ranking"] = (measured.importance, GREEN, "..")
    width = 0.8 / len(shown)
    places = np.arange(len(order))
    for k, (name, (values, color, hatch)) in enumerate(shown.items()):
        left.bar(places + (k - 1) * width, _relative(values)[order], width, color=color, hatch=hatch, edgecolor="white",
                 linewidth=0, label=name)  # fmt: skip
    left.set_xticks(places, [str(c + 1) for c in order], fontsize=8)
    left.set_xlabel("component of the message, most spread first" + _cut(len(measured.spread), "components"))
    left.set_ylabel("relative to the largest")
    left.grid(axis="x", visible=False)
    _mark(left, len(order), dimension)
    left.legend(loc="upper right", fontsize=8)
    shares = measured.principal[:BARS]
    right.bar(np.arange(len(shares)), shares, 0.7, color=BLUE)
    right.set_xticks(np.arange(len(shares)), [str(c + 1) for c in range(len(shares))], fontsize=8)
    right.set_xlabel("principal component" + _cut(len(measured.principal), "components"))
    right.set_ylabel("share of the variance")
    right.grid(axis="x", visible=False)
    _mark(right, len(shares), dimension)
    return figure


def _mark(ax: Axes, shown: int, dimension: int) -> None:
    if shown > dimension:
        ax.axvline(dimension - 0.5, color=GRAY, linestyle="--", linewidth=1)
        ax.annotate(f"{dimension} axes", (dimension - 0.5, 1.0), (4, 2), xycoords=("data", "axes fraction"),
                    textcoords="offset points", fontsize=8, color="#404040")  # fmt: skip


def _panels(panels: Sequence[Panel]) -> Figure:
    columns = min(3, len(panels)) if len(panels) != 4 else 2
    rows = math.ceil(len(panels) / columns)
    figure, axes = _figure(rows, columns, 3.4 * columns, 3.6 * rows)
    for ax, panel in zip(axes, panels, strict=False):
        low, high = _window(panel)
        outside = float(np.mean((panel.x < low) | (panel.x > high) | (panel.y < low) | (panel.y > high)))
        ax.plot([low, high], [low, high], color=RED, linewidth=1, label="equal")
        ax.scatter(panel.x, panel.y, s=5, alpha=0.35, color=BLUE, linewidths=0, rasterized=True)
        ax.set_xlim(low, high)
        ax.set_ylim(low, high)
        ax.set_aspect("equal")
        ax.set_title(f"{panel.title}\n{panel.note}", fontsize=9)
        ax.set_xlabel(panel.x_label, fontsize=8)
        ax.set_ylabel(panel.y_label, fontsize=8)
        if outside > 0:
            ax.annotate(f"{_percent(outside)} of the points lie outside", (1, 0), (-3, 4), xycoords="axes fraction",
                        textcoords="offset points", ha="right", fontsize=7, color="#404040")  # fmt: skip
    for ax in axes[len(panels) :]:
        ax.set_axis_off()
    return figure


def _fronts(fronts: Sequence[Front]) -> Figure:
    from matplotlib.ticker import MaxNLocator

    columns = min(2, len(fronts))
    rows = math.ceil(len(fronts) / columns)
    figure, axes = _figure(rows, columns, 4.6 * columns, 3.4 * rows)
    for ax, front in zip(axes, fronts, strict=False):
        floor = min((c.loss for c in front.candidates if c.loss > 0), default=1.0)
        cycles = np.array([c.cycles for c in front.candidates])
        losses = np.array([max(c.loss, floor) for c in front.candidates])
        order = np.argsort(cycles, kind="stable")
        ax.plot(cycles[order], np.minimum.accumulate(losses[order]), color=GRAY, linewidth=1, drawstyle="steps-post")
        ax.plot(cycles, losses, "o", markersize=4, color=BLUE, linestyle="none", label="offered by the search")
        for candidate in front.candidates:
            if candidate.chosen:
                ax.plot(candidate.cycles, max(candidate.loss, floor), "D", markersize=8, color=RED, label="chosen")
        ax.set_yscale("log")
        ax.set_xlabel("predicted latency [cycles]")
        ax.set_ylabel("loss on held-out rows")
        ax.set_title(front.name)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.legend(fontsize=8)
    for ax in axes[len(fronts) :]:
        ax.set_axis_off()
    return figure


def _errors(cases: Sequence[Case]) -> Figure:
    from matplotlib.ticker import FuncFormatter

    figure, axes = _figure(1, 1, 7.5, 1.2 + 0.4 * len(cases))
    ax = axes[0]
    places = np.arange(len(cases))[::-1]
    series: tuple[tuple[str, list[float | None], str, str], ...] = (
        ("network", [case.network for case in cases], ORANGE, "s"),
        ("formula", [case.formula for case in cases], BLUE, "o"),
    )
    for case, place in zip(cases, places, strict=True):
        if case.network and case.formula:
            ax.plot([case.network, case.formula], [place, place], color="#c8c8c8", linewidth=2, zorder=1)
    for name, values, color, marker in series:
        known = [(value, place) for value, place in zip(values, places, strict=True) if value]
        if known:
            ax.plot(*zip(*known, strict=True), marker, markersize=8, color=color, label=name)
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))
    ax.set_yticks(places, [f"{case.name}{'' if case.inside else ' *'}" for case in cases])
    ax.set_ylim(-0.6, len(cases) - 0.4)
    ax.grid(axis="y", visible=False)
    ax.set_xlabel("median relative error of accelerations, |a − â|/|a|   (* out of the distribution)")
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def _figure(
    rows: int, columns: int, width: float, height: float, widths: Sequence[float] | None = None
) -> tuple[Figure, list[Axes]]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(rows, columns, squeeze=False, width_ratios=widths)
    return figure, list(grid.ravel())


def _saved(figure: Figure) -> dict[str, bytes]:
    found = {}
    for kind, options in (("png", {"dpi": 150, "metadata": {"Software": None}}), ("svg", {"metadata": {"Date": None}})):
        file = io.BytesIO()
        figure.savefig(file, format=kind, facecolor="white", **options)
        found[kind] = file.getvalue()
    figure.clear()
    return found


@contextmanager
def _style() -> Iterator[None]:
    import matplotlib as mpl

    changes: Any = _STYLE
    with mpl.rc_context(changes):
        yield


def _window(panel: Panel) -> tuple[float, float]:
    """Limits that hold 98 % of both coordinates, so that close encounters do not press the rest into one dot."""
    low, high = np.quantile(np.concatenate([panel.x, panel.y]), [0.01, 0.99])
    margin = 0.08 * (high - low) or 1.0
    return float(low - margin), float(high + margin)


def _relative(values: Floats) -> Floats:
    largest = values.max() if len(values) else 0.0
    return values / largest if largest > 0 else values


def _cut(all_of_them: int, what: str) -> str:
    return f"\n({BARS} of {all_of_them} {what})" if all_of_them > BARS else ""


def _bracket(unit: str) -> str:
    return f"[{unit or 'units of acceleration of the data'}]"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share < 0.1 else f"{100 * share:.0f} %"
