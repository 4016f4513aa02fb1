"""Ctrl-C for the tests that send it: a shell starts background jobs, and their children, with that signal ignored."""

from __future__ import annotations

import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
