"""A real server in this process, on a free port and a temporary directory, and raw stubs to ask it."""

import itertools
from collections.abc import Iterator

import pytest

from headwater.v1 import collections_pb2, common_pb2
from tests.server.messages import space
from tests.support.serving import Service, serving


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One server for all tests that leave it as it is; each uses collections of its own."""
    with serving(tmp_path_factory.mktemp("server") / "data") as running:
        yield running


_names = (f"collection-{number}" for number in itertools.count())


@pytest.fixture
def collection(service: Service) -> str:
    """A new collection: unnamed space of 2 dimensions (Cosine), `text` of 3 (Dot), `flat` of 2 (Euclid)."""
    name = next(_names)
    spaces = {"": space(2), "text": space(3, common_pb2.DISTANCE_DOT), "flat": space(2, common_pb2.DISTANCE_EUCLID)}
    service.collections.Create(collections_pb2.CollectionsCreateRequest(collection_name=name, vectors=spaces))
    return name
