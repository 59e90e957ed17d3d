"""Makes the server from its parts, starts them and stops them in order. Has no rules and no state."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import grpc

from headwater.v1 import collections_pb2, indexes_pb2, keys_pb2, points_pb2, vde_pb2
from planner.engine import Engine
from server.addresses import is_loopback
from server.background import DataWatch, Reopening
from server.certificates import BadCertificates, Certificates
from server.config import Config, InvalidConfig
from server.convert import KnownRequests, ProtobufPayloadCodec
from server.embedders import Embedders, EmbedderSettings, Texts, read_embedders
from server.indexes import IndexCounts, IndexWorkers
from server.keys import InvalidKeys, Keyring, ManagedKeys, Permissions
from server.lanes import Admission, AdmissionBounds, Receiver, points_of
from server.metrics import RequestCounts, Sources, exposition
from server.rpc import (
    CannotListen,
    Health,
    Interceptor,
    generic_handler,
    health_handler,
    listen,
    reflection_handler,
    rpcs_of,
    stop,
)
from server.services import (
    Collections,
    IndexPolicies,
    IndexSearches,
    IndexWrites,
    Keys,
    Partitions,
    PointAnalyses,
    PointFieldIndexes,
    PointQueries,
    PointReads,
    PointScrolls,
    PointTextIndexes,
    PointWrites,
    SnapshotTransfers,
    VectorDataEngine,
    VectorDataMaintenance,
)
from server.tracing import Tracing, tracing_of
from storage.collection import Collection
from storage.database import Database
from storage.settings import StorageSettings

if TYPE_CHECKING:
    from server.http import HttpPort

COLLECTIONS = collections_pb2.DESCRIPTOR.services_by_name["Collections"]
POINTS = points_pb2.DESCRIPTOR.services_by_name["Points"]
VDE = vde_pb2.DESCRIPTOR.services_by_name["VDE"]
INDEXES = indexes_pb2.DESCRIPTOR.services_by_name["Indexes"]
KEEPALIVE_TIMEOUT_MS = 20_000
"""How long a client may take to answer a ping. After that its connection counts as dead."""
MESSAGE_ROOM_BYTES = 2**16
"""Bytes of a message that a client may send before the server asks for it: see server/lanes/arrivals.py."""

KEYS = keys_pb2.DESCRIPTOR.services_by_name["Keys"]
DESCRIPTORS = (COLLECTIONS, POINTS, VDE, INDEXES, KEYS)
KEYS_FILE = "keys.json"
"""The file of stored keys in the data directory."""
SERVICES = tuple(service.full_name for service in DESCRIPTORS)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a server listens: `HOST:PORT` or `unix:/path`, and the `HOST:PORT` of HTTP if that is served."""

    grpc: str
    http: str | None


class CannotStart(Exception):
    """The reason why the server cannot start, in one line."""


@contextmanager
def serve(config: Config, tracer_provider: Any = None) -> Iterator[Addresses]:
    """Serves as long as the context lasts. The value is where it listens.

    `tracer_provider` is that of OpenTelemetry's SDK; None: the one that the process has set up, if it has.

    At the end, health says NOT_SERVING, running requests get `config.grace_seconds`, and then the database is closed.
    Raises CannotStart, and what Database.open raises.
    """
    embedders = Embedders(_embedder_settings(config))
    certificates = _certificates(config)
    with (
        closing(embedders),
        closing(_open_database(config)) as database,
        closing(_make_engine(config, database)) as engine,
        closing(IndexWorkers(embedders)) as index_workers,
        closing(Reopening(database, engine)) as reopening,
    ):
        # Only after the database is locked: until then another server may change the keys.
        keyring = _keyring(config)
        database.followers.watch(index_workers.notify)
        database.followers.closed = partial(_tell_closed, engine, index_workers)
        health = Health(SERVICES)
        admission = Admission(_admission_bounds(config))
        server = grpc.server(Receiver(admission), options=_options(config))  # type: ignore[arg-type]
        server.add_generic_rpc_handlers((health_handler(health, admission), reflection_handler(SERVICES, admission)))
        sources = _sources(config, admission, engine, database, health)
        permissions = Permissions(keyring, database.names.resolve)
        interceptor = _interceptor(config, sources, permissions, tracing_of(tracer_provider))
        rpcs = _rpcs(config, database, engine, embedders, index_workers, admission, interceptor)
        server.add_generic_rpc_handlers([generic_handler(service, rpcs) for service in DESCRIPTORS])
        port = _http_port(config, rpcs, admission, health, interceptor, sources, certificates)
        try:
            address = listen(server, config, certificates)
        except CannotListen as error:
            raise CannotStart(str(error)) from None
        server.start()
        if port is not None:
            port.start()
        reopening.start()
        health.ready()
        try:
            with closing(DataWatch(health, database.check_reachable)):
                yield Addresses(address, None if port is None else port.address)
        finally:
            health.stop()
            stop(server, admission, config.grace_seconds)
            if port is not None:
                port.close()


