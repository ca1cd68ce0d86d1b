"""Separation: two parts in no order, and whether there are one, two or more pulses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from discrimen.errors import DataError, SettingsError
from discrimen.keras_jax import load_keras
from discrimen.network.preparation import one_channel
from discrimen.pulses import Pulses
from discrimen.pulses.hits import as_hits
from discrimen.training import Separation, TrainingConfig, TrainingResult, load_model_folder, train
from discrimen.training.examples import Examples
from discrimen.training.remix import Mixture, Remix
from discrimen.training.tasks import task_from_dict
from discrimen.training.tasks.separation import packed

LENGTH = 30
PREPARATION = one_channel(
    sample_period_ns=10.0, polarity=-1, baseline_start=0, baseline_stop=4, window_length=LENGTH, scale="none"
)
CONFIG = TrainingConfig(
    task=Separation(), architecture="mlp", options={"hidden": 48}, epochs=25, learning_rate=0.003, split="pulse"
)


def piled_up(n_pulses: int, *, seed: int = 0) -> tuple[Pulses, dict[str, np.ndarray]]:
    """Records of two pulses, some of one, with their components."""
    rng = np.random.default_rng(seed)
    at = np.stack([np.full(n_pulses, 6), rng.integers(12, 24, n_pulses)], axis=1)
    late = np.arange(LENGTH) - at[:, :, np.newaxis]
    waves = rng.uniform(200, 800, (n_pulses, 2, 1)) * np.where(late >= 0, np.exp(-late / 3), 0)
    waves[::5, 1] = 0
    records = (1000 - waves).astype(np.float32)
    records[::5, 1] = 0
    noise = rng.normal(0, 2, (n_pulses, LENGTH))
    samples = (1000 - waves.sum(axis=1) + noise).round().astype(np.int16)
    there = np.ones((n_pulses, 2), np.int64)
    there[::5, 1] = 0
    pulses = Pulses(samples=samples, sample_period_ns=10.0, entry=np.arange(n_pulses))
    return pulses, {"components": records, "n_pulses": there}


def examples(n_pulses: int = 50) -> Examples:
    pulses, targets = piled_up(n_pulses)
    return CONFIG.task.examples(as_hits(pulses), PREPARATION, targets, CONFIG)


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    pulses, targets = piled_up(2000)
    return train(pulses, PREPARATION, CONFIG, folder=tmp_path_factory.mktemp("s") / "model", targets=targets)


def test_a_network_learns_to_part_pulses(result: TrainingResult) -> None:
    assert result.best.val_loss < 0.4 * result.history[0].val_loss
    assert result.best.metrics["val_pile_up_accuracy"] > 0.9


def test_the_model_stores_a_threshold_from_its_false_alarms(result: TrainingResult) -> None:
    _, description = load_model_folder(result.folder)
    assert [output.name for output in description.outputs] == ["parts", "pile_up"]
    assert description.outputs[0].shape == (2, LENGTH)
    (threshold,) = description.outputs[1].thresholds.values()
    assert threshold.of == "single"
    assert 0 < float(threshold.value) < 1  # type: ignore[arg-type]


def test_the_order_of_the_parts_does_not_matter() -> None:
    keras = load_keras("cpu").keras
    made = examples()
    learning = CONFIG.task.learning(keras, PREPARATION, made, CONFIG)
    targets = packed(made.targets)
    scores = np.tile(np.array([0.2, 0.7, 0.1], np.float32), (len(targets), 1))
    parts = targets[:, : 2 * LENGTH] + 5
    turned = parts.reshape(-1, 2, LENGTH)[:, ::-1].reshape(parts.shape)
    assert callable(learning.loss)
    straight, crossed = (np.asarray(learning.loss(targets, np.hstack([each, scores]))) for each in (parts, turned))
    np.testing.assert_allclose(straight, crossed, rtol=1e-5)
    off = np.asarray(learning.loss(targets, np.hstack([parts + 50, scores])))
    assert (off[1:5] > straight[1:5]).all()


def test_parts_of_single_pulses_do_not_count() -> None:
    weight = packed(examples().targets)[:, -1]
    assert (weight[::5] == 0).all()
    assert (weight[np.arange(50) % 5 != 0] == 1).all()


def remix(**changes: float) -> Remix:
    shares = {"gain": 0.0, "mixed_share": 0.0, "moved_share": 0.0, "single_share": 0.0, "more_share": 0.0} | changes
    return Remix(scale="none", **shares)


def drawn(made: Examples, **changes: float) -> Mixture:
    again = remix(**changes).draw(made, np.arange(len(made)), rng=np.random.default_rng(1))
    return Mixture.of_targets(again.targets, again.waveforms[:, 0])


def test_records_put_together_anew_keep_their_noise() -> None:
    made = examples()
    before = Mixture.of_targets(made.targets, made.waveforms[:, 0])
    after = drawn(made, mixed_share=0.9)
    assert np.abs(after.parts - before.parts).max() > 50
    np.testing.assert_allclose(
        after.waveforms - after.parts.sum(axis=1), before.waveforms - before.parts.sum(axis=1), atol=1e-3
    )
    same = drawn(made)
    np.testing.assert_allclose(same.waveforms, before.waveforms, atol=1e-3)


def test_half_of_the_records_become_those_of_another_source() -> None:
    made = examples(400)
    before = Mixture.of_targets(made.targets, made.waveforms[:, 0]).parts
    after = drawn(made, gain=0.1).parts
    there = before[:, 1].max(axis=1) > 0
    changed = np.abs(after - before).max(axis=(1, 2)) > 1
    assert 0.4 < changed.mean() < 0.6
    # One that was moved close to the end of the record is cut off there.
    whole = changed & there & (after[:, 1].argmax(axis=1) < LENGTH - 1) & (after[:, 1].max(axis=1) > 0)
    low, high = np.quantile(np.log(after[whole, 1].max(axis=1) / after[whole, 0].max(axis=1)), (0.16, 0.84))
    assert 0.05 < (high - low) / 2 < 0.15
    height = after[changed, 0].max(axis=1)
    assert height.max() > 5 * height.min()
    assert len(set(after[changed, 0].argmax(axis=1).tolist())) > 8


def test_second_pulses_are_moved_later() -> None:
    made = examples(200)
    before = Mixture.of_targets(made.targets, made.waveforms[:, 0]).parts
    after = drawn(made, moved_share=0.5).parts
    there = before[:, 1].max(axis=1) > 0
    moved = there & (np.abs(after[:, 1] - before[:, 1]).max(axis=1) > 1)
    assert 0.3 * there.sum() < moved.sum() < 0.7 * there.sum()
    assert (np.abs(after[:, 1, :12]).max(axis=1) < 1e-3).all()
    np.testing.assert_array_equal(after[:, 0], before[:, 0])


def test_some_records_become_single_and_some_get_a_third_pulse() -> None:
    made = examples(400)
    single, more = drawn(made, single_share=0.5), drawn(made, more_share=0.5)
    n_single, n_more = (single.n_pulses.sum(axis=1) == 1).sum(), (more.n_pulses.sum(axis=1) == 3).sum()
    assert 200 < n_single < 280
    assert 90 < n_more < 190
    third = more.waveforms - more.parts.sum(axis=1)
    assert (third[more.n_pulses.sum(axis=1) == 3].max(axis=1) > 50).all()
    assert not more.is_pair[more.n_pulses.sum(axis=1) == 3].any()


def test_parts_of_different_runs_are_not_put_together() -> None:
    pulses, targets = piled_up(60)
    targets["components"] = targets["components"].copy()
    targets["components"][30:, 1] = 1000 - 10 * (1000 - targets["components"][30:, 1])
    run = np.repeat(np.array([0, 1], np.int32), 30)
    made = CONFIG.task.examples(as_hits(pulses.replace(run=run)), PREPARATION, targets, CONFIG)
    after = drawn(made, mixed_share=0.99)
    height = after.parts[:, 1].max(axis=1)
    assert height[:30].max() < 801


def test_alone_are_first_pulses_without_a_third_one() -> None:
    judging = remix(more_share=0.5).judging(examples(200), rng=np.random.default_rng(2))
    alone = remix().alone(judging)
    mixture = Mixture.of_targets(alone.targets, alone.waveforms[:, 0])
    assert 80 < len(alone) < 180
    assert (mixture.parts[:, 1] == 0).all()
    assert np.abs(mixture.waveforms - mixture.parts[:, 0]).max() < 12


def test_records_of_no_pairs_teach_nothing() -> None:
    pulses, targets = piled_up(50)
    targets["n_pulses"] = targets["n_pulses"] * 2
    made = CONFIG.task.examples(as_hits(pulses), PREPARATION, targets, CONFIG)
    with pytest.raises(DataError, match="nothing to separate"):
        CONFIG.task.learning(load_keras("cpu").keras, PREPARATION, made, CONFIG)


def test_it_comes_back_from_plain_data() -> None:
    task = Separation(gain=0.3, single_share=0.1)
    assert task_from_dict(task.as_dict()) == task


@pytest.mark.parametrize("wrong", [{"gain": -1.0}, {"single_share": 0.6, "more_share": 0.5}, {"false_alarms": 1.0}])
def test_shares_beyond_their_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match="separation: "):
        Separation(**wrong)


def test_missing_components_are_refused(tmp_path: Path) -> None:
    pulses, targets = piled_up(20)
    with pytest.raises(DataError, match="give --components FILE"):
        train(pulses, PREPARATION, CONFIG, folder=tmp_path / "m")
    with pytest.raises(DataError, match=r"must have the shape \(20, 2, 30\)"):
        train(pulses, PREPARATION, CONFIG, folder=tmp_path / "m", targets={"components": targets["components"][1:]})
