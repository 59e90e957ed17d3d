"""The JSON form of a space, as the stored schema of a collection holds it."""

from dataclasses import asdict
from typing import Any

from storage.schema.spaces import BodySpace, DenseSpace, MultiSpace, SparseSpace
from storage.schema.stored import Unreadable, made, mapping


def dense_to_json(space: DenseSpace) -> dict[str, Any]:
    return {
        **asdict(space),
        "distance": space.distance.value,
        "datatype": space.datatype.value,
        "index": space.index.value,
        "policy": None if space.policy is None else space.policy.to_json(),
    }


def dense_from_json(data: object, where: str) -> DenseSpace:
    """`where` names the data in errors. Older directories lack the fields that are not required. Raises Unreadable."""
    return made(DenseSpace, data, where, required=("distance", "hnsw", "datatype", "uid"), ignore_others=True)


def body_space_to_json(space: BodySpace) -> dict[str, Any]:
    match space:
        case SparseSpace():
            return {"kind": "sparse", "modifier": space.modifier.value, "uid": space.uid}
        case MultiSpace():
            return {"kind": "multi", "tokens": dense_to_json(space.tokens)}


def body_space_from_json(data: object, where: str) -> BodySpace:
    """`where` names the data in errors. Raises Unreadable."""
    given = mapping(data, where)
    match given.get("kind"):
        case "sparse":
            return made(SparseSpace, given, where, required=("modifier", "uid"), ignore_others=True)
        case "multi":
            return MultiSpace(tokens=dense_from_json(given.get("tokens"), f"{where}.tokens"))
    raise Unreadable(f"{where} is a space of an unknown kind")
