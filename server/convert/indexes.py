"""Indexes: messages <-> policies and properties."""

from collections.abc import Mapping

from headwater.v1 import common_pb2
from headwater.v1 import indexes_pb2 as wire
from planner.analyze import Coverage
from server.convert.field_paths import enum_value
from server.convert.schema import DISTANCES
from storage.schema import DenseSpace, Distance, IndexSource, ReadyPolicy

SOURCES: Mapping[int, IndexSource] = {
    wire.INDEX_SOURCE_EXTERNAL: IndexSource.EXTERNAL,
    wire.INDEX_SOURCE_MANAGED: IndexSource.MANAGED,
}
READY_POLICIES: Mapping[int, ReadyPolicy] = {
    wire.READY_POLICY_UNSPECIFIED: ReadyPolicy.FIRST_VECTOR,
    wire.READY_POLICY_FIRST_VECTOR: ReadyPolicy.FIRST_VECTOR,
    wire.READY_POLICY_FULL_COVERAGE: ReadyPolicy.FULL_COVERAGE,
}
_SOURCE_NUMBERS = {source: number for number, source in SOURCES.items()}
_READY_NUMBERS = {policy: number for number, policy in READY_POLICIES.items()}
_DISTANCE_NUMBERS = {distance: number for number, distance in DISTANCES.items()}


def source_of(number: int, path: str) -> IndexSource | None:
    """The source; None if it is not set. Raises InvalidRequest for an unknown number."""
    return None if number == wire.INDEX_SOURCE_UNSPECIFIED else enum_value(SOURCES, number, path)


def similarity_of(number: int, path: str) -> Distance | None:
    """The metric; None if it is not set. Raises InvalidRequest for an unknown number."""
    return None if number == common_pb2.DISTANCE_UNSPECIFIED else enum_value(DISTANCES, number, path)


def ready_policy_of(number: int, path: str) -> ReadyPolicy:
    return enum_value(READY_POLICIES, number, path)


def index_message(
    index_id: str, label: str, name: str, space: DenseSpace, status: wire.IndexStatus, error: str = ""
) -> wire.Index:
    """The message of the index in the space `name`. Requires: the space has a policy."""
    policy = space.policy
    assert policy is not None
    return wire.Index(
        id=index_id,
        label=label,
        property_name=policy.property,
        source=_SOURCE_NUMBERS[policy.source],  # type: ignore[arg-type]
        similarity=_DISTANCE_NUMBERS[space.distance],  # type: ignore[arg-type]
        dimensions=space.size,
        ready_policy=_READY_NUMBERS[policy.ready],  # type: ignore[arg-type]
        space=name,
        embedder=space.embedder,
        status=status,
        error=error,
    )


def coverage_message(index_id: str, coverage: Coverage) -> wire.IndexCoverage:
    return wire.IndexCoverage(
        index_id=index_id,
        total=coverage.total,
        indexed=coverage.indexed,
        pending=coverage.pending,
        seq=coverage.seq,
    )
