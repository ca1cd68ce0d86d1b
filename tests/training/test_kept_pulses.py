from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from tests.training.tasks.pulses import pair_pulses, two_channels
from tests.training.toy_pulses import PREPARATION, toy_pulses

from discrimen.errors import FormatError
from discrimen.network.prepare import prepare
from discrimen.training import Hits, TrainingConfig, train, validation_pulses
from discrimen.training.kept_pulses import MOST_BYTES, MOST_PULSES, choose_kept, margins, read_kept, write_kept


def test_half_of_what_stays_is_what_the_network_is_least_sure_of() -> None:
    margin = np.random.default_rng(0).uniform(size=5000)
    chosen = choose_kept(5000, bytes_each=150, margin=margin, rng=np.random.default_rng(1))
    assert len(np.unique(chosen)) == MOST_PULSES
    assert set(np.argsort(margin)[: MOST_PULSES // 2]) <= set(chosen)
    assert np.median(margin[chosen]) < 0.3


def test_without_classes_all_are_drawn() -> None:
    one, again, other = (
        choose_kept(5000, bytes_each=150, margin=None, rng=np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert_array_equal(one, again)
    assert not np.array_equal(one, other)
    assert 2000 < np.mean(one) < 3000


def test_large_pulses_stay_within_four_megabytes() -> None:
    size = 2 * 16 * 1000
    chosen = choose_kept(5000, bytes_each=size, margin=None, rng=np.random.default_rng(0))
    assert len(chosen) * size <= MOST_BYTES < (len(chosen) + 1) * size


def test_the_margin_is_least_at_even_scores() -> None:
    scores = np.array([[0.5, 0.5], [0.1, 0.9], [0.8, 0.2]], np.float32)
    assert np.allclose(margins(scores), [0, 0.8, 0.6], atol=1e-6)


def test_raw_validation_pulses_stay_with_the_model(tmp_path: Path) -> None:
    pulses = toy_pulses(100)
    result = train(pulses, PREPARATION, TrainingConfig(architecture="mlp", epochs=1), folder=tmp_path / "model")
    kept = validation_pulses(tmp_path / "model")
    assert kept is not None
    samples, present = kept
    assert present is None
    assert samples.dtype == np.uint16
    judged = {each.tobytes() for each in pulses.samples[result.validation_index]}
    assert {each.tobytes() for each in samples[:, 0]} == judged
    for inside in ("model.keras", *(path.name for path in (tmp_path / "model" / "checkpoints").glob("*.keras"))):
        where = tmp_path / "model" / ("checkpoints" if inside.startswith("epoch") else "") / inside
        assert validation_pulses(where) is not None


def test_the_mask_stays_with_them(tmp_path: Path) -> None:
    whole, _ = pair_pulses(60)
    present = np.ones((60, 2), dtype=np.bool_)
    present[::4, 1] = False
    pulses = Hits(samples=whole.samples, sample_period_ns=8.0, present=present, columns=whole.columns)
    preparation = two_channels(scale="peak", masked=True)
    train(pulses, preparation, TrainingConfig(architecture="mlp", epochs=1, validation_share=0.4), folder=tmp_path)
    kept = validation_pulses(tmp_path)
    assert kept is not None
    assert kept[1] is not None
    assert kept[1].shape == kept[0].shape[:2]
    assert prepare(kept[0], preparation, present=kept[1]).valid.all()
    assert (~kept[1]).sum() > 0


def test_a_folder_without_them_has_none(tmp_path: Path) -> None:
    assert validation_pulses(tmp_path) is None


def test_what_is_no_such_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "validation_pulses.npz").write_bytes(b"no")
    with pytest.raises(FormatError, match="no validation pulses"):
        validation_pulses(tmp_path)
    write_kept(tmp_path / "flat.npz", np.zeros((3, 8), np.int16), None)
    with pytest.raises(FormatError, match=r"\(pulse, channel, sample\), got \(3, 8\)"):
        read_kept(tmp_path / "flat.npz")
