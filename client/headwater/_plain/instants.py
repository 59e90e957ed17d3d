"""Dates and times of Python, numpy and pandas as texts. A naive one is in UTC, and its text says so."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np

_DATES = "YMWD"
"""Units of numpy.datetime64 without a time of day."""


def is_missing(value: object) -> bool:
    """Whether it is the missing value of numpy or pandas: NaT, NA."""
    if isinstance(value, np.datetime64 | np.timedelta64):
        return bool(np.isnat(value))
    return type(value).__name__ in ("NAType", "NaTType") and type(value).__module__.startswith("pandas")


def date_text(value: date | time | np.datetime64) -> str:
    """`2026-03-01`, `2026-03-01T12:00:00+01:00`, or `12:00:00` for a time of day."""
    match value:
        case datetime():
            return _datetime_text(value)
        case np.datetime64():
            if np.datetime_data(value.dtype)[0] in _DATES:
                return str(value.astype("datetime64[D]"))
            return str(np.datetime_as_string(value, timezone="UTC"))
        case _:
            return value.isoformat()


def _datetime_text(value: datetime) -> str:
    offset = value.utcoffset()
    if offset is None:
        return f"{value.isoformat()}Z"
    if offset % timedelta(minutes=1):  # RFC 3339 allows no seconds in offsets
        return value.astimezone(UTC).isoformat()
    return value.isoformat()


def instant_text(given: Any, path: str) -> str:
    """The text of an instant. Raises TypeError for other values, ValueError for a text that UTF-8 cannot hold."""
    if isinstance(given, str):
        try:
            given.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{path} has a lone surrogate, which is not valid text") from None
        return given
    if isinstance(given, date | np.datetime64) and not is_missing(given):
        return date_text(given)
    hint = ""
    if isinstance(given, int | float | np.integer | np.floating) and not isinstance(given, bool):
        hint = "; datetime.fromtimestamp(seconds, UTC) converts seconds since 1970"
    raise TypeError(f'{path} takes a datetime, a date or a text such as "2026-03-01", not {type(given).__name__}{hint}')
