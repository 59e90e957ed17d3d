"""Who works when: callers take turns, dear work has few places, and nobody waits without a bound.

`caller` says who asks, `costs` what a request costs; `lane`, `fair_queue` and `turn` who works now; `admission` has all
lanes and bounds; `receiving` is where calls come in, `arrivals` how many messages at a time, `threads` what runs them;
`watchdog` ends streams that stand still; `counts` is what a person may look at.
"""

from server.lanes.admission import Admission, AdmissionBounds
from server.lanes.caller import caller_of
from server.lanes.costs import kind_of
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
]
