"""Ctrl-C → an engine that stops and hands over what it has; a second one ends the command."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class Stop:
    """Whether Ctrl-C was pressed."""

    def __init__(self) -> None:
        self.requested = False


@contextmanager
def interruptible(elsewhere: Callable[[], None] | None = None) -> Iterator[Stop]:
    """Within the block the first Ctrl-C is noted and raised once as KeyboardInterrupt, which the engine catches.

    elsewhere: the work is done by other processes; the first Ctrl-C calls this instead of raising. Further ones raise.
    Nothing changes outside the main thread, or where somebody else already handles the signal.
    """
    stop = Stop()
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield stop
        return

    def handle(_number: int, _frame: FrameType | None) -> None:
        first, stop.requested = not stop.requested, True
        if first and elsewhere is not None:
            elsewhere()
            return
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, handle)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
