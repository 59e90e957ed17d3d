"""What can go wrong with indexes: leaves of the tree in storage/errors.py that only the server raises.

InvalidRequest
└── AmbiguousIndex     several indexes fit the request
NotFound
└── IndexNotFound      no index has this id, or no index is of this property
"""

from collections.abc import Sequence

from storage.errors import InvalidRequest, NotFound


class IndexNotFound(NotFound):
    """No index has this id, or no index fits the request."""


class AmbiguousIndex(InvalidRequest):
    """Several indexes fit the request. `candidates` lists them by id and description."""

    def __init__(self, field: str, candidates: Sequence[tuple[str, str]]) -> None:
        listed = "; ".join(f"{index_id} ({what})" for index_id, what in candidates)
        ids = ", ".join(index_id for index_id, _ in candidates)
        what = f"{len(candidates)} indexes fit; name the similarity, the source or the space: {listed}"
        super().__init__(field, what, candidates=ids)
