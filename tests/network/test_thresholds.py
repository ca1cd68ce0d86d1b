"""Which threshold is meant."""

from __future__ import annotations

import pytest

from discrimen.errors import SettingsError
from discrimen.network.thresholds import ChosenThreshold, choose_threshold


def test_the_only_stored_one_is_the_default_and_half_where_there_is_none() -> None:
    assert choose_threshold({}) == ChosenThreshold(0.5)
    assert choose_threshold({"mine": 0.7}) == ChosenThreshold(0.7, "mine")


def test_names_and_numbers() -> None:
    stored = {"a": 0.7, "b": 0.9}
    assert choose_threshold(stored, "b") == ChosenThreshold(0.9, "b")
    assert choose_threshold(stored, "0.25") == choose_threshold(stored, 0.25) == ChosenThreshold(0.25)
    assert [str(choose_threshold(stored, wish)) for wish in ("b", 0.25)] == ["0.9 (b)", "0.25"]


@pytest.mark.parametrize(
    ("wish", "said"),
    [(None, "several thresholds.*a, b"), ("c", "no threshold 'c'; it stores: a, b"), ("1.5", "0 and 1")],
)
def test_what_cannot_be_meant_is_refused(wish: str | None, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        choose_threshold({"a": 0.7, "b": 0.9}, wish)
