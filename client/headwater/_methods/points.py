"""The namespace `.points`, blocking and async: writes and reads put together."""

from headwater._methods.field_indexes import FieldIndexes
from headwater._methods.point_analyses import PointAnalyses
from headwater._methods.point_explanations import PointExplanations
from headwater._methods.point_queries import PointQueries
from headwater._methods.point_reads import PointReads
from headwater._methods.point_writes import PointWrites
from headwater._methods.text_indexes import PointTextIndexes
from headwater._rpc import AsyncNamespace, BlockingNamespace


class Points(
    PointWrites,
    PointReads,
    PointQueries,
    PointExplanations,
    FieldIndexes,
    PointTextIndexes,
    PointAnalyses,
    BlockingNamespace,
):
    """The methods of `client.points`."""

    __slots__ = ()


class AsyncPoints(
    PointWrites,
    PointReads,
    PointQueries,
    PointExplanations,
    FieldIndexes,
    PointTextIndexes,
    PointAnalyses,
    AsyncNamespace,
):
    """`client.points` of an AsyncClient."""

    __slots__ = ()
