"""What can go wrong with indexes: leaves of the tree in storage/errors.py that only the server raises.

InvalidRequest
└── AmbiguousIndex     more than one index may be meant
NotFound
└── IndexNotFound      no index has this id, or none is of this property
"""

from collections.abc import Sequence

from storage.errors import InvalidRequest, NotFound


class IndexNotFound(NotFound):
    """No index has this id, or fits the request."""


class AmbiguousIndex(InvalidRequest):
    """Several indexes fit the request. `candidates` lists them by id and description."""

    def __init__(self, field: str, candidates: Sequence[tuple[str, str]]) -> None:
        listed = "; ".join(f"{index_id} ({what})" for index_id, what in candidates)
        ids = ", ".join(index_id for index_id, _ in candidates)
        what = f"{len(candidates)} indexes may be meant; say the similarity, the source, or the space: {listed}"
        super().__init__(field, what, candidates=ids)
