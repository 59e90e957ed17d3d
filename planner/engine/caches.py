"""What an engine remembers, in numbers: how often that was of use, and the memory that it takes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheCounts:
    """Since the engine was made: look-ups that found something, and those that did not. Bytes in use now, about.

    Queries of one batch that have one shape look up its plan once, unless it is plain.
    """

    filter_hits: int
    filter_misses: int
    filter_bytes: int
    plan_hits: int
    plan_misses: int
    field_index_bytes: int
    text_index_bytes: int
