"""The distinct values of an index, numbered, and columns of what tests compare. Which values pass is in value_tests.py.

Values are only added, so indexes of several commits can share them. A column is made when a test first needs it. When
values were added later, the next test extends it.
"""

import json
import threading
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner.limits import ROWS_PER_CHECK
from planner.predicate import instant_of, keys_of
from planner.query import GeoPoint
from storage.budget import UNLIMITED, Budget

Codes = NDArray[np.int32]
Numbers = NDArray[np.float64]
Packed = dict[str, NDArray[Any]]
"""Arrays by name, to be kept in a file."""

Key = tuple[type, object]
"""A value and its type: True is not 1, but 1 and 1.0 are one value."""

VALUE_BYTES = 200
"""About how many bytes a distinct value takes besides its text."""

VALUES_PER_CHECK = 32_768
"""Plain values that are looked at between two looks at the budget: some tens of milliseconds."""

MAX_UNSORTED = 4_096
"""Up to so many strings are left unsorted. They are tested one by one."""


class Kind(IntEnum):
    """The kind of a value, as far as conditions distinguish kinds."""

    NULL = 0
    BOOL = 1
    NUMBER = 2
    STRING = 3
    LOCATION = 4


def key_of(value: object) -> Key:
    """A key that is the same for equal values."""
    kind = type(value)
    return (float if kind is int else kind), value


def _kind_of(value: object) -> Kind:
    match value:
        case None:
            return Kind.NULL
        case bool():
            return Kind.BOOL
        case str():
            return Kind.STRING
        case GeoPoint():
            return Kind.LOCATION
        case _:
            return Kind.NUMBER


