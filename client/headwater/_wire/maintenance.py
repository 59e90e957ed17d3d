"""Converts reports of the vector data engine from the contract to the client's models."""

from collections.abc import Iterable

from headwater._wire.collections import space_state_of
from headwater.models import CollectionState, CollectionStats, RebuildTask, SpaceStats, StateInfo, TaskKind
from headwater.v1 import vde_pb2


def state_of(number: vde_pb2.CollectionState) -> CollectionState:
    return CollectionState(vde_pb2.CollectionState.Name(number))


def state_info_of(message: vde_pb2.VDEGetStateResponse) -> StateInfo:
    return StateInfo(
        state=state_of(message.state),
        reason=message.reason,
        spaces={name: space_state_of(state) for name, state in message.spaces.items()},
        warnings=dict(message.warnings),
    )


def stats_of(message: vde_pb2.VDEGetStatsResponse) -> CollectionStats:
    return CollectionStats(
        points=message.points,
        total=_space_stats_of(message.total),
        spaces={name: _space_stats_of(space) for name, space in message.spaces.items()},
        payload_disk_bytes=message.payload_disk_bytes,
        seq=message.seq,
        failed_writes=message.failed_writes,
        last_failed_write=message.last_failed_write,
        generation=message.generation,
    )


def task_of(message: vde_pb2.RebuildTask) -> RebuildTask:
    return RebuildTask(
        task_id=message.task_id,
        collection=message.collection_name,
        phase=message.phase,
        done=message.done,
        total=message.total,
        eta_seconds=message.eta_seconds if message.HasField("eta_seconds") else None,
        kind=TaskKind(vde_pb2.TaskKind.Name(message.kind)),
        using=message.using,
        started=message.started,
        finished=message.finished if message.HasField("finished") else None,
        error=message.error,
        reclaimed_bytes=message.reclaimed_bytes,
    )


def tasks_of(messages: Iterable[vde_pb2.RebuildTask]) -> list[RebuildTask]:
    return [task_of(message) for message in messages]


def _space_stats_of(message: vde_pb2.SpaceStats) -> SpaceStats:
    return SpaceStats(
        vectors=message.vectors,
        indexed_vectors=message.indexed_vectors,
        tail_vectors=message.tail_vectors,
        deleted_vectors=message.deleted_vectors,
        segments=message.segments,
        disk_bytes=message.disk_bytes,
        mapped_bytes=message.mapped_bytes,
        index=message.index,
        datatype=message.datatype,
        recall=message.recall if message.HasField("recall") else None,
        warning=message.warning,
    )
