"""Settings of an array: what each channel has of its own, and what one model of all needs alike."""

from __future__ import annotations

import numpy as np
import pytest

from discrimen.errors import SettingsError
from discrimen.pulses import Pulses
from discrimen.pulses.array import by_settings, listed, merged_channels, settings_of_model, with_gates
from discrimen.pulses.detector import DetectorSettings, GatesNs, validate_settings
from discrimen.pulses.places import Place

GATES = {"gate_start_ns": -20, "short_gate_end_ns": 30, "long_gate_end_ns": 300}
ARRAY = validate_settings(
    {
        "polarity": "negative",
        "gates": GATES,
        "channels": [
            {"channel": 0},
            {"channel": 1, "gates": GATES | {"short_gate_end_ns": 50}},
            {"board": 1, "channel": 0, "polarity": "positive"},
            {"channel": 2},
        ],
    },
    source="test",
)


def pulses() -> Pulses:
    channel = np.array([0, 1, 2, 0, 1, 0])
    return Pulses(
        samples=np.zeros((6, 8), np.int16), sample_period_ns=2.0, channel=channel, board=np.array([0, 0, 0, 0, 0, 1])
    )


def test_a_channel_has_its_own_values_and_those_of_all() -> None:
    assert ARRAY.of(1, 0).polarity == "positive"
    assert ARRAY.of(1, 0).gates == ARRAY.gates
    own = ARRAY.of(0, 1)
    assert own.gates is not None
    assert (own.gates.short_gate_end_ns, own.polarity, own.channels) == (50, "negative", None)
    assert ARRAY.of(0, 9).gates == ARRAY.gates
    assert listed(ARRAY) == (Place(0, 0), Place(0, 1), Place(1, 0), Place(0, 2))
    assert listed(DetectorSettings()) == ()


def test_channels_that_are_alike_come_together() -> None:
    found = {tuple(at.tolist()): own for at, own in by_settings(pulses(), ARRAY)}
    assert set(found) == {(0, 2, 3), (1, 4), (5,)}
    assert found[5,].polarity == "positive"
    ((at, own),) = by_settings(pulses(), DetectorSettings())
    assert (at.tolist(), own) == (list(range(6)), DetectorSettings())


def test_a_model_of_an_array_lists_the_channels_that_it_was_trained_on() -> None:
    model = settings_of_model(ARRAY, [Place(0, 1), Place(0, 0)])
    assert listed(model) == (Place(0, 0), Place(0, 1))
    assert (model.of(0, 0).gates, model.of(0, 1).gates) == (ARRAY.gates, ARRAY.of(0, 1).gates)
    assert settings_of_model(ARRAY, []) is ARRAY
    only = settings_of_model(ARRAY, [Place(1, 0)])
    assert only.polarity == "positive"


def test_one_model_takes_no_channels_of_different_preparation() -> None:
    with pytest.raises(SettingsError, match="board 1 channel 0 has polarity positive, board 0 channel 0 has negative"):
        settings_of_model(ARRAY, [Place(0, 0), Place(1, 0)])


def test_a_channel_that_stands_twice_or_is_told_differently_is_refused() -> None:
    with pytest.raises(SettingsError, match="a channel stands twice"):
        validate_settings({"channels": [{"channel": 1}, {"channel": 1}]}, source="x")
    other = validate_settings({"channels": [{"channel": 1, "pretrigger_ns": 50}, {"channel": 8}]}, source="x")
    with pytest.raises(SettingsError, match="different things of board 0 channel 1"):
        merged_channels([ARRAY, other])
    alone = validate_settings({"channels": [{"channel": 8}]}, source="x")
    merged = merged_channels([ARRAY, alone, DetectorSettings()])
    assert merged is not None
    assert [(each.board, each.channel) for each in merged] == [(0, 0), (0, 1), (0, 2), (0, 8), (1, 0)]
    assert merged_channels([DetectorSettings()]) is None


def test_what_is_given_wins_over_what_a_channel_has_of_its_own() -> None:
    given = ARRAY.merged(polarity="positive", sample_period_ns=2.0)
    assert given.of(0, 0).polarity == given.of(1, 0).polarity == "positive"
    assert ARRAY.merged(polarity="negative").of(1, 0).polarity == "negative"
    assert given.of(0, 1).gates == ARRAY.of(0, 1).gates
    told = validate_settings({"gates": GATES}, source="x").filled_from(ARRAY)
    assert told.of(0, 1).gates == ARRAY.gates
    assert told.of(1, 0).polarity == "positive"


def test_gates_go_to_the_top_for_one_detector_and_to_each_channel_of_several() -> None:
    gates = {place: GatesNs(short_gate_end_ns=10 + place.channel, long_gate_end_ns=99) for place in listed(ARRAY)[:2]}
    one, stale = with_gates(DetectorSettings(), gates, of=[Place(0, 0)])
    assert (one.gates, one.channels, stale) == (gates[Place(0, 0)], None, False)
    of = [*gates, Place(0, 7)]
    many, _ = with_gates(ARRAY, gates, of=of)
    assert [many.of(*place).gates for place in of] == [*gates.values(), ARRAY.gates]
    assert many.of(1, 0).polarity == "positive"
    calibrated = validate_settings(
        {"calibration": {"quantity": "long_charge_adc_ns", "gain_kevee_per_unit": 1.0}}, source="x"
    )
    left, stale = with_gates(calibrated, gates, of=[Place(0, 0)])
    assert (left.calibration, stale) == (None, True)
