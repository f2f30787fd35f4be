"""The root of all errors and the eight kinds below it."""

from typing import ClassVar


class YunheError(Exception):
    """Root of all errors."""

    code: ClassVar[str] = "INTERNAL"
    """Stable identifier, upper case with underscores."""
    status: ClassVar[int] = 500
    """HTTP status of the kind."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidInputError(YunheError):
    """The input can never be accepted as it is."""

    code = "INVALID_INPUT"
    status = 400


class NotFoundError(YunheError):
    """What was asked for is not there."""

    code = "NOT_FOUND"
    status = 404


class NotPermittedError(YunheError):
    """The caller may not do this."""

    code = "NOT_PERMITTED"
    status = 403


class ConflictError(YunheError):
    """The input contradicts what is already there."""

    code = "CONFLICT"
    status = 409


class OverloadedError(YunheError):
    """The node has too much to do; the message says when to try again."""

    code = "OVERLOADED"
    status = 503


class QuotaExceededError(OverloadedError):
    """A caller or member hands in more than its share; the message says when to try again."""

    code = "QUOTA_EXCEEDED"
    status = 429


class UnavailableError(YunheError):
    """A part that is needed does not answer."""

    code = "UNAVAILABLE"
    status = 503


class ConfigurationError(YunheError):
    """The node or client is set up wrongly."""

    code = "CONFIGURATION"
    status = 500


class CorruptionError(YunheError):
    """Stored data is not what was written. The node stops."""

    code = "CORRUPTION"
    status = 500