class DistinctValues:
    """Scalars, None and locations, each with a code from 0 on. One thread at a time adds. Others may read meanwhile."""

    def __init__(self) -> None:
        self.values: list[object] = []
        self._codes: dict[Key, int] = {}
        self._kinds = bytearray()
        self._text_bytes = 0
        self._lock = threading.Lock()
        self._numbers = _Column(_number_of, np.zeros(0))
        self._instants = _Column(_instant_of, np.zeros(0))
        self._locations = _Column(_corner_of, np.zeros((0, 2)))
        self._strings = _Strings()
        self._words = _Words()

    def __len__(self) -> int:
        return len(self.values)

    @property
    def bytes(self) -> int:
        """Bytes of memory held, about."""
        columns = self._numbers.array.nbytes + self._instants.array.nbytes + self._locations.array.nbytes
        return len(self.values) * VALUE_BYTES + self._text_bytes + columns + self._strings.bytes + self._words.bytes

    def add(self, value: object) -> int:
        """The code of a scalar, None or a GeoPoint. A value that is new is added."""
        key = key_of(value)
        code = self._codes.get(key)
        if code is None:
            code = len(self.values)
            self._kinds.append(_kind_of(value))
            self.values.append(value)
            self._codes[key] = code
            self._text_bytes += len(value) if isinstance(value, str) else 0
        return code

    def codes_of(self, values: Sequence[object]) -> Codes:
        """The codes (int32) of those `values` that the index has."""
        return np.array([code for value in values if (code := self._codes.get(key_of(value))) is not None], np.int32)

    def are(self, count: int, *kinds: Kind) -> NDArray[np.bool_]:
        """A mask (count,): which of the first `count` values are of one of `kinds`."""
        return np.isin(np.frombuffer(bytes(self._kinds[:count]), np.uint8), kinds)

    def numbers(self, count: int, budget: Budget = UNLIMITED) -> Numbers:
        """(count,): the float64 nearest to each of the first `count` values; NaN for what is no number."""
        return self._column(self._numbers, count, budget)

    def instants(self, count: int, budget: Budget = UNLIMITED) -> Numbers:
        """(count,): the float64 nearest to each value's nanoseconds since 1970; NaN for what is no instant."""
        return self._column(self._instants, count, budget)

    def locations(self, count: int, budget: Budget = UNLIMITED) -> Numbers:
        """(count, 2): latitude and longitude of each value in degrees; NaN for what is no location."""
        return self._column(self._locations, count, budget)

    def strings(self, count: int, *, all_sorted: bool = False) -> "SortedStrings":
        """The strings among the first `count` values, and perhaps some that were added later."""
        with self._lock:
            return self._strings.of(self.values, count, 0 if all_sorted else MAX_UNSORTED)

    def codes_with_words(self, words: Sequence[str], count: int, budget: Budget = UNLIMITED) -> Codes:
        """Codes, ascending and below `count`, of the strings that have all `words`. Requires: at least one word."""
        budget.acquire(self._lock)
        try:
            return self._words.codes_with(self.values, words, count, budget)
        finally:
            self._lock.release()

    def packed(self) -> Packed:
        """The values, and those of their columns that were made so far."""
        with self._lock:
            columns = {name: column.array for name, column in self._columns.items()}
            strings, words = self._strings.packed(), self._words.packed()
        kinds = bytes(self._kinds)
        values = json.dumps(
            [[value.lat, value.lon] if isinstance(value, GeoPoint) else value for value in self.values[: len(kinds)]]
        )
        of_values = {"values": np.frombuffer(values.encode(), np.uint8), "kinds": np.frombuffer(kinds, np.uint8)}
        return {**of_values, **columns, **strings, **words}

    @classmethod
    def unpacked(cls, packed: Packed) -> "DistinctValues":
        """The values that `packed` came from. Raises ValueError, LookupError or TypeError if it came from no values."""
        restored = cls()
        values = json.loads(packed["values"].tobytes())
        kinds = packed["kinds"]
        if (kinds == Kind.LOCATION).any():
            values = [GeoPoint(*value) if isinstance(value, list) else value for value in values]
        restored.values = values
        restored._kinds = bytearray(kinds)
        # Most values are strings. For many of them, calling key_of would take most of the time.
        keys = map(key_of, values) if (kinds == Kind.NUMBER).any() else zip(map(type, values), values, strict=True)
        restored._codes = dict(zip(keys, range(len(values)), strict=True))
        restored._text_bytes = sum(len(value) for value in values if isinstance(value, str))
        if not len(restored._codes) == len(restored._kinds) == len(values):
            raise ValueError("a value is there twice, or has no kind")
        for name, column in restored._columns.items():
            column.array = packed[name]
        restored._strings.unpack(packed, restored.values)
        restored._words.unpack(packed)
        return restored

    @property
    def _columns(self) -> dict[str, "_Column"]:
        return {"numbers": self._numbers, "instants": self._instants, "places": self._locations}

    def _column(self, column: "_Column", count: int, budget: Budget) -> Numbers:
        budget.acquire(self._lock)
        try:
            return column.of(self.values, count, budget)
        finally:
            self._lock.release()


class _Column:
    """An array of what `of_value` says of each value. It grows with the values. Requires: the lock of its values."""

    def __init__(self, of_value: Callable[[object], float | tuple[float, float]], empty: Numbers) -> None:
        self._of_value = of_value
        self.array = empty

    def of(self, values: list[object], count: int, budget: Budget) -> Numbers:
        while (done := len(self.array)) < count:
            budget.check()
            added = [self._of_value(value) for value in values[done : min(done + VALUES_PER_CHECK, count)]]
            self.array = np.concatenate([self.array, np.array(added, np.float64)])
        return self.array[:count]


