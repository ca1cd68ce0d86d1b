"""Run files by name: lists of them, options that they do not hold, labels of each."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields
from inspect import getsource, isfunction, signature
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.reconstruction.copying_model import falling_pulses, write_copying_model
from tests.scoring.small_model import write_small_model
from tests.training.toy_pulses import toy_pulses

import discrimen
from discrimen.api import options
from discrimen.api.inputs import inputs_of
from discrimen.api.trained import corrected
from discrimen.errors import DataError, SettingsError
from discrimen.formats.base import ReadOptions
from discrimen.formats.table import open_writer
from discrimen.pulses.detector import DetectorSettings, GatesNs
from discrimen.training import TrainingConfig


def write(path: Path, *, label: bool = True, seed: int = 0) -> Path:
    pulses = toy_pulses(20, seed=seed)
    channel = np.arange(40, dtype=np.int32) % 2
    with open_writer(path, DetectorSettings(polarity="negative", pretrigger_ns=150)) as writer:
        writer.write(pulses.replace(channel=channel, board=0 * channel, label=pulses.label if label else None))
    return path


def test_several_files_are_one_data_set_with_labels_of_each(tmp_path: Path) -> None:
    paths = [write(tmp_path / "a.lh5"), write(tmp_path / "b.lh5", seed=1)]
    both = discrimen.read(paths)
    assert [file["n_pulses"] for file in both.files] == [40, 40]
    assert both.labels_from == tuple(paths)
    each = discrimen.read(paths, label_by=["gamma", "file"])
    assert each.count(discrimen.Label.GAMMA) == 60
    assert each.labels_from == (paths[1],)
    with pytest.raises(SettingsError, match="1 ways for 2 files"):
        discrimen.read(paths, label_by=["gamma"])
    with pytest.raises(SettingsError, match="no file is given"):
        discrimen.read([])


def test_labels_are_never_lost_in_silence(tmp_path: Path) -> None:
    paths = [write(tmp_path / "a.lh5"), write(tmp_path / "b.lh5", label=False)]
    with pytest.raises(DataError, match=r"of a\.lh5, b\.lh5 some have labels and some have none"):
        discrimen.read(paths)
    assert len(discrimen.read(paths, label_by=["file", "neutron"])) == 80


def test_what_a_file_does_not_say_is_given_by_name(tmp_path: Path) -> None:
    np.save(tmp_path / "bare.npy", toy_pulses(20).samples)
    known = discrimen.read(
        tmp_path / "bare.npy", sample_period_ns=2, polarity="negative", baseline=(0, 20), gates=(-4, 10, 60)
    )
    assert known.pulses.sample_period_ns == 2.0
    assert known.settings.gates == GatesNs(gate_start_ns=-4, short_gate_end_ns=10, long_gate_end_ns=60)
    write(tmp_path / "run.lh5")
    assert len(discrimen.read(tmp_path / "run.lh5", channel=1)) == 20
    assert discrimen.read(tmp_path / "run.lh5", record_samples=50).pulses.n_samples == 50


def test_a_detector_file_and_options_together_win_in_that_order(tmp_path: Path) -> None:
    (tmp_path / "d.yaml").write_text("sample_period_ns: 4\nadc_bits: 12\n")
    told = inputs_of(ReadOptions(chunk_bytes=7), settings=tmp_path / "d.yaml", sample_period_ns=8.0).read
    assert (told.settings.sample_period_ns, told.settings.adc_bits, told.chunk_bytes) == (8.0, 12, 7)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"poalrity": "negative"}, "there is no option poalrity; expected: adc_bits, "),
        ({"polarity": "up"}, "polarity"),
        ({"gates": (1, 2)}, r"expected gates=\(start, short end, long end\) in ns that ascend, got \(1, 2\)"),
        ({"baseline": (20, 10)}, "expected baseline="),
        ({"channel": -1}, "channel numbers start at 0, got -1"),
    ],
)
def test_a_wrong_option_is_named(given: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        inputs_of(**given)


def test_every_option_of_a_reader_has_a_name() -> None:
    named = set(options.ReaderOptions.__annotations__)
    assert {each.name for each in fields(ReadOptions)} - named == {"growth"}  # for files that still grow


def taken_by_name(function: Callable[..., Any]) -> set[str]:
    """Return the names that a function takes beside its parameters."""
    (last,) = [each for each in signature(function).parameters.values() if each.kind is each.VAR_KEYWORD]
    return set(vars(options)[str(last.annotation).removeprefix("Unpack[").removesuffix("]")].__annotations__)


def test_every_function_that_opens_run_files_takes_the_options_of_readers_by_name() -> None:
    functions = [getattr(discrimen, name) for name in discrimen.__all__ if isfunction(getattr(discrimen, name))]
    opening = [each for each in functions if re.search(r"open_all\(|inputs_of\(options", getsource(each))]
    assert len(opening) >= 16
    for function in opening:
        assert taken_by_name(function) >= set(options.ReaderOptions.__annotations__), function.__name__


def test_options_and_wishes_are_given_side_by_side(tmp_path: Path) -> None:
    np.save(tmp_path / "bare.npy", falling_pulses(50).samples)
    model = write_copying_model(tmp_path / "copy.discrimen")
    known: dict[str, Any] = {"sample_period_ns": 10.0, "polarity": "negative", "pretrigger_ns": 150.0}
    discrimen.denoise(model, tmp_path / "bare.npy", tmp_path / "clean.lh5", keep=True, **known)
    assert len(discrimen.read(tmp_path / "clean.lh5")) == 50
    with pytest.raises(SettingsError, match=r"there is no option kep; expected: adc_bits, .*keep"):
        discrimen.denoise(model, tmp_path / "bare.npy", tmp_path / "x.lh5", **{"kep": True})  # type: ignore[misc]


def test_labels_by_source_are_corrected_for_and_never_judged_by(tmp_path: Path) -> None:
    for name, seed, share in (("gamma", 1, 0.0), ("mixed", 2, 0.5)):
        discrimen.simulate(tmp_path / f"{name}.lh5", 4000, seed=seed, neutron_fraction=share)
    dataset, found = discrimen.label_by_source(
        tmp_path / "gamma.lh5", [tmp_path / "mixed.lh5"], n_draws=20, gates=(-20, 30, 250)
    )
    assert 0.4 < found.neutron_share < 0.6
    assert dataset.contamination == {"gamma": 0.0, "neutron": found.contamination}
    assert dataset[:1000].contamination == dataset.contamination
    assert [file["name"] for file in dataset.files] == ["gamma.lh5", "mixed.lh5"]
    assert corrected(TrainingConfig(), dataset, given=False).contamination == pytest.approx(dataset.contamination)
    assert corrected(TrainingConfig(), dataset, given=True).contamination is None
    model = write_small_model(tmp_path / "small.discrimen")
    for judge in (discrimen.evaluate, discrimen.measure_robustness):
        with pytest.raises(DataError, match=r"gamma\.lh5, mixed\.lh5: its labels say which run .*\(label_by_source\)"):
            judge(model, dataset)
