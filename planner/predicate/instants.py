"""Turns texts of dates and times into nanoseconds since 1970. It knows nothing of conditions.

A text is an ISO 8601 date, alone or with a time. RFC 3339 is a special case of it. What a text leaves out is zero, and
a text without an offset is in UTC: `2026-03-01`, `2026-03-01 12:00`, `2026-03-01T12:00:00.5+0200`.
"""

import re
from datetime import date

_INSTANT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?:[Zz]|([+-])(\d\d)(?::?(\d\d))?)?)?",
    re.ASCII,
)
_EPOCH = date(1970, 1, 1).toordinal()

NANOSECONDS = 1_000_000_000

EXPECTED = "a date, or a date and time, such as 2026-03-01 or 2026-03-01T12:00:00+01:00"
"""What `instant_of` accepts, for messages."""


def seconds_of(text: str) -> float | None:
    """Seconds since 1970 began in UTC; None for a text that is neither a date nor a date and time."""
    nanoseconds = instant_of(text)
    return None if nanoseconds is None else nanoseconds / NANOSECONDS


def instant_of(text: str) -> int | None:
    """Nanoseconds since 1970 began in UTC; None for a text that is neither a date nor a date and time.

    Digits beyond nanoseconds are ignored. A leap second counts as the second after it. The year 0000 is refused.
    """
    found = _INSTANT.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    fraction, sign, *offset_parts = found.groups()[6:]
    offset_hours, offset_minutes = (int(part or 0) for part in offset_parts)
    try:
        days = date(year, month, day).toordinal() - _EPOCH
    except ValueError:
        return None
    if not (hour < 24 and minute < 60 and second < 61 and offset_hours < 24 and offset_minutes < 60):
        return None
    offset = offset_hours * 60 + offset_minutes
    minutes = (days * 24 + hour) * 60 + minute - (-offset if sign == "-" else offset)
    return (minutes * 60 + second) * 1_000_000_000 + int((fraction or "")[:9].ljust(9, "0"))
