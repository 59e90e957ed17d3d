"""Where an order by a payload field begins, if it does not begin with its first value."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ValueStart:
    """An order begins at this number or string. `key` is what it is compared by: numbers before strings."""

    value: int | float | str

    @property
    def key(self) -> tuple[bool, int | float | str]:
        return isinstance(self.value, str), self.value


@dataclass(frozen=True, slots=True)
class InstantStart:
    """An order by instants begins at this one: as the request says it, and in nanoseconds from 1970 in UTC."""

    value: str
    instant: int

    @property
    def key(self) -> tuple[bool, int | float | str]:
        return False, self.instant


Start = ValueStart | InstantStart