def _open_database(config: Config) -> Database:
    settings = StorageSettings(
        map_size=config.map_size,
        disk_reserve=config.disk_reserve,
        max_pending_writes=config.max_pending_writes,
        max_pending_bytes=config.max_pending_bytes,
        reopen_on_use=config.reopen_on_use,
        max_build_memory=config.max_build_memory,
        max_open_collections=config.max_open_collections,
    )
    return Database.open(config.data, codec=ProtobufPayloadCodec(), settings=settings)


def _embedder_settings(config: Config) -> dict[str, EmbedderSettings]:
    try:
        return {} if config.embedders is None else read_embedders(config.embedders)
    except InvalidConfig as error:
        raise CannotStart(str(error)) from None


def _keyring(config: Config) -> Keyring:
    try:
        keyring = Keyring(ManagedKeys(config.data / KEYS_FILE), path=config.keys, api_key=config.api_key)
    except InvalidKeys as error:
        raise CannotStart(f"keys: {error}") from None
    reached = config.reached_from_elsewhere()
    if reached is not None and keyring.is_open and config.tls_cert is None and not config.insecure:
        advice = "give api_key, keys or a certificate, or allow it by insecure"
        raise CannotStart(f"{reached} is reached from other machines, by everybody; {advice}")
    return keyring


def _certificates(config: Config) -> Certificates | None:
    if config.tls_cert is None or config.tls_key is None:
        return None
    try:
        return Certificates(config.tls_cert, config.tls_key, config.tls_client_ca)
    except BadCertificates as error:
        raise CannotStart(str(error)) from None


def _admission_bounds(config: Config) -> AdmissionBounds:
    return AdmissionBounds(
        workers=config.workers,
        dear_workers=config.dear_workers,
        streams=config.max_streams,
        stream_idle_seconds=config.stream_idle_seconds,
        waiting=config.max_concurrent_rpcs,
        waiting_bytes=config.max_waiting_bytes,
    )


def _options(config: Config) -> list[tuple[str, int]]:
    return [
        ("grpc.so_reuseport", 0),  # a second server on one port must fail, not share it
        ("grpc.max_receive_message_length", config.max_message_bytes),
        ("grpc.max_send_message_length", -1),
        ("grpc.max_concurrent_streams", config.max_streams_of_connection),
        # Otherwise gRPC counts calls that were answered, and refuses calls of clients that keep to the number.
        ("grpc.http.overload_protection", 0),
        # Otherwise gRPC lets a fast connection send megabytes of each message before the server asks for it.
        ("grpc.http2.bdp_probe", 0),
        ("grpc.http2.lookahead_bytes", MESSAGE_ROOM_BYTES),
        # Clients behind balancers keep connections alive by pings, every 10 s or more often, with or without calls.
        ("grpc.http2.min_recv_ping_interval_without_data_ms", round(config.min_ping_seconds * 1e3)),
        ("grpc.http2.min_ping_interval_without_data_ms", round(config.min_ping_seconds * 1e3)),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_ping_strikes", 0 if config.min_ping_seconds == 0 else 2),
        # Finds clients that vanished without closing the connection, and ends their calls.
        ("grpc.keepalive_time_ms", round(config.keepalive_seconds * 1e3)),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
    ]


