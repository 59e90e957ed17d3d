"""Embeddings from an endpoint with OpenAI's API: texts become rows, in batches that run at the same time."""

import base64
import binascii
import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

import numpy as np
from numpy.typing import NDArray

from server.embedders.endpoint import Endpoint
from server.embedders.settings import OpenAISettings
from server.errors import EmbedderFailed
from storage.budget import Budget

MAX_BATCH_BYTES = 4 * 2**20
"""Bytes of the texts of one HTTP request. A single text may have more."""


class OpenAIEndpoint:
    """`POST {url}/embeddings` with `{"model", "input": [...]}`. Safe for many threads."""

    def __init__(self, name: str, settings: OpenAISettings) -> None:
        self._name = name
        self._settings = settings
        self._endpoint = Endpoint(name, settings, "/embeddings")

    def embed(self, texts: Sequence[str], budget: Budget) -> NDArray[np.float32]:
        """One row per text (float32, (n, dimensions)), not checked for NaN.

        Raises EmbedderUnavailable, EmbedderFailed, DeadlineExceeded, Cancelled.
        """
        batches = batches_of(texts, self._settings.batch_size)
        with budget.idle():
            if len(batches) == 1:
                return self._embed_batch(batches[0], budget)
            rows = self._embed_batches(batches, budget)
        if len({matrix.shape[1] for matrix in rows}) > 1:
            raise EmbedderFailed(self._name, "gives vectors of different lengths")
        return np.concatenate(rows)

    def close(self) -> None:
        self._endpoint.close()

    def _embed_batches(self, batches: list[list[str]], budget: Budget) -> list[NDArray[np.float32]]:
        """The rows of each batch. If one batch fails, the others are abandoned."""
        failed = threading.Event()
        shared = Budget(budget.deadline, lambda: failed.is_set() or budget.is_cancelled())
        with ThreadPoolExecutor(min(len(batches), self._settings.parallel)) as pool:
            futures = [pool.submit(self._embed_batch, batch, shared) for batch in batches]
            try:
                for future in as_completed(futures):
                    future.result()
            except BaseException:
                failed.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return [future.result() for future in futures]

    def _embed_batch(self, texts: Sequence[str], budget: Budget) -> NDArray[np.float32]:
        asked: dict[str, Any] = {"model": self._settings.model, "input": list(texts), "encoding_format": "float"}
        if self._settings.dimensions:
            asked["dimensions"] = self._settings.dimensions
        answer = self._endpoint.post(json.dumps(asked).encode(), budget)
        try:
            return rows_of(json.loads(answer), len(texts))
        except (ValueError, RecursionError) as error:
            raise EmbedderFailed(self._name, f"gives no valid list of embeddings: {error}") from None


def batches_of(texts: Sequence[str], size: int) -> list[list[str]]:
    """The texts in order, in batches of at most `size` texts and about MAX_BATCH_BYTES."""
    batches: list[list[str]] = [[]]
    held = 0
    for text in texts:
        length = len(text.encode())
        if batches[-1] and (len(batches[-1]) == size or held + length > MAX_BATCH_BYTES):
            batches.append([])
            held = 0
        batches[-1].append(text)
        held += length
    return batches


def rows_of(answer: Any, count: int) -> NDArray[np.float32]:
    """The embeddings of an answer, ordered by their `index`: float32 (count, dimensions).

    Raises ValueError if it is invalid.
    """
    data = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(data, list) or not all(isinstance(item, dict) for item in data):
        raise ValueError("it has no list `data` of objects")
    if len(data) != count:
        raise ValueError(f"it has {len(data)} embeddings for {count} texts")
    indexes = [item.get("index", position) for position, item in enumerate(data)]
    if any(type(index) is not int for index in indexes) or sorted(indexes) != list(range(count)):
        raise ValueError("the indexes of its embeddings do not match the texts")
    rows = [_row_of(item.get("embedding"), index) for index, item in zip(indexes, data, strict=True)]
    if len({len(row) for row in rows}) > 1:
        raise ValueError("its embeddings have different lengths")
    matrix = np.empty((count, len(rows[0])), np.float32)
    matrix[indexes] = rows
    return matrix


def _row_of(embedding: Any, index: int) -> NDArray[np.float32]:
    """The vector from a list of numbers, or from the base64 bytes of little-endian float32. Raises ValueError."""
    if isinstance(embedding, str):
        try:
            return np.frombuffer(base64.b64decode(embedding, validate=True), "<f4").astype(np.float32)
        except (binascii.Error, ValueError):
            raise ValueError(f"embedding {index} is neither a list of numbers nor base64 of floats") from None
    if not isinstance(embedding, list) or not all(type(value) in (float, int) for value in embedding):
        raise ValueError(f"embedding {index} is not a list of numbers")
    if not embedding:
        raise ValueError(f"embedding {index} is empty")
    try:
        with np.errstate(over="ignore"):
            return np.array(embedding, np.float64).astype(np.float32)
    except OverflowError:
        raise ValueError(f"embedding {index} has an integer beyond float64") from None
