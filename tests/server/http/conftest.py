"""A real server with an HTTP port."""

from collections.abc import Iterator

import pytest

from tests.support.serving import Service, serving


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("http") / "data", http="127.0.0.1:0") as running:
        yield running


@pytest.fixture(scope="module")
def http(web: Service) -> str:
    """The address of the HTTP port."""
    assert web.http is not None
    return web.http
