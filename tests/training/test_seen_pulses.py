from __future__ import annotations

import numpy as np

from discrimen.metrics import wilson_interval
from discrimen.training.seen_pulses import SKETCH_SIZE, Seen, seen_in_training, sketch_of


def waveforms(n_pulses: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 16384, (n_pulses, 20)).astype(np.uint16)


def provenance(samples: np.ndarray) -> dict[str, object]:
    return {"pulses": {"sketch": sketch_of(samples)}}


def test_a_sketch_is_small_and_does_not_depend_on_the_order() -> None:
    samples = waveforms(5000)
    assert sketch_of(samples) == sketch_of(samples[::-1])
    assert len(bytes.fromhex(sketch_of(samples))) == 8 * SKETCH_SIZE


def test_pulses_not_seen_are_not_found() -> None:
    seen = seen_in_training(provenance(waveforms(5000)), waveforms(5000, seed=1))
    assert seen is not None
    assert seen.n_counted == 0


def test_the_share_seen_again_is_estimated() -> None:
    training = waveforms(20_000)
    mixed = np.concatenate([waveforms(3000, seed=1), training[:5000]])
    seen = seen_in_training(provenance(training), mixed)
    assert seen is not None
    assert seen.low < 0.25 < seen.high
    assert seen.n_total == SKETCH_SIZE


def test_few_training_pulses_are_all_in_the_sketch() -> None:
    seen = seen_in_training(provenance(waveforms(10)), waveforms(10)[:3])
    assert seen is not None
    assert (seen.n_counted, seen.n_total) == (3, 10)


def test_a_model_without_a_sketch_says_nothing() -> None:
    assert seen_in_training({}, waveforms(10)) is None


def test_what_was_seen_is_told_once_for_each_reason() -> None:
    share = wilson_interval(64, 256)
    (found,) = Seen(in_training=(), in_calibration=(), training_pulses=share).warnings(model="m")
    assert found.startswith(f"25.0% of the pulses that m was trained on are among these ({share.low:.1%} to")
    files = Seen(in_training=("a.lh5",), in_calibration=("b.lh5",), training_pulses=share).warnings()
    assert ["trained on a.lh5" in files[0], "chosen on b.lh5" in files[1], len(files)] == [True, True, 2]
    assert Seen(in_training=(), in_calibration=(), training_pulses=wilson_interval(0, 256)).warnings() == []
