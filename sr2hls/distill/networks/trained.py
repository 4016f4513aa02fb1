"""A trained network: graphs → accelerations, errors and the record of what its parts computed; to and from a folder."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sr2hls.distill.graphs import Graphs, edge_columns, node_columns
from sr2hls.distill.networks.columns import Columns, edges, state
from sr2hls.distill.networks.loss import error
from sr2hls.distill.networks.network import Passed
from sr2hls.distill.networks.strategies import strategy
from sr2hls.distill.recipe import Recipe
from sr2hls.distill.records import Record
from sr2hls.distill.trajectories import Floats
from sr2hls.errors import LoadError, OutputError, Sr2hlsError

FILE = "network.pt"
_FORMAT = "sr2hls distill network 1"
_EDGES = 100_000  # of one pass


@dataclass(frozen=True, slots=True)
class Trained:
    """network: `GraphNetwork` or `HamiltonianNetwork`; columns: what it sees; curve: (rows, 3), step, training loss and
    held-out error per graph, in units of acceleration, without the strategy's penalty; seconds: CPU time of the
    training; finished: false where it was stopped early. Works for any number of bodies.
    """

    network: nn.Module
    recipe: Recipe
    columns: Columns
    curve: Floats
    seconds: float = 0.0
    finished: bool = True

    def predict(self, graphs: Graphs) -> Floats:
        """Accelerations: (b, n, d)."""
        return _joined([_array(passed.accelerations) for passed in self._passes(graphs)])

    def loss(self, graphs: Graphs) -> float:
        """The mean error per graph, as in the training."""
        true = torch.from_numpy(np.asarray(graphs.accelerations, np.float32))
        total, done = 0.0, 0
        for passed in self._passes(graphs):
            rows = len(passed.accelerations)
            total += float(error(passed, true[done : done + rows], self.recipe.soften).double().sum())
            done += rows
        return total / done

    def record(self, graphs: Graphs, forces: Floats | None = None) -> Record:
        """What the parts compute on these snapshots; forces: (b, e, d), the true ones, where they are known."""
        passes = list(self._passes(graphs))
        messages = _joined([_array(p.messages) for p in passes])
        spread = (
            _joined([_array(p.spread) for p in passes if p.spread is not None])
            if passes[0].spread is not None
            else None
        )
        return Record(
            edge=edge_columns(graphs),
            messages=messages,
            importance=self._importance(messages, spread),
            senders=graphs.senders,
            receivers=graphs.receivers,
            node=node_columns(graphs),
            summed=_joined([_array(p.summed) for p in passes]),
            predicted=_joined([_array(p.accelerations) for p in passes]),
            accelerations=graphs.accelerations,
            spread=spread,
            forces=forces,
        )

    def map_edges(self, graphs: Graphs, function: Callable[[Tensor, Any], Tensor]) -> Floats:
        """`function(states (b, n, F), edges)` over all snapshots, as an array: e.g. the forces of a Hamiltonian."""
        x, who = state(graphs, self.columns), edges(graphs)
        return _joined([_array(function(some, who)) for some in torch.split(x, _rows(graphs))])

    def save(self, folder: Path) -> Path:
        """Writes `network.pt`: tensors and a JSON text, nothing that is executed when it is read."""
        about = {
            "format": _FORMAT,
            "recipe": asdict(self.recipe),
            "columns": asdict(self.columns),
            "seconds": self.seconds,
            "finished": self.finished,
        }
        content = {
            "about": json.dumps(about),
            "weights": self.network.state_dict(),
            "curve": torch.from_numpy(self.curve),
        }
        return write(folder / FILE, content)

    def _passes(self, graphs: Graphs) -> Iterator[Passed]:
        x, who = state(graphs, self.columns), edges(graphs)
        with torch.no_grad():
            for some in torch.split(x, _rows(graphs)):
                yield self.network(some, who)

    def _importance(self, messages: Floats, spread: Floats | None) -> Floats:
        flat = [None if v is None else torch.from_numpy(v.reshape(-1, v.shape[-1])) for v in (messages, spread)]
        found = _array(strategy(self.recipe.strategy).importance(torch.as_tensor(flat[0]), flat[1]))
        largest = float(found.max())
        return found / largest if largest > 0 else found


def load(folder: Path) -> Trained:
    """What `Trained.save` wrote; LoadError for anything else."""
    path = folder / FILE
    content = read(path)
    try:
        about = json.loads(content["about"])
        _check_format(about["format"], path)
        recipe = recipe_from(about["recipe"])
        columns = Columns(about["columns"]["dimension"], tuple(about["columns"]["scalars"]), about["columns"]["inputs"])
        weights = content["weights"]
        network = strategy(recipe.strategy).build(columns, recipe, torch.ones(columns.width), 1.0)
        network.load_state_dict(weights)
        return Trained(
            network.eval(), recipe, columns, _array(content["curve"]), float(about["seconds"]), bool(about["finished"])
        )
    except Sr2hlsError:
        raise
    except Exception as problem:
        raise LoadError(f"{path}: not a network that sr2hls wrote ({type(problem).__name__}: {problem})") from problem


def _check_format(found: object, path: Path) -> None:
    if found != _FORMAT:
        raise LoadError(f"{path}: written by another version ({found!r}); train again")


def recipe_from(values: dict[str, Any]) -> Recipe:
    """From its JSON form; unknown fields of other versions are refused by LoadError."""
    unknown = set(values) - {field.name for field in fields(Recipe)}
    if unknown:
        raise LoadError(f"a recipe with unknown fields: {', '.join(sorted(unknown))}")
    return Recipe(**values)


def write(path: Path, content: dict[str, Any]) -> Path:
    """Writes tensors and plain values to a file, whole or not at all."""
    partial = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as problem:
        raise OutputError(f"{path}: cannot be written ({problem.strerror})") from problem
    return path


def read(path: Path) -> dict[str, Any]:
    """Tensors and plain values only; LoadError for anything else."""
    if not path.is_file():
        raise LoadError(f"{path}: no such file")
    try:
        content = torch.load(path, weights_only=True)
    except Exception as problem:
        raise LoadError(f"{path}: damaged, or not a file of tensors; nothing in it was executed") from problem
    if not isinstance(content, dict):
        raise LoadError(f"{path}: not a file that sr2hls wrote")
    return content


def _rows(graphs: Graphs) -> int:
    return max(1, _EDGES // max(1, len(graphs.senders)))


def _array(values: Tensor) -> Floats:
    return values.detach().double().numpy()


def _joined(parts: list[Floats]) -> Floats:
    return np.concatenate(parts, 0)
