"""The command line: arguments → one call each; every error a person can cause is one line and exit code 2."""

from __future__ import annotations

import sys
from collections.abc import Sequence

BAD_INPUT, BUG, INTERRUPTED = 2, 70, 130


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit: 0 done, 2 bad input or missing tool, 70 a bug (a traceback with --debug)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    from sr2hls.cli.app import app
    from sr2hls.errors import CircuitError, Sr2hlsError

    try:
        app(args=[argument for argument in given if argument != "--debug"], prog_name="sr2hls")
    except Exception as error:
        if debug:
            raise
        if isinstance(error, Sr2hlsError) and not isinstance(error, CircuitError):
            _say(f"error: {error}")
            raise SystemExit(BAD_INPUT) from None
        if isinstance(error, BrokenPipeError):
            sys.stderr.close()
            raise SystemExit(0) from None
        first = str(error).splitlines()[0] if str(error) else "no message"
        _say(
            f"error: this is a bug of sr2hls ({type(error).__name__}: {first[:200]}); please report it with the "
            "command and the model; --debug shows where it happened"
        )
        raise SystemExit(BUG) from None
    except KeyboardInterrupt:
        _say("interrupted")
        raise SystemExit(INTERRUPTED) from None


def _say(text: str) -> None:
    print(text, file=sys.stderr)
