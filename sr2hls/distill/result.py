"""What a distillation found: the law, the network, their errors; as a model for the compiler and as a folder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sr2hls.distill.evaluate import Errors
from sr2hls.distill.extract import Significance, Verdict
from sr2hls.distill.graphs import Graphs, edge_columns, evenly
from sr2hls.distill.law import Law
from sr2hls.distill.law_json import law_text
from sr2hls.distill.loop import Distilled
from sr2hls.distill.recipe import Recipe
from sr2hls.distill.records import Record
from sr2hls.distill.source import Source
from sr2hls.distill.step.model import Motion, pair_model
from sr2hls.distill.symbolic.compose import law_model
from sr2hls.distill.symbolic.equality import Verdict as Same
from sr2hls.distill.symbolic.fit import Wishes
from sr2hls.distill.trajectories import Floats
from sr2hls.load.native import LAW, to_json
from sr2hls.model import SymbolicModel
from sr2hls.operators.numeric import evaluate

if TYPE_CHECKING:
    from sr2hls.distill.networks.trained import Trained

FORCE, PAIRS = "force.json", "pairs.csv"
PAIR_ROWS = 5000


@dataclass(frozen=True, slots=True)
class Distillation:
    """Of one run.

    source: the data, and the true law where it is known; trained: the network; found: the law, its stages and fits;
    record, significance, verdict: of the messages on held-out snapshots, the verdict where the forces are known; same:
    whether the law is the true one; cases: (name, snapshots, errors of the law, errors of the network); nearest: pairs
    that are nearer act in the circuit as if they were at this distance, None: no such floor.
    """

    source: Source
    trained: Trained
    recipe: Recipe
    found: Distilled
    record: Record
    significance: Significance
    verdict: Verdict | None
    same: Same | None
    cases: tuple[tuple[str, Graphs, Errors, Errors], ...]
    held_out: Graphs
    wishes: Wishes
    nearest: float | None = None

    @property
    def law(self) -> Law:
        return self.found.law

    def model(self) -> SymbolicModel:
        """The force of one pair for `sr2hls.compile`: fx, fy, ... over dx, dy, ... and the scalars that matter."""
        plain = law_model(self.law)
        if self.nearest is None:
            return plain
        floored = pair_model(self.law, Motion(self.nearest))
        named = zip(floored.outputs, plain.outputs, strict=True)
        return replace(floored, outputs=tuple(replace(output, name=like.name) for output, like in named))

    @property
    def steepness(self) -> float:
        """The largest force on pairs that were seen over the median one: what a fixed-point word has to hold."""
        columns = edge_columns(self.held_out)
        parts = [np.broadcast_to(evaluate(e, columns), columns["r"].shape) for e in self.law.edge]
        size = np.sqrt(sum(part**2 for part in parts)).reshape(-1)
        size = size[np.isfinite(size)]
        return float(size.max() / max(float(np.median(size)), 1e-300)) if len(size) else np.inf

    def pairs(self) -> dict[str, Floats]:
        """The inputs of that model on pairs of held-out snapshots, evenly drawn: at most 5,000 rows."""
        names = self.model().inputs
        columns = {name: values.reshape(-1) for name, values in edge_columns(self.held_out).items() if name in names}
        rows = len(next(iter(columns.values()), np.zeros(0)))
        chosen = evenly(rows, PAIR_ROWS)
        return {name: columns[name][chosen] for name in names}

    def compile(self, **options: Any) -> Any:
        """The circuit of the pair force: `sr2hls.compile` with the ranges of the pairs that were seen.

        Bodies that meet are outside of them; arguments of functions with poles are clamped there. `options` of
        `sr2hls.compile` go before.
        """
        from sr2hls import api

        given: dict[str, Any] = {"data": self.pairs(), "domain": "clamp", "name": "force"}
        return api.compile(self.model(), **{**given, **options})

    def save(self, folder: str | Path, *, force: bool = False) -> Path:
        """Write law.json, force.json, pairs.csv, the network, report.html, report.json and its figures.

        Raises OutputError when the folder holds something else (unless `force`) or cannot be written.
        """
        from sr2hls.distill.report.write import write_report
        from sr2hls.distill.tell import story_of
        from sr2hls.report.folder import staged

        story = story_of(self)
        with staged(Path(folder), self.files(), force=force) as place:
            write_report(story, place)
            self.trained.save(place / "network")
        return Path(folder)

    def files(self) -> dict[str, str]:
        """The texts of the folder by their names."""
        found = {LAW: law_text(self.law), FORCE: to_json(self.model()) + "\n"}
        pairs = self.pairs()
        if pairs:
            rows = np.stack(list(pairs.values()), axis=1)
            lines = [",".join(pairs), *(",".join(repr(float(v)) for v in row) for row in rows)]
            found[PAIRS] = "\n".join(lines) + "\n"
        return found
