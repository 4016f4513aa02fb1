"""`sr2hls prove`: the Verilog of a folder → a proof that it computes the integer model; on request its netlist too."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

NOT_PROVEN, WRONG = 1, 2


def prove_command(
    folder: Annotated[Path, typer.Argument(help="A folder that 'sr2hls compile' wrote.")],
    time: Annotated[float, typer.Option("--time", min=0.1, max=86400, help="Time limit of the solver in s.")] = 60,
    prove_netlist: Annotated[
        bool,
        typer.Option(
            "--prove-netlist", help="Synthesize with Yosys and prove the netlist equal to the Verilog as well."
        ),
    ] = False,
    family: Annotated[
        str | None,
        typer.Option("--family", help="Cells of that netlist: ecp5 or xc7; default: those of the design's target."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Prove that the Verilog computes the integer model for every input, and that its pipeline is balanced.

    The netlist, where asked for, is simulated gate by gate as well; what is not proven of it is said to be tested only.

    Exit code: 0 proven and balanced, 1 not proven (time limit), 2 refuted or unbalanced.
    """
    from sr2hls.check.folder_proof import prove_folder
    from sr2hls.cli.progress import progress
    from sr2hls.report import terminal
    from sr2hls.report.data import report_text, update_report
    from sr2hls.report.folder import design_in

    design = design_in(folder)
    place = folder if folder.is_dir() else folder.parent
    with progress(json) as tell:
        tell("proof of the Verilog", 0.0)
        result = prove_folder(design, place, seconds=time)
        if prove_netlist:
            from sr2hls.check.simulate import read_files
            from sr2hls.synth.netlist_proof import prove_netlist as prove_gates

            tell("proof of the netlist", 0.5)
            chosen = family or ("ecp5" if design.target.family == "ecp5" else "xc7")
            text = read_files(design, place).verilog
            result["netlist"] = prove_gates(design, text, family=chosen, seconds=time).data()
    update_report(design, place, proof=result)
    if json:
        typer.echo(report_text({"proof": result}), nl=False)
    else:
        terminal.show_proof(terminal.console(), result)
    statuses = {result[part]["status"] for part in ("verilog", "netlist") if part in result}
    if "refuted" in statuses or not result["balance"]["ok"]:
        raise typer.Exit(WRONG)
    if statuses != {"proven"}:
        raise typer.Exit(NOT_PROVEN)
