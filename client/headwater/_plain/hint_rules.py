"""Rules of coercion.py for hints that mean more than their type: ids, points, filters, queries, values.

Vectors, payloads and expressions stay as they are. The code that writes them to the wire checks them and names the
wrong part.
"""

import os
from collections.abc import Iterable, Mapping
from typing import Any, Union
from uuid import UUID

import numpy as np
from numpy.typing import ArrayLike

from headwater._conditions import Bound, Condition, Filter, Instant, Place, Scalar
from headwater._plain.coercion import ALSO_NAMED, RULES, coerced_fields, coercer_of, from_mapping
from headwater._plain.columns import TablePoints, is_table
from headwater._plain.filters import condition_of, filter_of
from headwater._plain.instants import instant_text
from headwater._plain.payload_values import makes_payload, scalar_of
from headwater._plain.scalars import number, text
from headwater._plain.where import Where, filter_of_where
from headwater.filters import FilterBuilder, FilterLike
from headwater.formulas import Expression, ExpressionLike
from headwater.models import (
    Bm25,
    Context,
    Dbsf,
    Default,
    Discover,
    Formula,
    Fusion,
    LookupFrom,
    NearestWithMmr,
    OrderBy,
    OtherRank,
    Payload,
    PointIdLike,
    PointLike,
    PointsLike,
    PointStruct,
    PointVectors,
    QueryLike,
    Recommend,
    Rescore,
    Rrf,
    Sample,
    VectorLike,
    VectorsLike,
)

FilePath = str | os.PathLike[str]


def _unchecked(given: Any, path: str) -> Any:
    return given


def _id(given: Any, path: str) -> Any:
    if callable(getattr(given, "as_py", None)):  # a scalar of an Arrow column
        given = given.as_py()
    if isinstance(given, str):
        return text(given, path)
    if isinstance(given, UUID) or (isinstance(given, int | np.integer) and not isinstance(given, bool)):
        return given
    raise TypeError(f"{path} is an int, a str or a UUID, not {type(given).__name__}")


def _point(given: Any, path: str) -> Any:
    """A point as it is, as a dict, or as a tuple (id, vector) or (id, vector, payload)."""
    if isinstance(given, PointStruct):
        return given
    if isinstance(given, Mapping):
        return from_mapping(PointStruct, given, path)
    if isinstance(given, tuple) and 2 <= len(given) <= 3:
        return PointStruct(*given)
    raise TypeError(
        f'{path} is a PointStruct, a dict {{"id", "vector", "payload"}} or a tuple (id, vector, payload), '
        f"not {type(given).__name__}"
    )


def _points(given: Any, path: str) -> Any:
    return TablePoints(given, path) if is_table(given) else coercer_of(Iterable[PointStruct])(given, path)


def _point_vectors(given: Any, path: str) -> Any:
    if isinstance(given, PointVectors):
        return given
    return _point(given, path)


def _condition(given: Any, path: str) -> Any:
    """A condition with its values as the wire has them."""
    return coerced_fields(condition_of(given, path), path)


def _filter(given: Any, path: str) -> Any:
    if isinstance(given, str):
        return text(given, path)
    if isinstance(given, Mapping):
        return coerced_fields(filter_of(given, path), path)
    if isinstance(given, Condition | FilterBuilder):
        return _condition(given, path)
    raise TypeError(
        f"{path} takes a condition such as Field(\"a\").eq(1), a text such as 'a == 1', or a dict with must, should "
        f"and must_not, not {type(given).__name__}"
    )


def _inner_filter(given: Any, path: str) -> Any:
    condition = _condition(given, path)
    return condition if isinstance(condition, Filter) else Filter(must=(condition,))


def _scalar(given: Any, path: str) -> Any:
    value = scalar_of(given, path)
    if isinstance(value, str):
        return text(value, path)
    if value is None or not isinstance(value, int | float):
        hint = "; use Field(...).is_null() for None" if given is None else ""
        raise TypeError(f"{path} is a string, a number, a bool or a date, not {type(given).__name__}{hint}")
    if isinstance(value, int) and value.bit_length() > 1000:
        raise ValueError(f"{path} is too large")
    return value


def _place(given: Any, path: str) -> Any:
    if isinstance(given, Mapping):
        if given.keys() != {"lat", "lon"}:
            raise TypeError(f'{path} as a dict is {{"lat", "lon"}}')
        given = (given["lat"], given["lon"])
    if not isinstance(given, tuple | list | np.ndarray) or np.ndim(np.empty(len(given))) != 1 or len(given) != 2:
        raise TypeError(f"{path} is a pair of degrees (lat, lon), not {type(given).__name__}")
    return number(given[0], f"{path}.lat"), number(given[1], f"{path}.lon")


def _where(given: Any, path: str) -> Any:
    return _filter(filter_of_where(given) if isinstance(given, Mapping) else given, path)


