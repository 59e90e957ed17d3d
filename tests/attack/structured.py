"""Requests made from their descriptors: such as make sense in the prepared world, with hostile parts now and then."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from tests.attack import hostile, words

DEEPEST = 7
PACKAGE = "headwater.v1."
_SENSIBLE: Mapping[int, Callable[[random.Random], Any]] = {
    FieldDescriptor.CPPTYPE_INT32: lambda draw: draw.randrange(10),
    FieldDescriptor.CPPTYPE_INT64: lambda draw: draw.randrange(-10, 60),
    FieldDescriptor.CPPTYPE_UINT32: lambda draw: draw.randrange(10),
    FieldDescriptor.CPPTYPE_UINT64: lambda draw: draw.randrange(60),
    FieldDescriptor.CPPTYPE_FLOAT: lambda draw: draw.choice((0.0, 1.0, draw.random())),
    FieldDescriptor.CPPTYPE_DOUBLE: lambda draw: draw.choice((0.0, 1.0, draw.uniform(-5, 60))),
    FieldDescriptor.CPPTYPE_BOOL: lambda draw: draw.random() < 0.5,
    FieldDescriptor.CPPTYPE_STRING: lambda draw: draw.choice((*words.TEXTS, "shoe", "a", *words.PATHS)),
}


class Maker:
    """Makes messages with one random source. `wild` is the share of values that are hostile, 0 to 1."""

    def __init__(self, draw: random.Random, learned: words.Learned, wild: float) -> None:
        self.draw, self.learned, self.wild = draw, learned, wild
        self.space = draw.choice(words.SPACES)
        self._learned: Mapping[str, Sequence[str]] = {
            "index_id": learned.index_ids,
            "task_id": learned.task_ids,
            "cursor": learned.cursors,
            "partition_id": learned.partition_ids,
        }

    def message(self, descriptor: Descriptor, depth: int = 0) -> Message:
        """A message of this type."""
        made: Any = GetMessageClass(descriptor)()
        special = _SPECIAL.get(descriptor.full_name.removeprefix(PACKAGE))
        if special is not None and self.draw.random() >= self.wild:
            special(self, made)
            return made  # type: ignore[no-any-return]
        before = self.space
        if "using" in descriptor.fields_by_name:
            self.space = self.draw.choice(words.SPACES)
        for field in self._chosen_fields(descriptor, depth):
            self.fill(made, field, depth)
        self.space = before
        return made  # type: ignore[no-any-return]

    def fill(self, message: Any, field: FieldDescriptor, depth: int = 0) -> None:
        """Gives a field of the message a new value."""
        entry = field.message_type
        message.ClearField(field.name)
        if entry is not None and entry.GetOptions().map_entry:
            self._fill_map(message, field, depth)
        elif field.is_repeated:
            values = [self._value(field, depth + 1) for _ in range(self._count(depth))]
            getattr(message, field.name).extend(values)
        elif entry is not None:
            getattr(message, field.name).CopyFrom(self.message(entry, depth + 1))
        else:
            setattr(message, field.name, self._value(field, depth))

    def mutate(self, message: Message) -> None:
        """Changes something somewhere in the message."""
        node: Any = self.draw.choice(list(nodes(message)))
        if not node.DESCRIPTOR.fields:
            return
        field = self.draw.choice(node.DESCRIPTOR.fields)
        value = getattr(node, field.name)
        action = self.draw.random()
        if action < 0.2:
            node.ClearField(field.name)
        elif action < 0.3 and field.is_repeated and len(value) and hasattr(value, "extend"):
            count = self.draw.choice(hostile.COUNTS)
            repeated = [value[number % len(value)] for number in range(count)]
            node.ClearField(field.name)
            getattr(node, field.name).extend(repeated)
        else:
            self.fill(node, field, depth=2)

    def _chosen_fields(self, descriptor: Descriptor, depth: int) -> Iterator[FieldDescriptor]:
        oneofs = [oneof for oneof in descriptor.oneofs if not _is_optional(oneof)]
        chosen = {self.draw.choice(oneof.fields).name for oneof in oneofs if self.draw.random() < 0.97}
        for field in descriptor.fields:
            if field.message_type is not None and depth >= DEEPEST:
                continue
            if field.containing_oneof in oneofs:
                if field.name in chosen or self.draw.random() < self.wild / 4:
                    yield field
            elif self.draw.random() < self._likelihood(field, depth):
                yield field

    def _likelihood(self, field: FieldDescriptor, depth: int) -> float:
        if field.name in _REQUIRED:
            return 0.98 - self.wild / 4
        return 0.5 if depth == 0 else 0.35

    def _fill_map(self, message: Any, field: FieldDescriptor, depth: int) -> None:
        entry = field.message_type
        assert entry is not None
        element, before = entry.fields_by_name["value"], self.space
        for _ in range(self.draw.choice((0, 1, 1, 2, 3))):
            key = self._map_key(field)
            if element.message_type is None:
                getattr(message, field.name)[key] = self._value(element, depth)
            elif depth < DEEPEST:
                self.space = key if key in words.SPACES else before
                getattr(message, field.name)[key].CopyFrom(self.message(element.message_type, depth + 1))
        self.space = before

    def _map_key(self, field: FieldDescriptor) -> str:
        if self.draw.random() < self.wild:
            return str(self.draw.choice(hostile.TEXTS))
        if "vectors" in field.name:
            new = field.name.startswith("add") or "Create" in field.full_name
            return self.draw.choice(("extra", "extra 2", "") if new else words.SPACES)
        if field.name in ("defaults", "payload_schema", "text_indexes", "fields"):
            return self.draw.choice((*words.ALL_PATHS, "$score", "$score[1]"))
        return self.draw.choice(words.PATHS)

    def _value(self, field: FieldDescriptor, depth: int) -> Any:
        if field.message_type is not None:
            return self.message(field.message_type, depth)
        if self.draw.random() < self.wild:
            return hostile.scalar(self.draw, field)
        if field.name == "using":
            return self.space if self.draw.random() < 0.95 else self.draw.choice(words.SPACES)
        if field.name in self._learned and field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
            return self.draw.choice(self._learned[field.name])
        if field.full_name == PACKAGE + "Expression.text":
            return words.formula_text(self.draw)
        if field.enum_type is not None:
            return self.draw.choice(field.enum_type.values).number
        return self._sensible(field)

    def _sensible(self, field: FieldDescriptor) -> Any:
        if field.type == FieldDescriptor.TYPE_BYTES:
            return self.draw.randbytes(self.draw.randrange(100))
        by_name = words.BY_FIELD.get(field.name)
        value = by_name(self.draw) if by_name is not None else None
        if value is not None and isinstance(value, str) == (field.cpp_type == FieldDescriptor.CPPTYPE_STRING):
            is_whole = field.cpp_type not in (FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE)
            if not (is_whole and isinstance(value, float)) and field.cpp_type != FieldDescriptor.CPPTYPE_BOOL:
                return value
        return _SENSIBLE[field.cpp_type](self.draw)

    def _count(self, depth: int) -> int:
        if self.draw.random() < self.wild / 8:
            return self.draw.choice(hostile.COUNTS[: 4 if depth > 2 else None])
        return self.draw.choice((0, 1, 1, 1, 2, 3) if depth < 4 else (0, 1, 1))

    def _numbers(self, space: str) -> list[float]:
        size = 7 if space == words.TEXTUAL else words.SIZE
        if space in words.BINARY:
            return [float(self.draw.randrange(2)) for _ in range(size)]
        return [self.draw.choice((0.25, 1.0, self.draw.uniform(-1, 1))) for _ in range(size)]

    def _vector(self, made: Any) -> None:
        if self.space in words.SPARSE:
            indices = self.draw.sample(range(20), self.draw.randrange(1, 5))
            made.sparse.indices.extend(indices)
            made.sparse.values.extend(self.draw.random() for _ in indices)
        elif self.space in words.MULTI:
            for _ in range(self.draw.randrange(1, 4)):
                made.multi.vectors.add().values.extend(self._numbers(self.space))
        elif self.space == words.TEXTUAL and self.draw.random() < 0.7:
            made.text.text = self.draw.choice(words.TEXTS)
        else:
            made.dense.values.extend(self._numbers(self.space))

    def _dense(self, made: Any) -> None:
        made.values.extend(self._numbers(self.space))

    def _point_id(self, made: Any) -> None:
        if self.draw.random() < 0.75:
            made.number = self.draw.randrange(64)
        else:
            made.key = self.draw.choice(words.KEYS)


def nodes(message: Message) -> Iterator[Message]:
    """The message and all within it."""
    yield message
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            is_message = field.message_type.fields_by_name["value"].message_type is not None
            inner = [value[key] for key in sorted(value)] if is_message else []
        else:
            inner = value if field.is_repeated else [value]
        for each in inner:
            yield from nodes(each)


@cache
def loops(descriptor: Descriptor) -> tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]:
    """Where messages of a request hold their own kind: field numbers of the way to one, and from it to the next."""
    found = []
    for type_, path in _reached(descriptor).items():
        found += [(path, loop) for loop in _paths(type_, type_, 3)]
    return tuple(found)


def _reached(descriptor: Descriptor) -> dict[Descriptor, tuple[int, ...]]:
    """The types of messages within a message, and a shortest way to each."""
    reached: dict[Descriptor, tuple[int, ...]] = {descriptor: ()}
    waiting = [descriptor]
    while waiting:
        type_ = waiting.pop(0)
        for field in type_.fields:
            if field.message_type is not None and field.message_type not in reached:
                reached[field.message_type] = (*reached[type_], field.number)
                waiting.append(field.message_type)
    return reached


def _paths(start: Descriptor, goal: Descriptor, longest: int) -> Iterator[tuple[int, ...]]:
    for field in start.fields:
        if field.message_type is goal:
            yield (field.number,)
        elif field.message_type is not None and longest > 1:
            yield from ((field.number, *rest) for rest in _paths(field.message_type, goal, longest - 1))


def _is_optional(oneof: Any) -> bool:
    """Whether it is what `optional` makes, not a choice."""
    return len(oneof.fields) == 1 and oneof.name.startswith("_")


_REQUIRED = frozenset(
    (
        *("collection_name", "label", "labels", "index_id", "id", "ids", "using", "size", "path", "kind", "task_id"),
        *("property_name", "query", "vector", "nearest", "key", "aggregations", "selector", "points", "limit", "type"),
    )
)
_SPECIAL: Mapping[str, Callable[[Maker, Any], None]] = {
    "Vector": Maker._vector,
    "DenseVector": Maker._dense,
    "PointId": Maker._point_id,
}
