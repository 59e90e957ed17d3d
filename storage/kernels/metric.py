"""What kernels compare by, as numbers that both sides of the interface know (storage/kernels/source/kernels.h)."""

from enum import IntEnum


class Metric(IntEnum):
    """How vectors are compared."""

    COSINE = 0
    DOT = 1
    EUCLID = 2
    MANHATTAN = 3
    HAMMING = 4
    JACCARD = 5


class Form(IntEnum):
    """What the vectors of a graph are stored as."""

    FLOAT32 = 0
    BFLOAT16 = 1
    FLOAT16 = 2
    INT8 = 3
    BITS = 4
