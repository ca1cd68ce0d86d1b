from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.training.tasks.pulses import pair_pulses, two_channels
from tests.training.toy_pulses import toy_pulses

from discrimen.errors import DataError, SettingsError
from discrimen.training import ChannelPulses, TrainingConfig, train
from discrimen.training.channel_pulses import channel_pulses


def test_pulses_of_one_channel_become_a_view_with_their_columns() -> None:
    pulses = toy_pulses(5)
    found = channel_pulses(pulses)
    assert found.samples.shape == (10, 1, 75)
    assert np.shares_memory(found.samples, pulses.samples)
    assert np.array_equal(found.info.column("label"), pulses.column("label"))


def test_channels_of_different_sampling_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"channel 1 has a sample every 4 ns, channel 0 every 8 ns.*resample"):
        ChannelPulses(samples=np.zeros((3, 2, 8), np.int16), sample_period_ns=(8.0, 4.0))
    assert ChannelPulses(samples=np.zeros((3, 2, 8), np.int16), sample_period_ns=(8.0, 8.0)).sample_period_ns == 8.0


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match=r"\(pulse, channel, sample\), got \(3, 8\)"):
        ChannelPulses(samples=np.zeros((3, 8), np.int16), sample_period_ns=8.0)
    with pytest.raises(DataError, match=r"which channels are there as \(3, 2\)"):
        ChannelPulses(samples=np.zeros((3, 2, 8), np.int16), sample_period_ns=8.0, present=np.ones((3, 1), bool))


def test_a_preparation_of_another_number_of_channels_is_refused(tmp_path: Path) -> None:
    one = ChannelPulses(
        samples=pair_pulses(20)[0].samples[:, :1],
        sample_period_ns=8.0,
        columns={"label": np.repeat([0, 1], 10).astype(np.int8)},
    )
    with pytest.raises(DataError, match=r"shape \(pulse, 2, sample\), got \(20, 1, 24\)"):
        train(one, two_channels(), TrainingConfig(), folder=tmp_path / "model")
