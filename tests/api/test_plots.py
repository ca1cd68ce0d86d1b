"""Plots draw into the axes that they are given, and return them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes
from tests.scoring.small_model import write_small_model
from tests.training.toy_pulses import toy_pulses

import discrimen
from discrimen import plots
from discrimen.errors import FormatError, SettingsError
from discrimen.pulses.detector import DetectorSettings, GatesNs
from discrimen.runs.dataset import Dataset
from discrimen.training.history import EpochRecord, History

SETTINGS = DetectorSettings(
    sample_period_ns=10.0,
    polarity="negative",
    pretrigger_ns=150,
    gates=GatesNs(short_gate_end_ns=40, long_gate_end_ns=400),
)


@pytest.fixture(autouse=True)
def _no_display() -> Iterator[None]:
    before = pyplot.get_backend()
    pyplot.switch_backend("agg")
    yield
    pyplot.close("all")
    pyplot.switch_backend(before)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    light = np.random.default_rng(1).uniform(30, 900, 1200).astype(np.float32)
    pulses = toy_pulses(600).replace(run=np.zeros(1200, np.int32), energy_kevee=light)
    file = {"name": "toy", "sha256": "0" * 64, "n_pulses": 1200}
    return Dataset(pulses=pulses, settings=SETTINGS, files=(file,), n_unlabelled=0)


@pytest.fixture(scope="module")
def report(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> discrimen.evaluation.Report:
    return discrimen.evaluate(write_small_model(tmp_path_factory.mktemp("m") / "m.discrimen"), dataset)


def given() -> Axes:
    return pyplot.subplots()[1]


def test_every_plot_takes_axes_and_gives_them_back(
    dataset: Dataset, report: discrimen.evaluation.Report, tmp_path: Path
) -> None:
    kept = History(tmp_path / "history.csv")
    for epoch in (1, 2, 3):
        metrics = {"accuracy": 0.5, "val_accuracy": 0.6}
        kept.on_epoch(EpochRecord(epoch=epoch, loss=1 / epoch, val_loss=2 / epoch, metrics=metrics, duration_s=1))
    drawn = {
        "pulses": lambda ax: plots.pulses(dataset, ax=ax),
        "psd": lambda ax: plots.psd(dataset, ax=ax),
        "roc": lambda ax: plots.roc(report, ax=ax),
        "leakage": lambda ax: plots.leakage(report, ax=ax),
        "scores": lambda ax: plots.scores(report, ax=ax),
        "history": lambda ax: plots.history(tmp_path, ax=ax),
    }
    assert set(drawn) == set(plots.__all__)
    for name, draw in drawn.items():
        ax = given()
        before = len(pyplot.get_fignums())
        assert draw(ax) is ax, name
        assert len(pyplot.get_fignums()) == before, name
        assert ax.get_xlabel() or name == "leakage", name
        assert ax.get_ylabel(), name
        assert ax.has_data(), name
        new = draw(None)
        assert isinstance(new, Axes)
        assert len(pyplot.get_fignums()) == before + 1, name
        pyplot.close("all")


def test_classes_lie_apart_in_the_plane(dataset: Dataset) -> None:
    ax = plots.psd(dataset, gates=(-20, 60, 500), ax=given())
    assert ax.get_ylabel() == "PSD = (Q_long - Q_short) / Q_long"
    ax = plots.pulses(dataset, n=3, ax=given())
    assert len(ax.lines) == 6
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["gamma", "neutron"]


def test_psd_charges_and_preparation_are_functions(dataset: Dataset) -> None:
    found = discrimen.charges(dataset)
    expected = (found.long_charge_adc_ns - found.short_charge_adc_ns) / found.long_charge_adc_ns
    assert np.allclose(found.psd, expected, rtol=1e-5)
    assert np.allclose(discrimen.psd(dataset), found.psd, equal_nan=True)
    label = dataset.pulses.label
    assert np.median(found.psd[label == 1]) > np.median(found.psd[label == 0]) + 0.1
    other = discrimen.charges(dataset.pulses, gates=(-20, 60, 500), settings=SETTINGS)
    assert not np.allclose(other.psd, found.psd)
    prepared = discrimen.prepare(dataset)
    assert prepared.waveforms.shape == (1200, 1, 75)
    assert np.allclose(prepared.waveforms.max(axis=(1, 2)), 1.0)
    by = discrimen.preparation(dataset, scale="none", window_start=10, window_length=30)
    assert discrimen.prepare(dataset.pulses.samples[:5], by).waveforms.shape == (5, 1, 30)


def test_channels_have_their_own_gates() -> None:
    pulses = toy_pulses(30).replace(channel=np.arange(60, dtype=np.int32) % 2)
    own = ({"channel": 1, "gates": {"short_gate_end_ns": 80, "long_gate_end_ns": 300}}, {"channel": 0})
    settings = SETTINGS.merged(channels=own)
    both = discrimen.charges(pulses, settings=settings)
    for channel in (0, 1):
        alone = discrimen.charges(pulses, settings=settings.of(0, channel))
        assert np.array_equal(both.psd[channel::2], alone.psd[channel::2])
    assert not np.array_equal(both.psd[0::2], discrimen.charges(pulses, settings=settings.of(0, 1)).psd[0::2])


def test_what_is_not_known_is_asked_for(dataset: Dataset, report: discrimen.evaluation.Report, tmp_path: Path) -> None:
    bare = SETTINGS.model_copy(update={"gates": None})
    for ask in (discrimen.charges, discrimen.psd, plots.psd):
        with pytest.raises(SettingsError, match="the gates are not known: give gates="):
            ask(dataset, settings=bare)
    with pytest.raises(SettingsError, match="the light is not calibrated"):
        discrimen.light(dataset)
    with pytest.raises(SettingsError, match="an array does not say how it was digitised"):
        discrimen.prepare(dataset.pulses.samples)
    with pytest.raises(SettingsError, match="no range '1-2 keVee'; it has: all energies"):
        plots.roc(report, energy="1-2 keVee")
    with pytest.raises(SettingsError, match="the report has no ranges of energy"):
        plots.leakage(replace(report, bins=()))
    with pytest.raises(FormatError, match=r"history\.csv"):
        plots.history(tmp_path / "none")
