"""Reads the message of a request that works, and finds the lane in which it belongs. All doors of the server use it."""

from typing import Any, Protocol

from server.lanes.admission import Admission
from server.lanes.lane import Lane
from server.lanes.turn import Turn


class Rpc(Protocol):
    """What lanes need of the calls of one method. A door also calls it, and passes a Turn instead of the message."""

    @property
    def receives(self) -> bool:
        """Whether a call begins with one message, and needs no thread before that message has come."""

    def authenticate(self, metadata: Any) -> object:
        """What the key in the metadata may do. Raises Unauthenticated and PermissionDenied."""

    def entrance(self, size: int) -> Lane:
        """Returns the first lane of a call whose message has `size` bytes."""

    def read(self, message: Any, access: Any) -> object:
        """The request in a message, or the error if it cannot be read. `access`: see `authenticate`. Raises nothing."""

    def lane_of(self, request: Any, size: int) -> Lane:
        """Returns the lane in which a request works."""


def read_in_lane(admission: Admission, rpc: Rpc, turn: Turn, message: Any) -> bool:
    """Reads the message of a turn that works. False: its request was placed in another lane, where it begins again.

    The second time there is a request already, and `message` is not looked at.
    """
    if turn.request is not None:
        return True
    if not rpc.receives:
        turn.request = message
        return True
    turn.request = rpc.read(message, turn.access)
    lane = rpc.lane_of(turn.request, turn.size)
    if lane is turn.lane:
        return True
    turn.reroute(lane)
    admission.place(turn)
    return False
