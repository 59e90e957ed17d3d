"""The phases of a background task. Clients see the values: do not rename them."""

from enum import Enum


class Phase(Enum):
    """Roughly in order of time; no task goes through all of them. The last three are final."""

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
