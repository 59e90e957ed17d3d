"""Embedders without the wire: their settings, what is remembered, batches, and a model in this process."""

import base64
import sys
import time
from contextlib import closing
from email.utils import formatdate
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater import Client, PointStruct, Text, VectorParams
from server.app import CannotStart
from server.config import InvalidConfig
from server.embedders.cache import VectorCache
from server.embedders.embedder import Embedder, Role
from server.embedders.endpoint import retry_after
from server.embedders.openai import batches_of, rows_of
from server.embedders.settings import OnnxSettings, OpenAISettings, read_embedders
from server.errors.embedders import EmbedderNotConfigured, EmbedderUnavailable
from storage.budget import UNLIMITED, Budget
from storage.errors import Cancelled
from tests.support.embedding_server import Reply, embedding_server, embeddings, vector_of
from tests.support.onnx_model import write_model
from tests.support.serving import serving

GOOD = """
[small]
kind = "openai"
url = "https://models.example:8443/v1/"
model = "small"
api_key_env = "SMALL_KEY"
dimensions = 256
timeout_seconds = 5
query_prefix = "query: "
[here]
kind = "onnx"
path = "models/minilm"
"""


def settings_file(folder: Path, text: str) -> Path:
    file = folder / "embedders.toml"
    file.write_text(text)
    return file


def test_settings_are_read(tmp_path: Path) -> None:
    settings = read_embedders(settings_file(tmp_path, GOOD), {"SMALL_KEY": "secret"})
    assert list(settings) == ["small", "here"]
    small = settings["small"]
    assert isinstance(small, OpenAISettings)
    assert (small.api_key, small.dimensions, small.timeout_seconds, small.retries) == ("secret", 256, 5.0, 3)
    assert "secret" not in repr(small)
    assert settings["here"] == OnnxSettings(path="models/minilm")


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ("[small]", "[small", "no TOML"),
        ('kind = "openai"', 'kind = "other"', "kind"),
        ('kind = "openai"', "", "kind"),
        ('model = "small"', "", "model"),
        ('model = "small"', 'model = ""', "model"),
        ('model = "small"', "model = 5", "model"),
        ('model = "small"', 'model = "small"\nmodle = 1', "modle"),
        ("dimensions = 256", "dimensions = -1", "dimensions"),
        ("dimensions = 256", "dimensions = true", "dimensions"),
        ("timeout_seconds = 5", "timeout_seconds = nan", "timeout_seconds"),
        ("timeout_seconds = 5", "timeout_seconds = 0", "timeout_seconds"),
        ("timeout_seconds = 5", "retries = 11", "retries"),
        ("timeout_seconds = 5", "batch_size = 0", "batch_size"),
        ("timeout_seconds = 5", 'api_key = "written down"', "api_key"),
        ("https://models.example:8443/v1/", "models.example", "url"),
        ("https://models.example:8443/v1/", "ftp://models.example", "url"),
        ("https://models.example:8443/v1/", "http://:80", "url"),
        ("https://models.example:8443/v1/", "http://a:b/", "url"),
        ("https://models.example:8443/v1/", "http://a/ b", "url"),
        ("SMALL_KEY", "OTHER_KEY", "OTHER_KEY"),
        ('path = "models/minilm"', "", "path"),
        ('path = "models/minilm"', 'path = "m"\npooling = "max"', "pooling"),
        ("[here]", '[" "]', "name"),
        ("[small]", "small = 1\n[large]", "small"),
    ],
)
def test_what_cannot_be_is_refused_by_name(tmp_path: Path, before: str, after: str, why: str) -> None:
    assert before in GOOD
    file = settings_file(tmp_path, GOOD.replace(before, after))
    with pytest.raises(InvalidConfig, match=why):
        read_embedders(file, {"SMALL_KEY": "secret"})


def test_a_server_does_not_start_with_them(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="cannot read"), serving(tmp_path / "data", embedders=tmp_path / "none.toml"):
        pass


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 6)), max_size=40), st.integers(0, 2000))
def test_a_cache_forgets_what_was_not_used_for_longest(uses: list[tuple[int, int]], most: int) -> None:
    """Against a list in order of use."""
    cache, model = VectorCache(most), list[tuple[str, int]]()
    for word, length in uses:
        text = "t" * word
        known = dict(model).get(text)
        row = cache.get(text)
        assert (None if row is None else len(row)) == known
        if known is not None:
            model.remove((text, known))
            model.append((text, known))
        elif 200 + 4 * word + 4 * length <= most:
            cache.put(text, np.zeros(length, np.float32))
            model.append((text, length))
            while sum(200 + 4 * len(text) + 4 * length for text, length in model) > most:
                model.pop(0)


def test_what_is_remembered_cannot_be_changed() -> None:
    cache, row = VectorCache(10_000), np.ones(3, np.float32)
    cache.put("a", row)
    row[0] = 5
    kept = cache.get("a")
    assert kept is not None
    assert kept.tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match="read-only"):
        kept[0] = 2


@given(st.lists(st.text(max_size=5)), st.integers(1, 4))
def test_batches_hold_every_text_in_order(texts: list[str], size: int) -> None:
    batches = batches_of(texts, size)
    assert [text for batch in batches for text in batch] == texts
    assert all(0 < len(batch) <= size for batch in batches) or not texts


def test_batches_are_bounded_by_bytes() -> None:
    texts = ["é" * 2**19, "a" * 2**20] * 4
    assert [len(batch) for batch in batches_of(texts, 100)] == [4, 4]


