"""Makes standard output accept any text: paths may have names that the locale cannot encode."""

import io
import sys


def escape_what_cannot_be_encoded() -> None:
    """Makes standard output show such characters as escapes. Standard error always does this."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
