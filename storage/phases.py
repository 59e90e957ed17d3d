"""The phases that a task of background work goes through. Told to users by value: do not rename."""

from enum import Enum


class Phase(Enum):
    """In about this order; no task has all of them. The last three are ends."""

    WAITING = "waiting"
    COPYING = "copying"
    PARTITIONING = "partitioning"
    ASSIGNING = "assigning"
    BUILDING = "building"
    CHECKING = "checking"
    PUBLISHING = "publishing"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = (Phase.DONE, Phase.FAILED, Phase.CANCELLED)
