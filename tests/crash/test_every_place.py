"""Lives that die at every call that changes a file, or meet a full disk there, and power losses between the calls.

After each the directory opens, its check passes, what was acknowledged is there, what was refused is not, and work goes
on. A run visits a share of the places, another one each day; `make test-all` visits all. See runner.py.
"""

from collections.abc import Sequence

import pytest

from tests.crash.conftest import Deaths
from tests.crash.lives import LIVES
from tests.crash.runner import FULL, FULL_UNTIL_THE_END, KILL_AFTER, KILL_BEFORE

KILLED = -9
SHOWN = 3


@pytest.mark.slow
@pytest.mark.parametrize("mode", [KILL_BEFORE, KILL_AFTER], ids=["before", "in or after"])
@pytest.mark.parametrize("life", LIVES)
def test_a_kill_at_a_call(life: str, mode: int, deaths: Deaths) -> None:
    """`in or after`: a write is then done by half."""
    broken = []
    for place in deaths.places(life):
        answer = deaths.ask(life=life, place=place, mode=mode)
        # Where there is background work a life may have fewer calls than another.
        assert answer.get("code") == KILLED or answer["broken"] or LIVES[life].settings.background, (place, answer)
        broken += [(place, each["broken"]) for each in answer["broken"]]
    assert not broken, _told(broken)


@pytest.mark.parametrize("life", LIVES)
def test_a_full_disk_from_a_call_on(life: str, deaths: Deaths) -> None:
    """Either there is room before the process ends, and then all must work at once, or there is none until it ended."""
    broken = []
    for place in deaths.places(life):
        answer = deaths.ask(life=life, place=place, mode=FULL if place // deaths.stride % 2 else FULL_UNTIL_THE_END)
        assert answer.get("code") == 0 or answer["broken"], (place, answer)
        broken += [(f"{place} {answer.get('place', '')}", each["broken"]) for each in answer["broken"]]
    assert not broken, _told(broken)


@pytest.mark.slow
@pytest.mark.parametrize("life", LIVES)
def test_a_power_loss_between_calls(life: str, deaths: Deaths) -> None:
    answer = deaths.ask(life=life, share=deaths.stride, first=deaths.first)
    assert not answer["broken"], _told([("power loss", each["broken"]) for each in answer["broken"]])
    assert answer["code"] == 0
    assert answer["images"]


def _told(broken: Sequence[tuple[object, str]]) -> str:
    """The first failures; they are mostly alike."""
    return f"{len(broken)} places\n" + "\n".join(f"place {place}:\n{text}" for place, text in broken[:SHOWN])
