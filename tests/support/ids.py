"""The order of ids in plain words."""

from storage.schema import PointId


def id_order(point_id: PointId) -> tuple[int, int, bytes]:
    return (0, point_id, b"") if isinstance(point_id, int) else (1, 0, point_id.encode())
