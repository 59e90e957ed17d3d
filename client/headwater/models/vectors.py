"""Sparse vectors and multi-vectors, as a user gives them and gets them back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class SparseVector:
    """A vector with values at some indices, and 0 at all others.

    Indices are 0 to 2^32 - 1, each at most once, in any order. In answers `indices` is ascending, uint32 (n,), and
    `values` is float32 (n,). Two sparse vectors are equal when they have the same float32 values at the same indices.
    """

    indices: Sequence[int] | NDArray[Any]
    values: Sequence[float] | NDArray[Any]

    def to_dict(self) -> dict[int, float]:
        """Returns the values by index."""
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
    """Several vectors as a matrix (n, size); for instance, one for each token of a text.

    A 2-D array or a list of lists may be given instead. Answers hold float32 arrays (n, size).
    """

    vectors: Sequence[Sequence[float]] | Sequence[NDArray[Any]] | NDArray[Any]


MultiVectorLike = MultiVector | Sequence[Sequence[float]] | Sequence[NDArray[Any]]
"""A multi-vector; also a 2-D array or a list of rows."""
SparseVectorLike = SparseVector | Mapping[str, Any] | Mapping[int, float]
"""A sparse vector; also `{"indices": [7, 2], "values": [0.5, 1]}` or `{7: 0.5, 2: 1.0}`."""


def _float32_by_index(vector: SparseVector) -> dict[int, float]:
    values = np.asarray(vector.values, np.float32).tolist()
    return dict(zip(np.asarray(vector.indices).tolist(), values, strict=True))
