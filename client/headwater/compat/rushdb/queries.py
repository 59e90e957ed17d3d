"""Search queries as dicts, `{"labels", "where", "limit", "skip", "orderBy"}`: which records they mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headwater._plain import filter_of_where, member_of
from headwater.filters import FilterLike
from headwater.models import Direction, OrderBy

FIND_LIMIT = 100
"""Records that a query finds unless it has a `limit`."""
_KEYS = ("labels", "where", "limit", "skip", "orderBy")


@dataclass(frozen=True, slots=True)
class FindQuery:
    """`labels` None: all. `order` None: by id."""

    labels: Sequence[str] | None
    filter: FilterLike | None
    limit: int
    skip: int
    order: OrderBy | None


def find_query(given: Mapping[str, Any]) -> FindQuery:
    """Raises TypeError and ValueError that name the wrong part."""
    unknown = [key for key in given if key not in _KEYS]
    if unknown:
        raise TypeError(f"find has no {', '.join(map(repr, unknown))}; there are: {', '.join(_KEYS)}")
    asked, where = given.get("labels"), given.get("where") or {}
    if not isinstance(where, Mapping):
        raise TypeError(f"where is a dict, not {type(where).__name__}")
    labels = None if asked is None else _labels(asked, "labels")
    if "__label" in where:
        named = _labels(where["__label"], "where.__label")
        labels = named if labels is None else [each for each in labels if each in named]
    return FindQuery(
        labels=labels,
        filter=where_filter(where),
        limit=_whole(given.get("limit", FIND_LIMIT), "limit"),
        skip=_whole(given.get("skip", 0), "skip"),
        order=_order(given.get("orderBy")),
    )


def where_filter(where: Mapping[str, Any]) -> FilterLike | None:
    """The filter of a `where`; `__label` at its top is not part of it."""
    return filter_of_where(_named({key: value for key, value in where.items() if key != "__label"}))


def _named(given: Any) -> Any:
    """The same with `$id` for `__id`, at any depth."""
    if isinstance(given, Mapping):
        return {"$id" if key == "__id" else key: _named(value) for key, value in given.items()}
    return [_named(each) for each in given] if isinstance(given, list | tuple) else given


def _labels(given: Any, path: str) -> list[str]:
    if isinstance(given, Mapping):
        if given.keys() - {"$in", "$eq"} or len(given) != 1:
            raise ValueError(f'{path} is a label, a list of them, {{"$in": [...]}} or {{"$eq": ...}}')
        return _labels(next(iter(given.values())), path)
    labels = [given] if isinstance(given, str) else given
    if not isinstance(labels, list | tuple) or not all(isinstance(each, str) for each in labels):
        raise TypeError(f"{path} is a label or a list of labels")
    return list(dict.fromkeys(labels))


def _whole(given: Any, path: str) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or given < 0:
        raise ValueError(f"{path} is a whole number from 0 on, not {given!r}")
    return given


def _order(given: Any) -> OrderBy | None:
    if given in (None, "asc", {"__id": "asc"}):
        return None
    if not isinstance(given, Mapping) or len(given) != 1 or "__id" in given:
        raise ValueError('orderBy is {property: "asc" or "desc"} with one property here, or "asc": by id')
    ((path, direction),) = given.items()
    return OrderBy(path, member_of(Direction, direction, "orderBy"))
