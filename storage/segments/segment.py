"""The index of a segment, of any kind: the settings of its build, and opening it."""

import json
import logging
import zlib
from dataclasses import asdict, replace
from pathlib import Path

from storage.index import Graph, has_kernel
from storage.ivf import Lists, code_of, serves
from storage.schema import Datatype, DenseSpace, IndexFile, IndexKind, PartitionFile, forms_of
from storage.segments.block import SegmentIndex
from storage.segments.build_index import BuiltIndex
from storage.segments.space import SpaceView
from storage.vectors import Encoding

log = logging.getLogger(__name__)


def wants_index(space: DenseSpace) -> bool:
    """Whether segments of the space get an index. Otherwise they are scanned."""
    if space.index is IndexKind.IVF:
        return serves(space.distance)
    return space.index is not IndexKind.FLAT and has_kernel(space.distance)


def kind_of(space: DenseSpace) -> str:
    """The kind of index that segments of the space get."""
    return "ivf" if space.index is IndexKind.IVF else "hnsw"


def kind_of_index(index: SegmentIndex) -> str:
    return "ivf" if isinstance(index, Lists) else "hnsw"


def settings_of(space: DenseSpace, partition: PartitionFile | None) -> str:
    """The settings that lists are built with. The number of lists to search is not one of them."""
    config = {**asdict(space.ivf), "nprobe": None}
    return json.dumps({"partition": partition.id} if partition is not None else config, sort_keys=True)


def is_current(index: IndexFile, space: DenseSpace, partition: PartitionFile | None) -> bool:
    """Whether a segment that is built now would have the same settings."""
    if index.kind != kind_of(space):
        return False
    if index.kind == "ivf":
        return (index.datatype, index.settings) == (code_of(space.datatype).value, settings_of(space, partition))
    forms = [datatype.value for datatype in forms_of(space)]
    return index.datatype in forms and (index.m, index.ef_construct) == (space.hnsw.m, space.hnsw.ef_construct)


def index_file(space: SpaceView, *, name: str, checksum: int, rows: int, built: BuiltIndex) -> IndexFile:
    """The manifest's entry of an index that was just built."""
    schema = space.schema
    if kind_of(schema) == "ivf":
        return IndexFile(
            name=name,
            checksum=checksum,
            rows=rows,
            datatype=built.datatype.value,
            kind="ivf",
            settings=settings_of(schema, space.manifest.partition),
            recall=built.recall,
            form_recall=built.form_recall,
        )
    return IndexFile(
        name=name,
        checksum=checksum,
        rows=rows,
        datatype=built.datatype.value,
        m=schema.hnsw.m,
        ef_construct=schema.hnsw.ef_construct,
        scale=built.scale,
        centre=built.centre,
        recall=built.recall,
        form_recall=built.form_recall,
    )


def file_checksum(path: Path) -> int:
    """CRC-32 of a file's bytes. Raises OSError."""
    checksum = 0
    with path.open("rb") as file:
        while chunk := file.read(1 << 22):
            checksum = zlib.crc32(chunk, checksum)
    return checksum


def has_checksum(folder: Path, index: IndexFile) -> bool:
    """Whether the file is as it was built. Says in the log why it is not."""
    path = folder / index.name
    try:
        found = file_checksum(path)
    except OSError as error:
        log.warning("index %s cannot be read (%s): it will be built again", path, error)
        return False
    if found != index.checksum:
        log.warning("index %s does not have its checksum: it will be built again", path)
    return found == index.checksum


def open_unverified(schema: DenseSpace, folder: Path, index: IndexFile, rows: int) -> Graph | None:
    """The saved index of a block of so many rows, before its checksum is known: it serves at once, and is verified
    meanwhile. None: it must be verified before it is opened."""
    if index.kind == "ivf":
        return None
    path, encoding = folder / index.name, Encoding.of(index.scale, index.centre)
    try:
        graph = Graph(replace(schema, datatype=Datatype(index.datatype)), path, encoding, unverified_rows=rows)
    except (RuntimeError, ValueError, OSError, LookupError) as error:
        log.debug("index %s does not serve before it is verified: %s", path, error)
        return None
    if graph.size != index.rows:
        return None
    graph.read_codes(index.checksum, verify=False)
    return graph


def open_index(schema: DenseSpace, folder: Path, index: IndexFile) -> SegmentIndex | None:
    """The saved index; None when it is missing or damaged: it is derived, so it is built again."""
    if not has_checksum(folder, index):
        return None
    path = folder / index.name
    try:
        if index.kind == "ivf":
            return Lists(schema, path)
        encoding = Encoding.of(index.scale, index.centre)
        graph = Graph(replace(schema, datatype=Datatype(index.datatype)), path, encoding)
        graph.read_codes(index.checksum, verify=True)
        return graph
    except (RuntimeError, ValueError, OSError, LookupError) as error:
        log.warning("index %s cannot be opened (%s): it will be built again", path, error)
        return None
