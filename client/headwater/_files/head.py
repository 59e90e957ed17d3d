"""The head of an exported file: its format, and the schema by which an import can make the collection again."""

from collections.abc import Mapping
from typing import Any

from google.protobuf import json_format

from headwater.v1 import collections_pb2

FORMAT_VERSION = 1
FORMAT_KEY = "headwater"
"""A key that heads have and points do not."""

Head = Mapping[str, Any]


def head_of(info: collections_pb2.CollectionInfo) -> dict[str, Any]:
    """The first entry of a file. The schema is a Create request as JSON, so it has every setting of the contract.

    64-bit numbers are strings, as always in the JSON of Protocol Buffers.
    """
    schema = collections_pb2.CollectionsCreateRequest(
        vectors={name: space.params for name, space in info.vectors.items()},
        sparse_vectors={name: space.params for name, space in info.sparse_vectors.items()},
        optimizers_config=info.optimizers_config,
        payload_schema={path: index.params for path, index in info.payload_schema.items()},
        text_indexes=info.text_indexes,
    )
    return {
        FORMAT_KEY: FORMAT_VERSION,
        "collection": info.collection_name,
        "schema": json_format.MessageToDict(schema, preserving_proto_field_name=True),
    }


def create_request(head: Head, collection: str) -> collections_pb2.CollectionsCreateRequest:
    """The request that makes `collection` like the exported one. Raises ValueError."""
    version = head.get(FORMAT_KEY)
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise ValueError(f"the file has format {version!r}, but this client knows formats up to {FORMAT_VERSION} only")
    request = collections_pb2.CollectionsCreateRequest()
    try:
        json_format.ParseDict(head.get("schema", {}), request)
    except json_format.ParseError as error:
        raise ValueError(f"the schema in the file cannot be read: {error}") from None
    request.collection_name = collection
    return request
