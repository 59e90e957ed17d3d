"""The three forms in which a request may hold a dense vector, which mean the same."""

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from google.protobuf.message import Message

from headwater.v1.common_pb2 import DenseVector, Vector

FORMS = ("dense", "values", "raw")

Request = TypeVar("Request", bound=Message)


def dense(values: Sequence[float], form: str = "dense") -> Vector:
    """A dense vector in one of the forms."""
    match form:
        case "values":
            return Vector(values=values)
        case "raw":
            return Vector(raw=np.asarray(values, "<f4").tobytes())
        case _:
            return Vector(dense=DenseVector(values=values))


def in_form(message: Request, form: str) -> Request:
    """A copy of a message in which all dense vectors have one form; rows of multi-vectors stay."""
    copy = type(message)()
    copy.CopyFrom(message)
    _rewrite(copy, form)
    return copy


def _rewrite(message: Message, form: str) -> None:
    if isinstance(message, Vector):
        if message.WhichOneof("kind") == "dense":
            message.CopyFrom(dense(message.dense.values, form))
        return
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            inner: list[Any] = [value[key] for key in value if field.message_type.fields_by_name["value"].message_type]
        else:
            inner = list(value) if field.is_repeated else [value]
        for each in inner:
            _rewrite(each, form)
