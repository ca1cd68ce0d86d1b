"""The adapted file: what is in it, what it scores, and that the source stays as it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.adaptation.made_up import frozen_model
from tests.training.toy_pulses import toy_pulses

from discrimen.adaptation.adapt import adapt
from discrimen.adaptation.recalibrate import Wishes
from discrimen.errors import DataError, FormatError, OutputError
from discrimen.formats.channel_selection import ChannelSelection
from discrimen.formats.lh5.writer import Lh5Writer
from discrimen.formats.table import open_reader
from discrimen.freezing.calibrate import efficiency_name
from discrimen.inference.load import load_model
from discrimen.metrics import neutron_logits
from discrimen.network.frozen_file import read_frozen
from discrimen.network.height_curve import HeightCurve
from discrimen.output.provenance import sha256_of_file
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings, PolarityName

OLD = HeightCurve((100.0, 1000.0), (0.3, 0.6))
NAME = efficiency_name(0.95)


def run_file(path: Path, pulses: Pulses, *, polarity: PolarityName = "negative", period_ns: float = 10.0) -> Path:
    with Lh5Writer(path, DetectorSettings(sample_period_ns=period_ns, polarity=polarity)) as writer:
        writer.write(pulses.replace(sample_period_ns=period_ns))
    return path


def turned(pulses: Pulses) -> Pulses:
    return pulses.replace(samples=(16000 - pulses.samples.astype(np.int32)).astype(np.uint16))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("source") / "source.discrimen"
    frozen_model(path, thresholds={"old": OLD}, provenance={"calibration": {"was": "there"}, "seed": 7})
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_file(tmp_path_factory.mktemp("run") / "run.lh5", toy_pulses(2500, seed=11))


@pytest.fixture(scope="module")
def adapted(source: Path, run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("adapted") / "adapted.discrimen"
    adapt(source, [open_reader(run)], output)
    return output


def test_the_logit_is_shifted_and_divided(source: Path, adapted: Path) -> None:
    samples = toy_pulses(100, seed=12).samples
    scale = read_frozen(adapted).description.provenance["adaptation"]["rescaling"]
    before, after = (
        neutron_logits(load_model(path, backend="reference").predictor.predict(samples), neutron_class=1)
        for path in (source, adapted)
    )
    assert after == pytest.approx((before - scale["shift"]) / scale["temperature"], abs=1e-3)
    native = load_model(adapted).predictor.predict(samples)
    assert neutron_logits(native, neutron_class=1) == pytest.approx(after, abs=1e-2)


def test_the_threshold_keeps_the_wished_share(adapted: Path) -> None:
    others = toy_pulses(3000, seed=13)
    scores = load_model(adapted).predictor.predict(others.samples)[:, 1]
    kept = np.mean(scores[others.column("label") == 1] >= read_frozen(adapted).description.thresholds[NAME])
    assert kept == pytest.approx(0.95, abs=0.03)


def test_the_provenance_tells_all(source: Path, run: Path, adapted: Path) -> None:
    description = read_frozen(adapted).description
    origin = description.provenance["adaptation"]
    assert origin["from"] == {"name": "source.discrimen", "sha256": sha256_of_file(source)}
    assert origin["files"] == [{"name": "run.lh5", "sha256": sha256_of_file(run), "n_pulses": 5000}]
    assert origin["replaced"]["calibration"] == {"was": "there"}
    assert origin["replaced"]["thresholds"] == {"old": OLD.as_dict()}
    assert "calibration" not in description.provenance
    assert description.provenance["seed"] == 7
    assert list(description.thresholds) == [NAME]


def test_an_adapted_model_can_be_adapted_again(adapted: Path, run: Path, tmp_path: Path) -> None:
    again = adapt(adapted, [open_reader(run)], tmp_path / "again.discrimen").model.description
    assert again.thresholds[NAME] == pytest.approx(read_frozen(adapted).description.thresholds[NAME], abs=0.02)
    before = again.provenance["adaptation"]["replaced"]["adaptation"]
    assert before["from"]["name"] == "source.discrimen"
    assert again.provenance["adaptation"]["rescaling"]["temperature"] == pytest.approx(1, abs=0.05)


def test_without_rescaling_the_scores_stay(source: Path, run: Path, tmp_path: Path) -> None:
    adapt(source, [open_reader(run)], tmp_path / "x.discrimen", wishes=Wishes(rescale=False))
    old, new = read_frozen(source), read_frozen(tmp_path / "x.discrimen")
    assert np.array_equal(old.golden.values[0], new.golden.values[0])


def test_pulses_of_the_other_polarity_are_turned(source: Path, run: Path, adapted: Path, tmp_path: Path) -> None:
    rising = run_file(tmp_path / "rising.lh5", turned(toy_pulses(2500, seed=11)), polarity="positive")
    done = adapt(source, [open_reader(rising)], tmp_path / "rising.discrimen").model
    assert done.description.preparation.only.polarity == 1
    assert done.description.settings.polarity == "positive"
    assert done.description.thresholds[NAME] == pytest.approx(
        read_frozen(adapted).description.thresholds[NAME], abs=1e-6
    )
    load_model(tmp_path / "rising.discrimen")


def test_labelled_pulses_decide_where_they_are_given(source: Path, tmp_path: Path) -> None:
    few = run_file(tmp_path / "few.lh5", toy_pulses(60, seed=14))
    done = adapt(source, [open_reader(few)], tmp_path / "few.discrimen", labelled=True)
    assert done.recalibration.method == "labelled"
    assert done.recalibration.n_pulses == 120


def test_only_the_chosen_channel_counts(source: Path, tmp_path: Path) -> None:
    pulses = toy_pulses(1500, seed=15)
    channels = np.arange(len(pulses), dtype=np.int32) % 4
    path = run_file(tmp_path / "two.lh5", pulses.replace(channel=channels))
    chosen = ChannelSelection(channels=(3,))
    done = adapt(source, [open_reader(path)], tmp_path / "c.discrimen", labelled=True, selection=chosen)
    assert done.recalibration.n_pulses == 750
    with pytest.raises(DataError, match="no pulses of channel 9; it holds channels 0 1 2 3"):
        adapt(source, [open_reader(path)], tmp_path / "d.discrimen", selection=ChannelSelection(channels=(9,)))


def test_the_source_is_never_replaced(source: Path, run: Path) -> None:
    before = sha256_of_file(source)
    with pytest.raises(OutputError, match="choose another output"):
        adapt(source, [open_reader(run)], source)
    assert sha256_of_file(source) == before


def test_another_sampling_period_is_refused(source: Path, tmp_path: Path) -> None:
    path = run_file(tmp_path / "fast.lh5", toy_pulses(10), period_ns=2.0)
    with pytest.raises(DataError, match=r"sampled every 2 ns, but the model was trained at 10 ns"):
        adapt(source, [open_reader(path)], tmp_path / "x.discrimen")
    assert not (tmp_path / "x.discrimen").exists()


def test_a_folder_is_refused(tmp_path: Path, run: Path) -> None:
    with pytest.raises(FormatError, match="expected a frozen model"):
        adapt(tmp_path, [open_reader(run)], tmp_path / "x.discrimen")
