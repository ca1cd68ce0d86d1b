from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.runs.toy_hits import CHANNELS, toy_hits, write_toy

from discrimen.errors import DataError, SettingsError
from discrimen.pulses.detector import DetectorSettings
from discrimen.pulses.hits import Hits, in_order_of
from discrimen.runs.hits_dataset import are_hits_files, load_hits


def backwards(hits: Hits) -> Hits:
    return replace(hits, samples=hits.samples[:, ::-1], channels=hits.channels[::-1])


def test_channels_in_another_order_are_put_into_that_of_the_first_file(tmp_path: Path) -> None:
    first, second = toy_hits(5), toy_hits(4, seed=1)
    paths = [write_toy(tmp_path / "a.h5", first), write_toy(tmp_path / "b.h5", backwards(second))]
    found = load_hits(paths)
    assert found.hits.channels == CHANNELS
    assert np.array_equal(found.hits.samples, np.concatenate([first.samples, second.samples]))
    assert [file["n_pulses"] for file in found.files] == [5, 4]
    assert found.settings.sample_period_ns == 10.0


def test_a_channel_that_a_file_lacks_is_absent_from_its_hits(tmp_path: Path) -> None:
    whole = toy_hits(4)
    fewer = replace(whole, samples=whole.samples[:, 1:], channels=CHANNELS[1:])
    found = load_hits([write_toy(tmp_path / "a.h5", whole), write_toy(tmp_path / "b.h5", fewer)])
    assert found.hits.present is not None
    assert found.hits.present[:4].all()
    assert not found.hits.present[4:, 0].any()
    assert found.hits.present[4:, 1:].all()
    assert not found.hits.samples[4:, 0].any()


def test_channels_nobody_asked_for_and_channels_without_names_are_refused() -> None:
    with pytest.raises(DataError, match="the hits have the channels A1, which are not among B1"):
        in_order_of(toy_hits(2), CHANNELS[1:])
    with pytest.raises(DataError, match="do not name their 37 channels"):
        in_order_of(replace(toy_hits(2), channels=()), CHANNELS)


def test_another_period_than_was_told_is_refused(tmp_path: Path) -> None:
    path = write_toy(tmp_path / "a.h5", toy_hits(2))
    with pytest.raises(SettingsError, match="every 10 ns, but 8 ns were expected"):
        load_hits([path], DetectorSettings(sample_period_ns=8.0))


def test_hits_and_other_files_are_not_mixed(tmp_path: Path) -> None:
    path = write_toy(tmp_path / "a.h5", toy_hits(2))
    (other := tmp_path / "b.txt").write_text("x")
    assert are_hits_files([path])
    assert not are_hits_files([other])
    with pytest.raises(DataError, match=r"b\.txt: is no file of hits, as .*a\.h5 is"):
        are_hits_files([path, other])
