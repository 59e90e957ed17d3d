"""Keys of many nodes at once. They are compared as LMDB compares them, eight bytes at a time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NONE = -1
"""Length of a missing key: a bound that does not limit anything."""

_WORD = 8
_FIRST_BYTES = np.array([2**64 - 2 ** (8 * (_WORD - count)) for count in range(_WORD + 1)], np.uint64)
"""Mask i keeps the first i bytes of a word."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Key i is the `lengths[i]` bytes of `data` from `starts[i]`. Eight more bytes follow the last key in `data`.

    `integers`: keys are unsigned 64-bit numbers in the byte order of this machine.
    """

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    integers: bool = False

    def __len__(self) -> int:
        return len(self.starts)

    def take(self, which: NDArray[np.int64] | NDArray[np.bool_] | slice) -> "Keys":
        return Keys(self.data, self.starts[which], self.lengths[which], self.integers)

    def words(self, number: int) -> NDArray[np.uint64]:
        """Bytes 8 * `number` to 8 * `number` + 7 of each key, as numbers that sort as the bytes do. Missing bytes are
        0."""
        order = "<u8" if self.integers else ">u8"
        every: NDArray[np.uint64] = np.ndarray((len(self.data) - _WORD + 1,), order, self.data.data, strides=(1,))
        words = every[np.minimum(self.starts + number * _WORD, len(every) - 1)].astype(np.uint64)
        if self.integers:
            return words
        return words & _FIRST_BYTES[np.clip(self.lengths - number * _WORD, 0, _WORD)]

    def copied(self, which: NDArray[np.int64]) -> "Keys":
        """Some of the keys, with only their own data."""
        starts, lengths = self.starts[which], np.maximum(self.lengths[which], 0)
        begins = np.cumsum(lengths) - lengths
        places = np.repeat(starts - begins, lengths) + np.arange(int(lengths.sum()))
        data = np.concatenate([self.data[places], np.zeros(_WORD, np.uint8)])
        return Keys(data, begins, self.lengths[which], self.integers)


def no_keys(count: int, *, integers: bool) -> Keys:
    """`count` missing keys: bounds that do not limit anything."""
    return Keys(np.zeros(_WORD, np.uint8), np.zeros(count, np.int64), np.full(count, NONE, np.int64), integers)


def joined(first: Keys, second: Keys) -> Keys:
    """The keys of both, one after the other."""
    return Keys(
        np.concatenate([first.data, second.data]),
        np.concatenate([first.starts, second.starts + len(first.data)]),
        np.concatenate([first.lengths, second.lengths]),
        first.integers,
    )


def before(first: Keys, second: Keys) -> NDArray[np.bool_]:
    """Whether each key of `first` sorts strictly before the key of `second` at its position. Requires: no key is
    NONE."""
    out = first.lengths < second.lengths
    open_ = np.arange(len(first))
    for number in range(-(-int(max(first.lengths.max(initial=0), second.lengths.max(initial=0))) // _WORD)):
        one, other = first.take(open_).words(number), second.take(open_).words(number)
        out[open_] = np.where(one == other, out[open_], one < other)
        open_ = open_[one == other]
        if not len(open_):
            break
    return out
