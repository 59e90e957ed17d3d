"""Lists of an answer's parts whose slices are of the same class. What is shown of them is tables.py's."""

from copy import copy
from typing import Self, SupportsIndex, TypeVar, overload

Item = TypeVar("Item")


class PartList(list[Item]):
    """A list that knows more than its items: a slice, and a copy, knows the same."""

    __slots__ = ()

    @overload
    def __getitem__(self, index: SupportsIndex, /) -> Item: ...
    @overload
    def __getitem__(self, index: slice, /) -> Self: ...

    def __getitem__(self, index: SupportsIndex | slice, /) -> Item | Self:
        if not isinstance(index, slice):
            return super().__getitem__(index)
        part = copy(self)
        part[:] = super().__getitem__(index)
        return part

    def copy(self) -> Self:
        """The same list again."""
        return copy(self)
