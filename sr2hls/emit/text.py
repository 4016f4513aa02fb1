"""A template of `templates/` and its values → text. One rule for all printers: an undefined value is an error."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from sr2hls.resources import resource

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(resource("templates")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - the output is C++, Verilog or Tcl, not HTML
    )


def render(template: str, **values: object) -> str:
    """The text of `templates/<template>`. Raises jinja2.UndefinedError for a value that is not given."""
    return _environment().get_template(template).render(**values)
