"""The certificate's tree of cuts → boxes that cover the domain, and what is proven of a step in each of them.

The tree is read from its root, a node before its halves, the lower half first: (input, code) cuts a box after that
code of that input, ("", 0) leaves it whole. Whatever the cuts are, each input of the domain is in one box.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sr2hls.verify.refused import Wrong
from sr2hls.verify.span import Span

MOST = 4096  # boxes

Codes = Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class InBox:
    """Of a step, for the inputs of one box: the formula's value, and circuit - formula."""

    exact: Span
    error: Span


def boxes_of(cuts: Sequence[tuple[str, int]], domain: Codes) -> list[Codes]:
    """The boxes, codes of every input; none where the domain is not cut. Raises Wrong."""
    if not cuts:
        return []
    if len(cuts) >= 2 * MOST:
        raise Wrong(f"the domain is cut into more than {MOST} boxes")
    found: list[Codes] = []
    waiting: list[Codes] = [domain]
    for name, code in cuts:
        if not waiting:
            raise Wrong("the list of cuts goes on after its last box")
        box = waiting.pop()
        if (name, code) == ("", 0):
            found.append(box)
            continue
        if name not in box:
            raise Wrong(f"a box is cut along '{name}', which is no input")
        low, high = box[name]
        if not low <= code < high:
            raise Wrong(f"a box from {low} to {high} of {name} is cut after the code {code}, outside it")
        waiting.append({**box, name: (code + 1, high)})
        waiting.append({**box, name: (low, code)})
    if waiting:
        raise Wrong("the list of cuts ends before its last box")
    if len(found) < 2:
        raise Wrong("the domain is cut into one box")
    return found


def hull(spans: Sequence[Span]) -> Span:
    """Of several."""
    return Span(min(span.low for span in spans), max(span.high for span in spans))
