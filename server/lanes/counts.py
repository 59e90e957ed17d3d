"""The state of the lanes, for people and metrics endpoints. It counts nothing itself."""

from collections.abc import Mapping
from dataclasses import asdict

from server.lanes.admission import Admission


def counts_of(admission: Admission) -> Mapping[str, Mapping[str, float]]:
    """By lane: `working`, `begun` and `waiting` now; `started`, `refused` and `waited_seconds` since the start."""
    return {name: asdict(counts) for name, counts in admission.counts().items()}
