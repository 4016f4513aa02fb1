"""Graphs and a recipe → a trained network, the same for the same seed, with checkpoints to go on from."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn

from sr2hls.distill.graphs import Graphs
from sr2hls.distill.networks.columns import ABSOLUTE, Columns, Edges, columns_of, edges, state, typical
from sr2hls.distill.networks.loss import error
from sr2hls.distill.networks.quiet import fast_bfloat16, reproducible
from sr2hls.distill.networks.schedule import one_cycle
from sr2hls.distill.networks.strategies import strategy
from sr2hls.distill.networks.strategies.base import Strategy
from sr2hls.distill.networks.trained import Trained, read, write
from sr2hls.distill.recipe import Recipe
from sr2hls.errors import FormatError, LoadError

ROWS = 50  # of the learning curve, and calls of `tell`
_CHECKS = 1000  # held-out snapshots of each row
_PRUNING = 100  # times that components may be pruned
_RANKED = 1000  # snapshots that rank them
_BFLOAT16 = 0.85  # of the steps
_RAMP = (
    0.2,
    0.5,
)  # shares of the steps between which the penalty grows: earlier it would silence what is not learnt yet
_SHIFT = 3.0  # typical distances, of absolute inputs


@dataclass(frozen=True, slots=True)
class Progress:
    """step of steps; training: the mean loss per graph since the last report; held_out: the error now; seconds: of CPU
    since the start."""

    step: int
    steps: int
    training: float
    held_out: float
    seconds: float


@dataclass(slots=True)
class _Run:
    """The state of a training between two steps."""

    network: nn.Module
    optimizer: torch.optim.Adam
    noise: Generator
    step: int
    curve: list[tuple[float, float, float]]
    seconds: float
    bf16: bool


def train(
    graphs: Graphs,
    held_out: Graphs,
    recipe: Recipe,
    *,
    checkpoint: Path | None = None,
    resume: bool = False,
    tell: Callable[[Progress], object] | None = None,
) -> Trained:
    """Adam with a one-cycle rate on the error per graph (see `loss.error`) plus the strategy's penalty per graph, whose
    weight grows from 0 between 20 % and 50 % of the steps (Bowman et al. 2016, arXiv 1511.06349, for the divergence).

    checkpoint: a file that is written now and then; with `resume` the training goes on from it where it exists, and
    ends with the weights of one that was never interrupted; tell: called some 50 times, stops the training early where
    it returns True. One thread. Raises FormatError for a recipe that cannot be, LoadError for data that the strategy
    cannot use and for a checkpoint of other data or another recipe.
    """
    _check(recipe, graphs)
    chosen = strategy(recipe.strategy)
    columns = columns_of(graphs, recipe.inputs)
    about = json.dumps({"recipe": asdict(recipe), "data": _digest(graphs)}, sort_keys=True)
    bf16 = (fast_bfloat16() if recipe.bf16 is None else recipe.bf16) and chosen.bf16
    with reproducible(recipe.seed) as noise:
        sizes, unit = typical(graphs, columns)
        network = chosen.build(columns, recipe, sizes, unit)
        optimizer = torch.optim.Adam(network.parameters(), recipe.rate, weight_decay=1e-8, fused=_fused())
        run = _Run(network, optimizer, noise, 0, [], 0.0, bf16)
        if resume and checkpoint is not None and checkpoint.is_file():
            _restore(run, checkpoint, about)
        finished = _steps(run, graphs, held_out, recipe, chosen, columns, checkpoint, about, tell)
    curve = np.array(run.curve, np.float64).reshape(-1, 3)
    return Trained(network.eval(), replace(recipe, bf16=run.bf16), columns, curve, run.seconds, finished)


def _steps(
    run: _Run,
    graphs: Graphs,
    held_out: Graphs,
    recipe: Recipe,
    chosen: Strategy,
    columns: Columns,
    checkpoint: Path | None,
    about: str,
    tell: Callable[[Progress], object] | None,
) -> bool:
    """All steps that are left; False where `tell` ended them."""
    x, true, who = state(graphs, columns), _single(graphs), edges(graphs)
    sample = held_out.spread(_CHECKS)
    checks = (state(sample, columns), _single(sample), edges(sample))
    every, begun = max(1, recipe.steps // ROWS), time.process_time() - run.seconds
    weight = chosen.weight if recipe.weight is None else recipe.weight
    unit = float(torch.as_tensor(run.network.unit))
    total, count = torch.zeros(()), 0
    while run.step < recipe.steps:
        share = run.step / recipe.steps
        _set_rate(run.optimizer, *one_cycle(share, recipe.rate))
        if run.step % max(1, recipe.steps // _PRUNING) == 0:
            _prune(run, chosen, share, columns.dimension, x, who)
        rows = torch.randint(0, len(x), (recipe.batch,), generator=run.noise)
        some = x[rows]
        if recipe.inputs == ABSOLUTE:
            some = _shifted(some, columns, run)
        with torch.autocast("cpu", torch.bfloat16, enabled=run.bf16 and share < _BFLOAT16):
            passed = run.network(some, who, run.noise)
        loss = error(passed, true[rows], recipe.soften).mean()
        penalty = chosen.penalty(passed.messages, passed.spread)
        # The error is in typical accelerations here, so that the weight of the penalty does not depend on units.
        charged = weight * _grown(share) / who.n
        objective = loss / unit if penalty is None else loss / unit + charged * penalty.float().mean()
        run.optimizer.zero_grad(set_to_none=True)
        objective.backward()  # type: ignore[no-untyped-call]
        run.optimizer.step()
        run.step += 1
        total, count = total + loss.detach(), count + 1
        if run.step % every == 0 or run.step == recipe.steps:
            with torch.no_grad():
                now = float(error(run.network(checks[0], checks[2]), checks[1], recipe.soften).mean())
            run.seconds = time.process_time() - begun
            run.curve.append((float(run.step), float(total) / count, now))
            total, count = torch.zeros(()), 0
            stop = tell is not None and tell(Progress(run.step, recipe.steps, *run.curve[-1][1:], run.seconds)) is True
            if checkpoint is not None:
                _save(run, checkpoint, about)
            if stop and run.step < recipe.steps:
                return False
    return True


def _prune(run: _Run, chosen: Strategy, share: float, dimension: int, x: Tensor, who: Edges) -> None:
    """Silences the components that vary least, down to the number that the strategy keeps by now."""
    mask = torch.as_tensor(run.network.mask)
    kept = chosen.kept(share, len(mask), dimension)
    if kept >= int(mask.sum()):
        return
    rows = torch.randint(0, len(x), (_RANKED,), generator=run.noise)
    with torch.no_grad():
        passed = run.network(x[rows], who)
        flat = [None if v is None else v.reshape(-1, v.shape[-1]) for v in (passed.messages, passed.spread)]
        rank = chosen.importance(torch.as_tensor(flat[0]), flat[1]).argsort(descending=True, stable=True)
        mask.zero_()
        mask[rank[:kept]] = 1


def _grown(share: float) -> float:
    """Of the penalty's weight, at a share of the steps."""
    begin, end = _RAMP
    return min(1.0, max(0.0, (share - begin) / (end - begin)))


