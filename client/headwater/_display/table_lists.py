"""Lists in answers that keep their class when they are sliced. tables.py decides what is shown of them."""

from copy import copy
from typing import Self, SupportsIndex, TypeVar, overload

Item = TypeVar("Item")


class PartList(list[Item]):
    """A list with extra attributes. Slices and copies keep them."""

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
        """A copy with the same attributes."""
        return copy(self)
