"""Point ids: message <-> number or string."""

from collections.abc import Sequence

from headwater.v1.common_pb2 import PointId as PointIdMessage
from storage.errors import InvalidPointId
from storage.schema import PointId
from storage.write import check_point_id


def point_id_of(message: PointIdMessage, path: str) -> PointId:
    """The id. Raises InvalidPointId if it is missing, empty or too long."""
    match message.WhichOneof("kind"):
        case "number":
            return message.number
        case "key":
            check_point_id(message.key, path)
            return message.key
    raise InvalidPointId(path, "the id is missing")


def point_ids_of(messages: Sequence[PointIdMessage], path: str) -> tuple[PointId, ...]:
    """The ids of the list at `path`. Raises InvalidPointId."""
    numbers = [message.number for message in messages]
    if all(numbers):  # a message of another kind has the number 0
        return tuple(numbers)
    return tuple(point_id_of(message, f"{path}[{index}]") for index, message in enumerate(messages))


def set_point_id(target: PointIdMessage, point_id: PointId) -> None:
    """Sets `target` to `point_id`."""
    if isinstance(point_id, int):
        target.number = point_id
    else:
        target.key = point_id


def point_id_message(point_id: PointId) -> PointIdMessage:
    """The message of `point_id`."""
    return PointIdMessage(number=point_id) if isinstance(point_id, int) else PointIdMessage(key=point_id)
