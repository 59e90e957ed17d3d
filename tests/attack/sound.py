"""For each RPC requests that succeed in the prepared world. They are written in sound.txt.

`$index`, `$passing`, `$managed`, `$task`, `$cursor` and `$partition` stand for names that the server gave, `$snapshot`
for the bytes of a snapshot in parts and `$size` for their number.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from google.protobuf import text_format
from google.protobuf.message import Message

from tests.attack.rpcs import Rpc
from tests.attack.words import BARE, Learned

TEXTS = Path(__file__).with_name("sound.txt")
PART = " --- "
PIECE = 2**16


@cache
def sound_texts() -> Mapping[str, Sequence[str]]:
    """The texts of the requests of each RPC, by its name."""
    words: dict[str, str] = {}
    found: dict[str, list[str]] = {}
    for line in TEXTS.read_text(encoding="utf-8").splitlines():
        name, _, text = line.partition(" ")
        if name.startswith("$"):
            words[name] = _replaced(text.removeprefix("= "), words)
        elif name and name != "#":
            found.setdefault(name, []).append(_replaced(text, words))
    return found


def sound_requests(rpc: Rpc, text: str, learned: Learned) -> list[Message]:
    """The messages of one of the texts."""
    whole = _replaced(text, _names(learned))
    return [message for part in whole.split(PART) for message in _parsed(rpc, part, learned)]


def _parsed(rpc: Rpc, text: str, learned: Learned) -> Iterator[Message]:
    if text != "$snapshot":
        yield text_format.Parse(text, rpc.new())
        return
    raw = learned.snapshots[BARE]
    for start in range(0, len(raw), PIECE):
        message = rpc.new()
        message.chunk = raw[start : start + PIECE]  # type: ignore[attr-defined]
        yield message


def _replaced(text: str, words: Mapping[str, str]) -> str:
    for word, meaning in words.items():
        text = text.replace(word, meaning)
    return text


def _names(learned: Learned) -> Mapping[str, str]:
    return {
        "$index": learned.index_ids[0],
        "$passing": learned.index_ids[1],
        "$managed": learned.index_ids[-1],
        "$task": learned.task_ids[0],
        "$cursor": learned.cursors[0],
        "$partition": learned.partition_ids[0],
        "$size": str(len(learned.snapshots[BARE])),
    }
