"""Fine-tuning: a new folder that starts from the old weights, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.training.toy_pulses import PREPARATION, toy_pulses

from discrimen.adaptation.fine_tune import FineTuning, fine_tune
from discrimen.errors import DataError, OutputError, SettingsError
from discrimen.freezing.freeze import freeze
from discrimen.output.provenance import sha256_of_file
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings
from discrimen.runs.dataset import Dataset
from discrimen.training import TrainingConfig, load_model_folder, train

QUICK = FineTuning(epochs=2, learning_rate=1e-4)


def labelled(pulses: Pulses, **settings: object) -> Dataset:
    known = DetectorSettings(sample_period_ns=10.0, **settings)  # type: ignore[arg-type]
    return Dataset(pulses=pulses, settings=known, files=({"name": "few", "sha256": "1"},), n_unlabelled=0)


def weights(folder: Path) -> list[NDArray[np.float32]]:
    return [np.asarray(variable.value) for variable in load_model_folder(folder)[0].weights]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("source") / "mlp"
    train(toy_pulses(200), PREPARATION, TrainingConfig(architecture="mlp", epochs=2), folder=place)
    return place


def test_training_goes_on_from_the_old_weights_into_a_new_folder(source: Path, tmp_path: Path) -> None:
    before = sha256_of_file(source / "model.keras")
    done = fine_tune(source, labelled(toy_pulses(60, seed=3)), tmp_path / "tuned", tuning=QUICK)
    assert sha256_of_file(source / "model.keras") == before
    old, new = (weights(place) for place in (source, tmp_path / "tuned"))
    moved = max(float(np.abs(a - b).max()) for a, b in zip(old, new, strict=True))
    assert 0 < moved < 0.01
    origin = done.description.provenance["fine_tuning"]
    assert origin["from"]["sha256"] == before
    assert origin["source"]["training"]["epochs"] == 2
    assert done.description.provenance["files"] == [{"name": "few", "sha256": "1"}]
    freeze(tmp_path / "tuned", tmp_path / "tuned.discrimen")


def test_only_the_last_layer_changes_if_wished_and_rising_pulses_are_turned(source: Path, tmp_path: Path) -> None:
    pulses = toy_pulses(60, seed=3)
    rising = pulses.replace(samples=(16000 - pulses.samples.astype(np.int32)).astype(np.uint16))
    tuning = FineTuning(epochs=2, layers="last")
    done = fine_tune(source, labelled(rising, polarity="positive"), tmp_path / "tuned", tuning=tuning)
    assert done.description.preparation.only.polarity == 1
    old, new = (weights(place) for place in (source, tmp_path / "tuned"))
    changed = [not np.array_equal(a, b) for a, b in zip(old, new, strict=True)]
    assert changed == [False] * (len(changed) - 2) + [True, True]


def test_too_few_pulses_are_refused(source: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="19 labelled gammas, at least 20"):
        fine_tune(source, labelled(toy_pulses(19)), tmp_path / "tuned", tuning=QUICK)
    assert not (tmp_path / "tuned").exists()


def test_the_source_is_not_overwritten(source: Path) -> None:
    with pytest.raises(OutputError, match="choose another output"):
        fine_tune(source, labelled(toy_pulses(60)), source, tuning=QUICK, overwrite=True)


def test_another_sampling_period_is_refused(source: Path, tmp_path: Path) -> None:
    pulses = toy_pulses(60).replace(sample_period_ns=4.0)
    with pytest.raises(DataError, match="sampled every 4 ns"):
        fine_tune(source, labelled(pulses), tmp_path / "tuned", tuning=QUICK)


@pytest.mark.parametrize("wrong", [{"layers": "first"}, {"learning_rate": 0.0}])
def test_impossible_tunings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsError):
        FineTuning(**wrong)  # type: ignore[arg-type]
