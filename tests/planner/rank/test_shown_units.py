"""How the units of a text query are shown in explanations."""

import pytest

from planner.rank.text_description import shown
from planner.text.units import Phrase, Prefix, Term, Unit


@pytest.mark.parametrize(
    ("unit", "text"),
    [
        (Term("shoe"), "shoe"),
        (Prefix("sho"), "sho*"),
        (Phrase(("trail", "shoe"), (0, 1)), '"trail shoe"'),
        (Phrase(("jump", "dog"), (0, 3)), '"jump _ _ dog"'),
        (Phrase(("東京", "fox"), (0, 2)), '"東京 fox"'),  # the place between is that of the pair's second character
        (Phrase(("東京", "fox"), (0, 3)), '"東京 _ fox"'),
    ],
)
def test_a_unit_is_shown_as_people_write_it(unit: Unit, text: str) -> None:
    assert shown(unit) == text
