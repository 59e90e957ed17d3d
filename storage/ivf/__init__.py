"""IVF: rows are kept in lists by their nearest centroid, and a search reads only a few lists."""

from storage.ivf.codes import code_of
from storage.ivf.kmeans import sample_size, wanted_lists
from storage.ivf.lists import MAGIC, Filtered, Lists, build_lists, serves
from storage.ivf.partition import ROWS_AT_ONCE, Partition, read_partition, write_partition
from storage.ivf.tree import MAX_ROWS, Malformation, TreeRow, check_row, malformed, partition_of

__all__ = [
    "MAGIC",
    "MAX_ROWS",
    "ROWS_AT_ONCE",
    "Filtered",
    "Lists",
    "Malformation",
    "Partition",
    "TreeRow",
    "build_lists",
    "check_row",
    "code_of",
    "malformed",
    "partition_of",
    "read_partition",
    "sample_size",
    "serves",
    "wanted_lists",
    "write_partition",
]
