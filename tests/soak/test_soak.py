"""A short soak: everything at once, with kills, against the model."""

from pathlib import Path

import pytest

from tests.soak.soak import Soak


@pytest.mark.slow
def test_nothing_is_lost_and_nothing_grows(tmp_path: Path) -> None:
    soak = Soak(tmp_path, 1, 20.0, lambda line: None)
    try:
        outcome = soak.run()
    finally:
        soak.end()
    assert outcome.faults == []
    assert outcome.kills + outcome.stops > 0
    assert outcome.compared > 1000
