"""Second pulses: found behind and before the highest one, never made of noise, tails or ringing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.network.prepare import constant_fraction_crossing
from discrimen.pulse_shape.second_pulses import SinglePulses, clean_pulses, learn_single_pulses, seen_share

N_SAMPLES, ONSET, NOISE_ADC = 160, 40, 2.0


def shape(onset: NDArray[Any]) -> NDArray[np.float32]:
    """Return pulses of a height near 1 that rise in 2 samples, fall in 15 and ring by 40 %."""
    time = np.arange(N_SAMPLES) - onset[:, np.newaxis]
    late = np.maximum(time, 0)
    wave = np.where(time > 0, (1 - np.exp(-late / 2)) * np.exp(-late / 15) * (1 + 0.4 * np.sin(late / 4)), 0)
    return np.asarray(wave * 1.4, np.float32)


def records(heights: NDArray[Any], *, seed: int = 0, noise_adc: float = NOISE_ADC) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    onset = ONSET + rng.random(len(heights))
    waves = shape(onset) * heights[:, np.newaxis] + noise_adc * rng.standard_normal((len(heights), N_SAMPLES))
    return waves.astype(np.float32)


def measured(waves: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
    return {"crossing": constant_fraction_crossing(waves, fraction=0.3), "height_adc": waves.max(axis=1)}


def learned(waves: NDArray[np.float32]) -> SinglePulses:
    clean = clean_pulses(waves, **measured(waves), noise_adc=NOISE_ADC)
    single = learn_single_pulses(
        waves, **measured(waves), clean=clean, baseline_samples=slice(0, 30), noise_adc=NOISE_ADC
    )
    assert single is not None
    return single


@pytest.fixture(scope="module")
def heights() -> NDArray[Any]:
    return np.random.default_rng(1).uniform(60, 3000, 2000)


@pytest.fixture(scope="module")
def single(heights: NDArray[Any]) -> SinglePulses:
    return learned(records(heights))


def test_single_pulses_of_all_heights_are_not_taken_for_two(single: SinglePulses, heights: NDArray[Any]) -> None:
    waves = records(heights, seed=5)
    assert not single.found(waves, **measured(waves)).any()


@pytest.mark.parametrize("delay", [15, 40, 100])
@pytest.mark.parametrize("ratio", [0.5, 1.0, 4.0])
def test_a_second_pulse_is_found_behind_a_lower_and_before_a_higher_one(
    single: SinglePulses, delay: int, ratio: float
) -> None:
    first = np.full(50, 400.0)
    waves = records(first) + ratio * 400 * shape(np.full(50, float(ONSET + delay)))
    assert single.found(waves, **measured(waves)).all()


def test_a_second_pulse_in_the_noise_is_not_seen(single: SinglePulses) -> None:
    waves = records(np.full(50, 400.0)) + 4 * shape(np.full(50, 100.0))
    assert not single.found(waves, **measured(waves)).any()


def test_a_run_with_pile_up_teaches_the_same(single: SinglePulses, heights: NDArray[Any]) -> None:
    waves = records(heights)
    waves[:200] += 500 * shape(np.linspace(60, 140, 200))
    found = learned(waves).found(waves, **measured(waves))
    assert found[:200].mean() > 0.97
    assert not found[200:].any()


def test_blocks_give_what_the_whole_gives(single: SinglePulses, monkeypatch: pytest.MonkeyPatch) -> None:
    waves = records(np.full(50, 400.0))
    waves[::3] += 300 * shape(np.full(17, 90.0))
    whole = single.found(waves, **measured(waves))
    monkeypatch.setattr("discrimen.pulse_shape.second_pulses._BLOCK_SAMPLES", 7 * N_SAMPLES)
    np.testing.assert_array_equal(single.found(waves, **measured(waves)), whole)
    assert whole.sum() == 17
    assert single.found(waves[:0], **measured(waves[:1])).shape == (0,)


def test_nothing_is_said_of_records_without_an_edge(single: SinglePulses) -> None:
    waves = records(np.full(3, 400.0)) + 300 * shape(np.full(3, 90.0))
    assert not single.found(waves, crossing=np.full(3, np.nan), height_adc=waves.max(axis=1)).any()


def test_too_few_clean_pulses_teach_nothing() -> None:
    waves = records(np.full(7, 400.0))
    clean = clean_pulses(waves, **measured(waves), noise_adc=NOISE_ADC)
    assert clean.all()
    assert (
        learn_single_pulses(waves, **measured(waves), clean=clean, baseline_samples=slice(0, 30), noise_adc=NOISE_ADC)
        is None
    )
    assert not clean_pulses(waves, crossing=np.full(7, np.nan), height_adc=waves.max(axis=1), noise_adc=NOISE_ADC).any()


def test_the_share_that_is_seen_is_found_from_the_run_itself(single: SinglePulses, heights: NDArray[Any]) -> None:
    waves = records(heights, seed=7)
    rng = np.random.default_rng(3)
    told = seen_share(single, waves, crossing=measured(waves)["crossing"], fraction=0.3, rng=rng)
    delays = rng.uniform(0, N_SAMPLES - ONSET, len(heights))
    both = waves + shape(ONSET + delays) * rng.permutation(heights)[:, np.newaxis]
    assert told == pytest.approx(single.found(both, **measured(both)).mean(), abs=0.02)
    with pytest.raises(DataError, match="1 are too few"):
        seen_share(single, waves[:1], crossing=np.array([40.0]), fraction=0.3, rng=rng)
