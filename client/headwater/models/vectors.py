"""Vectors other than one row of numbers, as a user gives them and gets them back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class SparseVector:
    """Values at some indices (0 to 2^32 - 1, each once, in any order), and 0 at all others.

    In answers indices are ascending, uint32 (n,), and values float32 (n,). Two are equal when they hold the same
    float32 values at the same indices.
    """

    indices: Sequence[int] | NDArray[Any]
    values: Sequence[float] | NDArray[Any]

    def to_dict(self) -> dict[int, float]:
        """Values by index."""
        return dict(zip(np.asarray(self.indices).tolist(), np.asarray(self.values).tolist(), strict=True))

    def __len__(self) -> int:
        return len(self.indices)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SparseVector):
            return NotImplemented
        return _float32_by_index(self) == _float32_by_index(other)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True, eq=False)
class MultiVector:
    """A matrix, (n, size): a vector for each token of a text, for instance. A 2-D array or a list of lists does, too.

    Answers hold float32 arrays (n, size).
    """

    vectors: Sequence[Sequence[float]] | Sequence[NDArray[Any]] | NDArray[Any]


MultiVectorLike = MultiVector | Sequence[Sequence[float]] | Sequence[NDArray[Any]]
"""A multi-vector, also as a 2-D array or as a list of rows."""
SparseVectorLike = SparseVector | Mapping[str, Any] | Mapping[int, float]
"""A sparse vector, also as `{"indices": [7, 2], "values": [0.5, 1]}` or as `{7: 0.5, 2: 1.0}`."""


def _float32_by_index(vector: SparseVector) -> dict[int, float]:
    values = np.asarray(vector.values, np.float32).tolist()
    return dict(zip(np.asarray(vector.indices).tolist(), values, strict=True))
