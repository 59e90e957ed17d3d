"""The process that walks LMDB files: `python -m storage.pages`. Started and asked by walks.py; a crash ends it alone.

Standard input has requests, standard output the replies: one line each (messages.py). Without requests it ends.
"""

import os
import select
import signal
import sys
import time
import traceback
from pathlib import Path

import lmdb

from storage.files import plain_path
from storage.pages.layout import Damage
from storage.pages.messages import Answer, Damaged, NotWalked, Progress, Sound, WalkRequest, reply_to_json
from storage.pages.walk import walk_file

IDLE_SECONDS = 10.0
_PRIORITY = 10
_TELL_SECONDS = 1.0
_MAP_SIZE = 2**40  # reading needs address space only


def main() -> None:
    os.nice(_PRIORITY)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # what a terminal sends is for the server to decide
    while select.select([sys.stdin], [], [], IDLE_SECONDS)[0]:
        line = sys.stdin.readline()
        if not line:
            return
        print(reply_to_json(_answer(WalkRequest.from_json(line))), flush=True)


def _answer(request: WalkRequest) -> Answer:
    told = time.monotonic()

    def progress(seen: int, pages: int) -> None:
        nonlocal told
        if time.monotonic() - told >= _TELL_SECONDS:
            told = time.monotonic()
            print(reply_to_json(Progress(seen=seen, pages=pages)), flush=True)

    try:
        walk_file(request.path, progress, request.start, request.size)
        if not request.start:
            _open_tables(Path(request.path))
    except Damage as damage:
        return Damaged(offset=damage.offset, message=damage.message)
    except lmdb.Error as error:
        return Damaged(offset=0, message=str(error))
    except (OSError, MemoryError) as error:
        return NotWalked(reason=str(error) or type(error).__name__)
    except Exception as error:  # only damage that nobody thought of explains it
        traceback.print_exc()
        return Damaged(offset=0, message=f"its pages cannot be walked: {type(error).__name__}: {error}")
    return Sound()


def _open_tables(file: Path) -> None:
    """Has LMDB find both ends of every table. Raises lmdb.Error."""
    with (
        plain_path(file.parent) as text,
        lmdb.open(text, map_size=_MAP_SIZE, max_dbs=4096, readonly=True, lock=False) as env,
        env.begin() as txn,
    ):
        for name in list(txn.cursor().iternext(values=False)):
            with txn.cursor(env.open_db(name, txn=txn, create=False)) as cursor:
                cursor.first()
                cursor.last()


if __name__ == "__main__":
    main()
