"""The collections that a request names, wherever in it. It knows no key."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message


def collections_of(message: Message) -> Iterator[str]:
    """The names in fields such as `collection_name` of a message and of the messages in it. Empty ones are left out."""
    for field, value in message.ListFields():
        if is_name(field):
            yield from [value] if isinstance(value, str) else value
        elif names_collections(field.message_type):
            for each in _messages(field, value):
                yield from collections_of(each)


def is_name(field: FieldDescriptor) -> bool:
    """Whether a field holds names of collections."""
    return field.cpp_type == FieldDescriptor.CPPTYPE_STRING and "collection" in field.name


@cache
def names_collections(kind: Descriptor | None) -> bool:
    """Whether messages of a kind can name a collection, also in messages within them."""
    return kind is not None and any(is_name(field) for each in kinds_within(kind) for field in each.fields)


def kinds_within(kind: Descriptor) -> set[Descriptor]:
    """The kind, and all kinds of messages that may be in it."""
    found, pending = {kind}, [kind]
    while pending:
        inner = {field.message_type for field in pending.pop().fields if field.message_type is not None} - found
        found |= inner
        pending.extend(inner)
    return found


def _messages(field: FieldDescriptor, value: Any) -> Iterator[Message]:
    """The messages that a field holds."""
    if isinstance(value, Message):
        yield value
    elif field.message_type is not None and field.message_type.GetOptions().map_entry:
        yield from (each for each in value.values() if isinstance(each, Message))
    else:
        yield from value
