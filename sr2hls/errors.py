"""What goes wrong, for people: one class a cause, each with a message that says what to do."""


class Sr2hlsError(Exception):
    """Base of every error that a user can cause; the command line prints it in one line and exits with 2."""


class LoadError(Sr2hlsError):
    """A file or text is damaged, hostile, or not a model; nothing in it was executed."""


class UnsupportedError(Sr2hlsError):
    """The formula is understood, but hardware for it cannot be made (the message names the sub-expression)."""


class DomainError(Sr2hlsError):
    """A pole, a domain edge or an unbounded value inside the declared input ranges."""


class FormatError(Sr2hlsError):
    """A number format, a range or an error target is malformed, missing, or cannot be met."""


class CircuitError(Sr2hlsError):
    """A circuit breaks a rule of its vocabulary: always a bug of sr2hls, never of the user."""


class ToolError(Sr2hlsError):
    """An external tool is missing or failed; the message names the command that installs it."""


class MismatchError(Sr2hlsError):
    """Two engines that must agree bit for bit did not."""


class OutputError(Sr2hlsError):
    """A folder or file cannot be written, or holds something that must not be overwritten."""
