"""The process that checks LMDB files: `python -m storage.pages`. walks.py starts it and asks it; a crash ends it alone.

Standard input holds requests and standard output the replies, one line each (messages.py). It ends when no request
comes for some seconds.
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
_MAP_SIZE = 2**40  # reading takes address space alone


def main() -> None:
    os.nice(_PRIORITY)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server decides what Ctrl-C in a terminal means
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
    except Exception as error:  # an unforeseen error can only come from damage
        traceback.print_exc()
        return Damaged(offset=0, message=f"its pages cannot be read: {type(error).__name__}: {error}")
    return Sound()


def _open_tables(file: Path) -> None:
    """Has LMDB read the first and the last entry of every table. Raises lmdb.Error."""
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
