"""Thresholds and scale, with and without labels, on logits whose truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.adaptation.made_up import Bands, two_bands

from discrimen.adaptation.recalibrate import (
    ConcludedThreshold,
    Recalibration,
    Wishes,
    recalibrate_labelled,
    recalibrate_unlabelled,
)
from discrimen.errors import DataError, SettingsError
from discrimen.freezing.calibrate import efficiency_name

NAME = efficiency_name(0.95)


def unlabelled(bands: Bands, wishes: Wishes | None = None) -> Recalibration:
    return recalibrate_unlabelled(bands.measured(), wishes or Wishes(), rng=np.random.default_rng(1))


def passing(bands: Bands, score: float, found: Recalibration) -> tuple[float, float]:
    """Return true efficiency and leakage of a threshold on the adapted score."""
    logit = np.log(score / (1 - score))
    if found.rescaling is not None:
        logit = logit * found.rescaling.temperature + found.rescaling.shift
    neutron = bands.label == 1
    above = bands.logit >= logit
    return float(above[neutron].mean()), float(above[~neutron].mean())


@pytest.fixture(scope="module")
def bands() -> Bands:
    return two_bands(8000)


@pytest.fixture(scope="module")
def found(bands: Bands) -> Recalibration:
    return unlabelled(bands)


def test_the_concluded_threshold_keeps_what_was_wished(bands: Bands, found: Recalibration) -> None:
    threshold = found.thresholds[NAME]
    assert isinstance(threshold, ConcludedThreshold)
    efficiency, leakage = passing(bands, threshold.value, found)
    assert efficiency == pytest.approx(0.95, abs=0.03)
    assert threshold.efficiency.low <= efficiency <= threshold.efficiency.high
    assert threshold.leakage.low <= leakage <= threshold.leakage.high
    assert found.neutron_share.low <= bands.label.mean() <= found.neutron_share.high


def test_the_scale_makes_scores_probabilities(bands: Bands, found: Recalibration) -> None:
    by_labels = recalibrate_labelled(bands.measured(), Wishes())
    assert found.rescaling is not None
    assert by_labels.rescaling is not None
    assert found.rescaling.shift == pytest.approx(by_labels.rescaling.shift, abs=0.5)
    assert found.rescaling.temperature == pytest.approx(by_labels.rescaling.temperature, rel=0.2)
    assert found.rescaling.log_loss_after < found.rescaling.log_loss_before


def test_a_shift_of_all_logits_shifts_the_scale_alone(bands: Bands, found: Recalibration) -> None:
    moved = unlabelled(Bands(bands.logit + 5, bands.peak_adc, bands.label))
    assert moved.rescaling is not None
    assert found.rescaling is not None
    assert moved.rescaling.shift == pytest.approx(found.rescaling.shift + 5, abs=0.05)
    assert moved.thresholds[NAME].value == pytest.approx(found.thresholds[NAME].value, abs=0.01)


@pytest.mark.parametrize("share", [1e-9, 1 - 1e-9])
def test_one_class_is_refused(share: float) -> None:
    with pytest.raises(DataError, match="two classes stand apart in 0 of"):
        unlabelled(two_bands(12_000, neutron_share=share))


def test_one_skewed_class_is_refused() -> None:
    gammas = two_bands(12_000, neutron_share=1e-9)
    skewed = np.random.default_rng(3).gamma(2.0, 1.0, len(gammas.logit))
    with pytest.raises(DataError, match="two classes stand apart in"):
        unlabelled(Bands(skewed, gammas.peak_adc, gammas.label))


def test_merged_classes_are_refused(bands: Bands) -> None:
    blur = np.random.default_rng(2).normal(0, 8, len(bands.logit))
    with pytest.raises(DataError, match="the classes have merged"):
        unlabelled(Bands(bands.logit + blur, bands.peak_adc, bands.label))


def test_too_few_pulses_are_refused() -> None:
    with pytest.raises(DataError, match="at least 2000 are needed"):
        unlabelled(two_bands(1500))


def test_a_third_kind_of_pulses_is_refused() -> None:
    bands = two_bands(4000)
    strange = np.arange(len(bands.logit)) % 4 == 0
    logit = np.where(strange, 14.0 + 0.1 * bands.logit, bands.logit)
    with pytest.raises(DataError, match="third kind of pulses"):
        unlabelled(Bands(logit, bands.peak_adc, bands.label))


def test_a_leakage_beyond_sight_is_refused(bands: Bands) -> None:
    with pytest.raises(DataError, match="cannot be concluded without labels"):
        unlabelled(bands, Wishes(neutron_efficiencies=(), gamma_leakages=(1e-4,)))


def test_a_known_share_narrows_the_interval() -> None:
    merged = two_bands(5000, seed=4)
    noisy = Bands(
        merged.logit + np.random.default_rng(5).normal(0, 1.2, len(merged.logit)), merged.peak_adc, merged.label
    )
    blind = unlabelled(noisy).neutron_share
    told = unlabelled(noisy, Wishes(neutron_share=float(noisy.label.mean()))).neutron_share
    assert told.value == pytest.approx(noisy.label.mean(), abs=0.005)
    assert told.high - told.low < (blind.high - blind.low) / 2


def test_a_range_of_heights_leaves_the_others_out(bands: Bands) -> None:
    chosen = unlabelled(bands, Wishes(peak_range_adc=(300.0, 1e9)))
    assert chosen.n_pulses == int((bands.peak_adc >= 300).sum())
    assert chosen.n_pulses + chosen.n_left_out == len(bands.logit)


def test_pulses_without_a_score_are_left_out(bands: Bands) -> None:
    holes = bands.measured()
    holes = replace(holes, logit=np.where(np.arange(len(holes)) < 10, np.nan, holes.logit))
    assert recalibrate_labelled(holes, Wishes()).n_left_out == 10


def test_a_few_labelled_pulses_that_part_completely_have_a_finite_scale() -> None:
    few = two_bands(60, seed=6)
    clear = Bands(few.logit + np.where(few.label == 1, 20, -20), few.peak_adc, few.label)
    scale = recalibrate_labelled(clear.measured(), Wishes(neutron_efficiencies=(0.5,))).rescaling
    assert scale is not None
    assert 0.1 < scale.temperature < 100


def test_labels_of_one_class_are_refused(bands: Bands) -> None:
    gammas = Bands(bands.logit, bands.peak_adc, np.zeros_like(bands.label))
    with pytest.raises(DataError, match="both classes are needed"):
        recalibrate_labelled(gammas.measured(), Wishes())


def test_logits_that_fall_towards_neutrons_are_refused(bands: Bands) -> None:
    turned = Bands(-bands.logit, bands.peak_adc, bands.label)
    with pytest.raises(DataError, match="do not rise from gammas to neutrons"):
        recalibrate_labelled(turned.measured(), Wishes())


@pytest.mark.parametrize(
    "wrong",
    [
        {"neutron_efficiencies": (1.0,)},
        {"neutron_share": 0.0},
        {"peak_range_adc": (5.0, 1.0)},
        {"neutron_efficiencies": (), "rescale": False},
    ],
)
def test_impossible_wishes_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsError):
        Wishes(**wrong)  # type: ignore[arg-type]
