"""Composition root: makes the server of its parts and starts and stops them in order. Owns no rule and no state."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2_grpc
from grpc_health.v1.health import SERVICE_NAME as HEALTH_SERVICE
from grpc_reflection.v1alpha import reflection

from headwater.v1 import collections_pb2, indexes_pb2, points_pb2, vde_pb2
from planner.engine import Engine
from server.analyses import PointAnalyses
from server.collections import Collections
from server.config import Config, InvalidConfig, split_address
from server.embedders.embedder import Embedders
from server.embedders.settings import EmbedderSettings, read_embedders
from server.embedders.texts import Texts
from server.field_indexes import PointFieldIndexes
from server.health import Health
from server.indexes.counts import IndexCounts
from server.indexes.policies import IndexPolicies
from server.indexes.search import IndexSearches
from server.indexes.workers import IndexWorkers
from server.indexes.writes import IndexWrites
from server.interceptors import Interceptor
from server.maintenance import VectorDataMaintenance
from server.partitions import Partitions
from server.payload import ProtobufPayloadCodec
from server.points import PointReads, PointWrites
from server.scrolling import PointScrolls
from server.search import PointQueries
from server.services import generic_handler
from server.snapshots import SnapshotTransfers
from server.text_indexes import PointTextIndexes
from server.vde import VectorDataEngine
from storage.database import Database
from storage.settings import StorageSettings

COLLECTIONS = collections_pb2.DESCRIPTOR.services_by_name["Collections"]
POINTS = points_pb2.DESCRIPTOR.services_by_name["Points"]
VDE = vde_pb2.DESCRIPTOR.services_by_name["VDE"]
INDEXES = indexes_pb2.DESCRIPTOR.services_by_name["Indexes"]
SERVICES = tuple(service.full_name for service in (COLLECTIONS, POINTS, VDE, INDEXES))


class CannotStart(Exception):
    """What keeps the server from starting, in one line."""


@contextmanager
def serve(config: Config) -> Iterator[str]:
    """Serves while the context lasts; the value is the bound address, `HOST:PORT`.

    At its end health says NOT_SERVING, running requests get `config.grace_seconds`, and then the database is closed.
    Raises CannotStart, and what Database.open raises.
    """
    settings = StorageSettings(
        map_size=config.map_size,
        max_pending_writes=config.max_pending_writes,
        max_pending_bytes=config.max_pending_bytes,
        reopen_on_use=config.reopen_on_use,
        max_build_memory=config.max_build_memory,
        max_open_collections=config.max_open_collections,
    )
    embedders = Embedders(_embedder_settings(config))
    with (
        closing(embedders),
        closing(Database.open(config.data, codec=ProtobufPayloadCodec(), settings=settings)) as database,
        closing(_make_engine(config, database)) as engine,
        closing(IndexWorkers(embedders)) as index_workers,
        ThreadPoolExecutor(config.workers, thread_name_prefix="request") as workers,
    ):
        database.watch(index_workers.notify)
        health = Health(SERVICES)
        server = _make_server(config, workers)
        _add_services(server, config, database, engine, embedders, index_workers)
        health_pb2_grpc.add_HealthServicer_to_server(health, server)
        reflection.enable_server_reflection((*SERVICES, HEALTH_SERVICE, reflection.SERVICE_NAME), server)
        address = _listen(server, config)
        server.start()
        health.ready()
        try:
            yield address
        finally:
            stopping = server.stop(config.grace_seconds)
            health.stop()
            stopping.wait()


def _embedder_settings(config: Config) -> dict[str, EmbedderSettings]:
    try:
        return {} if config.embedders is None else read_embedders(config.embedders)
    except InvalidConfig as error:
        raise CannotStart(str(error)) from None


def _make_server(config: Config, workers: ThreadPoolExecutor) -> grpc.Server:
    options = [
        ("grpc.so_reuseport", 0),  # a second server on one port must fail, not share it
        ("grpc.max_receive_message_length", config.max_message_bytes),
        ("grpc.max_send_message_length", -1),
    ]
    return grpc.server(workers, options=options, maximum_concurrent_rpcs=config.max_concurrent_rpcs)


def _make_engine(config: Config, database: Database) -> Engine:
    engine = Engine(
        database.collection,
        field_index_bytes=config.field_index_bytes,
        text_index_bytes=config.text_index_bytes,
        search_timeout=config.search_timeout,
        max_scan=config.max_scan,
    )
    database.opened, database.closed = engine.opened, engine.closed
    database.watch(engine.committed)
    return engine


def _add_services(
    server: grpc.Server,
    config: Config,
    database: Database,
    engine: Engine,
    embedders: Embedders,
    workers: IndexWorkers,
) -> None:
    interceptor = Interceptor(
        api_key=config.api_key,
        slow_ms=config.slow_ms,
        max_reply_bytes=config.max_reply_bytes,
        max_request_memory=config.max_request_memory,
    )
    texts = Texts(embedders)
    points = (
        PointWrites(database, engine, texts),
        PointReads(database, engine),
        PointTextIndexes(database),
        PointScrolls(database, engine),
        PointQueries(database, engine, texts),
        PointAnalyses(database, engine, texts),
        PointFieldIndexes(database, engine),
    )
    vde = (
        VectorDataEngine(database),
        VectorDataMaintenance(database, engine, texts, max_build_memory=config.max_build_memory),
        SnapshotTransfers(database),
        Partitions(database),
    )
    counts = IndexCounts(workers)
    indexes = (
        IndexPolicies(database, embedders, workers, counts),
        IndexWrites(database, texts),
        IndexSearches(database, engine, texts, counts),
    )
    collections = Collections(database, engine, embedders, max_dimension=config.max_dimension)
    server.add_generic_rpc_handlers(
        (
            generic_handler(COLLECTIONS, interceptor, collections),
            generic_handler(POINTS, interceptor, *points),
            generic_handler(VDE, interceptor, *vde),
            generic_handler(INDEXES, interceptor, *indexes),
        )
    )


def _listen(server: grpc.Server, config: Config) -> str:
    host, _ = split_address(config.listen)
    try:
        if config.tls_cert is not None and config.tls_key is not None:
            pair = (_read(config.tls_key), _read(config.tls_cert))
            port = server.add_secure_port(config.listen, grpc.ssl_server_credentials([pair]))
        else:
            port = server.add_insecure_port(config.listen)
    except RuntimeError:
        reason = "the port is in use, or the address is not this machine's"
        raise CannotStart(f"cannot listen on {config.listen}: {reason}") from None
    return f"{host}:{port}"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CannotStart(f"cannot read {path}: {error.strerror}") from None
