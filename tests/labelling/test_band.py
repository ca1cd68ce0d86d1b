"""Band labels on toys with known Gaussian bands, on simulated runs with truth, and on a real Cf-252 run."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.formats.abcd.events import AbcdEventsReader
from discrimen.formats.base import ReadOptions
from discrimen.labelling.band import BandLabels, BandOptions, find_bands
from discrimen.labelling.band_fit import Curve, slice_edges
from discrimen.labelling.plane import Plane, plane_of_pulses
from discrimen.pulses import Label, concatenate
from discrimen.pulses.detector import DetectorSettings, GatesNs
from discrimen.pulses.list_mode import concatenate_events
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.settings import detector_settings
from discrimen.simulation.simulate import simulate_blocks_with_truth

GAMMA, NEUTRON = Label.GAMMA, Label.NEUTRON


def toy_plane(
    n: int = 20_000, *, seed: int = 0, neutron_share: float = 0.5
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int8]]:
    """Return energy, PSD and label: bands at 0.2 and 0.35, as wide as 0.8 / sqrt(energy)."""
    rng = np.random.default_rng(seed)
    energy = np.exp(rng.uniform(np.log(50), np.log(5000), n))
    label = (rng.random(n) < neutron_share).astype(np.int8)
    psd = np.where(label == NEUTRON, 0.35, 0.2) + rng.normal(size=n) * 0.8 / np.sqrt(energy)
    return energy, psd, label


@cache
def toy_bands(seed: int = 0, purity: float = 0.99) -> BandLabels:
    energy, psd, _ = toy_plane(seed=seed)
    return find_bands(energy, psd, options=BandOptions(purity=purity), rng=np.random.default_rng(seed))


@cache
def simulated(seed: int) -> tuple[Plane, NDArray[np.int8], BandLabels]:
    config = SimulationConfig(n_pulses=20_000, seed=seed, energy_min_kevee=20.0, exponential_slope_kevee=400.0)
    pulses = concatenate(block.pulses for block in simulate_blocks_with_truth(config))
    gates = GatesNs(short_gate_end_ns=30, long_gate_end_ns=300)
    settings = detector_settings(config).merged(gates=gates.model_dump())
    plane = plane_of_pulses(pulses, settings)
    found = find_bands(plane.energy, plane.psd, options=BandOptions(), rng=np.random.default_rng(seed))
    return plane, pulses.column("label"), found


def test_bands_have_the_centres_and_widths_they_were_made_with() -> None:
    found = toy_bands()
    at = np.geomspace(300, 4000, 20)
    gamma_mean, gamma_sigma, neutron_mean, neutron_sigma = found.bands.at(at)
    assert np.abs(gamma_mean - 0.2).max() < 0.003
    assert np.abs(neutron_mean - 0.35).max() < 0.003
    for sigma in (gamma_sigma, neutron_sigma):
        assert np.abs(sigma / (0.8 / np.sqrt(at)) - 1).max() < 0.06


def test_purity_falls_where_the_bands_merge() -> None:
    found = toy_bands()
    for name in ("gamma", "neutron"):
        cuts = [getattr(part, name) for part in found.slices]
        assert cuts[0].purity_at_one_cut < 0.96 < 0.999 < cuts[-1].purity_at_one_cut
        assert not cuts[0].labelled
        assert cuts[0].reason
        assert all(cut.labelled for cut in cuts[-8:])
        assert cuts[0].purity < 0.99


def test_between_the_cuts_no_pulse_has_a_label() -> None:
    found = toy_bands()
    energy = np.full(400, 300.0)
    psd = np.linspace(-0.2, 0.8, 400)
    labels = found.labels(energy, psd)
    inner = labels[(psd > psd[labels == GAMMA].max()) & (psd < psd[labels == NEUTRON].min())]
    assert len(inner) > 0
    assert set(inner) == {Label.UNKNOWN}
    assert psd[labels == GAMMA].max() < psd[labels == NEUTRON].min()
    assert labels[0] == labels[-1] == Label.UNKNOWN, "far outside of the bands is pile-up, not a class"


def test_higher_wish_gives_purer_labels_and_fewer() -> None:
    energy, psd, label = toy_plane()
    shares, counts = [], []
    for purity in (0.95, 0.99, 0.999):
        labels = toy_bands(0, purity).labels(energy, psd)
        known = labels != Label.UNKNOWN
        shares.append(float((labels == label)[known].mean()))
        counts.append(int(known.sum()))
    assert shares == sorted(shares)
    assert counts == sorted(counts, reverse=True)
    assert shares[-1] > 0.999


@pytest.mark.parametrize("seed", range(4))
def test_labels_of_toys_are_as_pure_as_wished(seed: int) -> None:
    energy, psd, label = toy_plane(seed=seed)
    labels = toy_bands(seed).labels(energy, psd)
    for kind in (GAMMA, NEUTRON):
        assert (label[labels == kind] == kind).mean() > 0.99


def test_scaled_energy_gives_the_same_labels() -> None:
    energy, psd, _ = toy_plane()
    scaled = find_bands(energy * 7.0, psd, options=BandOptions(), rng=np.random.default_rng(0))
    assert np.mean(scaled.labels(energy * 7.0, psd) != toy_bands().labels(energy, psd)) < 1e-3


def test_pulses_without_psd_or_out_of_range_stay_unknown() -> None:
    found = toy_bands()
    labels = found.labels(np.array([1000.0, np.nan, 1.0, 1e6]), np.array([np.nan, 0.2, 0.2, 0.2]))
    assert set(labels) == {Label.UNKNOWN}


def test_source_of_one_class_is_refused() -> None:
    energy, psd, _ = toy_plane(neutron_share=0.0)
    with pytest.raises(DataError, match="mixed source"):
        find_bands(energy, psd, options=BandOptions(), rng=np.random.default_rng(0))


def test_too_few_pulses_are_refused() -> None:
    energy, psd, _ = toy_plane(200)
    with pytest.raises(DataError, match="at least"):
        find_bands(energy, psd, options=BandOptions(), rng=np.random.default_rng(0))


def test_wishes_that_are_no_shares_are_refused() -> None:
    with pytest.raises(SettingsError, match="purity"):
        BandOptions(purity=1.0)


def test_poor_slices_are_joined_and_every_pulse_counts_once() -> None:
    energy, *_ = toy_plane(5000)
    energy = np.concatenate([energy, [20.0, 9000.0]])
    edges = slice_edges(energy, low=10.0, high=20_000.0)
    counts = np.histogram(energy, edges)[0]
    assert counts.min() >= 500
    assert counts.sum() == len(energy)
    assert edges[0] == pytest.approx(10.0)
    assert edges[-1] == pytest.approx(20_000.0)


def test_curves_go_on_straight_beyond_their_slices() -> None:
    # 1 + 2 x + 3 x^2 of x = ln(E / 100): slope 8 at x = 1, slope -4 at x = -1.
    curve = Curve(
        coefficients=np.array([1.0, 2.0, 3.0]), covariance=np.eye(3), middle=float(np.log(100)), half_width=1.0
    )
    x = np.array([-3.0, -1.0, 0.5, 1.0, 4.0])
    assert curve(100 * np.exp(x)) == pytest.approx([2 + 4 * 2, 2, 2.75, 6, 6 + 8 * 3])


def test_slice_without_a_fit_of_its_own_gets_no_labels() -> None:
    # Nine neutrons in ten: by the continued bands they would be pure enough.
    energy, psd, _ = toy_plane(neutron_share=0.9)
    low = energy < 200
    psd[low] = np.random.default_rng(1).normal(0.35, 0.05, int(low.sum()))
    found = find_bands(energy, psd, options=BandOptions(), rng=np.random.default_rng(0))
    merged = [part for part in found.slices if part.fit.merit is None]
    assert merged
    assert max(part.neutron.purity for part in merged) > 0.99
    for part in merged:
        assert not part.neutron.labelled
        assert "no fit" in part.neutron.reason
    unfitted = energy < merged[-1].fit.high
    assert set(found.labels(energy[unfitted], psd[unfitted])) == {Label.UNKNOWN}


@pytest.mark.parametrize("seed", range(3))
def test_estimated_purity_agrees_with_the_truth_of_simulated_runs(seed: int) -> None:
    plane, truth, found = simulated(seed)
    labels = found.labels(plane.energy, plane.psd)
    inside = []
    for part in found.slices:
        here = (plane.energy >= part.fit.low) & (plane.energy < part.fit.high)
        for kind, cut in ((GAMMA, part.gamma), (NEUTRON, part.neutron)):
            if cut.labelled:
                pure = (truth[here & (labels == kind)] == kind).mean()
                inside.append(cut.purity_low <= pure <= cut.purity_high)
                assert pure > 0.96, f"contaminated by {1 - pure:.3f} at {part.fit.centre:.0f} keVee"
    assert len(inside) >= 15
    assert np.mean(inside) >= 0.9


def test_estimated_efficiency_agrees_with_the_truth_of_simulated_runs() -> None:
    plane, truth, found = simulated(0)
    labels = found.labels(plane.energy, plane.psd)
    for part in found.slices:
        here = (plane.energy >= part.fit.low) & (plane.energy < part.fit.high)
        for kind, cut in ((GAMMA, part.gamma), (NEUTRON, part.neutron)):
            if cut.labelled:
                kept = (labels[here & (truth == kind)] == kind).mean()
                assert kept == pytest.approx(cut.efficiency, abs=0.06)


def test_missing_gates_are_asked_for() -> None:
    config = SimulationConfig(n_pulses=10)
    pulses = concatenate(block.pulses for block in simulate_blocks_with_truth(config))
    with pytest.raises(SettingsError, match="gates"):
        plane_of_pulses(pulses, DetectorSettings(polarity="negative", pretrigger_ns=100))


@pytest.mark.real_data
def test_real_bands_part_above_3000_and_purity_falls_below(real_data: Path) -> None:
    reader = AbcdEventsReader(real_data / "listmode" / "plastic_cf252_dt5725.ade", ReadOptions())
    charges = concatenate_events(reader.event_chunks())
    found = find_bands(charges.long_charge, charges.psd, options=BandOptions(), rng=np.random.default_rng(0))
    for part in found.slices:
        if part.fit.low > 3000:
            assert part.fit.merit is not None
            assert part.fit.merit.value > 1.0
            assert part.gamma.labelled
            assert part.neutron.labelled
        if part.fit.high < 500:
            assert part.fit.merit is None
            assert not part.gamma.labelled
            assert not part.neutron.labelled
    merging = [part for part in found.slices if part.fit.low > 500 and part.fit.high < 6000]
    for name in ("gamma", "neutron"):
        shares = [getattr(part, name).purity_at_one_cut for part in merging]
        assert shares == sorted(shares), "the purity falls towards low energy"
        assert shares[0] < 0.95 < 0.99 < shares[-1]
