"""What the library raises and warns of."""

from __future__ import annotations

import enum
import warnings


class ErrorKind(enum.IntEnum):
    """Who has to act. The values are the exit codes of the program."""

    FAILURE = 1  # the environment failed: disk full, permission, out of memory
    USAGE = 2  # a setting or an argument asks for something impossible
    BAD_INPUT = 3  # a file, a photo or a text that was given cannot be used
    STOPPED = 130


class Error(Exception):
    """What was wrong, in which file and where. `hint` says what to do and may be empty."""

    def __init__(self, kind: ErrorKind, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.kind = kind
        self.hint = hint

    def __str__(self) -> str:
        what = super().__str__()
        return f"{what}\n  -> {self.hint}" if self.hint else what

    def __reduce__(self) -> tuple[type[Error], tuple[ErrorKind, str, str]]:
        return type(self), (self.kind, self.args[0], self.hint)


class Failure(Error, RuntimeError):
    """The environment failed."""


class UsageError(Error, ValueError):
    """A setting or an argument asks for something impossible."""


class BadInput(Error, ValueError):
    """A file, a photo or a text that was given cannot be used."""


class TagclipWarning(UserWarning):
    """Something about a photo or a word that the caller should know."""


_CLASSES: dict[ErrorKind, type[Error]] = {
    ErrorKind.FAILURE: Failure,
    ErrorKind.USAGE: UsageError,
    ErrorKind.BAD_INPUT: BadInput,
    ErrorKind.STOPPED: Error,
}


def error_of(kind: int, what: str, hint: str) -> Error:
    """The exception for an error of the C++ library."""
    return _CLASSES[ErrorKind(kind)](ErrorKind(kind), what, hint)


def warn(text: str) -> None:
    """Warns of the line of the caller that stands outside of this package."""
    warnings.warn(text, TagclipWarning, stacklevel=3)
