"""Simulated hits: truth in the columns, energies in the samples, the same for the same seed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from discrimen.errors import SettingsError
from discrimen.pulses.hits import Hits, join_hits
from discrimen.simulation.germanium import pairs as pairs_module
from discrimen.simulation.germanium import simulate as module
from discrimen.simulation.germanium.pairs import Pairs, places_inside
from discrimen.simulation.germanium.signals import Charges, Field, Window, induce
from discrimen.simulation.germanium.simulate import FULL_PHYSICS, GermaniumConfig, simulate_hits

SINGLE = GermaniumConfig(n_hits=60, energy_kev=(300.0, 300.0), seed=2)
FULL = GermaniumConfig(n_hits=120, electronics=FULL_PHYSICS, cloud_parts=3, seed=3, window=Window(n_samples=70))


def simulated(config: GermaniumConfig, field: Field) -> Hits:
    return join_hits(simulate_hits(config, electric=field))


@pytest.fixture(scope="module")
def single(greta: Field) -> Hits:
    return simulated(SINGLE, greta)


@pytest.fixture(scope="module")
def full(greta: Field) -> Hits:
    return simulated(FULL, greta)


def test_single_hits_have_one_energy_and_one_place(single: Hits) -> None:
    assert single.samples.shape == (60, 37, 74)
    assert single.samples.dtype == np.int16
    assert np.allclose(single.column("energy_kev"), 300)
    assert np.all(single.column("n_interactions") == 1)
    assert np.isnan(single.column("x_2_mm")).all()
    assert 0 <= single.column("time_offset_ns").min() < 3 < 7 < single.column("time_offset_ns").max() < 10
    assert np.all(np.diff(single.column("timestamp_ps")) > 0)


def test_samples_of_a_single_hit_are_those_of_its_truth(single: Hits, greta: Field) -> None:
    places = np.stack([single.column(f"{axis}_mm") for axis in "xyz"], axis=1)
    offsets = single.column("time_offset_ns")
    wanted = induce(
        greta, Charges.single(places), window=SINGLE.window, time_constants_ns=45.0, time_offsets_ns=offsets
    )
    noise_kev = single.samples / 2.4 - 300 * wanted.traces
    assert noise_kev.std() == pytest.approx(3, rel=0.03)
    assert np.abs(noise_kev.mean(axis=0)).max() < 6 * 3 / np.sqrt(60)
    assert np.array_equal(single.column("segment"), wanted.segment)


def test_core_of_gamma_rays_shows_what_they_left(full: Hits) -> None:
    plateau_kev = full.samples[:, 36, -8:].mean(axis=1) / 2.4
    assert np.abs(plateau_kev - full.column("energy_kev")).max() < 30
    assert np.median(np.abs(plateau_kev - full.column("energy_kev"))) < 3
    assert full.column("energy_kev").min() >= 50


def test_interactions_of_gamma_rays_are_in_order_of_energy(full: Hits) -> None:
    several = full.column("n_interactions") > 1
    assert 0.2 < several.mean() < 0.9
    second = full.column("energy_2_kev")
    assert np.array_equal(np.isnan(second), ~several)
    assert np.all(second[several] <= full.column("energy_kev")[several] / 2 + 1e-3)
    two = full.column("n_interactions") == 2
    first = full.column("energy_kev")[two] - second[two]
    assert np.all(first >= second[two] - 1e-3)


def test_blocks_are_the_same_however_many_hits(greta: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_HITS", 16)
    longer = simulated(replace(SINGLE, n_hits=48), greta)
    shorter = simulated(replace(SINGLE, n_hits=32), greta)
    assert np.array_equal(longer.samples[:32], shorter.samples)
    assert not np.array_equal(longer.samples[:16], longer.samples[16:32])
    assert not np.array_equal(simulated(replace(SINGLE, n_hits=32, seed=9), greta).samples, shorter.samples)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_hits": 0}, "at least one hit"),
        ({"energy_kev": (5000.0, 5000.0)}, "energy_kev must be 10 to 3000, got 5000"),
        ({"energy_min_kev": 400.0, "energy_max_kev": 300.0}, "energies must rise"),
        ({"trigger_jitter_ns": -1.0}, "trigger_jitter_ns must not be negative"),
        ({"rate_hz": 0.0}, "rate_hz must be positive"),
    ],
)
def test_impossible_wishes_are_refused(changes: dict[str, float], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        replace(SINGLE, **changes)


def test_pairs_have_the_distance_and_the_share_that_were_wanted_in_one_segment(greta: Field) -> None:
    wanted = Pairs(share_of_hits=0.5, second_share=(0.2, 0.3), distance_mm=(4.0, 12.0))
    hits = simulated(replace(SINGLE, n_hits=300, pairs=wanted), greta)
    two = hits.column("n_interactions") == 2
    assert 0.4 < two.mean() < 0.6
    first, second = (np.stack([hits.column(f"{axis}{which}_mm") for axis in "xyz"], axis=1) for which in ("", "_2"))
    apart = np.linalg.norm(first - second, axis=1)
    assert np.isnan(apart[~two]).all()
    assert 4 <= apart[two].min() < 5 < 11 < apart[two].max() <= 12
    share = hits.column("energy_2_kev")[two] / hits.column("energy_kev")[two]
    assert 0.2 <= share.min() < 0.22 < 0.28 < share.max() <= 0.3
    for places in (first[two], second[two]):
        alone = induce(greta, Charges.single(places), window=SINGLE.window)
        assert np.array_equal(alone.segment, hits.column("segment")[two])


def test_the_signal_of_a_pair_is_the_sum_of_both(greta: Field) -> None:
    silent = replace(SINGLE.electronics, noise_kev=0.0)
    hits = simulated(replace(SINGLE, n_hits=20, pairs=Pairs(second_share=(0.5, 0.5)), electronics=silent), greta)
    offsets = hits.column("time_offset_ns")
    signals = [
        induce(
            greta,
            Charges.single(np.stack([hits.column(f"{axis}{which}_mm") for axis in "xyz"], axis=1)),
            window=SINGLE.window,
            time_constants_ns=45.0,
            time_offsets_ns=offsets,
        ).traces
        for which in ("", "_2")
    ]
    assert np.abs(hits.samples / 2.4 - 150 * (signals[0] + signals[1])).max() < 0.3


def test_points_are_collected_where_their_signals_say(greta: Field) -> None:
    places = places_inside(greta, 200, np.random.default_rng(1))
    wanted = induce(greta, Charges.single(places), window=Window(n_samples=54, onset_ns=0.0)).segment
    assert len(np.unique(wanted)) > 20
    assert np.array_equal(greta.collecting_segments(places, longest_ns=540.0), wanted)


def test_distances_that_no_segment_has_are_refused(greta: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs_module, "_MOST_TRIES", 3)
    with pytest.raises(SettingsError, match="two interactions 70 mm apart found no place in one segment of greta-a"):
        simulated(replace(SINGLE, pairs=Pairs(distance_mm=(70.0, 70.0))), greta)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"share_of_hits": 0.0}, "share of pairs must be above 0"),
        ({"second_share": (0.2, 0.6)}, "at most 0.5 of the energy, got 0.2 to 0.6"),
        ({"distance_mm": (5.0, 2.0)}, "distances of pairs must be above 0 and rise, got 5 to 2 mm"),
    ],
)
def test_impossible_pairs_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Pairs(**changes)
    with pytest.raises(SettingsError, match="pairs share an energy that is given"):
        GermaniumConfig(pairs=Pairs())
