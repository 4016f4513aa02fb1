"""A stream of (what, fraction done) → a progress bar on a terminal; silence elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress(quiet: bool = False) -> Iterator[Callable[[str, float], None]]:
    """A bar on standard error where that is a terminal; it vanishes at the end."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from sr2hls.report.terminal import console

    out = console(error=True)
    columns = (TextColumn("{task.description:<28}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=out, transient=True, disable=quiet or not out.is_terminal) as bar:
        task = bar.add_task("", total=1.0)

        def tell(what: str, done: float) -> None:
            bar.update(task, description=what, completed=done)

        yield tell
