"""What every search engine is: a `Problem`, `Settings` and costs → candidates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sr2hls.search.candidate import Candidate, Tell
from sr2hls.search.costs import OperatorCosts
from sr2hls.search.problem import Problem
from sr2hls.search.settings import Settings


class Engine(Protocol):
    """Called once for each output. Ctrl-C (KeyboardInterrupt) makes an engine return what it has found so far."""

    def __call__(
        self, problem: Problem, settings: Settings, costs: OperatorCosts, tell: Tell
    ) -> Sequence[Candidate]: ...
