"""A process that lets lives die, one a job: `python -m tests.crash.runner FOLDER`, with the shim preloaded.

It reads a job as a line of JSON and answers with one. Each life is a fork, so it costs no start of an interpreter; what
it left is verified by another fork, which damage may end. Owns what is compared, not which places are visited.
"""

import ctypes
import json
import logging
import os
import select
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any

from storage.check import check
from storage.database import Database
from storage.errors import AlreadyExists, EngineError, NotFound, StorageFailed, StorageFull
from storage.files.directory import is_data_directory
from storage.write.operations import ByIds, DeletePoints
from tests.crash.lives import LIVES, Life, Session, Step, world_before
from tests.crash.power import VARIANTS, Disk, Image, read_log, write_image
from tests.crash.world import World, batch, found
from tests.support.directories import CODEC, QUIET

KILL_BEFORE, KILL_AFTER, FULL, FULL_UNTIL_THE_END = 1, 2, 3, 4
LIFE_SECONDS = 120

Answer = dict[str, Any]


class Shim:
    """The preloaded library, see places.c."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(None)
        self._library.places_last.restype = ctypes.c_char_p
        self._library.places_count.restype = ctypes.c_long
        self._library.places_arm.argtypes = [ctypes.c_char_p, ctypes.c_long, ctypes.c_int]

    def arm(self, folder: Path, place: int, mode: int) -> None:
        self._library.places_arm(os.fsencode(folder), place, min(mode, FULL))

    def count(self) -> int:
        return int(self._library.places_count())

    def make_room(self) -> None:
        self._library.places_make_room()

    def last(self) -> str:
        return os.fsdecode(self._library.places_last())

    def log(self, handle: int) -> None:
        self._library.places_log(handle)

    def mark(self, text: str) -> None:
        self._library.places_mark(text.encode())


def forked(work: Callable[[Callable[[Any], None]], None]) -> tuple[list[Any], int]:
    """What `work` says in a fork of this process, and how that ended: its exit code, or minus the signal."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        code = 1
        try:
            work(lambda said: void(os.write(writing, json.dumps(said).encode() + b"\n")))
            code = 0
        except BaseException:
            os.write(writing, json.dumps({"broken": traceback.format_exc()}).encode() + b"\n")
        finally:
            os._exit(code)
    os.close(writing)
    said = _read_all(reading, process)
    _, status = os.waitpid(process, 0)
    return said, os.waitstatus_to_exitcode(status)


def void(_: object) -> None:
    return None


def _read_all(reading: int, process: int) -> list[Any]:
    """All lines of a fork; kills it when it takes too long."""
    data, deadline = b"", time.monotonic() + LIFE_SECONDS
    while True:
        ready, _, _ = select.select([reading], [], [], max(0, deadline - time.monotonic()))
        if not ready:
            os.kill(process, signal.SIGKILL)
            data += json.dumps({"broken": "it hangs"}).encode() + b"\n"
            break
        chunk = os.read(reading, 2**16)
        if not chunk:
            break
        data += chunk
    os.close(reading)
    return [json.loads(line) for line in data.splitlines(keepends=True) if line.endswith(b"\n")]


class Runner:
    def __init__(self, root: Path) -> None:
        self._root = root
        self._shim = Shim()

    def prepared(self, name: str) -> Path:
        """The directory with which a life begins; made once."""
        life, folder = LIVES[name], self._root / "prepared" / name / "data"
        if folder.parent.exists():
            return folder.parent
        folder.parent.mkdir(parents=True)

        def work(say: Callable[[Any], None]) -> None:
            session = Session(folder, QUIET)
            for step in life.before:
                step.act(session)
            if life.cleanly:
                session.close()

        if life.before:
            said, code = forked(work)
            assert code == 0, said
        return folder.parent

    def _fresh(self, name: str) -> Path:
        """Where a life begins, on a disk that holds nothing else."""
        disk = self._root / "disk"
        shutil.rmtree(disk, ignore_errors=True)
        shutil.copytree(self.prepared(name), disk)
        return disk / "data"

    def lose_power(self, name: str, share: int, first: int) -> Answer:
        """Lives without a death, then verifies what a power loss at every `share`-th moment may have left."""
        life, folder = LIVES[name], self._fresh(name)
        disk, log = Disk(folder.parent), self._root / "log"
        with log.open("wb") as file:
            said, code = forked(lambda say: _live(self._shim, life, folder, 0, KILL_BEFORE, say, file.fileno()))
        answer: Answer = {"broken": [each for each in said if "broken" in each], "moments": 0, "images": 0}
        heard: list[Any] = []
        seen: set[int] = set()
        for number, call in enumerate(read_log(log)):
            if call.kind == "A":
                heard.append(json.loads(call.path))
            disk.apply(call)
            if number % share != first:
                continue
            answer["moments"] += 1
            worlds = [world.plain() for world in _worlds(life, heard)]
            for variant in VARIANTS:
                image = disk.image(*variant, Random(number))
                key = hash((json.dumps(worlds), *sorted(image.items())))
                if key not in seen:
                    seen.add(key)
                    answer["images"] += 1
                    answer["broken"] += self._verify_image(
                        image, worlds, f"call {number} {call.kind} {call.path} {variant}"
                    )
        answer["code"] = code
        return answer

    def _verify_image(self, image: Image, worlds: list[dict[str, Any]], what: str) -> list[Any]:
        disk = self._root / "image"
        shutil.rmtree(disk, ignore_errors=True)
        write_image(image, disk)
        checked, ended = forked(lambda say: verify(disk / "data", worlds, say))
        broken = [{"broken": f"{what}\n{each['broken']}"} for each in checked if "broken" in each]
        return broken or ([{"broken": f"{what}: verifying ended by {ended}"}] if ended else [])

    def run(self, name: str, place: int, mode: int) -> Answer:
        """Lives and dies at `place` (0: not at all), then verifies what is left."""
        life, folder = LIVES[name], self._fresh(name)
        said, code = forked(lambda say: _live(self._shim, life, folder, place, mode, say))
        answer: Answer = {"code": code, "broken": [each for each in said if "broken" in each]}
        answer["place"] = next((each["place"] for each in said if "place" in each), "")
        answer["count"] = next((each["count"] for each in said if "count" in each), 0)
        answer["refused"] = [each["refused"] for each in said if "refused" in each]
        answer["unfinished"] = code == 0 and not any("count" in each for each in said)
        worlds = [world.plain() for world in _worlds(life, said)]
        answer["steps"] = sum("done" in each for each in said)
        checked, ended = forked(lambda say: verify(folder, worlds, say))
        answer["broken"] += [each for each in checked if "broken" in each]
        if ended != 0 and not answer["broken"]:
            answer["broken"].append({"broken": f"verifying ended by {ended}"})
        return answer


