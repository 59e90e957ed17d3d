"""What the benchmarks run on: WordNet embeddings from a folder, else synthetic vectors of the same shape."""

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

RANK = "rank"
"""Payload field that holds each of 0..n-1 once, in random order: `rank < n * share` matches that share of the rows."""

Payload = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows in two spaces (float32, (n, d), unit length), their payloads, and queries (float32, (m, d))."""

    name: str
    definition: NDArray[np.float32]
    lemmas: NDArray[np.float32]
    payloads: list[Payload]
    queries: NDArray[np.float32]


def load(folder: Path | None) -> Dataset:
    """The data set in `folder` (files as in examples/data/wordnet); without one, 20,000 synthetic rows."""
    if folder is None:
        return synthetic(rows=20_000, dimensions=384, queries=500)
    definition, lemmas = (_unit(np.load(folder / f"{name}.f16.npy")) for name in ("definition", "lemmas"))
    with gzip.open(folder / "points.jsonl.gz", "rt", encoding="utf8") as file:
        payloads = [json.loads(line) for line in file]
    queries = _unit(np.load(folder / "queries.f16.npy"))
    return Dataset(f"WordNet, {len(definition):,} rows", definition, lemmas, _ranked(payloads), queries)


def repeated(known: Dataset, rows: int) -> Dataset:
    """The rows of `known` over and over, each time with other noise, until there are `rows`."""
    random, taken = np.random.default_rng(11), np.arange(rows) % len(known.definition)

    def noisy(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        noise = random.standard_normal((rows, vectors.shape[1]), np.float32) / np.float32(4 * vectors.shape[1] ** 0.5)
        noise[: len(vectors)] = 0
        return _unit(vectors[taken] + noise)

    payloads = _ranked([known.payloads[row] for row in taken.tolist()])
    name = f"{known.name}, repeated to {rows:,}"
    return Dataset(name, noisy(known.definition), noisy(known.lemmas), payloads, known.queries)


def synthetic(*, rows: int, dimensions: int, queries: int) -> Dataset:
    """Two spaces of clustered vectors."""
    definition, found = clustered(rows=rows, dimensions=dimensions, queries=queries)
    lemmas, _ = clustered(rows=rows, dimensions=dimensions, queries=0, seed=8)
    payloads: list[Payload] = [{"number": row, "parity": "even" if row % 2 == 0 else "odd"} for row in range(rows)]
    return Dataset(f"synthetic, {rows:,} rows", definition, lemmas, _ranked(payloads), found)


def clustered(
    *, rows: int, dimensions: int, queries: int, seed: int = 7
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Unit vectors around centres, and queries like them: real embeddings are clustered, too, and uniform vectors
    have no near neighbours to find."""
    random = np.random.default_rng(seed)
    centres = random.standard_normal((max(16, rows // 200), dimensions), np.float32)

    def draw(count: int) -> NDArray[np.float32]:
        noise = random.standard_normal((count, dimensions), np.float32)
        return _unit(centres[random.integers(len(centres), size=count)] + np.float32(0.6) * noise)

    return draw(rows), draw(queries)


def _ranked(payloads: list[Payload]) -> list[Payload]:
    ranks = np.random.default_rng(3).permutation(len(payloads)).tolist()
    return [{**payload, RANK: rank} for payload, rank in zip(payloads, ranks, strict=True)]


def _unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    wide = vectors.astype(np.float32)
    unit: NDArray[np.float32] = wide / np.linalg.norm(wide, axis=1, keepdims=True)
    return unit
