"""Instants: RFC 3339 text -> nanoseconds since 1970. It knows nothing of conditions."""

import re
from datetime import date

_INSTANT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)
_EPOCH = date(1970, 1, 1).toordinal()


def instant_of(text: str) -> int | None:
    """Nanoseconds since 1970 began in UTC; None for what is no RFC 3339 date-time.

    Digits beyond nanoseconds do not count. A leap second is the second after it. The year 0000 is none.
    """
    found = _INSTANT.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    fraction, sign, offset_hours, offset_minutes = found.groups()[6:]
    offset = int(offset_hours or 0) * 60 + int(offset_minutes or 0)
    offset_in_range = int(offset_hours or 0) < 24 and int(offset_minutes or 0) < 60
    try:
        days = date(year, month, day).toordinal() - _EPOCH
    except ValueError:
        return None
    if not (hour < 24 and minute < 60 and second < 61 and offset_in_range):
        return None
    minutes = (days * 24 + hour) * 60 + minute - (-offset if sign == "-" else offset)
    return (minutes * 60 + second) * 1_000_000_000 + int((fraction or "")[:9].ljust(9, "0"))
