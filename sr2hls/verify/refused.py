"""What a check says when it does not end well: `Wrong` names a discrepancy, `Open` what could not be decided."""

from __future__ import annotations


class Wrong(Exception):  # noqa: N818  a verdict, not an accident
    """The certificate or the circuit says something that is not so."""


class Open(Exception):  # noqa: N818
    """This program cannot decide; never a success."""
