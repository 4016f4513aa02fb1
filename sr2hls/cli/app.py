"""The typer application: one command a file."""

from __future__ import annotations

from typing import Annotated

import typer

from sr2hls.cli.calibrate import calibrate_command
from sr2hls.cli.compile import compile_command
from sr2hls.cli.costs import costs_command
from sr2hls.cli.distill import distill_command
from sr2hls.cli.equations import equations_command
from sr2hls.cli.listings import functions_command, targets_command
from sr2hls.cli.prove import prove_command
from sr2hls.cli.search import search_command
from sr2hls.cli.show import show_command
from sr2hls.cli.simulate import simulate_command
from sr2hls.cli.synth import synth_command
from sr2hls.cli.verify import verify_command
from sr2hls.version import __version__

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.command("search")(search_command)
app.command("distill")(distill_command)
app.command("compile")(compile_command)
app.command("simulate")(simulate_command)
app.command("synth")(synth_command)
app.command("prove")(prove_command)
app.command("verify")(verify_command)
app.command("show")(show_command)
app.command("equations")(equations_command)
app.command("targets")(targets_command)
app.command("functions")(functions_command)
app.command("costs")(costs_command)
app.command("calibrate")(calibrate_command)
app.command("operators", hidden=True)(functions_command)


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback when something goes wrong.")] = False,
) -> None:
    """From a symbolic formula to an FPGA circuit with a proven error bound."""
    del debug  # taken from the arguments before they come here, so that it may stand anywhere
    if version:
        typer.echo(f"sr2hls {__version__}")
        raise typer.Exit
