"""A small collection for tests that name what they expect: eight products, a space for texts and one for images."""

from collections.abc import Mapping

import numpy as np

from storage.schema import Distance, PointId
from tests.support.oracle.query import Point, World

SIZES: Mapping[str, int] = {"text": 2, "image": 3}

_PRODUCTS: tuple[tuple[PointId, str, str, int, list[float] | None, list[float] | None], ...] = (
    (1, "lamp", "red", 30, [1, 0], [0, 0, 1]),
    (2, "lamp", "blue", 45, [1, 0.5], [0, 1, 1]),
    (3, "desk", "red", 200, [0, 1], [3, 0, 0]),
    (4, "desk", "blue", 250, [0.5, 1], [3, 1, 0]),
    (5, "chair", "red", 90, [-1, 1], [2, 0, 0]),
    (6, "chair", "green", 120, [-1, 0.5], None),
    ("a-1", "shelf", "green", 75, None, [1, 1, 1]),
    ("a-2", "shelf", "blue", 60, [1, 1], [0, 0, 2]),
)

SHOP = World(
    points={
        point_id: Point(
            {"kind": kind, "color": color, "price": price, "tags": [kind, color]},
            {
                space: np.array(vector, np.float32)
                for space, vector in (("text", text), ("image", image))
                if vector is not None
            },
        )
        for point_id, kind, color, price, text, image in _PRODUCTS
    },
    distances={"text": Distance.COSINE, "image": Distance.EUCLID},
)
