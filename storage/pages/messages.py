"""The messages between walks.py and the process that checks a file (__main__.py).

In order: one request, `Progress` from time to time, one answer. Each is one line with a JSON object. Replies have a
`kind`.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkRequest:
    """Check the LMDB file in the `size` bytes from `start` of the file `path`; None: to its end."""

    path: str
    start: int
    size: int | None

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> "WalkRequest":
        return cls(**json.loads(line))


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How many of all pages are checked."""

    kind: ClassVar[str] = "progress"
    seen: int
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """The answer for an undamaged file."""

    kind: ClassVar[str] = "sound"


@dataclass(frozen=True, slots=True, kw_only=True)
class Damaged:
    """The answer for a damaged file: the byte offset, and what is wrong there."""

    kind: ClassVar[str] = "damaged"
    offset: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotWalked:
    """The answer for a file that could not be read: the reason."""

    kind: ClassVar[str] = "not walked"
    reason: str


Answer = Sound | Damaged | NotWalked
Reply = Progress | Answer

_KINDS: dict[str, type[Reply]] = {each.kind: each for each in (Progress, Sound, Damaged, NotWalked)}


def reply_to_json(reply: Reply) -> str:
    return json.dumps({"kind": reply.kind, **asdict(reply)})


def reply_from_json(line: str) -> Reply:
    values: dict[str, Any] = json.loads(line)
    return _KINDS[values.pop("kind")](**values)
