"""Tests of instants at a path. Evaluates nothing."""

from headwater._conditions.conditions import DatetimeRange, Instant


class DatetimeTests:
    """The methods of a field that test instants."""

    __slots__ = ()

    path: str

    def datetime_gt(self, bound: Instant) -> DatetimeRange:
        """After `bound`: a datetime, a date, or a text such as "2026-03-01". Without a time zone it is in UTC."""
        return DatetimeRange(self.path, gt=bound)

    def datetime_gte(self, bound: Instant) -> DatetimeRange:
        """At or after `bound`."""
        return DatetimeRange(self.path, gte=bound)

    def datetime_lt(self, bound: Instant) -> DatetimeRange:
        """Before `bound`."""
        return DatetimeRange(self.path, lt=bound)

    def datetime_lte(self, bound: Instant) -> DatetimeRange:
        """At or before `bound`."""
        return DatetimeRange(self.path, lte=bound)

    def datetime_between(self, lower: Instant, upper: Instant, inclusive: bool = True) -> DatetimeRange:
        """From `lower` to `upper`. Both ends count, unless `inclusive` is false."""
        if inclusive:
            return DatetimeRange(self.path, gte=lower, lte=upper)
        return DatetimeRange(self.path, gt=lower, lt=upper)
