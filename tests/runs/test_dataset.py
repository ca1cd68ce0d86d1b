"""Data sets of an array: the settings that a model of its channels gets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.training.toy_pulses import toy_pulses

from discrimen.errors import SettingsError
from discrimen.formats.base import Reader, ReadOptions
from discrimen.formats.table import open_reader, open_writer
from discrimen.pulses.array import listed
from discrimen.pulses.detector import DetectorSettings, validate_settings
from discrimen.pulses.places import Place
from discrimen.runs.dataset import load_dataset


def labelled(path: Path, *, numbers: tuple[int, ...], **settings: object) -> Reader:
    """Write labelled pulses that are dealt to some channels, and open them."""
    pulses = toy_pulses(20)
    channel = np.array(numbers, np.int32)[np.arange(40) % len(numbers)]
    with open_writer(path, DetectorSettings(polarity="negative")) as writer:
        writer.write(pulses.replace(channel=channel))
    return open_reader(path, ReadOptions(settings=validate_settings(settings, source="test")))


def test_a_model_of_several_channels_lists_them(tmp_path: Path) -> None:
    dataset = load_dataset([labelled(tmp_path / "a.lh5", numbers=(4, 1))])
    assert listed(dataset.settings) == (Place(0, 1), Place(0, 4))
    both = [labelled(tmp_path / f"{number}.lh5", numbers=(number,)) for number in (3, 7)]
    assert listed(load_dataset(both).settings) == (Place(0, 3), Place(0, 7))


def test_a_model_of_one_channel_takes_what_holds_for_it(tmp_path: Path) -> None:
    file = {"channels": [{"channel": 1, "pretrigger_ns": 140}, {"channel": 2}]}
    settings = load_dataset([labelled(tmp_path / "a.lh5", numbers=(1,), **file)]).settings
    assert (settings.pretrigger_ns, settings.channels, settings.polarity) == (140, None, "negative")


def test_channels_that_need_preparations_of_their_own_are_refused(tmp_path: Path) -> None:
    file = {"channels": [{"channel": 1, "pretrigger_ns": 140}, {"channel": 2}]}
    with pytest.raises(SettingsError, match="channel 2 has pretrigger_ns unknown, board 0 channel 1 has 140"):
        load_dataset([labelled(tmp_path / "a.lh5", numbers=(1, 2), **file)])