def _expression(given: Any, path: str) -> Any:
    """An expression with the conditions in it checked."""
    if isinstance(given, Condition | FilterBuilder):
        return _condition(given, path)
    if isinstance(given, Expression):
        return coerced_fields(given, path)
    if isinstance(given, str):
        return text(given, path)
    if isinstance(given, bool | np.bool_):
        raise TypeError(f"{path} cannot be a bool; write 1 or 0, or Matches(...)")
    if isinstance(given, int | float | np.integer | np.floating):
        return given
    raise TypeError(f"{path} takes an expression, a number, a condition or a text, not {type(given).__name__}")


def _default(given: Any, path: str) -> Any:
    if isinstance(given, Mapping | tuple | list):
        return _place(given, path)
    return _scalar(given, path)


_RANKS: Mapping[str, type] = {
    "rrf": Rrf,
    "dbsf": Dbsf,
    "order_by": OrderBy,
    "sample": Sample,
    "recommend": Recommend,
    "discover": Discover,
    "context": Context,
    "nearest_with_mmr": NearestWithMmr,
    "formula": Formula,
    "rescore": Rescore,
    "bm25": Bm25,
}
"""Ways to rank, by their key in a dict."""


def _query(given: Any, path: str) -> Any:
    if isinstance(given, Fusion):
        return given
    if isinstance(given, Rrf | Dbsf | OtherRank):
        return coerced_fields(given, path)
    if isinstance(given, Mapping):
        return _query_of_dict(given, path)
    if isinstance(given, str | int | UUID | np.integer):
        return _id(given, path)
    return given


def _query_of_dict(given: Mapping[Any, Any], path: str) -> Any:
    """A sparse vector, or a dict with one key that names the way to rank."""
    if not given or any(not isinstance(key, str) for key in given) or given.keys() == {"indices", "values"}:
        return given
    known = ("fusion", "nearest", *_RANKS)
    if len(given) != 1 or not given.keys() <= set(known):
        raise TypeError(
            f"{path} as a dict has one of {', '.join(known)}, or is a sparse vector; it has {', '.join(given)}"
        )
    ((kind, value),) = given.items()
    if kind == "nearest":
        return value
    if kind == "fusion":
        return coercer_of(Union[Fusion, Rrf, Dbsf])(value, f"{path}.fusion")  # noqa: UP007
    return _rank(_RANKS[kind], value, f"{path}.{kind}")


def _rank(model: type, given: Any, path: str) -> Any:
    """The model from a dict, or from its first field alone: `{"order_by": "price"}`."""
    if isinstance(given, Mapping):
        return from_mapping(model, given, path)
    if isinstance(given, model):
        return coerced_fields(given, path)
    if model is Sample and given == "random":
        return Sample()
    (first, *_) = (name for name in model.__dataclass_fields__)  # type: ignore[attr-defined]
    return from_mapping(model, {first: given}, path)


def _file(given: Any, path: str) -> Any:
    if not isinstance(given, str | os.PathLike) or isinstance(os.fspath(given), bytes):
        raise TypeError(f"{path} takes the path of a file, not {type(given).__name__}")
    text(os.fspath(given), path)
    if "\0" in os.fspath(given):
        raise ValueError(f"{path} has a null character, which file names cannot have")
    return given


def _payload(given: Any, path: str) -> Any:
    if not isinstance(given, Mapping) and not makes_payload(given):
        raise TypeError(f"{path} takes a dict, not {type(given).__name__}")
    return given


def _vectors_by_space(given: Any, path: str) -> Any:
    if isinstance(given, Mapping):
        for space in given:
            if not isinstance(space, str) and not isinstance(space, int | np.integer):
                raise TypeError(f"{path} has a key of type {type(space).__name__}; spaces are named by strings")
    return given


RULES.update(
    {
        PointIdLike: _id,
        VectorLike: _unchecked,
        VectorsLike: _vectors_by_space,
        Union[VectorLike, str]: _unchecked,  # noqa: UP007
        Union[VectorLike, PointIdLike]: _unchecked,  # noqa: UP007
        Payload: _payload,
        ArrayLike: _unchecked,
        PointStruct: _point,
        PointLike: _point,
        PointsLike: _points,
        Union[PointVectors, PointStruct]: _point_vectors,  # noqa: UP007
        Condition: _condition,
        Filter: _inner_filter,
        FilterLike: _filter,
        Where: _where,
        Scalar: _scalar,
        Bound: _scalar,
        Instant: instant_text,
        Place: _place,
        ExpressionLike: _expression,
        Default: _default,
        QueryLike: _query,
        FilePath: _file,
    }
)
ALSO_NAMED.update(
    {
        PointStruct: {"vectors": "vector"},
        PointVectors: {"vectors": "vector"},
        LookupFrom: {"vector": "using", "collection_name": "collection"},
        OrderBy: {"key": "path"},
        NearestWithMmr: {"candidates_limit": "candidates"},
    }
)
