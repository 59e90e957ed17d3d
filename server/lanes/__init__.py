"""Which request works when: callers take turns, expensive requests have few places, and every wait has a bound.

`caller` says who asks and `costs` what a request costs. `lane`, `fair_queue` and `turn` decide who works now.
`admission` has all lanes and bounds. gRPC's calls come in through `receiving`, and `arrivals` bounds how many messages
arrive at a time. `placing` finds the lane of a message, and `threads` runs the work. `watchdog` ends streams that stand
still. `counts` shows the state to people.
"""

from server.lanes.admission import Admission, AdmissionBounds
from server.lanes.caller import caller_of
from server.lanes.costs import kind_of, kind_of_points, points_of
from server.lanes.lane import Lane
from server.lanes.placing import Rpc, read_in_lane
from server.lanes.receiving import Receiver
from server.lanes.turn import Call, Turn

__all__ = [
    "Admission",
    "AdmissionBounds",
    "Call",
    "Lane",
    "Receiver",
    "Rpc",
    "Turn",
    "caller_of",
    "kind_of",
    "kind_of_points",
    "points_of",
    "read_in_lane",
]
