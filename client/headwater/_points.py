"""The namespace `.points`, blocking and async: writes and reads put together."""

from headwater._point_reads import PointReads
from headwater._point_writes import PointWrites
from headwater._surface import AsyncNamespace, BlockingNamespace


class Points(PointWrites, PointReads, BlockingNamespace):
    """`client.points`."""

    __slots__ = ()


class AsyncPoints(PointWrites, PointReads, AsyncNamespace):
    """`client.points` of an AsyncClient."""

    __slots__ = ()
