"""Asks before something is deleted."""

import sys

import typer

from headwater._cli.failures import Exit, Failure


def confirm(question: str) -> None:
    """Returns if the answer is yes. Raises Failure if it is no, or if there is nobody to ask."""
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort:
        if sys.stdin.isatty():
            raise
        print(file=sys.stderr)
        raise Failure("standard input gives no answer; --yes says that you are sure", Exit.USAGE) from None
    if not agreed:
        raise Failure("nothing was deleted")