def test_rows_may_come_as_base64() -> None:
    data = base64.b64encode(np.array([1.5, -2], "<f4").tobytes()).decode()
    assert rows_of({"data": [{"embedding": data}]}, 1).tolist() == [[1.5, -2.0]]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("3", 3.0), (" 0 ", 0.0), ("-1", None), ("soon", None), ("", None), ("1.5", None), ("²", None)],
)
def test_retry_after_in_seconds(text: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": text}) == seconds


def test_retry_after_as_a_date() -> None:
    now = 1_900_000_000.0
    assert retry_after({"Retry-After": formatdate(now + 7, usegmt=True)}, now) == 7
    assert retry_after({"Retry-After": formatdate(now - 7, usegmt=True)}, now) == 0


def embedder(url: str, **settings: Any) -> Embedder:
    return Embedder("words", OpenAISettings(url=url, model="m", **{"retries": 0, **settings}))


def test_texts_are_asked_for_once(tmp_path: Path) -> None:
    with embedding_server() as server:
        words = embedder(server.url, query_prefix="q ", document_prefix="d ")
        rows = words.embed(["red", "boot", "red"], Role.QUERY, UNLIMITED)
        again = words.embed(["boot", "blue"], Role.QUERY, UNLIMITED)
        words.embed(["red"], Role.DOCUMENT, UNLIMITED)
        words.close()
    assert server.texts == [["q red", "q boot"], ["q blue"], ["d red"]]
    assert rows[0].tolist() == rows[2].tolist() == np.array(vector_of("q red"), np.float32).tolist()
    assert again[0].tolist() == rows[1].tolist()


def test_what_the_endpoint_is_sent() -> None:
    with embedding_server() as server:
        for settings in (
            {"url": f"{server.url}/", "api_key": "k", "dimensions": 7},
            {"url": f"{server.url}/embeddings?v=2"},
        ):
            with closing(embedder(**settings)) as words:
                words.embed(["red"], Role.QUERY, UNLIMITED)
    assert server.requests[0] == {"model": "m", "input": ["red"], "encoding_format": "float", "dimensions": 7}
    assert [header["path"] for header in server.headers] == ["/v1/embeddings", "/v1/embeddings?v=2"]
    assert [header.get("authorization") for header in server.headers] == ["Bearer k", None]


def test_many_texts_are_many_requests_side_by_side() -> None:
    texts = [f"{'red ' * (number % 5)}{number}" for number in range(103)]
    with embedding_server() as server, closing(embedder(server.url, batch_size=10, parallel=3)) as words:
        rows = words.embed(texts, Role.DOCUMENT, UNLIMITED)
    assert sorted(map(len, server.texts)) == [3, *[10] * 10]
    assert np.array_equal(np.array(rows), np.array([vector_of(text) for text in texts], np.float32))
    assert server.connections <= 4


def test_one_request_that_fails_ends_the_others() -> None:
    def answer(request: dict[str, Any]) -> Any:
        time.sleep(3)
        return embeddings(request)

    with embedding_server() as server:
        server.script.append(Reply(503))
        server.always = answer
        started = time.monotonic()
        with pytest.raises(EmbedderUnavailable):
            embedder(server.url, batch_size=1, parallel=4).embed(["a", "b", "c", "d", "e"], Role.QUERY, UNLIMITED)
        assert time.monotonic() - started < 2.5


def test_a_caller_that_goes_away_is_noticed() -> None:
    gone = time.monotonic() + 0.2
    with embedding_server() as server:
        server.always = Reply(delay=3)
        with pytest.raises(Cancelled):
            embedder(server.url).embed(["a"], Role.QUERY, Budget(None, lambda: time.monotonic() > gone))
        assert time.monotonic() < gone + 2


TABLE = np.array([[9, 9], [0, 0.5], [1, 0], [0, 1], [3, 4]], np.float32)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("tokenizers")
    write_model(tmp_path, ["red", "blue", "shoe"], TABLE)
    return tmp_path


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"normalize": False}, [[1, 0], [2, 2], [1 / 3, 1.5 / 3]]),
        ({"normalize": False, "pooling": "cls"}, [[1, 0], [1, 0], [0, 1]]),
        ({"normalize": False, "max_tokens": 1}, [[1, 0], [1, 0], [0, 1]]),
        ({"batch_size": 1}, [[1, 0], [0.5**0.5, 0.5**0.5], [0.5547, 0.83205]]),
    ],
)
def test_a_model_in_this_process(model: Path, settings: dict[str, Any], expected: list[list[float]]) -> None:
    words = Embedder("onnx", OnnxSettings(path=str(model), **settings))
    rows = words.embed(["red", "red shoe", "blue what red"], Role.QUERY, UNLIMITED)
    assert np.allclose(rows, expected, atol=1e-5)


def test_a_model_in_the_server(model: Path) -> None:
    file = settings_file(model, f'[here]\nkind = "onnx"\npath = "{model}"\n')
    with serving(model / "data", embedders=file) as service, Client(service.address) as client:
        client.collections.create("c", VectorParams(2, embedder="here"))
        client.points.upsert("c", [PointStruct(1, "red"), PointStruct(2, "blue"), PointStruct(3, "shoe blue")])
        assert [hit.id for hit in client.points.query("c", Text("blue"))] == [2, 3, 1]


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("tokenizers")
    words = Embedder("onnx", OnnxSettings(path=str(tmp_path)))
    with pytest.raises(EmbedderNotConfigured, match="cannot read"):
        words.embed(["red"], Role.QUERY, UNLIMITED)


def test_a_package_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    words = Embedder("onnx", OnnxSettings(path=str(tmp_path)))
    with pytest.raises(EmbedderNotConfigured, match="needs the package 'onnxruntime'"):
        words.embed(["red"], Role.QUERY, UNLIMITED)
