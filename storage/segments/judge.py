"""Measures new indexes: which share of the exact answers they find, compared with the original vectors.

Half of the queries are rows, half lie between rows. The caller passes what an index found, with the settings of a
search; nothing here searches an index.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storage.schema import Datatype, Distance
from storage.vectors import (
    Encoding,
    compared_by,
    decoded,
    encode_queries,
    encode_rows,
    estimate_rows,
    is_coarse,
    norms_of,
    rescored,
    score_rows,
)

LIMIT = 10
"""Rows asked for: recall is the share of the LIMIT best rows that is found."""

GOOD_RECALL = 0.95
"""Below this recall at 10, at the default settings, an index counts as poor."""

FORM_RECALL = 0.98
"""Below this recall at 10 of a perfect search, a stored form cannot tell the rows apart."""

GOOD_FORM = 0.995
"""Above this recall at 10 of a perfect search, the stored form is not the reason for a poor index."""

QUERIES = 200
"""Queries of a measurement. With 200 queries of 10 rows each, a recall of .95 is measured to about .01."""

_MIN_QUERIES = 40
_VALUES = 1 << 37  # most components compared: about a minute of matrix products
_VALUES_AT_ONCE = 1 << 22
_NEAR, _FAR = 0.1, 0.5  # how far a query lies on the way from one row to another

Rows = NDArray[np.float32]
Positions = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Exam:
    """Queries (m, size) and their exact answers. The first `rows` queries are the rows at `own`.

    The answer to each query is the exact score of the last of its best rows, (m,). `limit`: rows asked for.
    """

    metric: Distance
    queries: Rows
    own: Positions
    last: NDArray[np.float32]
    limit: int


def make_exam(metric: Distance, vectors: Rows, positions: Positions) -> Exam:
    """Makes queries about the rows `vectors[positions]`, and their exact answers. Equal rows give an equal exam."""
    random = np.random.default_rng(1)
    wanted = int(np.clip(_VALUES // max(1, len(positions) * vectors.shape[1]), _MIN_QUERIES, QUERIES)) // 2
    own = np.sort(random.choice(positions, min(wanted, len(positions)), replace=False))
    others = random.choice(positions, len(own))
    queries = np.concatenate((vectors[own], _between(metric, vectors[own], vectors[others], random)))
    limit = min(LIMIT, len(positions))
    return Exam(metric, queries, own, _last_of_best(metric, queries, vectors, positions, limit), limit)


def recall_of(exam: Exam, vectors: Rows, found: list[Positions]) -> float:
    """Mean share of the best rows that is in `found`, by query. Rows with equal scores count as the same row."""
    shares = []
    for query, last, positions in zip(exam.queries, exam.last, found, strict=True):
        scores = score_rows(exam.metric, query, np.asarray(vectors[positions]))
        good = scores >= last if exam.metric.higher_is_better else scores <= last
        shares.append(min(exam.limit, int(np.count_nonzero(good))) / exam.limit)
    return float(np.mean(shares)) if shares else 1.0


def share_reached(exam: Exam, vectors: Rows, found: list[Positions]) -> float:
    """Share of the queries made from rows that find their row, a row with the same score, or enough better rows."""
    reached = []
    for query, own, positions in zip(exam.queries, exam.own.tolist(), found, strict=False):
        scores = score_rows(exam.metric, query, np.asarray(vectors[np.append(positions, own)]))
        scores = scores if exam.metric.higher_is_better else -scores
        better = int(np.count_nonzero(scores[:-1] > scores[-1]))
        reached.append(better >= exam.limit or bool((scores[:-1] == scores[-1]).any()))
    return float(np.mean(reached)) if reached else 1.0


def recall_of_form(exam: Exam, datatype: Datatype, encoding: Encoding, vectors: Rows, positions: Positions) -> float:
    """The recall of a perfect search of the stored form. It needs no index."""
    wanted = rescored(exam.metric, datatype, exam.limit, None)
    size = vectors.shape[1]
    queries = decoded(datatype, encode_queries(exam.metric, datatype, encoding, exam.queries), size)
    near = np.empty((len(queries), 0), np.float32)
    found = np.empty((len(queries), 0), np.int64)
    by = Distance.DOT if is_coarse(exam.metric, datatype) else compared_by(exam.metric, encoding)
    for part in _parts(positions, size):
        rows = decoded(datatype, encode_rows(exam.metric, datatype, encoding, vectors[part]), size)
        near = np.concatenate((near, _nearness(by, queries, rows)), axis=1)
        found = np.concatenate((found, np.broadcast_to(part, (len(queries), len(part)))), axis=1)
        if near.shape[1] > wanted:
            best = np.argpartition(-near, wanted - 1, axis=1)[:, :wanted]
            near, found = np.take_along_axis(near, best, axis=1), np.take_along_axis(found, best, axis=1)
    return recall_of(exam, vectors, list(found))


def _between(metric: Distance, rows: Rows, others: Rows, random: np.random.Generator) -> Rows:
    """Vectors on the way from each of `rows` to the row of `others` at the same position."""
    share = random.uniform(_NEAR, _FAR, (len(rows), 1))
    if metric.is_binary:
        return np.where(random.random(rows.shape) < share, others, rows)
    wide = rows.astype(np.float64)
    between: Rows = (wide + share * (others.astype(np.float64) - wide)).astype(np.float32)
    return between


def _last_of_best(
    metric: Distance, queries: Rows, vectors: Rows, positions: Positions, limit: int
) -> NDArray[np.float32]:
    """The exact score of the `limit`-th best row of each query."""
    norms = norms_of(queries)
    best = np.full((len(queries), limit), -np.inf, np.float32)  # exact scores, higher is better
    sign = np.float32(1 if metric.higher_is_better else -1)
    floor = np.full(len(queries), -np.inf, np.float32)  # rows with a lower estimate cannot be among the best
    for part in _parts(positions, vectors.shape[1]):
        rows = np.ascontiguousarray(vectors[part])
        guess, bound = estimate_rows(metric, queries, norms, rows, norms_of(rows))
        lower, upper = guess - bound, guess + bound
        for number, query in enumerate(queries):
            if len(part) > limit:
                floor[number] = max(floor[number], np.partition(lower[number], len(part) - limit)[len(part) - limit])
            possible = np.flatnonzero(upper[number] >= floor[number])
            if len(possible):
                scores = np.append(best[number], sign * score_rows(metric, query, rows[possible]))
                best[number] = np.partition(scores, len(scores) - limit)[len(scores) - limit :]
    last: NDArray[np.float32] = sign * best.min(axis=1, initial=np.inf)
    return last


def _nearness(by: Distance, queries: Rows, rows: Rows) -> NDArray[np.float32]:
    """How near decoded rows are to decoded queries, (m, n); higher is nearer."""
    products: NDArray[np.float32] = queries @ rows.T
    match by:
        case Distance.EUCLID:
            products *= 2
            products -= np.vecdot(rows, rows)
        case Distance.COSINE:
            lengths = np.sqrt(np.vecdot(rows, rows))
            products /= np.where(lengths > 0, lengths, np.float32(1))
    return products


def _parts(positions: Positions, size: int) -> list[Positions]:
    step = max(1, _VALUES_AT_ONCE // size)
    return [positions[start : start + step] for start in range(0, len(positions), step)]
