from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.runs.toy_hits import CHANNELS, toy_hits

from discrimen.errors import SettingsError
from discrimen.network.hits_domain import DOMAIN_KEY, HitsDomain, PositionFlag, learn_hits_domain
from discrimen.network.prepare.choose_hits import choose_hits_preparation
from discrimen.pulses.detector import DetectorSettings
from discrimen.pulses.hits import Hits

HITS = toy_hits(400)
ALL = np.ones((400, 37), bool)
ALL[:100, 3] = False
TRAINED = replace(HITS, present=ALL)
PREPARATION = choose_hits_preparation(TRAINED, DetectorSettings(), reference="core")
DOMAIN = learn_hits_domain(TRAINED, PREPARATION)


def flags(hits: Hits) -> np.ndarray:
    return DOMAIN.flags(hits, PREPARATION)


def test_hits_like_the_training_have_no_flag() -> None:
    assert not flags(toy_hits(400, seed=1)).any()
    assert (DOMAIN.most_net, DOMAIN.may_miss, DOMAIN.most_missing) == (1, (CHANNELS[3],), 1)


def test_hits_without_core_or_with_other_dead_segments_are_flagged() -> None:
    few = toy_hits(4, seed=1)
    present = np.ones((4, 37), bool)
    present[0, -1] = present[1, 3] = present[2, 4] = False
    found = flags(replace(few, present=present))
    assert found.tolist() == [PositionFlag.NO_REFERENCE, 0, PositionFlag.MISSING_CHANNELS, 0]


def test_channels_that_hold_one_value_are_dead_where_others_have_noise() -> None:
    few = toy_hits(4, seed=1)
    samples = few.samples.copy()
    samples[0, -1], samples[1, 3], samples[2, 4] = 100, 7, 0
    assert flags(replace(few, samples=samples)).tolist()[1:] == [0, PositionFlag.MISSING_CHANNELS, 0]
    assert flags(replace(few, samples=samples))[0] & PositionFlag.NO_REFERENCE
    told = replace(few, samples=samples, present=np.ones((4, 37), np.bool_))
    assert flags(told).tolist()[1:] == [0, 0, 0], "what hits say of their channels holds"
    # A pulse behind a baseline without change is a pulse; without noise, segments far away have no signal at all.
    samples = few.samples.copy()
    samples[:, 4, :10] = 100
    assert not flags(replace(few, samples=samples)).any()
    assert not flags(toy_hits(4, seed=1, noise_adc=0.0)).any()


def test_net_charge_in_two_segments_is_flagged() -> None:
    one, other = toy_hits(300, seed=2), toy_hits(300, seed=3)
    apart = one.column("segment") != other.column("segment")
    both = replace(one, samples=((one.samples.astype(int) + other.samples) // 2).astype(np.int16))
    found = flags(both)
    assert (found[apart] & PositionFlag.SEVERAL_SEGMENTS).astype(bool).mean() > 0.99
    assert not (found[~apart] & PositionFlag.SEVERAL_SEGMENTS).any()


def test_energies_outside_of_the_training_are_flagged() -> None:
    low, high = (toy_hits(5, energies_kev=(energy, energy)) for energy in (100.0, 3000.0))
    assert (flags(low) == PositionFlag.TOO_LOW).all()
    assert (flags(high) == PositionFlag.TOO_HIGH).all()


def test_the_domain_comes_back_from_the_provenance_of_a_model() -> None:
    assert HitsDomain.of_model({DOMAIN_KEY: DOMAIN.as_dict()}) == DOMAIN
    assert HitsDomain.of_model({}) is None
    with pytest.raises(SettingsError, match="no domain of a model of hits"):
        HitsDomain.of_model({DOMAIN_KEY: {"level_adc": [1]}})


@pytest.mark.parametrize(("dtype", "largest"), [(np.int16, 2**15 - 1), (np.uint16, 2**16 - 1), (np.int32, 2**31 - 1)])
def test_sums_of_the_largest_samples_do_not_overflow(dtype: type, largest: int) -> None:
    few = toy_hits(3, seed=1)
    samples = np.where(few.samples > few.samples[:, :, :5].mean() + 200, largest, 0)
    found = learn_hits_domain(replace(few, samples=samples.astype(dtype)), PREPARATION)
    wanted = learn_hits_domain(replace(few, samples=samples.astype(np.float32)), PREPARATION)
    assert found.level_adc == pytest.approx(wanted.level_adc, rel=1e-6)
    assert found.level_adc[1] > largest / 2
