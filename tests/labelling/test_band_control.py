"""A run without neutrons as a control: it refuses bands that it shows as well, and tells how many gammas lie in one."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.labelling.band import BandOptions, find_bands
from discrimen.labelling.band_control import compare_with_control

Values = NDArray[np.float64]


def run(
    seed: int, *, upper_share: float, n: int = 20_000, tail: float = 0.0
) -> tuple[Values, Values, NDArray[np.int8]]:
    """Return energy, PSD and label: bands at 0.2 and 0.35; a share of the gammas has a tail up to the upper band."""
    rng = np.random.default_rng(seed)
    energy = np.exp(rng.uniform(np.log(200), np.log(10_000), n))
    label = (rng.random(n) < upper_share).astype(np.int8)
    psd = np.where(label == 1, 0.35, 0.2) + rng.normal(size=n) * 0.8 / np.sqrt(energy)
    tailed = (label == 0) & (rng.random(n) < tail)
    psd[tailed] += rng.uniform(0, 0.2, int(tailed.sum()))
    return energy, psd, label


def test_a_band_that_shows_without_neutrons_is_refused() -> None:
    """Two scintillators in one channel have two bands too, with any source."""
    energy, psd, _ = run(0, upper_share=0.4)
    control = run(1, upper_share=0.4)[:2]
    options, rng = BandOptions(n_draws=20), np.random.default_rng(0)
    assert find_bands(energy, psd, options=options, rng=rng).control is None
    with pytest.raises(DataError, match=r"shows the upper band as well.*not made of neutrons"):
        find_bands(energy, psd, options=options, rng=rng, gamma_run=control)


def test_gammas_in_the_upper_band_are_known_from_the_control() -> None:
    energy, psd, label = run(2, upper_share=0.3, tail=0.04)
    control = run(3, upper_share=0.0, tail=0.04)[:2]
    options = BandOptions(n_draws=20, purity=0.9)
    found = find_bands(energy, psd, options=options, rng=np.random.default_rng(0), gamma_run=control)
    assert found.control is not None
    assert found.control.excess > 0.8
    labels = found.labels(energy, psd)
    inside = []
    for part in found.slices:
        ours = (labels == 1) & (energy >= part.fit.low) & (energy < part.fit.high)
        if part.neutron.labelled:
            assert part.neutron.purity_by_gamma_run is not None
            assert part.neutron.purity_by_gamma_run < 0.98, "4 % of tails, a third of them in the upper band"
            inside.append(part.neutron.purity_low <= (label[ours] == 1).mean() <= part.neutron.purity_high)
    assert len(inside) >= 8
    assert np.mean(inside) > 0.85


def test_the_excess_is_what_the_control_does_not_explain() -> None:
    mixed = np.concatenate([np.zeros(1000), np.ones(500)])
    control = np.concatenate([np.zeros(900), np.ones(100)])
    found = compare_with_control(mixed, control)
    assert found.excess == pytest.approx(1 - 1000 / 9 / 500)
    # 500 - 111 counted against sqrt(500 + (111 sqrt(1/100 + 1/900))^2 + (1000 / 900)^2)
    assert found.significance == pytest.approx((500 - 1000 / 9) / np.sqrt(500 + 137.2 + 1.2), rel=0.01)


def test_a_control_with_few_pulses_says_nothing() -> None:
    with pytest.raises(DataError, match="at least 200"):
        compare_with_control(np.zeros(1000), np.zeros(50))