def _number_of(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else np.nan


def _instant_of(value: object) -> float:
    instant = instant_of(value) if isinstance(value, str) else None
    return np.nan if instant is None else float(instant)


def _corner_of(value: object) -> tuple[float, float]:
    return (value.lat, value.lon) if isinstance(value, GeoPoint) else (np.nan, np.nan)


class SortedStrings:
    """Strings in order with their codes, and the codes of strings that are not sorted yet."""

    __slots__ = ("_sorted", "codes", "unsorted")

    def __init__(self, strings: list[str], codes: Codes, unsorted: Codes) -> None:
        self._sorted = strings
        self.codes = codes
        self.unsorted = unsorted

    def between(self, low: str, high: str | None) -> Codes:
        """Codes of the sorted strings from `low` to `high`, both included. `high` None: to the end."""
        start = bisect_left(self._sorted, low)
        return self.codes[start : len(self._sorted) if high is None else bisect_right(self._sorted, high, start)]


class _Strings:
    """The strings among the values. Requires: the lock of its values."""

    def __init__(self) -> None:
        self._sorted: list[str] = []
        self._codes: Codes = np.zeros(0, np.int32)
        self._done = 0

    @property
    def bytes(self) -> int:
        return 8 * len(self._sorted) + self._codes.nbytes

    def of(self, values: list[object], count: int, most_unsorted: int) -> SortedStrings:
        if count > self._done + min(self._done, most_unsorted):
            pairs = sorted((value, code) for code, value in enumerate(values[:count]) if isinstance(value, str))
            self._sorted = [value for value, _ in pairs]
            self._codes = np.array([code for _, code in pairs], np.int32)
            self._done = count
        return SortedStrings(self._sorted, self._codes, np.arange(min(self._done, count), count, dtype=np.int32))

    def packed(self) -> Packed:
        return {"sorted": self._codes, "sorted_of": np.array([self._done])}

    def unpack(self, packed: Packed, values: list[object]) -> None:
        self._codes, self._done = packed["sorted"], int(packed["sorted_of"][0])
        self._sorted = [str(values[code]) for code in self._codes.tolist()]


class _Words:
    """The words of the strings, each with the codes of the strings that have it. Requires: the lock of its values."""

    def __init__(self) -> None:
        self._codes: dict[str, array[int]] = {}
        self._done = 0
        self.bytes = 0

    def codes_with(self, values: list[object], words: Sequence[str], count: int, budget: Budget) -> Codes:
        self._follow(values, count, budget)
        found = sorted((np.array(self._codes.get(word, ()), np.int32) for word in set(words)), key=len)
        result = found[0]
        for codes in found[1:]:
            result = np.intersect1d(result, codes, assume_unique=True)
        return result[result < count]

    def _follow(self, values: list[object], count: int, budget: Budget) -> None:
        for code in range(self._done, count):
            if code % ROWS_PER_CHECK == 0:
                budget.check()
            value = values[code]
            for word in keys_of(value) if isinstance(value, str) else ():
                codes = self._codes.get(word)
                if codes is None:
                    codes = self._codes[word] = array("i")
                    self.bytes += VALUE_BYTES
                codes.append(code)
                self.bytes += codes.itemsize
            self._done = code + 1

    def packed(self) -> Packed:
        words = "\0".join(self._codes)  # no word has this character
        counts = np.array([len(codes) for codes in self._codes.values()], np.int64)
        codes = b"".join(self._codes.values())
        return {
            "words": np.frombuffer(words.encode(errors="surrogatepass"), np.uint8),
            "words_of": np.array([self._done]),
            "word_counts": counts,
            "word_codes": np.frombuffer(codes, np.int32),
        }

    def unpack(self, packed: Packed) -> None:
        self._done = int(packed["words_of"][0])
        counts = packed["word_counts"].tolist()
        words = packed["words"].tobytes().decode(errors="surrogatepass").split("\0") if counts else []
        all_codes, start = packed["word_codes"].tobytes(), 0
        for word, count in zip(words, counts, strict=True):
            end = start + count * np.dtype(np.int32).itemsize
            self._codes[word] = array("i", all_codes[start:end])
            start = end
        self.bytes = VALUE_BYTES * len(words) + len(all_codes)
