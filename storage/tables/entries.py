"""Entries of a table, many at a time. Knows nothing of what they hold."""

from collections.abc import Sequence
from itertools import islice
from operator import lt

import lmdb


def put_entries(txn: lmdb.Transaction, table: lmdb._Database, keys: Sequence[bytes], values: Sequence[bytes]) -> None:
    """Puts `values[i]` at `keys[i]`. Of a key given twice the last value stays.

    Entries beyond all others are appended, which fills pages to the end; otherwise LMDB would leave them half empty.
    """
    with txn.cursor(table) as cursor:
        cursor.putmulti(list(zip(keys, values, strict=True)), append=_are_beyond(cursor, keys))


def _are_beyond(cursor: lmdb.Cursor, keys: Sequence[bytes]) -> bool:
    """Whether the keys ascend and are greater than all in the table."""
    ascend = bool(keys) and all(map(lt, keys, islice(keys, 1, None)))
    return ascend and (not cursor.last() or bytes(cursor.key()) < keys[0])
