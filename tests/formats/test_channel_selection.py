"""Which pulses a selection of boards and channels takes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from discrimen.errors import DataError, SettingsError
from discrimen.formats.base import ListModeReader, Reader, ReadOptions
from discrimen.formats.channel_selection import ChannelSelection, ChannelSieve, select_channels, selection_of_each
from discrimen.formats.table import open_reader, open_writer
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings, validate_settings
from discrimen.pulses.places import Place

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


def run_of(tmp_path: Path, numbers: list[int], **settings: object) -> Reader:
    """Write a run with a pulse of each channel, and open it with some settings."""
    path = tmp_path / "run.lh5"
    samples = np.tile(np.arange(50, dtype=np.uint16), (len(numbers), 1))
    board = np.zeros(len(numbers), np.int32)
    pulses = Pulses(samples=samples, sample_period_ns=2.0, channel=np.array(numbers), board=board)
    with open_writer(path, DetectorSettings()) as writer:
        writer.write(pulses)
    return open_reader(path, ReadOptions(settings=validate_settings(settings, source="test")))


def test_a_reader_hands_out_the_chosen_channels_and_counts_the_others(tmp_path: Path) -> None:
    reader = select_channels(run_of(tmp_path, [0, 1, 2, 1]), ChannelSelection(channels=(1, 7)))
    (pulses,) = reader.chunks()
    assert pulses.column("channel").tolist() == [1, 1]
    assert pulses.column("entry").tolist() == [1, 3]
    report = reader.report
    assert (report.n_read, report.n_other_channels, report.absent) == (2, 2, ("channel 7",))
    assert report.left_out() == ["no pulse of channel 7"]


def test_a_reader_without_a_chosen_pulse_is_refused(tmp_path: Path) -> None:
    reader = select_channels(run_of(tmp_path, [0, 1]), ChannelSelection(channels=(7,)))
    with pytest.raises(DataError, match="none of its 2 pulses is of channel 7; it holds boards 0, channels 0 1"):
        list(reader.chunks())


def test_channels_that_the_detector_file_does_not_list_are_refused(tmp_path: Path) -> None:
    file = {"channels": [{"channel": 0}, {"channel": 2}, {"channel": 5}]}
    with pytest.raises(DataError, match="pulses of board 0 channel 1, which the detector file does not list"):
        list(select_channels(run_of(tmp_path, [0, 1, 2], **file), ChannelSelection()).chunks())
    reader = select_channels(run_of(tmp_path, [0, 1, 2], **file), ChannelSelection(channels=(0, 2)))
    assert sum(map(len, reader.chunks())) == 2
    assert reader.report.absent == ()
    whole = select_channels(run_of(tmp_path, [0, 2], **file), ChannelSelection())
    list(whole.chunks())
    assert whole.report.absent == ("board 0 channel 5, which the detector file lists",)


def test_list_mode_is_chosen_from_like_waveforms(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("channel,energy,psd\n0,10,0.1\n1,20,0.2\n1,30,0.3\n")
    options = ReadOptions(branches={"channel": "channel", "energy": "energy", "psd": "psd"})
    reader = select_channels(open_reader(path, options), ChannelSelection(channels=(1,)))
    assert isinstance(reader, ListModeReader)
    (events,) = reader.event_chunks()
    assert events.long_charge is not None
    assert events.long_charge.tolist() == [20, 30]
    assert reader.report.n_other_channels == 1


def test_each_channel_is_found_with_what_chooses_it_alone(tmp_path: Path) -> None:
    both = run_of(tmp_path, [3, 1, 3])
    found = selection_of_each([both])
    assert list(found) == [Place(0, 1), Place(0, 3)]
    for place, selection in found.items():
        met = [pulses.column("channel") for pulses in select_channels(both, selection).chunks()]
        assert set(np.concatenate(met).tolist()) == {place.channel}


def test_all_channels_need_no_reader_of_their_own(tmp_path: Path) -> None:
    reader = run_of(tmp_path, [0])
    assert select_channels(reader, ChannelSelection()) is reader
