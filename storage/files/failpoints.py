"""Named points where a test may kill the process, as a power cut would. Does nothing unless a variable names one."""

import os
import signal

VARIABLE = "HEADWATER_FAILPOINT"
"""`name` kills the process the first time it reaches the point, `name:3` the third time."""

NAMES = (
    "before_data_sync",
    "after_data_sync",
    "before_commit",
    "after_commit",
    "build_publish",
    "merge_copy",
    "merge_publish",
    "vacuum_publish",
    "drop_collection_committed",
    "drop_space_committed",
    "partition_written",
    "snapshot_write",
    "snapshot_publish",
    "restore_extract",
    "restore_publish",
)

_wanted, _, _count = os.environ.get(VARIABLE, "").partition(":")
_left = int(_count or 1)


def failpoint(name: str) -> None:
    """Kills the process with SIGKILL when the variable names this point."""
    global _left
    if name != _wanted:
        return
    assert name in NAMES, "NAMES lists every failpoint"
    _left -= 1
    if _left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
