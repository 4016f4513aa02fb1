"""`sr2hls calibrate`: a target → its coefficients measured again on this machine, in its TOML file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sr2hls.synth.calibrate import Measured
    from sr2hls.targets import Target


def calibrate_command(
    target: Annotated[str, typer.Option("--target", help="A target that open tools can measure; 'sr2hls targets'.")],
    seeds: Annotated[int, typer.Option("--seeds", min=1, max=100, help="Place-and-route runs of each probe.")] = 3,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write this TOML file, instead of the one that sr2hls reads."),
    ] = None,
    points: Annotated[
        Path | None,
        typer.Option("--points", help="Keep the measurements in this file, and use those that it holds already."),
    ] = None,
) -> None:
    """Synthesize (and, on an ECP5, place and route) small designs of each operation and fit the delay and area laws.

    The file names tools, versions and seeds, and is the same for the same of these. Takes minutes.
    """
    from sr2hls.report.folder import replace_text
    from sr2hls.synth.calibrate import heading
    from sr2hls.targets import load_target, target_file
    from sr2hls.targets.text import target_text

    device = load_target(target)
    fitted, measured = _measured(device, seeds, points)
    place = target_file(target) if out is None else out
    replace_text(place, target_text(fitted, heading(device)))
    typer.echo(f"{len(measured)} measurements; overhead {device.overhead_ns:.3f} -> {fitted.overhead_ns:.3f} ns")
    for item in measured:
        law = item.probe.name
        before, after = (_predicted(item, side) for side in (device, fitted))
        typer.echo(f"  {law:18} {item.delay_ns:6.2f} ns measured; law before {before:6.2f}, now {after:6.2f}")
    typer.echo(f"written: {place}")


def _measured(device: Target, seeds: int, points: Path | None) -> tuple[Target, list[Measured]]:
    from sr2hls.errors import ToolError
    from sr2hls.synth.calibrate import Placed, calibrate_ecp5, read_points
    from sr2hls.synth.calibrate_xc7 import calibrate_xc7

    if device.family == "xc7":
        return calibrate_xc7(device, tell=lambda text: typer.echo(text, err=True))
    if not device.nextpnr:
        raise ToolError(
            f"{device.name} ({device.part}) has no open tool that measures it; choose an ecp5 or xc7 target"
        )

    def keep(item: Placed) -> None:
        typer.echo(f"{item.name}: {item.period_ns:.2f} ns, {item.lut} LUT4, {item.dsp} DSP", err=True)
        if points is not None:
            with points.open("a", encoding="utf-8") as file:
                file.write(item.line(device.name))

    known = read_points(points, device.name) if points is not None and points.exists() else []
    return calibrate_ecp5(device, seeds=range(1, seeds + 1), known=known, tell=keep)


def _predicted(item: Measured, target: Target) -> float:
    """What a target says of a probe."""
    from sr2hls.schedule import schedule

    plan = schedule(item.probe.circuit, target, 1e6, register_inputs=True, register_outputs=True)
    return plan.critical_ns - target.overhead_ns
