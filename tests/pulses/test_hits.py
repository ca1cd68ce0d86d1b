from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.training.tasks.pulses import pair_pulses, two_channels
from tests.training.toy_pulses import toy_pulses

from discrimen.errors import DataError, SettingsError
from discrimen.pulses.hits import as_hits, cut_records, join_hits
from discrimen.training import Hits, TrainingConfig, train


def test_pulses_of_one_channel_become_a_view_with_their_columns() -> None:
    pulses = toy_pulses(5)
    found = as_hits(pulses)
    assert found.samples.shape == (10, 1, 75)
    assert np.shares_memory(found.samples, pulses.samples)
    assert np.array_equal(found.info.column("label"), pulses.column("label"))


def test_channels_of_different_sampling_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"channel 1 has a sample every 4 ns, channel 0 every 8 ns.*resample"):
        Hits(samples=np.zeros((3, 2, 8), np.int16), sample_period_ns=(8.0, 4.0))
    assert Hits(samples=np.zeros((3, 2, 8), np.int16), sample_period_ns=(8.0, 8.0)).sample_period_ns == 8.0


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match=r"\(pulse, channel, sample\), got \(3, 8\)"):
        Hits(samples=np.zeros((3, 8), np.int16), sample_period_ns=8.0)
    with pytest.raises(DataError, match=r"which channels are there as \(3, 2\)"):
        Hits(samples=np.zeros((3, 2, 8), np.int16), sample_period_ns=8.0, present=np.ones((3, 1), bool))


def test_a_preparation_of_another_number_of_channels_is_refused(tmp_path: Path) -> None:
    one = Hits(
        samples=pair_pulses(20)[0].samples[:, :1],
        sample_period_ns=8.0,
        columns={"label": np.repeat([0, 1], 10).astype(np.int8)},
    )
    with pytest.raises(DataError, match=r"shape \(pulse, 2, sample\), got \(20, 1, 24\)"):
        train(one, two_channels(), TrainingConfig(), folder=tmp_path / "model")


def _hits(n: int = 4, *, masked: bool = False) -> Hits:
    samples = np.arange(n * 3 * 5, dtype=np.int16).reshape(n, 3, 5)
    present = np.ones((n, 3), bool)
    present[0, 1] = False
    return Hits(
        samples=samples,
        sample_period_ns=10.0,
        present=present if masked else None,
        columns={"x_mm": np.arange(n) / 2, "segment": np.arange(n)},
        channels=("a", "b", "core"),
    )


def test_selected_hits_keep_mask_columns_and_names() -> None:
    found = _hits(masked=True)[np.array([2, 0])]
    assert found.samples[:, 0, 0].tolist() == [30, 0]
    assert found.present is not None
    assert found.present[:, 1].tolist() == [True, False]
    assert found.column("x_mm").tolist() == [1.0, 0.0]
    assert found.channels == ("a", "b", "core")


def test_joined_hits_have_a_mask_as_soon_as_one_part_has() -> None:
    found = join_hits([_hits(2), _hits(3, masked=True)])
    assert len(found) == 5
    assert found.present is not None
    assert np.flatnonzero(~found.present).tolist() == [2 * 3 + 1]


def test_hits_of_other_channels_are_not_joined() -> None:
    other = Hits(samples=np.zeros((1, 3, 5), np.int16), sample_period_ns=10.0, channels=("b", "a", "core"))
    with pytest.raises(DataError, match="different channels"):
        join_hits([_hits(), other])


def test_cut_records_keep_all_but_the_other_samples() -> None:
    found = cut_records(_hits(masked=True), 1, 4)
    assert found.samples[1].tolist() == _hits().samples[1, :, 1:4].tolist()
    assert found.present is not None
    assert found.column("segment").tolist() == [0, 1, 2, 3]
    with pytest.raises(DataError, match=r"within the records, 0:5, got 2:6"):
        cut_records(_hits(), 2, 6)
