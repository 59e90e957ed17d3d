"""Requests with many points, read in one native pass over their bytes, from points to columns; protobuf reads the rest.

What the pass does not know, and whatever is wrong with a request, it leaves to protobuf and server/convert. So results
and errors are the same with it and without it.
"""

from server.wire.answers import AnswerColumns, write_answers, write_points
from server.wire.columns import PointColumns
from server.wire.cutting import CutRequest, Cutter, Vectors
from server.wire.requests import ColumnarRequest, message_of, reader_of, size_of

__all__ = [
    "AnswerColumns",
    "ColumnarRequest",
    "CutRequest",
    "Cutter",
    "PointColumns",
    "Vectors",
    "message_of",
    "reader_of",
    "size_of",
    "write_answers",
    "write_points",
]
