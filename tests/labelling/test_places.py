"""Pulses by where they were digitised."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from discrimen.errors import DataError
from discrimen.labelling.places import Place, board_and_channel, by_place, chosen, joined, no_place, reasons
from discrimen.labelling.plane import Plane
from discrimen.pulses import Pulses

PLANE = Plane(
    energy=np.array([1.0, 2.0, 3.0]),
    psd=np.array([0.1, 0.2, 0.3]),
    psd_step=np.zeros(3),
    board=np.array([1, 0, 1], np.int32),
    channel=np.array([2, 0, 2], np.int32),
    energy_unit="keVee",
)


def test_places_come_in_their_order_with_their_pulses() -> None:
    found = by_place(PLANE)
    assert list(found) == [Place(0, 0), Place(1, 2)]
    assert [at.tolist() for at in found.values()] == [[1], [0, 2]]
    assert str(Place(1, 2)) == "board 1 channel 2"


def test_chosen_and_joined_pulses_keep_every_column() -> None:
    parts = [chosen(PLANE, at) for at in by_place(PLANE).values()]
    whole = joined(parts)
    assert whole.energy.tolist() == [2.0, 1.0, 3.0]
    assert whole.psd.tolist() == [0.2, 0.1, 0.3]
    assert whole.channel.tolist() == [0, 2, 2]
    assert whole.energy_unit == "keVee"


def test_other_units_or_no_pulses_are_refused() -> None:
    with pytest.raises(DataError, match="ADC ns and keVee"):
        joined([PLANE, replace(PLANE, energy_unit="ADC ns")])
    with pytest.raises(DataError, match="no pulses"):
        joined([])


def test_a_file_that_does_not_say_has_zeros() -> None:
    pulses = Pulses(samples=np.zeros((2, 4), np.uint16), sample_period_ns=2.0, channel=np.array([3, 4], np.int32))
    found = board_and_channel(pulses)
    assert found["board"].tolist() == [0, 0]
    assert found["channel"].tolist() == [3, 4]


def test_reasons_are_told_for_three_places_and_the_others_counted() -> None:
    problems = {Place(0, channel): f"reason {channel}" for channel in range(5)}
    assert reasons(problems)[4] == {"board": 0, "channel": 4, "reason": "reason 4"}
    assert str(no_place(problems)).endswith("board 0 channel 2: reason 2; and 2 more channels")
