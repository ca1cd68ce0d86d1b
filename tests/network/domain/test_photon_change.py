"""A run tells another gain or another light by all its pulses together, whatever its spectrum."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.network.domain.test_light_noise import PREPARATION, poisson_pulses

from discrimen.errors import DataError, SettingsError
from discrimen.network.domain import Domain, OutsideTally, learn_domain, outside
from discrimen.network.domain.photon_change import TOLERATED, learn_photons, photon_change
from discrimen.network.domain.photons import Photons


@pytest.fixture(scope="module")
def domain() -> Domain:
    found = learn_domain(poisson_pulses(4000), PREPARATION, adc_bits=14)
    assert found is not None
    return found


def tally_of(domain: Domain, samples: np.ndarray) -> OutsideTally:
    tally = OutsideTally(domain, PREPARATION)
    for part in np.array_split(samples, 3):
        tally.add(part, outside(part, PREPARATION, domain))
    return tally


@pytest.mark.parametrize("slope", [100.0, 600.0, 1500.0])
@pytest.mark.parametrize("seed", [2, 3])
def test_another_spectrum_is_nothing_new(domain: Domain, slope: float, seed: int) -> None:
    tally = tally_of(domain, poisson_pulses(1500, slope=slope, seed=seed))
    change = tally.photon_change()
    assert change is not None
    assert change.ratio == pytest.approx(1, abs=0.1)
    assert not change.is_outside
    assert "photoelectrons" not in (tally.warning() or "")


@pytest.mark.parametrize("ratio", [0.5, 2.0])
def test_half_and_twice_the_gain_are_told_with_their_factor(domain: Domain, ratio: float) -> None:
    tally = tally_of(domain, poisson_pulses(1500, adc_per_pe=8.0 * ratio))
    change, warning = tally.photon_change(), tally.warning()
    assert change is not None
    assert change.is_outside
    assert change.ratio == pytest.approx(ratio, rel=0.12)
    assert warning is not None
    assert f"{change.ratio:.3g} times as much for their height" in warning
    assert tally.as_dict()["photons"]["ratio"] == change.ratio


def test_a_few_pulses_tell_nothing(domain: Domain) -> None:
    assert tally_of(domain, poisson_pulses(400, adc_per_pe=16.0)).photon_change() is None


def test_light_that_cannot_be_known_is_not_learnt(domain: Domain) -> None:
    without = learn_domain(poisson_pulses(4000), PREPARATION, adc_bits=14, photons=None)
    assert domain.photons is not None
    assert without == replace(domain, photons=None)


def test_what_the_model_knows_goes_through_plain_data(domain: Domain) -> None:
    again = Domain.from_dict(domain.as_dict(), PREPARATION)
    assert again == domain
    without = replace(domain, photons=None)
    assert "photons" not in without.as_dict()
    assert Domain.from_dict(without.as_dict(), PREPARATION).photons is None


def test_channels_of_two_gains_and_a_varied_gain_widen_what_is_known() -> None:
    once, twice = poisson_pulses(1500), poisson_pulses(1500, adc_per_pe=16.0)
    alone, both = learn_photons([once], PREPARATION), learn_photons([once, twice], PREPARATION)
    varied = learn_photons([once], PREPARATION, gain_spread=0.2)
    assert alone is not None
    assert both is not None
    assert varied is not None
    assert both.variance_adc[1] / both.variance_adc[0] == pytest.approx(2 * TOLERATED**2, rel=0.1)
    assert varied.variance_adc == pytest.approx((0.8 * alone.variance_adc[0], 1.2 * alone.variance_adc[1]))
    change = photon_change(twice, PREPARATION, both)
    assert change is not None
    assert not change.is_outside


def test_pulses_without_photoelectrons_teach_nothing() -> None:
    assert learn_photons([poisson_pulses(1000, adc_per_pe=1e-3, response=np.ones(1))], PREPARATION) is None


@pytest.mark.parametrize(
    "changes",
    [{"variance_adc": (0.0, 1.0)}, {"variance_adc": (2.0, 1.0)}, {"curves": ((1.0,), (1.0, 0.0))}, {"tail_start": -1}],
)
def test_a_record_that_contradicts_itself_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match="no record of photoelectrons"):
        Photons(**{"variance_adc": (1.0, 2.0), "tail_start": 20, "curves": ((1.0, 0.0),), **changes})  # type: ignore[arg-type]


def test_tails_beyond_the_window_are_refused(domain: Domain) -> None:
    assert domain.photons is not None
    late = replace(domain, photons=replace(domain.photons, tail_start=70))
    with pytest.raises(DataError, match="do not fit the window"):
        Domain.from_dict(late.as_dict(), PREPARATION)
