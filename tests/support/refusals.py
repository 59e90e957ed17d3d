"""Requests that must be refused: how a table of them is written, and what is checked of each."""

import copy
from typing import Any

import pytest
from google.protobuf.message import Message

from headwater import Client, HeadwaterError, InvalidArgumentError
from tests.support.messages import in_collection
from tests.support.wire import Wire

NAN, INFINITY = float("nan"), float("inf")
PLAIN = InvalidArgumentError
Error = type[HeadwaterError]
REFUSAL = ("asked", "kind", "where", "facts")
"""Names of the parameters of a refusal."""


def refusal(label: str, asked: Message, kind: Error, where: str, **facts: str) -> Any:
    """A request, its typed error, the path of the field that is wrong ("" when none is), and some metadata."""
    return pytest.param(asked, kind, where, facts, id=label)


def check_refused(wire: Wire, name: str, asked: Message, kind: Error, where: str, facts: dict[str, str]) -> None:
    """Sends a request for the collection of this name, unless it names one."""
    with pytest.raises(HeadwaterError) as caught:
        wire.send(in_collection(copy.deepcopy(asked), name))
    error = caught.value
    assert (type(error), error.field, error.code, error.reason) == (kind, where, kind.CODE, kind.REASON), error
    assert facts.items() <= error.metadata.items()
    assert where in error.message


def stored(client: Client, name: str) -> list[Any]:
    """All that a small collection holds."""
    info = client.collections.get_info(name)
    records, _ = client.points.scroll(name, limit=100, with_vectors=True)
    held = [(record, {space: row.tolist() for space, row in record.vectors.items()}) for record in records]
    return [info.seq, info.points_count, sorted(info.vectors), held]
