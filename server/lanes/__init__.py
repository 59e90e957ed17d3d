"""Which request works when: callers take turns, expensive requests have few places, and every wait has a bound.

`caller` says who asks and `costs` what a request costs. `lane`, `fair_queue` and `turn` decide who works now.
`admission` has all lanes and bounds. Calls come in through `receiving`; `arrivals` bounds how many messages arrive at a
time, and `threads` runs the work. `watchdog` ends streams that stand still. `counts` shows the state to people.
"""

from server.lanes.admission import Admission, AdmissionBounds
from server.lanes.caller import caller_of
from server.lanes.costs import kind_of, kind_of_points, points_of
from server.lanes.lane import Lane
from server.lanes.receiving import Receiver
from server.lanes.turn import Turn

__all__ = [
    "Admission",
    "AdmissionBounds",
    "Lane",
    "Receiver",
    "Turn",
    "caller_of",
    "kind_of",
    "kind_of_points",
    "points_of",
]
