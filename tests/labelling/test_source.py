from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from discrimen.errors import DataError, SettingsError
from discrimen.labelling.places import Place, joined
from discrimen.labelling.source import SourceLabels, SourceOptions, find_source_labels
from discrimen.labelling.source_shape import RunShapes, shape_preparation, shapes_of_pulses
from discrimen.labelling.source_share import ShareFit
from discrimen.labelling.source_slices import FEWEST_GAMMAS, Slice
from discrimen.pulses import Label, Pulses
from discrimen.pulses.detector import DetectorSettings

OPTIONS = SourceOptions(n_draws=40)


def shapes(
    n: int, *, share: float, seed: int, mean_energy: float = 300.0, channel: int = 0, more_above: float = 0.0
) -> tuple[np.ndarray, RunShapes]:
    """Three charges of each pulse, the tail larger for neutrons; and which are neutrons."""
    rng = np.random.default_rng(seed)
    energy = 100 + rng.exponential(mean_energy, n)
    neutron = rng.random(n) < share + more_above * (energy > 300)
    tail = np.where(neutron, 0.3, 0.15) + rng.normal(size=n) * 0.3 / np.sqrt(energy)
    middle = 0.2 + rng.normal(size=n) * 0.2 / np.sqrt(energy)
    charges = np.stack([1 - middle - tail, middle, tail], axis=1).astype(np.float32)
    here = np.zeros(n, np.int32)
    return neutron, RunShapes(charges=charges, energy=energy, board=here, channel=here + channel, energy_unit="keVee")


@pytest.fixture(scope="module")
def runs() -> tuple[RunShapes, np.ndarray, RunShapes, SourceLabels]:
    """A gamma run of a softer spectrum than that of the mixed run."""
    _, gamma = shapes(8000, share=0, seed=1, mean_energy=150)
    neutron, mixed = shapes(8000, share=0.4, seed=2)
    return gamma, neutron, mixed, find_source_labels(gamma, mixed, options=OPTIONS, rng=np.random.default_rng(0))


def test_the_share_of_neutrons_is_found(runs: Any) -> None:
    _, neutron, _, found = runs
    assert found.neutron_share == pytest.approx(neutron.mean(), abs=0.02)
    assert found.neutron_share_low < found.neutron_share < found.neutron_share_high


def test_the_contamination_is_that_of_the_pulses_that_keep_their_label(runs: Any) -> None:
    _, neutron, mixed, found = runs
    kept = found.labels(mixed, mixed=True, rng=np.random.default_rng(1)) == Label.NEUTRON
    assert found.contamination == pytest.approx(1 - neutron[kept].mean(), abs=0.03)
    assert found.contamination_low < found.contamination < found.contamination_high


def test_thinning_does_not_spoil_the_contamination_where_neutrons_change_with_energy() -> None:
    _, gamma = shapes(6000, share=0, seed=1, mean_energy=120)
    neutron, mixed = shapes(6000, share=0.2, seed=2, more_above=0.6)
    found = find_source_labels(gamma, mixed, options=OPTIONS, rng=np.random.default_rng(0))
    kept = found.labels(mixed, mixed=True, rng=np.random.default_rng(1)) == Label.NEUTRON
    assert found.contamination == pytest.approx(1 - neutron[kept].mean(), abs=0.03)
    assert abs((1 - found.contamination) - found.neutron_share) > 0.04


def test_gammas_of_both_kinds_of_run_get_one_spectrum(runs: Any) -> None:
    gamma, neutron, mixed, found = runs
    rng = np.random.default_rng(1)
    of_gamma_run = gamma.energy[found.labels(gamma, mixed=False, rng=rng) == Label.GAMMA]
    labelled = found.labels(mixed, mixed=True, rng=rng) == Label.NEUTRON
    of_mixed_run = mixed.energy[labelled & ~neutron]
    edges = [100, 200, 300, 500, 1200]
    shares = [np.histogram(energy, edges)[0] / len(energy) for energy in (of_gamma_run, of_mixed_run)]
    assert shares[0] == pytest.approx(shares[1], abs=0.03)
    before = np.histogram(gamma.energy, edges)[0] / len(gamma)
    assert before[0] - shares[0][0] > 0.07


def test_runs_give_only_their_own_label(runs: Any) -> None:
    gamma, _, mixed, found = runs
    rng = np.random.default_rng(1)
    assert set(found.labels(gamma, mixed=False, rng=rng)) == {Label.UNKNOWN, Label.GAMMA}
    assert set(found.labels(mixed, mixed=True, rng=rng)) == {Label.UNKNOWN, Label.NEUTRON}


def test_energies_that_the_gamma_run_lacks_are_left_out() -> None:
    _, gamma = shapes(6000, share=0, seed=1)
    _, mixed = shapes(6000, share=0.4, seed=2)
    cut = gamma.energy < 300
    gamma = replace(gamma, **{name: getattr(gamma, name)[cut] for name in ("charges", "energy", "board", "channel")})
    found = find_source_labels(gamma, mixed, options=OPTIONS, rng=np.random.default_rng(0))
    labels = found.labels(mixed, mixed=True, rng=np.random.default_rng(1))
    assert not (labels[mixed.energy > 400] == Label.NEUTRON).any()
    assert all(part.keep_mixed_run == 0 for part in found.slices if part.n_gamma_run < FEWEST_GAMMAS)