def _live(
    shim: Shim, life: Life, folder: Path, place: int, mode: int, tell: Callable[[Any], None], log: int = -1
) -> None:
    """Does the steps of a life. When the disk is full a step may be refused; then there is room, and all must work."""
    session = Session(folder, life.settings)
    refused = False

    def say(said: Any) -> None:
        tell(said)
        shim.mark(json.dumps(said))

    shim.log(log)
    shim.arm(folder.parent, place, mode)
    for number, step in enumerate(life.steps):
        say({"began": number})
        try:
            step.act(session)
        except EngineError as error:
            _assert_refusal_is_right(shim, error, earlier=refused)
            refused = True
            say({"refused": number})
        else:
            say({"done": number})
    if mode == FULL:
        shim.make_room()
        _assert_life_goes_on(session)
    session.close()
    say({"count": shim.count()})
    if mode >= FULL:
        say({"place": shim.last()})


def _assert_refusal_is_right(shim: Shim, error: EngineError, *, earlier: bool) -> None:
    """`earlier`: a step before this one was refused, so what this one needs may not be there."""
    assert shim.last(), f"refused on a disk with room: {error!r}"
    assert isinstance(error, StorageFull | StorageFailed) or (
        earlier and isinstance(error, NotFound | AlreadyExists)
    ), repr(error)


def _assert_life_goes_on(session: Session) -> None:
    """Each collection takes a write again, at the latest once it was closed and opened."""
    for name in session.database.names.collections():
        if session.database.usage.status(name).state.value == "closed":
            session.database.open_collection(name)
        try:
            session.collection(name).flush()
            session.collection(name).write([batch((1000,), 1, ())]).result(60)
        except StorageFailed:
            session.database.close_collection(name)
            session.database.open_collection(name)
            session.collection(name).write([batch((1000,), 1, ())]).result(60)
        session.collection(name).write([_delete_probe()]).result(60)


def _delete_probe() -> Any:
    return DeletePoints(selector=ByIds((1000,)))


def _worlds(life: Life, said: list[Any]) -> list[World]:
    """The worlds that may be there: what was acknowledged is, what was refused is not, what was cut short may be."""
    world, refused = world_before(life), {each["refused"] for each in said if "refused" in each}
    done = {each["done"] for each in said if "done" in each}
    for number, step in enumerate(life.steps):
        if number in done:
            step.mean(world)
        elif number not in refused:
            begun = {"began": number} in said or (step.joined and {"began": number - 1} in said)
            return [world, *(_cut_short(world, life.steps[number:]) if begun else ())]
    return [world]


def _cut_short(world: World, steps: Sequence[Step]) -> Iterator[World]:
    """The worlds in which the first of `steps` was done unnoticed, and some of those joined to it."""
    world = deepcopy(world)
    for number, step in enumerate(steps):
        if number and not step.joined:
            return
        step.mean(world)
        yield deepcopy(world)


def verify(folder: Path, worlds: list[dict[str, Any]], say: Callable[[Any], None]) -> None:
    """The directory is sound as it lies there, holds one of `worlds`, and life goes on in it."""
    if is_data_directory(folder):
        assert [str(problem) for problem in check(folder).problems] == []
    database = Database.open(folder, codec=CODEC, settings=QUIET)
    plain = found(database).plain()
    if json.loads(json.dumps(plain)) not in json.loads(json.dumps(worlds)):
        raise AssertionError(f"found {_short(plain)}\nexpected one of {[_short(world) for world in worlds]}")
    for name in database.names.collections():
        database.collection(name).write([batch((1000,), 1, ())]).result(60)
    database.close()
    assert [str(problem) for problem in check(folder).problems] == []


def _short(world: dict[str, Any]) -> str:
    return json.dumps(world)[:3000]


def main() -> None:
    logging.disable()  # refusals are many here
    runner = Runner(Path(sys.argv[1]).resolve())
    for line in sys.stdin:
        job = json.loads(line)
        try:
            answer = (
                runner.lose_power(job["life"], job["share"], job["first"])
                if "share" in job
                else runner.run(job["life"], job["place"], job["mode"])
            )
        except Exception:
            answer = {"broken": [{"broken": traceback.format_exc()}], "count": 0}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
