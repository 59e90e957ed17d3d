"""Runs the program with all its commands, and says how a command ended."""

import io
import sys
from functools import cache
from typing import Any

import typer
import typer.main

from headwater._cli import anywhere, collections, keys, live, points, snapshots, transfers, upkeep
from headwater._cli.failures import Exit, Failure, failure_of, silence_output
from headwater._cli.program import app

# Typer has a click of its own, and of its errors it exports only the most special ones.
_WRONG_COMMAND: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")


@cache
def whole() -> typer.Typer:
    """The program with all its commands."""
    for module in (collections, points, transfers, upkeep, snapshots, keys, live):
        module.add_to(app)
    return app


@cache
def command() -> Any:
    """The program as click runs it."""
    return anywhere.take_everywhere(typer.main.get_command(whole()))


def run() -> int:
    """Runs the command of the process, and returns its exit code. Errors are one line on standard error."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # stored texts have letters that some terminals lack
    try:
        code = command()(standalone_mode=False)
        sys.stdout.flush()
    except (typer.Abort, KeyboardInterrupt):
        return _fail(Failure("interrupted", Exit.INTERRUPTED))
    except _WRONG_COMMAND as error:
        error.show()
        return Exit.USAGE
    except (BrokenPipeError, SystemExit):  # click raises the latter for a broken pipe, and for nothing else here
        silence_output()
        return Exit.OK
    except Exception as error:
        failure = failure_of(error)
        if failure is None:
            raise
        return _fail(failure)
    return code if isinstance(code, int) else Exit.OK


def _fail(failure: Failure) -> int:
    text = "".join(letter if letter.isprintable() else " " for letter in str(failure))
    print(f"headwater: {text}", file=sys.stderr)
    return failure.code
