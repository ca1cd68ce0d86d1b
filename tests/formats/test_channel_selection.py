"""Which pulses a selection of boards and channels takes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from discrimen.errors import DataError, SettingsError
from discrimen.formats.channel_selection import ChannelSelection, ChannelSieve
from discrimen.pulses import Pulses

NUMBERS = st.lists(st.integers(0, 4), max_size=3).map(tuple)


def some_pulses(board: np.ndarray | None, channel: np.ndarray | None, n_pulses: int = 40) -> Pulses:
    samples = np.arange(n_pulses, dtype=np.uint16)[:, np.newaxis]
    return Pulses(samples=samples, sample_period_ns=1.0, board=board, channel=channel)


@given(boards=NUMBERS, channels=NUMBERS, seed=st.integers(0, 100))
def test_a_pulse_is_taken_if_its_board_and_its_channel_are(
    boards: tuple[int, ...], channels: tuple[int, ...], seed: int
) -> None:
    board, channel = np.random.default_rng(seed).integers(0, 5, (2, 40)).astype(np.int32)
    sieve = ChannelSieve(ChannelSelection(boards, channels), "run")
    taken = sieve(some_pulses(board, channel)).samples[:, 0].tolist()
    expected = [
        number
        for number in range(40)
        if (not boards or board[number] in boards) and (not channels or channel[number] in channels)
    ]
    assert taken == expected
    assert sieve.n_left_out == 40 - len(expected)


def test_taking_all_copies_nothing_and_needs_no_column() -> None:
    numbers = np.zeros(40, np.int32)
    for pulses in (some_pulses(None, None), some_pulses(numbers, numbers)):
        sieve = ChannelSieve(ChannelSelection(), "run")
        assert sieve(pulses) is pulses
        assert sieve.met == {"board": set(), "channel": set()}


def test_what_is_chosen_but_not_there_is_named() -> None:
    sieve = ChannelSieve(ChannelSelection((0, 7), (3, 5)), "run")
    sieve(some_pulses(np.zeros(40, np.int32), np.arange(40, dtype=np.int32) % 4))
    assert sieve.absent() == ("board 7", "channel 5")
    assert sieve.describe_met() == "boards 0, channels 0 1 2 3"


@pytest.mark.parametrize("name", ["board", "channel"])
def test_a_run_that_does_not_tell_is_refused(name: str) -> None:
    columns = {"board": np.zeros(40, np.int32), "channel": np.zeros(40, np.int32)} | {name: None}
    sieve = ChannelSieve(ChannelSelection((0,), (0,)), "run.npy")
    with pytest.raises(DataError, match=rf"run\.npy: the file does not tell the {name}.*leave out --{name}"):
        sieve(some_pulses(**columns))


def test_order_and_repetition_do_not_matter() -> None:
    assert ChannelSelection((), (5, 3, 5)) == ChannelSelection((), (3, 5))
    assert ChannelSelection((1,), (5, 3)).as_attributes() == {"boards": "1", "channels": "3, 5"}
    assert ChannelSelection().as_attributes() == {"boards": "all", "channels": "all"}


def test_people_read_what_is_chosen() -> None:
    assert str(ChannelSelection((1,), (5, 3))) == "board 1, channel 3 or 5"
    assert str(ChannelSelection()) == "all channels"


def test_negative_numbers_are_refused() -> None:
    with pytest.raises(SettingsError, match="channel numbers start at 0, got -1"):
        ChannelSelection((), (3, -1))
