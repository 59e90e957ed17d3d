"""Cases: requests with all that surrounds them, each made of the seed and its number alone. Sends nothing."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from google.protobuf.message import Message

from tests.attack import hostile
from tests.attack.rpcs import Metadata, Rpc
from tests.attack.sound import sound_requests, sound_texts
from tests.attack.structured import Maker, loops
from tests.attack.words import ABSENT, SPARE, Learned

API_KEY = "the right key"
PATIENCE = 60.0
"""Deadline in seconds of a call that is to be answered: longer than any of them needs on a busy machine."""
DEPTHS = (2, 9, 16, 17, 25, 49, 99, 101, 500, 3_000)
DEAR = ("Optimize", "RebuildIndex", "TriggerRebuild", "CompactCollection", "CloneCollection", "RestoreSnapshot")
ENDING = ("Collections/Delete", "VDE/Close", "VDE/DeleteSnapshot")
DEAR_SHARE = 0.05
"""How often RPCs that start processes or copy files are asked, to one of the others."""


class Manner(Enum):
    """How a call is made."""

    PLAIN = "sends, half-closes, reads"
    CANCELLED = "is cancelled early"
    OPEN = "never half-closes, and is cancelled"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One call. `messages` are as they are sent."""

    number: int
    rpc: Rpc
    messages: tuple[bytes, ...]
    metadata: Metadata = (("api-key", API_KEY),)
    timeout: float = PATIENCE
    manner: Manner = Manner.PLAIN
    compressed: bool = False

    @property
    def has_key(self) -> bool:
        """Whether it carries the right key, and no other."""
        return [value for name, value in self.metadata if name == "api-key"] == [API_KEY]

    @property
    def parses(self) -> bool:
        """Whether all messages are of the RPC's type."""
        return all(self.rpc.parses(message) for message in self.messages)


def make_case(seed: int, number: int, rpcs: Sequence[Rpc], learned: Learned) -> Case:
    """Case `number` of a seed. Equal arguments make equal cases. The first ones are all that is known to succeed."""
    draw = random.Random(f"{seed}:{number}")
    known = [(rpc, text) for rpc in rpcs for text in sound_texts().get(rpc.name, ())]
    if number < len(known):
        rpc, text = known[number]
        return _sound_case(number, rpc, sound_requests(rpc, text, learned))
    weights = [DEAR_SHARE if rpc.name.rpartition("/")[2] in DEAR else 1.0 for rpc in rpcs]
    rpc = draw.choices(rpcs, weights)[0]
    kind = draw.random()
    if kind < 0.12:
        return _sound_case(number, rpc, _sound(draw, rpc, learned))
    messages = _messages(draw, rpc, rpcs, learned)
    return _surrounded(draw, Case(number=number, rpc=rpc, messages=messages))


def _sound_case(number: int, rpc: Rpc, messages: Sequence[Message]) -> Case:
    return Case(number=number, rpc=rpc, messages=tuple(message.SerializeToString() for message in messages))


def _messages(draw: random.Random, rpc: Rpc, rpcs: Sequence[Rpc], learned: Learned) -> tuple[bytes, ...]:
    maker = Maker(draw, learned, wild=draw.choice((0.0, 0.0, 0.02, 0.1, 0.4)))
    made = _structured(draw, maker, rpc, learned)
    if rpc.name.endswith(ENDING):
        _spared(draw, made[0])
    raws = [message.SerializeToString() for message in made]
    kind = draw.random()
    if kind < 0.15:
        other = draw.choice(rpcs)
        place = draw.randrange(len(raws)) if raws else 0
        raws[place : place + 1] = [
            hostile.damaged(draw, b"".join(raws[place : place + 1]), _any_raw(draw, other, learned))
        ]
    elif kind < 0.2 and loops(rpc.request):
        path, loop = draw.choice(loops(rpc.request))
        deep = hostile.nested(loop, draw.choice(DEPTHS) * len(loop))
        raws.append(b"".join(raws[:1]) + hostile.nested(path, len(path), deep))
        raws = raws[-1:]
    if rpc.client_streaming:
        raws = raws * draw.choices((0, 1, 2), (1, 8, 1))[0]
    elif draw.random() < 0.01:
        raws = raws * draw.choice((0, 2))
    return tuple(raws)


def _spared(draw: random.Random, message: Any) -> None:
    """Aims what ends a collection at one that the rest does not need, but for a few times."""
    if draw.random() < 0.97:
        message.collection_name = draw.choice((SPARE, f"{SPARE} 1", f"{SPARE} 2", ABSENT))


def _structured(draw: random.Random, maker: Maker, rpc: Rpc, learned: Learned) -> list[Message]:
    if draw.random() < 0.5:
        messages = _sound(draw, rpc, learned)
        for _ in range(draw.choice((1, 1, 2, 4))):
            maker.mutate(draw.choice(messages))
        return messages
    count = draw.choice((1, 2, 3)) if rpc.client_streaming else 1
    return [maker.message(rpc.request) for _ in range(count)]


def _sound(draw: random.Random, rpc: Rpc, learned: Learned) -> list[Message]:
    return sound_requests(rpc, draw.choice(sound_texts()[rpc.name]), learned)


def _any_raw(draw: random.Random, rpc: Rpc, learned: Learned) -> bytes:
    return _sound(draw, rpc, learned)[0].SerializeToString()


def _surrounded(draw: random.Random, case: Case) -> Case:
    """The case with odd metadata, a short deadline, an early end or compression, now and then."""
    kind = draw.random()
    if kind < 0.04:
        return replace(case, metadata=draw.choice(_ODD_METADATA))
    if kind < 0.08:
        return replace(case, timeout=draw.choice((0.0, 1e-6, 1e-3, 0.02, 1e9)))
    if kind < 0.11:
        return replace(case, manner=Manner.CANCELLED, timeout=1.0)
    if kind < 0.12:
        return replace(case, manner=Manner.OPEN, timeout=1.0)
    return replace(case, compressed=kind < 0.17)


_RIGHT = ("api-key", API_KEY)
_ODD_METADATA: Sequence[Metadata] = (
    (),
    (("api-key", ""),),
    (("api-key", "wrong"),),
    (("api-key", API_KEY + " "),),
    (("api-key-bin", API_KEY.encode()),),
    (("api-key", "wrong"), _RIGHT),
    (_RIGHT, ("api-key", "wrong")),
    (_RIGHT, _RIGHT),
    (_RIGHT, ("x-odd-bin", b"\x00\xff" * 500)),
    (_RIGHT, *((f"x-{number}", "v" * 20) for number in range(60))),
    (_RIGHT, ("x-large", "v" * 6_000)),
    (_RIGHT, ("authorization", "Bearer x"), ("user-agent", "odd")),
)
