"""Exit codes of the command, by the kind of error. Errors are one line on standard error."""

import os
import sys
from enum import IntEnum


class Exit(IntEnum):
    """What the exit code of a command says. The values stay."""

    OK = 0
    FAILED = 1
    """An error of no other kind."""
    USAGE = 2
    """The command or the request is wrong."""
    NOT_FOUND = 3
    ALREADY_EXISTS = 4
    WRONG_STATE = 5
    DENIED = 6
    EXHAUSTED = 7
    UNAVAILABLE = 8
    DEADLINE = 9
    DATA_LOSS = 10
    UNIMPLEMENTED = 11
    FILE = 12
    """A file cannot be read or written, or has something else than expected."""
    INTERRUPTED = 130


class Failure(Exception):
    """A command ends with this message and exit code."""

    def __init__(self, message: str, code: Exit = Exit.FAILED) -> None:
        super().__init__(message)
        self.code = code


def failure_of(error: Exception) -> Failure | None:
    """What a command says of an error; None for a fault of ours, whose traceback is shown."""
    from headwater import HeadwaterError

    match error:
        case Failure():
            return error
        case HeadwaterError():
            return Failure(_told(error), _code(error))
        case OSError():
            return Failure(str(error), Exit.FILE)
        case ValueError() | TypeError():
            return Failure(str(error), Exit.USAGE)
        case ImportError():
            return Failure(f"{error}", Exit.USAGE)
    return None


def _told(error: Exception) -> str:
    notes = getattr(error, "__notes__", [])
    return " — ".join([str(error), *notes])


def _code(error: Exception) -> Exit:
    import headwater as hw

    codes = {
        hw.InvalidArgumentError: Exit.USAGE,
        hw.NotFoundError: Exit.NOT_FOUND,
        hw.AlreadyExistsError: Exit.ALREADY_EXISTS,
        hw.FailedPreconditionError: Exit.WRONG_STATE,
        hw.UnauthenticatedError: Exit.DENIED,
        hw.PermissionDeniedError: Exit.DENIED,
        hw.ResourceExhaustedError: Exit.EXHAUSTED,
        hw.UnavailableError: Exit.UNAVAILABLE,
        hw.DeadlineExceededError: Exit.DEADLINE,
        hw.DataLossError: Exit.DATA_LOSS,
        hw.UnimplementedError: Exit.UNIMPLEMENTED,
    }
    return next((code for kind, code in codes.items() if isinstance(error, kind)), Exit.FAILED)


def silence_output() -> None:
    """Sends the rest of standard output nowhere, after its reader has left, as `head` does."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
