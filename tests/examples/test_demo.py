"""`python -m examples.demo` as a person runs it: what it prints is what numpy finds in the shipped data."""

import re
import subprocess
import sys

import numpy as np
import pytest

from examples.datasets import WordNet, load_wordnet
from examples.demo import CANDIDATES, LIMIT, QUERY
from examples.report import WIDTH
from tests.examples import reference
from tests.examples.reference import Ranking
from tests.support.root import ROOT
from tests.support.server_process import environment

SECONDS = 120
HIT = re.compile(r"^  (?P<mark>[* ]) ?(?P<rank>\d+)  (?P<score>-?\d\.\d{4})  (?P<text>.+?)\s{2,}(?P<lexname>\S+)$")

Sections = dict[str, list[str]]


@pytest.fixture(scope="module")
def data() -> WordNet:
    return load_wordnet()


@pytest.fixture(scope="module")
def sections() -> Sections:
    """The lines that the demo prints under each heading."""
    done = subprocess.run(
        [sys.executable, "-m", "examples.demo"],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return split_at_headings(done.stdout)


def split_at_headings(output: str) -> Sections:
    printed = output.splitlines()
    starts = [at - 1 for at, line in enumerate(printed) if at and line and set(line) == {"─"}]
    ends = [*starts[1:], len(printed)]
    return {printed[start]: printed[start + 2 : end] for start, end in zip(starts, ends, strict=True)}


def both_spaces(data: WordNet, verbs: bool = False) -> list[Ranking]:
    query = data.query_vectors[QUERY]

    def keep(row: int) -> bool:
        return not verbs or data.synsets[row]["pos"] == "verb"

    return [reference.nearest(space, query, CANDIDATES, keep) for space in (data.definition, data.lemmas)]


def expected_rankings(data: WordNet) -> dict[str, Ranking]:
    query = data.query_vectors[QUERY]
    ranks = reference.by_rank(both_spaces(data))
    return {
        "One search, by definition": reference.nearest(data.definition, query, LIMIT),
        "One search, by lemmas": reference.nearest(data.lemmas, query, LIMIT),
        "Both spaces, fused by rank (RRF)": ranks,
        "Both spaces, fused by score (DBSF)": reference.by_score(both_spaces(data)),
        "Verbs only, filtered after fusion": reference.gate(ranks, lambda row: data.synsets[row]["pos"] == "verb"),
        "Verbs only, filtered inside the prefetches": reference.by_rank(both_spaces(data, verbs=True)),
        "Three stages in one call: two searches, fusion, re-ranking": reference.rerank(
            ranks[:LIMIT], data.definition, query
        ),
    }


def test_every_printed_ranking_is_what_numpy_finds(sections: Sections, data: WordNet) -> None:
    answer = data.queries[QUERY]["relevant_id"]
    for title, ranking in expected_rankings(data).items():
        hits = [hit for line in sections[title] if (hit := HIT.match(line))]
        assert len(hits) == min(LIMIT, len(ranking)), title
        for rank, (hit, (row, score)) in enumerate(zip(hits, ranking, strict=False), start=1):
            synset = data.synsets[row]
            text = f"{', '.join(synset['lemmas'])}: {synset['definition']}"
            assert int(hit["rank"]) == rank
            assert float(hit["score"]) == pytest.approx(score, abs=1e-4)
            assert text.startswith(hit["text"].removesuffix("…"))
            assert hit["lexname"] == synset["lexname"]
            assert (hit["mark"] == "*") == (row == answer)


def test_the_story_holds(sections: Sections, data: WordNet) -> None:
    """What the texts of the demo claim: fusion finds what no space put first, and a gate leaves the list short."""
    answer = data.queries[QUERY]["relevant_id"]
    rankings = expected_rankings(data)
    first = {title: ranking[0][0] == answer for title, ranking in rankings.items()}
    assert not first["One search, by definition"]
    assert not first["One search, by lemmas"]
    assert first["Both spaces, fused by rank (RRF)"]
    assert 1 < len(rankings["Verbs only, filtered after fusion"]) < LIMIT
    assert any("rank 1" in line and "RRF" in line for line in sections["Where the marked synset stood"])


def test_the_load_and_the_plan_are_shown(sections: Sections) -> None:
    loaded = "\n".join(sections["One collection, two vector spaces"])
    assert "2,000 points" in loaded
    assert "2,000 vectors in 'definition'" in loaded
    plan = "\n".join(sections["How the server ran the three stages"])
    assert "rrf" in plan.lower()
    assert plan.count("definition") >= 2
    assert "lemmas" in plan


def test_it_fits_a_terminal(sections: Sections) -> None:
    widths = {title: max(map(len, lines), default=0) for title, lines in sections.items()}
    assert np.max(list(widths.values())) <= WIDTH, widths
