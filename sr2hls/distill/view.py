"""What a distillation tells while it runs → a progress bar on a terminal, a line per stage elsewhere, or nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

LINE_SECONDS = 10.0  # between two lines of a training where there is no terminal


class Listener:
    """Told of everything; shows nothing. Methods may be overridden."""

    def stage(self, name: str, text: str) -> None:
        """A stage begins, or has something to say that stays."""

    def training(self, share: float, text: str) -> None:
        """The training is at `share` of its steps."""

    def close(self) -> None:
        """The distillation is over."""


class _Lines(Listener):
    def __init__(self, out: Console) -> None:
        self.out, self.last = out, 0.0

    def stage(self, name: str, text: str) -> None:
        from sr2hls.report.terminal import line

        line(self.out, name, text)

    def training(self, share: float, text: str) -> None:
        now = time.monotonic()
        if now - self.last >= LINE_SECONDS:
            self.last = now
            self.stage("training", f"{share:.0%}, {text}")


class _Live(_Lines):
    def __init__(self, out: Console) -> None:
        super().__init__(out)
        self.progress: Progress | None = None
        self.task: TaskID | None = None

    def stage(self, name: str, text: str) -> None:
        self._stop()
        super().stage(name, text)

    def training(self, share: float, text: str) -> None:
        if self.progress is None:
            self.progress = _bar(self.out)
            self.progress.start()
            self.task = self.progress.add_task("training", total=1.0, told="")
        if self.task is not None:
            self.progress.update(self.task, completed=share, told=text)
        if share >= 1:
            self._stop()

    def close(self) -> None:
        self._stop()

    def _stop(self) -> None:
        if self.progress is not None:
            self.progress.stop()
            self.progress = self.task = None


def _bar(out: Console) -> Any:
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    told = TextColumn("{task.fields[told]}")
    return Progress(
        TextColumn("training"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn(), told, console=out,
        transient=True,
    )  # fmt: skip


@contextmanager
def listener(quiet: bool = False) -> Iterator[Listener]:
    """The view for standard error: live on a terminal, else lines; none where quiet."""
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
