from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.runs.toy_hits import N_SAMPLES, START, toy_hits

from discrimen.errors import DataError, SettingsError
from discrimen.network.preparation import Alignment
from discrimen.network.prepare import prepare
from discrimen.network.prepare.choose_hits import choose_hits_preparation
from discrimen.pulses.detector import DetectorSettings

HITS = toy_hits(500)


def test_the_window_ends_just_after_the_rise_and_the_baseline_lies_before_it() -> None:
    preparation = choose_hits_preparation(HITS, DetectorSettings(), reference="core")
    channel = preparation.channels[0]
    assert channel.baseline_start == 0
    assert START - 6 < channel.baseline_stop < START
    assert START - 5 <= channel.window_start < START
    end = channel.window_start + preparation.window_length
    # The slowest hits of the toy need 28 samples, and 0.9 of that for nine tenths.
    assert START + 15 < end < START + 28 + 4 < N_SAMPLES
    assert preparation.channel_names[preparation.reference or 0] == "core"
    assert not preparation.masked


def test_one_gain_for_all_channels_leaves_transients_their_sign_and_size() -> None:
    preparation = choose_hits_preparation(HITS, DetectorSettings(), reference="core", scale="peak")
    given = prepare(HITS.samples, preparation).waveforms
    assert np.allclose(given[:, -1].max(axis=1), 1)
    exact = HITS.samples - HITS.samples[:, :, : preparation.channels[0].baseline_stop].mean(axis=2, keepdims=True)
    first = preparation.channels[0].window_start
    window = exact[:, :, first : first + preparation.window_length]
    assert np.allclose(given * window[:, -1:].max(axis=2, keepdims=True), window, atol=1e-2)
    assert given[:, :-1].min() < -0.05


def test_an_alignment_moves_the_window_of_all_channels_together() -> None:
    preparation = choose_hits_preparation(
        HITS, DetectorSettings(), reference="core", alignment=Alignment(position=8, interpolate=True)
    )
    assert all(channel.window_start == 0 for channel in preparation.channels)
    late = replace(HITS, samples=np.roll(HITS.samples, 2, axis=2))
    still, moved = (prepare(each.samples, preparation).waveforms for each in (HITS, late))
    assert np.abs(still - moved).mean() < 0.002
    fixed = replace(preparation, alignment=None)
    still, moved = (prepare(each.samples, fixed).waveforms[:, -1] for each in (HITS, late))
    assert np.abs(still - moved).mean() > 0.002


def test_falling_hits_are_not_taken_for_rising_ones() -> None:
    falling = replace(HITS, samples=-HITS.samples)
    with pytest.raises(DataError, match="--polarity negative"):
        choose_hits_preparation(falling, DetectorSettings(), reference="core")
    turned = choose_hits_preparation(falling, DetectorSettings(polarity="negative"), reference="core")
    assert {channel.polarity for channel in turned.channels} == {-1}


def test_a_reference_that_is_not_there_and_a_window_beyond_the_record_are_refused() -> None:
    with pytest.raises(SettingsError, match="there is no channel 'cc' to be the reference; there are: A1"):
        choose_hits_preparation(HITS, DetectorSettings(), reference="cc")
    with pytest.raises(SettingsError, match="reach to sample 70, but the hits have 60"):
        choose_hits_preparation(HITS, DetectorSettings(), reference="core", window=(10, 60))
    with pytest.raises(DataError, match="leaves no baseline"):
        cut = replace(HITS, samples=HITS.samples[:, :, int(START) :])
        choose_hits_preparation(cut, DetectorSettings(), reference="core")
