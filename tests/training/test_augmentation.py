from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from tests.training.toy_pulses import PREPARATION, labelled_examples, toy_pulses

from discrimen.errors import SettingsError
from discrimen.network.prepare import prepare
from discrimen.pulses.detector import DetectorSettings
from discrimen.simulation.distortion import Digitisation
from discrimen.training import TrainingConfig
from discrimen.training.augmentation import Augmentation, check_augment
from discrimen.training.epoch_feed import EpochFeed, training_feed


def augmentation(n_each: int = 200, **largest: float) -> Augmentation:
    samples = toy_pulses(n_each).samples
    return Augmentation(
        samples=samples,
        waveforms=prepare(samples, PREPARATION).waveforms,
        largest=check_augment(largest),
        preparation=PREPARATION,
        digitisation=Digitisation(sample_period_ns=10.0, baseline_start=0, baseline_stop=12, adc_bits=14),
    )


def drawn(augmented: Augmentation, seed: int = 0) -> Any:
    return augmented.draw(np.arange(len(augmented.samples)), rng=np.random.default_rng(seed))[:, 0]


def feed(n_each: int = 50, **changes: Any) -> EpochFeed:
    pulses = toy_pulses(n_each)
    settings = DetectorSettings(adc_bits=14)
    config = TrainingConfig(batch_size=32, seed=7, **changes)
    examples = labelled_examples(pulses)
    return training_feed(pulses, examples, config, targets=examples.targets, preparation=PREPARATION, settings=settings)


def served(source: EpochFeed) -> tuple[Any, ...]:
    n_batches = -(-len(source.waveforms) // source.batch_size)
    return tuple(np.concatenate(parts) for parts in zip(*map(source.batch, range(n_batches)), strict=True))


def test_shifts_are_uniform_on_both_sides() -> None:
    plain, late = augmentation(), augmentation(time=20.0)
    peak = drawn(late).argmax(axis=1) - plain.waveforms[:, 0].argmax(axis=1)
    # Rounded to samples of 10 ns: a quarter of the pulses in each sample, an eighth in those at the ends.
    assert set(peak.tolist()) <= {-2, -1, 0, 1, 2}
    for shift, share in ((-2, 1 / 8), (-1, 1 / 4), (0, 1 / 4), (1, 1 / 4), (2, 1 / 8)):
        assert np.mean(peak == shift) == pytest.approx(share, abs=0.13)


def test_noise_is_drawn_between_nothing_and_the_largest() -> None:
    noisy = augmentation(noise=100.0)
    samples = np.full((2000, 75), 8000, np.uint16)
    samples[:, 30] = 4000
    flat = Augmentation(
        samples=samples,
        waveforms=prepare(samples, PREPARATION).waveforms,
        largest={"noise": 100.0},
        preparation=PREPARATION,
        digitisation=noisy.digitisation,
    )
    # Height 4000: noise of 100 counts is 0.025 after scaling to the peak.
    rms = drawn(flat)[:, 40:].std(axis=1)
    assert_allclose(np.quantile(rms, [0.1, 0.5, 0.9]), [0.0025, 0.0125, 0.0225], atol=0.0015)


def test_a_seed_gives_the_same_draw() -> None:
    every = augmentation(time=10.0, gain=0.1, noise=5.0, jitter=0.3, slope=20.0, baseline=30.0)
    assert_array_equal(drawn(every, 1), drawn(every, 1))
    assert not np.array_equal(drawn(every, 1), drawn(every, 2))


def test_an_example_named_twice_is_distorted_in_two_ways() -> None:
    twice = augmentation(noise=20.0).draw(np.array([3, 3]), rng=np.random.default_rng(0))
    assert not np.array_equal(twice[0], twice[1])


def test_a_pulse_that_would_be_lost_stays_undistorted() -> None:
    # The pulse ends at the lower rail: moved down by more than it is high, nothing of it is left.
    samples = np.full((300, 75), 20, np.uint16)
    samples[:, 30] = 0
    lost = Augmentation(
        samples=samples,
        waveforms=prepare(samples, PREPARATION).waveforms,
        largest={"baseline": 100.0},
        preparation=PREPARATION,
        digitisation=Digitisation(sample_period_ns=10.0, baseline_start=0, baseline_stop=12, adc_bits=14),
    )
    waveforms = drawn(lost)
    assert_allclose(waveforms.max(axis=1), 1.0)


def test_the_training_pulses_stay_as_they_are() -> None:
    every = augmentation(time=10.0, noise=5.0)
    before = every.samples.copy(), every.waveforms.copy()
    drawn(every)
    assert_array_equal(every.samples, before[0])
    assert_array_equal(every.waveforms, before[1])


def test_each_epoch_is_drawn_anew_and_comes_again_the_same() -> None:
    source = feed(augment={"noise": 20.0})
    epochs = []
    for epoch in (0, 1, 0):
        source.begin_epoch(epoch)
        epochs.append(served(source))
    assert_array_equal(epochs[0][0], epochs[2][0])
    assert not np.array_equal(epochs[0][0], epochs[1][0])
    assert not np.array_equal(epochs[0][1], epochs[1][1])


def test_targets_stay_with_their_pulses() -> None:
    source = feed(augment={"baseline": 5.0})
    source.begin_epoch(0)
    waveforms, targets = served(source)
    assert sorted(targets.tolist()) == sorted(source.targets.tolist())
    # The tail of the toy's neutrons is three times that of its gammas.
    tail = waveforms[:, 0, 30:60].mean(axis=1)
    assert tail[targets == 1].min() > tail[targets == 0].max()


def test_without_shuffling_the_order_stays() -> None:
    source = feed(augment={"noise": 1.0}, shuffle=False)
    source.begin_epoch(0)
    assert_array_equal(served(source)[1], source.targets)


def test_resampling_draws_by_weight_and_weights_travel_with_their_pulses() -> None:
    drawn_anew = feed(200, balance="shape", balance_by="resampling")
    assert drawn_anew.balance is not None
    assert drawn_anew.weights is None
    counts = np.zeros(400)
    for epoch in range(30):
        drawn_anew.begin_epoch(epoch)
        counts += np.bincount(drawn_anew._order, minlength=400)
    weights = drawn_anew.balance.weights
    heavy = weights > np.median(weights)
    assert counts[heavy].sum() / counts.sum() == pytest.approx(weights[heavy].sum() / weights.sum(), abs=0.02)

    weighed = feed(200, balance="shape", augment={"noise": 1.0})
    weighed.begin_epoch(0)
    _, _, of_batches = served(weighed)
    assert weighed.weights is not None
    assert_array_equal(of_batches, weighed.weights[weighed._order])


def test_plain_training_data_are_handed_over_as_they_are() -> None:
    source = feed()
    source.begin_epoch(0)
    assert not source.renewed
    arguments = source.arguments(None)  # type: ignore[arg-type]
    assert arguments["x"] is source.waveforms
    assert arguments["sample_weight"] is None


@pytest.mark.parametrize(
    ("augment", "message"),
    [
        ({"tilt": 1.0}, "unknown distortion 'tilt'"),
        ({"noise": -1.0}, "0 or more"),
        ({"time": -1.0}, "both signs are drawn"),
        ({"gain": 1.0}, "above -1"),
        ({"time": float("nan")}, "finite"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(augment: dict[str, float], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        TrainingConfig(augment=augment)


def test_sizes_of_zero_are_left_out() -> None:
    assert TrainingConfig(augment={"noise": 0.0, "time": 5, "gain": 0.1}).augment == {"gain": 0.1, "time": 5.0}