def test_a_slice_where_the_classes_merge_takes_the_share_of_its_neighbours() -> None:
    _, gamma = shapes(8000, share=0, seed=1)
    neutron, mixed = shapes(8000, share=0.4, seed=2)
    rng = np.random.default_rng(3)
    for run in (gamma, mixed):
        low = run.energy < 150
        run.charges[low, 2] += rng.normal(size=low.sum()) * 0.15
        run.charges[low, 0] = 1 - run.charges[low, 1:].sum(axis=1)
    found = find_source_labels(gamma, mixed, options=OPTIONS, rng=rng)
    assert found.slices[0].share_from == "neighbour"
    assert found.slices[-1].share_from == "fit"
    assert found.slices[0].neutron_share == pytest.approx(neutron.mean(), abs=0.05)


def test_each_channel_has_slices_of_its_own_and_an_empty_one_is_named() -> None:
    gamma = joined(shapes(4000, share=0, seed=seed, channel=seed)[1] for seed in (1, 2))
    mixed = joined(shapes(4000, share=0.3, seed=4 + seed, channel=seed)[1] for seed in (1, 2, 3))
    found = find_source_labels(gamma, mixed, options=OPTIONS, rng=np.random.default_rng(0))
    assert {part.channel for part in found.slices} == {1, 2}
    assert [(place.channel, "0 usable" in reason) for place, reason in found.problems.items()] == [(3, True)]
    labels = found.labels(mixed, mixed=True, rng=np.random.default_rng(1))
    assert (labels[mixed.channel == 3] == Label.UNKNOWN).all()


def test_a_mixed_run_without_neutrons_is_refused() -> None:
    _, gamma = shapes(6000, share=0, seed=1)
    _, mixed = shapes(6000, share=0, seed=2)
    with pytest.raises(DataError, match=r"right runs are given|no neutrons at all"):
        find_source_labels(gamma, mixed, options=OPTIONS, rng=np.random.default_rng(0))


def test_a_share_that_may_be_nothing_is_refused(runs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    gamma, _, mixed, _ = runs
    perhaps = Slice(
        place=Place(0, 0),
        low=100,
        high=1000,
        n_gamma=5000,
        n_mixed=5000,
        fit=ShareFit(share=0.001, separation=9.0, drawn=np.zeros(40)),
        share=0.001,
        drawn=np.linspace(0, 0.003, 40) - 0.001,
    )
    monkeypatch.setattr("discrimen.labelling.source.channel_slices", lambda *_, **__: [perhaps])
    with pytest.raises(DataError, match="no neutrons at all"):
        find_source_labels(gamma, mixed, options=OPTIONS, rng=np.random.default_rng(0))


def test_energies_of_different_units_are_refused() -> None:
    _, gamma = shapes(1000, share=0, seed=1)
    other = replace(gamma, energy_unit="ADC ns")
    with pytest.raises(DataError, match="keVee"):
        find_source_labels(gamma, other, options=OPTIONS, rng=np.random.default_rng(0))
    with pytest.raises(DataError, match="ADC ns and keVee"):
        joined([gamma, other])


def test_the_result_is_plain_data(runs: Any) -> None:
    told = json.loads(json.dumps(runs[3].as_dict(), allow_nan=False))
    assert told["contamination"] == {"gamma": 0.0, "neutron": runs[3].contamination}
    assert len(told["slices"]) == len(runs[3].slices)


def test_options_that_do_not_fit_are_refused() -> None:
    with pytest.raises(SettingsError, match="draws"):
        SourceOptions(n_draws=1)


SETTINGS = DetectorSettings(sample_period_ns=2.0, polarity="negative", pretrigger_ns=40.0)


def waveforms(n: int) -> Pulses:
    """Negative pulses of one shape and many heights, one of them flat."""
    rng = np.random.default_rng(5)
    time = np.arange(100) - 25 - rng.uniform(0, 1, (n, 1))
    shape = np.where(time >= 0, np.exp(-time / 8) - np.exp(-np.maximum(time, 0) / 1.5), 0)
    samples = 10_000 - rng.uniform(1000, 5000, (n, 1)) * shape
    samples[3] = 10_000
    return Pulses(samples=samples.round().astype(np.uint16), sample_period_ns=2.0)


def test_shapes_do_not_know_the_height_and_add_up_to_one() -> None:
    pulses = waveforms(50)
    found = shapes_of_pulses(pulses, shape_preparation(pulses, SETTINGS), SETTINGS)
    assert np.isnan(found.energy[3])
    assert np.isnan(found.charges[3]).all()
    good = np.delete(np.arange(50), 3)
    assert found.charges[good].sum(axis=1) == pytest.approx(np.ones(49), abs=1e-5)
    assert found.charges[good].std(axis=0).max() < 0.02
    assert found.energy_unit == "ADC ns"


def test_runs_of_another_digitizer_are_refused() -> None:
    pulses = waveforms(50)
    preparation = shape_preparation(pulses, SETTINGS)
    slower = pulses.replace(sample_period_ns=4.0)
    with pytest.raises(SettingsError, match="2 ns a sample, got pulses of 4 ns"):
        shapes_of_pulses(slower, preparation, SETTINGS)
    shorter = pulses.replace(samples=pulses.samples[:, :60])
    with pytest.raises(DataError, match="got records of 60"):
        shapes_of_pulses(shorter, preparation, SETTINGS)


def test_without_a_pulse_there_is_nothing_to_align() -> None:
    flat = Pulses(samples=np.full((5, 60), 900, np.uint16), sample_period_ns=2.0)
    with pytest.raises(DataError, match="leading edge"):
        shape_preparation(flat, SETTINGS)
