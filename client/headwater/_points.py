"""The namespace `.points`, blocking and async: writes and reads put together."""

from headwater._field_indexes import FieldIndexes
from headwater._point_analyses import PointAnalyses
from headwater._point_explanations import PointExplanations
from headwater._point_reads import PointReads
from headwater._point_writes import PointWrites
from headwater._surface import AsyncNamespace, BlockingNamespace
from headwater._text_indexes import PointTextIndexes


class Points(
    PointWrites, PointReads, PointExplanations, FieldIndexes, PointTextIndexes, PointAnalyses, BlockingNamespace
):
    """`client.points`."""

    __slots__ = ()


class AsyncPoints(
    PointWrites, PointReads, PointExplanations, FieldIndexes, PointTextIndexes, PointAnalyses, AsyncNamespace
):
    """`client.points` of an AsyncClient."""

    __slots__ = ()
