"""The namespace `.records`: points under another name, whose vectors name a payload property.

A label is a collection, a record is a point, and the data of a record is its payload. Everything is stored as points.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence

from headwater import _rpcs as rpcs
from headwater._methods.record_imports import Data, parsed_record, records_by_label
from headwater._plain import Where, filter_of_where
from headwater._rpc import AsyncNamespace, BlockingNamespace, Namespace, remote
from headwater._wire import (
    filter_message,
    id_messages,
    payload_selector,
    record_message,
    record_of,
    unsigned,
)
from headwater.errors import AlreadyExistsError
from headwater.models import LabeledRecord, PointId, PointIdLike, PropertyVector, PropertyVectorLike
from headwater.v1 import common_pb2, indexes_pb2, points_pb2

FIND_LIMIT = 100
"""Records that `find` returns by default."""
IMPORT_BATCH = 500
"""Records of one write of an import."""

Vectors = Sequence[PropertyVectorLike]
Made = list[LabeledRecord]


class RecordMethods(Namespace):
    """Records: points with vectors by property.

    `vectors` are dicts `{"propertyName", "vector", "similarityFunction", "using"}` or PropertyVectors. The index is
    found by the length of the vector and the other keys. If a space is named by `using`, it alone counts. `timeout` is
    in seconds; None: the client's. All raise HeadwaterError.
    """

    __slots__ = ()

    @remote
    async def create(
        self,
        label: str,
        data: Data,
        *,
        vectors: Vectors = (),
        id: PointIdLike | None = None,
        timeout: float | None = None,
    ) -> LabeledRecord:
        """Creates a record with its vectors, in one commit. `id` None: a new UUID.

        Raises AlreadyExistsError when a record with this id exists.
        """
        return (await self._create(label, [data], [vectors], [id], timeout))[0]

    @remote
    async def create_many(
        self,
        label: str,
        data: Iterable[Data],
        *,
        vectors: Sequence[Vectors | PropertyVectorLike] | None = None,
        ids: Sequence[PointIdLike] | None = None,
        timeout: float | None = None,
    ) -> Made:
        """Creates at most 10,000 records, all or none. `vectors[i]` are those of `data[i]`, or its only one.

        Raises ValueError when lists differ in length, AlreadyExistsError when a record with one of the `ids` exists.
        """
        rows = list(data)
        given = _parallel(vectors, len(rows))
        if ids is not None and len(ids) != len(rows):
            raise ValueError(f"{len(ids)} ids are given for {len(rows)} records")
        return await self._create(label, rows, given, [None] * len(rows) if ids is None else ids, timeout)

    @remote
    async def upsert(
        self,
        label: str,
        data: Data,
        *,
        id: PointIdLike | None = None,
        vectors: Vectors = (),
        replace: bool = False,
        timeout: float | None = None,
    ) -> LabeledRecord:
        """Creates a record, or replaces the data of the record with this id, and sets vectors, in one commit.

        Other vectors stay, unless `replace`: then the record is replaced whole. `id` None: a new UUID.
        """
        mode = indexes_pb2.RECORD_MODE_REPLACE if replace else indexes_pb2.RECORD_MODE_KEEP_VECTORS
        message = record_message(_new_id() if id is None else id, data, vectors, "records[0]")
        await self._write(label, [message], mode, timeout)
        return LabeledRecord(_id_of(message), label, dict(data))

    @remote
    async def find(
        self,
        label: str,
        *,
        where: Where | None = None,
        ids: Iterable[PointIdLike] | None = None,
        limit: int = FIND_LIMIT,
        skip: int = 0,
        timeout: float | None = None,
    ) -> Made:
        """Returns records in the order of their ids: the matching ones, or those with these `ids`. `skip` + `limit` <=
        10,000.

        `where` is a filter, or a dict: `{"price": {"$gte": 5}, "color": "red"}`.
        """
        if ids is not None:
            if where is not None:
                raise ValueError("find takes where or ids, not both")
            asked = points_pb2.PointsGetRequest(
                collection_name=label, ids=id_messages(ids), with_payload=payload_selector(True)
            )
            found = (await self._calls(rpcs.Points.GET, asked, timeout)).points
            return [_record(label, point) for point in found][skip : skip + limit]
        request = points_pb2.PointsScrollRequest(
            collection_name=label,
            filter=filter_message(filter_of_where(where)),
            limit=unsigned(skip + limit, "skip and limit"),
            with_payload=payload_selector(True),
        )
        found = (await self._calls(rpcs.Points.SCROLL, request, timeout)).points
        return [_record(label, point) for point in found[skip:]]

    @remote
    async def delete(
        self,
        label: str,
        *,
        ids: Iterable[PointIdLike] | None = None,
        where: Where | None = None,
        timeout: float | None = None,
    ) -> int:
        """Deletes the records with these ids, or the matching ones. Returns how many there were."""
        if (ids is None) == (where is None):
            raise ValueError("delete takes ids or where, not both")
        selector = points_pb2.PointsSelector()
        if ids is not None:
            selector.ids.CopyFrom(common_pb2.PointIdList(ids=id_messages(ids)))
        else:
            message = filter_message(filter_of_where(where))
            assert message is not None
            selector.filter.CopyFrom(message)
        request = points_pb2.PointsDeleteRequest(collection_name=label, selector=selector)
        return (await self._calls(rpcs.Points.DELETE, request, timeout)).result.affected

    @remote
    async def import_json(
        self, data: Data | Sequence[Data], *, label: str | None = None, timeout: float | None = None
    ) -> dict[str, Made]:
        """Creates records from data like JSON: by label, `{"Movie": [{...}, ...], "Actor": {...}}`, or of one `label`.

        Each object is a record; nested objects are part of its data. `"$id"` of an outer object is its id. An object
        may have `"$vectors"`: vectors as in `create`, or a dict by property. In a nested object, property paths start
        at that object: `{"author": {"$vectors": [{"propertyName": "bio", ...}]}}` means `author.bio`. The form
        `{"label": ..., "data": ...}` is accepted too. Records are written in batches of 500. Each batch is all or
        nothing; the whole is not. `timeout` holds for each batch.
        """
        if label is None and isinstance(data, Mapping) and data.keys() == {"label", "data"}:
            label, data = data["label"], data["data"]
        made: dict[str, Made] = {}
        for each, rows in records_by_label(data, label).items():
            parsed = [parsed_record(row, f"{each}[{position}]") for position, row in enumerate(rows)]
            made[each] = []
            for start in range(0, len(parsed), IMPORT_BATCH):
                batch = parsed[start : start + IMPORT_BATCH]
                datas, vectors = [row[0] for row in batch], [row[1] for row in batch]
                made[each] += await self._create(each, datas, vectors, [row[2] for row in batch], timeout)
        return made

    async def _create(
        self,
        label: str,
        data: Sequence[Data],
        vectors: Sequence[Vectors],
        ids: Sequence[PointIdLike | None],
        timeout: float | None,
    ) -> Made:
        if not data:
            return []
        messages = [
            record_message(_new_id() if point_id is None else point_id, row, given, f"records[{position}]")
            for position, (point_id, row, given) in enumerate(zip(ids, data, vectors, strict=True))
        ]
        given_ids = [point_id for point_id in ids if point_id is not None]
        if given_ids:
            await self._check_free(label, given_ids, timeout)
        answer = await self._write(label, messages, indexes_pb2.RECORD_MODE_INSERT_ONLY, timeout)
        if answer.skipped:
            raise AlreadyExistsError(f"{answer.skipped} of the ids were taken by other records meanwhile")
        return [LabeledRecord(_id_of(each), label, dict(row)) for each, row in zip(messages, data, strict=True)]

    async def _check_free(self, label: str, ids: Sequence[PointIdLike], timeout: float | None) -> None:
        """Raises AlreadyExistsError when a record with one of these ids exists."""
        request = points_pb2.PointsGetRequest(
            collection_name=label, ids=id_messages(ids), with_payload=payload_selector(False)
        )
        found = [_id_of(point) for point in (await self._calls(rpcs.Points.GET, request, timeout)).points]
        if found:
            raise AlreadyExistsError(f"records with these ids exist: {', '.join(map(repr, found[:16]))}")

    async def _write(
        self,
        label: str,
        records: Sequence[indexes_pb2.IndexRecord],
        mode: indexes_pb2.RecordMode,
        timeout: float | None,
    ) -> indexes_pb2.IndexesUpsertRecordsResponse:
        request = indexes_pb2.IndexesUpsertRecordsRequest(label=label, records=records, mode=mode)
        return await self._calls(rpcs.Indexes.UPSERT_RECORDS, request, timeout)


class Records(RecordMethods, BlockingNamespace):
    """`client.records`."""

    __slots__ = ()


class AsyncRecords(RecordMethods, AsyncNamespace):
    """`client.records` of an AsyncClient."""

    __slots__ = ()


def _new_id() -> str:
    return str(uuid.uuid4())


def _parallel(vectors: Sequence[Vectors | PropertyVectorLike] | None, count: int) -> list[Vectors]:
    if vectors is None:
        return [()] * count
    if len(vectors) != count:
        raise ValueError(f"{len(vectors)} lists of vectors are given for {count} records")
    return [[each] if isinstance(each, PropertyVector | Mapping) else each for each in vectors]


def _record(label: str, message: common_pb2.RetrievedPoint) -> LabeledRecord:
    record = record_of(message, False)
    return LabeledRecord(record.id, label, record.payload or {})


def _id_of(message: indexes_pb2.IndexRecord | common_pb2.RetrievedPoint) -> PointId:
    return message.id.key if message.id.WhichOneof("kind") == "key" else message.id.number