def _tell_closed(engine: Engine, index_workers: IndexWorkers, collection: Collection) -> None:
    """Tells all followers of a collection that it was closed, whether or not it may be opened again."""
    engine.derived.closed(collection)
    index_workers.closed(collection)


def _make_engine(config: Config, database: Database) -> Engine:
    engine = Engine(
        database.collection,
        field_index_bytes=config.field_index_bytes,
        text_index_bytes=config.text_index_bytes,
        search_timeout=config.search_timeout,
        max_scan=config.max_scan,
    )
    database.followers.opened = engine.derived.opened
    database.followers.watch(engine.derived.committed)
    return engine


def _sources(config: Config, admission: Admission, engine: Engine, database: Database, health: Health) -> Sources:
    """Where the metrics of the server are read."""
    return Sources(
        counts=RequestCounts(),
        admission=admission,
        engine=engine,
        database=database,
        is_ready=lambda: health.is_ready,
        most_collections=config.metrics_collections,
    )


def _interceptor(config: Config, sources: Sources, permissions: Permissions, tracing: Tracing | None) -> Interceptor:
    return Interceptor(
        permissions=permissions,
        slow_ms=config.slow_ms,
        max_reply_bytes=config.max_reply_bytes,
        max_request_memory=config.max_request_memory,
        counts=None if config.http is None else sources.counts,  # only the HTTP port shows them
        tracing=tracing,
    )


def _rpcs(
    config: Config,
    database: Database,
    engine: Engine,
    embedders: Embedders,
    workers: IndexWorkers,
    admission: Admission,
    interceptor: Interceptor,
) -> dict[str, Any]:
    """All RPCs, by names such as `headwater.v1.Points/Query`."""
    texts, scrolls = Texts(embedders), PointScrolls(database, engine)
    interceptor.permissions.scroll = scrolls.scroll
    points = (
        PointWrites(database, engine, texts),
        PointReads(database, engine),
        PointTextIndexes(database),
        scrolls,
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
    readers = KnownRequests(points_of).readers
    return (
        rpcs_of(COLLECTIONS, interceptor, admission, collections)
        | rpcs_of(POINTS, interceptor, admission, *points, readers=readers)
        | rpcs_of(VDE, interceptor, admission, *vde)
        | rpcs_of(INDEXES, interceptor, admission, *indexes)
        | rpcs_of(KEYS, interceptor, admission, Keys(interceptor.permissions.keyring))
    )


def _http_port(
    config: Config,
    rpcs: dict[str, Any],
    admission: Admission,
    health: Health,
    interceptor: Interceptor,
    sources: Sources,
    certificates: Certificates | None,
) -> "HttpPort | None":
    """The HTTP port that the settings ask for. Raises CannotStart."""
    if config.http is None:
        return None
    # Its libraries take long to load, and few servers need them.
    from server.http import Bounds, CannotServe, Guards, HttpPort, application, console_routes, page

    bounds = Bounds(
        message_bytes=config.max_message_bytes,
        arriving_bytes=config.max_waiting_bytes,
        request_memory=config.max_request_memory,
    )
    hosts = frozenset(config.http_allow_host) if is_loopback(config.http) else None
    guards = Guards(hosts, frozenset(config.http_allow_origin))
    metrics = page(
        "/metrics", partial(exposition, sources), None if config.open_metrics else interceptor.permissions.check_page
    )
    app = application(
        DESCRIPTORS,
        rpcs,
        admission,
        bounds=bounds,
        guards=guards,
        is_ready=lambda: health.is_ready,
        more=[*console_routes(), metrics],
    )
    try:
        return HttpPort(app, config.http, certificates)
    except CannotServe as error:
        raise CannotStart(str(error)) from None
