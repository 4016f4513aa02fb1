"""What a search tells while it runs → a live table on a terminal, a line now and then elsewhere, or nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sr2hls.search.candidate import Progress
from sr2hls.search.data import Prepared
from sr2hls.search.run import Listener
from sr2hls.search.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

ROWS = 12  # of the front that are shown
REFRESH = 4  # a second
LINE_SECONDS = 10.0  # between two lines where there is no terminal


@dataclass
class State:
    """What is known of a running search."""

    engine: str = ""
    units: str = "cycles"
    runs: int = 1
    finished: set[str] = field(default_factory=set)
    run: str = ""
    latest: Progress | None = None
    rate: float = 0.0
    refined: str = ""
    share: float = 0.0
    last: tuple[float, int] = (0.0, 0)

    def hear(self, run: str, progress: Progress) -> None:
        """Take over what a run says; the rate is of the time since it last spoke, smoothed."""
        if run != self.run:
            self.run, self.rate, self.last = run, 0.0, (0.0, 0)
        seconds, evaluations = progress.seconds - self.last[0], progress.evaluations - self.last[1]
        if seconds > 0.1:
            now = evaluations / seconds
            self.rate = now if self.rate == 0 else 0.7 * self.rate + 0.3 * now
            self.last = (progress.seconds, progress.evaluations)
        self.latest = progress
        if progress.done >= 1:
            self.finished.add(run)

    def status(self) -> str:
        """One line: which run, share of the budget, evaluations, best loss and its cost."""
        if self.refined:
            return f"second stage: {self.refined}{f', {self.share:.0%}' if self.share else ''}"
        if self.latest is None:
            return f"{self.engine}: starting"
        told = self.latest
        parts = [f"{self.engine}: {self.run}"]
        if self.runs > 1:
            parts.append(f"{len(self.finished)} of {self.runs} runs done")
        parts.append(f"{min(told.done, 1.0):.0%} of the budget")
        parts.append(f"{told.evaluations:,} evaluations")
        if self.rate:
            parts.append(f"{self.rate:,.0f}/s")
        if told.front:
            cost, loss, _ = min(told.front, key=lambda row: (row[1], row[0]))
            parts.append(f"best loss {loss:.4g} at {cost:.3g} {self.units}")
        return ", ".join(parts)


class _Told(Listener):
    """Keeps the state; what is shown of it, and how, is up to the classes below."""

    def __init__(self) -> None:
        self.state = State()

    def note(self, text: str) -> None:
        """Print a line that stays."""

    def show(self, now: bool) -> None:
        """Show the state, at once or when it is time."""

    def close(self) -> None:
        """The search is over."""

    def start(self, engine: str, why: str, prepared: Prepared, settings: Settings, runs: int) -> None:
        self.state.engine, self.state.runs = engine, runs
        self.state.units = "nodes" if settings.objective == "nodes" else "cycles"
        self.note(f"engine:    {engine}{f' ({why})' if why else ''}")
        names = [task.name for task in prepared.tasks]
        rows = prepared.tasks[0].train.rows, prepared.tasks[0].held_out.rows
        shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
        self.note(
            f"data:      {shown} from {len(prepared.inputs)} inputs; {rows[0]} rows to fit, {rows[1]} to judge by"
        )
        for note in prepared.notes:
            self.note(f"note:      {note}")
        self.show(True)

    def progress(self, run: str, progress: Progress) -> None:
        news = run != self.state.run or (progress.done >= 1 and run not in self.state.finished)
        self.state.hear(run, progress)
        self.show(news)

    def refining(self, name: str, done: int, total: int) -> None:
        self.state.refined = f"{done} of {total} outputs" if total > 1 else name
        self.show(True)

    def refined(self, progress: Progress) -> None:
        self.state.share, self.state.units = progress.done, "cycles"
        if progress.front:
            self.state.latest = progress
        self.show(False)


@contextmanager
def listener(quiet: bool = False) -> Iterator[Listener]:
    """The view for standard error: live on a terminal, else lines at most every `LINE_SECONDS`; none where quiet."""
    if quiet:
        yield Listener()
        return
    from sr2hls.report.terminal import console

    out = console(error=True)
    told = _Live(out) if out.is_terminal else _Lines(out)
    try:
        yield told
    finally:
        told.close()


class _Lines(_Told):
    """A line when there is news, else now and then."""

    def __init__(self, out: Console) -> None:
        super().__init__()
        self.out, self.said = out, -LINE_SECONDS

    def note(self, text: str) -> None:
        self.out.print(text, markup=False)

    def show(self, now: bool) -> None:
        if self.state.latest is None or (not now and time.monotonic() - self.said < LINE_SECONDS):
            return
        self.said = time.monotonic()
        self.note(self.state.status())


class _Live(_Lines):
    """The front as it changes, in place. PySR draws its own while it runs, so there are lines only."""

    def __init__(self, out: Console) -> None:
        super().__init__(out)
        from rich.live import Live

        self.live = Live(console=out, refresh_per_second=REFRESH, transient=True)

    def start(self, engine: str, why: str, prepared: Prepared, settings: Settings, runs: int) -> None:
        super().start(engine, why, prepared, settings, runs)
        if engine != "pysr":
            self.live.start()

    def refining(self, name: str, done: int, total: int) -> None:
        self.live.start()
        super().refining(name, done, total)

    def show(self, now: bool) -> None:
        if not self.live.is_started:
            super().show(now)
        elif now or time.monotonic() - self.said >= 1 / REFRESH:
            self.said = time.monotonic()
            self.live.update(picture(self.state))

    def close(self) -> None:
        self.live.stop()


def picture(state: State) -> Any:
    """The status above the front, costs rising; of a long front the last rows, which fit best."""
    from rich.console import Group
    from rich.text import Text

    from sr2hls.report.terminal import table

    parts: list[Any] = [Text(state.status(), style="bold")]
    if state.latest is not None and state.latest.front:
        rows = table(state.units, "loss", "", right=(state.units, "loss"))
        for cost, loss, text in state.latest.front[-ROWS:]:
            shown = text if len(text) <= 100 else text[:97] + "..."
            rows.add_row(f"{cost:.3g}", f"{loss:.4g}", Text(shown))
        parts.append(rows)
    parts.append(Text("Ctrl-C stops the search and keeps what it has found", style="dim"))
    return Group(*parts)
