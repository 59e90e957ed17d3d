"""The Python operators that turn a field into a condition: `==`, `!=`, `<`, `<=`, `>`, `>=`."""

from datetime import date
from typing import Any

import numpy as np

from headwater._conditions.conditions import Condition, DatetimeRange, Equal, Filter, IsNull, Range


class Comparable:
    """A field whose comparisons are conditions. So `==` does not test whether two fields are equal. Equal fields have
    equal hashes."""

    __slots__ = ()

    path: str

    def __eq__(self, other: Any) -> Condition:  # type: ignore[override]
        return IsNull(self.path) if other is None else Equal(self.path, other)

    def __ne__(self, other: Any) -> Condition:  # type: ignore[override]
        return Filter(must_not=(self == other,))

    def __hash__(self) -> int:
        return hash((type(self), self.path))

    def __lt__(self, other: Any) -> Condition:
        return self._range(other, "lt")

    def __le__(self, other: Any) -> Condition:
        return self._range(other, "lte")

    def __gt__(self, other: Any) -> Condition:
        return self._range(other, "gt")

    def __ge__(self, other: Any) -> Condition:
        return self._range(other, "gte")

    def _range(self, bound: Any, name: str) -> Condition:
        if bound is None:
            raise TypeError(f"{self.path!r} cannot be compared with None; use is_null()")
        kind = DatetimeRange if isinstance(bound, date | np.datetime64) else Range
        return kind(self.path, **{name: bound})
