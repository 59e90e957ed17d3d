"""Makes a failing case smaller while it still fails, and writes it so that a person can read it. Judges nothing."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from google.protobuf import text_format
from google.protobuf.message import Message

from tests.attack.cases import Case
from tests.attack.structured import nodes

MOST_TRIES = 300
MOST_TEXT = 4_000


def shrink(case: Case, fails: Callable[[Case], bool]) -> Case:
    """The smallest case found within MOST_TRIES calls of `fails`; only what parses is made smaller."""
    tries = MOST_TRIES
    changed = case.parses
    while changed and tries > 0:
        changed = False
        for smaller in _smaller(case):
            tries -= 1
            if tries < 0:
                break
            if fails(smaller):
                case, changed = smaller, True
                break
    return case


def readable(case: Case) -> str:
    """The case as text: how it is called, and its messages as far as they can be read."""
    surroundings = f"{case.rpc.path}  metadata={list(case.metadata)[:4]} timeout={case.timeout} {case.manner.name}"
    parts = [surroundings]
    for raw in case.messages:
        message = case.rpc.new()
        try:
            message.ParseFromString(raw)
            parts.append(text_format.MessageToString(message, as_utf8=True)[:MOST_TEXT])
        except Exception:
            parts.append(f"bytes.fromhex({raw.hex()[:MOST_TEXT]!r})")
    return "\n".join(parts)


def _smaller(case: Case) -> Iterator[Case]:
    for place, raw in enumerate(case.messages):
        others = case.messages[:place] + case.messages[place + 1 :]
        if others:
            yield replace(case, messages=others)
        for changed in _smaller_messages(case, raw):
            yield replace(case, messages=(*case.messages[:place], changed, *case.messages[place + 1 :]))


def _smaller_messages(case: Case, raw: bytes) -> Iterator[bytes]:
    """The message without one field, one half of a repeated field, or one half of a text."""
    whole: Message = case.rpc.new()
    whole.ParseFromString(raw)
    for place, node in enumerate(nodes(whole)):
        for field, value in node.ListFields():
            yield _changed(case, raw, place, field.name, None)
            if isinstance(value, str | bytes) and len(value) > 1:
                yield _changed(case, raw, place, field.name, value[: len(value) // 2])
            elif field.is_repeated and len(value) > 1 and not hasattr(value, "keys"):
                yield _changed(case, raw, place, field.name, list(value)[: len(value) // 2])
                yield _changed(case, raw, place, field.name, list(value)[len(value) // 2 :])


def _changed(case: Case, raw: bytes, place: int, name: str, value: Any) -> bytes:
    copy: Message = case.rpc.new()
    copy.ParseFromString(raw)
    node = list(nodes(copy))[place]
    node.ClearField(name)
    if isinstance(value, list):
        getattr(node, name).extend(value)
    elif value is not None:
        setattr(node, name, value)
    return copy.SerializeToString()
