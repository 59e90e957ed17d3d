"""Strings, numbers and bools as arguments. Each function returns the value or raises a TypeError or ValueError that
names the path."""

from typing import Any

import numpy as np


def text(given: Any, path: str) -> str:
    """A string that UTF-8 can hold."""
    if not isinstance(given, str):
        raise TypeError(f"{path} takes a string, not {type(given).__name__}")
    if not given.isascii():
        try:
            given.encode()
        except UnicodeEncodeError as error:
            raise ValueError(
                f"{path} has a lone surrogate at character {error.start}, which is not valid text"
            ) from None
    return str(given)


def integer(given: Any, path: str) -> int:
    if isinstance(given, bool | np.bool_) or not isinstance(given, int | np.integer):
        raise TypeError(f"{path} takes an integer, not {type(given).__name__}")
    number = int(given)
    if number.bit_length() > 65:  # each argument has its own limit; this one only stops huge numbers
        raise ValueError(f"{path} takes an integer of at most 64 bits, but this one has {number.bit_length():,}")
    return number


def number(given: Any, path: str) -> float:
    if isinstance(given, bool | np.bool_) or not isinstance(given, int | float | np.integer | np.floating):
        raise TypeError(f"{path} takes a number, not {type(given).__name__}")
    try:
        return given if isinstance(given, int) and abs(given) < 2**53 else float(given)
    except OverflowError:
        raise ValueError(f"{path} is too large") from None


def truth(given: Any, path: str) -> bool:
    if not isinstance(given, bool | np.bool_):
        raise TypeError(f"{path} takes True or False, not {type(given).__name__}")
    return bool(given)
