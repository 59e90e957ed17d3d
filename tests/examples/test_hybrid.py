"""The steps of `examples/hybrid.py`: what each finds, against the data."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from examples import hybrid
from examples.datasets import WordNet, load_wordnet
from examples.own_server import own_server
from headwater import Client


@dataclass(frozen=True)
class Tour:
    client: Client
    data: WordNet


@pytest.fixture(scope="module")
def tour() -> Iterator[Tour]:
    data = load_wordnet()
    with own_server() as address, Client(address) as client:
        hybrid.fill(client, data)
        yield Tour(client, data)


@pytest.mark.parametrize("number", range(5))
def test_each_step(tour: Tour, number: int) -> None:
    words, meaning, both, reranked = (step(tour.client, tour.data, number) for step in hybrid.STEPS)
    rows = {row["id"]: row for row in tour.data.synsets}
    for hit in words:
        assert hit.highlights
        for part in hit.highlights:
            held = rows[hit.id][part.path]
            text = held[part.element] if isinstance(held, list) else held
            assert part.fragment == text[part.offset : part.offset + len(part.fragment)]
    assert len(meaning) == 10
    assert {rows[hit.id]["pos"] for hit in both} == {"noun"}
    assert [hit.score for hit in both] == sorted((hit.score for hit in both), reverse=True)
    scores = tour.data.lemmas @ tour.data.query_vectors[number]
    nearness = dict(zip(rows, scores.tolist(), strict=True))
    assert all(hit.score == pytest.approx(nearness[hit.id], abs=1e-5) for hit in [*meaning, *reranked])


def test_it_prints(capsys: pytest.CaptureFixture[str]) -> None:
    hybrid.main()
    printed = capsys.readouterr().out
    assert all(step.__name__ in printed for step in hybrid.STEPS)
