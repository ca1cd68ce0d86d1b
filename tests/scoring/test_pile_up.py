"""Pile-up of a run: learned from its start, for each channel, found whatever the chunks."""

from __future__ import annotations

import numpy as np
import pytest

from discrimen.network.preparation import Preparation
from discrimen.network.prepare import choose_preparation
from discrimen.pulses import PulseFlag, Pulses, concatenate
from discrimen.pulses.places import Place
from discrimen.scoring.pile_up import PileUp, learn_pile_up
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.settings import detector_settings
from discrimen.simulation.simulate import SimulatedBlock, simulate_blocks_with_truth

CONFIG = SimulationConfig(n_pulses=4000, pileup_fraction=0.1, n_channels=2, channel_gain_spread=0.2, seed=8)


@pytest.fixture(scope="module")
def block() -> SimulatedBlock:
    return next(iter(simulate_blocks_with_truth(CONFIG)))


@pytest.fixture(scope="module")
def preparation() -> Preparation:
    return choose_preparation(detector_settings(CONFIG), n_samples=75)


def test_most_second_pulses_are_found_and_no_single_one(block: SimulatedBlock, preparation: Preparation) -> None:
    search = learn_pile_up([block.pulses], preparation)
    found = (search(block.pulses) & PileUp.IN_RECORD) != 0
    has_second = np.zeros(len(found), bool)
    has_second[block.pile_up.pulse] = True
    assert set(search.channels) == {Place(0, 0), Place(0, 1)}
    assert not found[~has_second].any()
    for learned in (search.others, *search.channels.values()):
        assert learned is not None
        assert learned.seen_share == pytest.approx(found[has_second].mean(), abs=0.04)
        assert learned.rest_ns == pytest.approx(595, abs=10)


def test_the_digitizers_own_flag_is_a_bit_of_its_own(block: SimulatedBlock, preparation: Preparation) -> None:
    flags = block.pulses.column("flags")
    marked = learn_pile_up([block.pulses], preparation)(block.pulses)
    told = (flags & np.uint32(PulseFlag.PILE_UP)) != 0
    np.testing.assert_array_equal((marked & PileUp.DIGITIZER) != 0, told)
    assert told.any()


def test_chunks_teach_what_the_whole_teaches(
    block: SimulatedBlock, preparation: Preparation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("discrimen.scoring.pile_up.LEARNED_FROM", 2000)
    parts = [block.pulses[start : start + 300] for start in range(0, 4000, 300)]
    whole, chunked = (learn_pile_up(chunks, preparation) for chunks in ([block.pulses], parts))
    np.testing.assert_array_equal(
        concatenate(parts).replace(flags=chunked(concatenate(parts))).flags, whole(block.pulses)
    )


def test_a_channel_of_few_pulses_is_looked_at_as_all_are(block: SimulatedBlock, preparation: Preparation) -> None:
    pulses = _moved(block.pulses, n_moved=50)
    search = learn_pile_up([pulses], preparation)
    assert Place(3, 7) not in search.channels
    assert search.of(Place(3, 7)) is search.others
    assert (search(pulses)[:50] & PileUp.IN_RECORD).any()


def test_without_clean_pulses_nothing_is_looked_for(block: SimulatedBlock, preparation: Preparation) -> None:
    search = learn_pile_up([block.pulses[:5]], preparation)
    assert search.of(Place(0, 0)) is None
    assert not (search(block.pulses) & PileUp.IN_RECORD).any()
    assert learn_pile_up([], preparation).others is None


def _moved(pulses: Pulses, *, n_moved: int) -> Pulses:
    board, channel = np.zeros(len(pulses), np.int32), pulses.column("channel").copy()
    board[:n_moved], channel[:n_moved] = 3, 7
    return pulses.replace(board=board, channel=channel)
