"""Where the metrics of a server are read."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from planner.engine import Engine
from server.lanes import Admission
from server.metrics.request_counts import RequestCounts
from storage.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What counts. Of the open collections, `most_collections` have series of their own."""

    counts: RequestCounts
    admission: Admission
    engine: Engine
    database: Database
    is_ready: Callable[[], bool]
    most_collections: int
    named: dict[str, str] = field(default_factory=dict)
    """The collections with series of their own: names by uid. They keep these while they are open."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    """Held while the metrics are written, once at a time."""
