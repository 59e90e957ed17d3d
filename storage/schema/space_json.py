"""The form of a space in JSON, as the schema of a collection has it on disk."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from storage.schema.index_policy import IndexPolicy
from storage.schema.spaces import (
    BodySpace,
    Datatype,
    DenseSpace,
    Distance,
    HnswConfig,
    IndexKind,
    IvfConfig,
    MultiSpace,
    SparseModifier,
    SparseSpace,
)


def dense_to_json(space: DenseSpace) -> dict[str, Any]:
    return {
        **asdict(space),
        "distance": space.distance.value,
        "datatype": space.datatype.value,
        "index": space.index.value,
        "policy": None if space.policy is None else space.policy.to_json(),
    }


def dense_from_json(data: Mapping[str, Any]) -> DenseSpace:
    return DenseSpace(
        size=data["size"],
        distance=Distance(data["distance"]),
        hnsw=HnswConfig(**data["hnsw"]),
        datatype=Datatype(data["datatype"]),
        datatype_chosen=data.get("datatype_chosen", True),  # older directories do not tell
        index=IndexKind(data.get("index", IndexKind.AUTO.value)),  # older directories have none
        ivf=_ivf_from(data.get("ivf", {})),
        uid=data["uid"],
        embedder=data.get("embedder"),  # older directories have none
        policy=None if data.get("policy") is None else IndexPolicy.from_json(data["policy"]),
    )


def _ivf_from(data: Mapping[str, Any]) -> IvfConfig:
    lists = {key: tuple(data[key]) for key in ("lists", "nprobe") if key in data}
    return IvfConfig(**{**data, **lists})


def body_space_to_json(space: BodySpace) -> dict[str, Any]:
    match space:
        case SparseSpace():
            return {"kind": "sparse", "modifier": space.modifier.value, "uid": space.uid}
        case MultiSpace():
            return {"kind": "multi", "tokens": dense_to_json(space.tokens)}


def body_space_from_json(data: Mapping[str, Any]) -> BodySpace:
    match data["kind"]:
        case "sparse":
            return SparseSpace(modifier=SparseModifier(data["modifier"]), uid=data["uid"])
        case "multi":
            return MultiSpace(tokens=dense_from_json(data["tokens"]))
        case kind:
            raise ValueError(f"a space has the unknown kind {kind!r}")