def _shifted(x: Tensor, columns: Columns, run: _Run) -> Tensor:
    """The same graphs, each moved as a whole: absolute inputs have to learn that this changes nothing."""
    d = columns.dimension
    shift = torch.randn(len(x), 1, d, generator=run.noise) * _SHIFT * torch.as_tensor(run.network.sizes)[:d]
    return torch.cat([x[..., :d] + shift, x[..., d:]], -1)


def _set_rate(optimizer: torch.optim.Adam, rate: float, momentum: float) -> None:
    for group in optimizer.param_groups:
        group["lr"], group["betas"] = rate, (momentum, group["betas"][1])


def _save(run: _Run, path: Path, about: str) -> None:
    content: dict[str, Any] = {
        "about": about,
        "network": run.network.state_dict(),
        "optimizer": run.optimizer.state_dict(),
        "noise": run.noise.get_state(),
        "step": run.step,
        "curve": torch.tensor(run.curve, dtype=torch.float64),
        "seconds": run.seconds,
        "bf16": run.bf16,
    }
    write(path, content)


def _restore(run: _Run, path: Path, about: str) -> None:
    content = read(path)
    if content.get("about") != about:
        raise LoadError(f"{path}: a checkpoint of other data or another recipe; remove it, or train without --resume")
    try:
        run.network.load_state_dict(content["network"])
        run.optimizer.load_state_dict(content["optimizer"])
        run.noise.set_state(content["noise"])
        run.step, run.seconds = int(content["step"]), float(content["seconds"])
        run.bf16 = bool(content["bf16"])  # of the processor where the training began
        run.curve = [(float(a), float(b), float(c)) for a, b, c in content["curve"].tolist()]
    except (KeyError, RuntimeError, TypeError, ValueError) as problem:
        raise LoadError(f"{path}: a damaged checkpoint; remove it, or train without --resume") from problem


def _check(recipe: Recipe, graphs: Graphs) -> None:
    for name in ("hidden", "depth", "message", "steps", "batch"):
        if getattr(recipe, name) < 1:
            raise FormatError(f"recipe: {name} is {getattr(recipe, name)}; 1 or more is needed")
    if not recipe.rate > 0:
        raise FormatError(f"recipe: a learning rate of {recipe.rate}; above 0 is needed")
    if not recipe.own > 0:
        raise FormatError(f"recipe: own is {recipe.own}; above 0 is needed")
    if recipe.soften is not None and not recipe.soften > 0:
        raise FormatError(f"recipe: soften is {recipe.soften}; above 0 is needed, or none")
    if 0 in graphs.size:
        raise LoadError("no snapshots to train on")


def _digest(graphs: Graphs) -> str:
    """Tells data apart by its shape and by some of its snapshots."""
    some = graphs.spread(200)
    found = hashlib.sha256(repr((graphs.size, sorted(graphs.scalars), graphs.softening)).encode())
    for values in (some.positions, some.velocities, some.accelerations, graphs.senders, graphs.receivers):
        found.update(np.ascontiguousarray(values).tobytes())
    for name in sorted(some.scalars):
        found.update(np.ascontiguousarray(some.scalars[name]).tobytes())
    return found.hexdigest()[:16]


def _single(graphs: Graphs) -> Tensor:
    return torch.from_numpy(np.asarray(graphs.accelerations, np.float32))


def _fused() -> bool:
    """Adam in one kernel, which torch has for processors since 2.4."""
    major, minor = (int(part) for part in torch.__version__.split(".")[:2])
    return (major, minor) >= (2, 4)
