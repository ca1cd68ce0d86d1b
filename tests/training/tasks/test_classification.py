from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.training.tasks.pulses import pair_pulses, two_channels

from discrimen.errors import DataError, SettingsError
from discrimen.training import Classification, TrainingConfig, load_model_folder, train

THREE = Classification(("left", "middle", "right"))


def test_three_classes_of_two_channels_are_told_apart(tmp_path: Path) -> None:
    pulses, share = pair_pulses(600)
    labels = np.digitize(share, [0.35, 0.65]).astype(np.int8)
    labels[:10] = -1
    config = TrainingConfig(task=THREE, architecture="mlp", epochs=25, learning_rate=0.02)
    known = replace(pulses, columns={"label": labels})
    result = train(known, two_channels(scale="peak"), config, folder=tmp_path / "model")
    assert result.n_unlabelled == 10
    assert result.best.val_accuracy > 0.8
    _, description = load_model_folder(tmp_path / "model")
    assert description.classes == ("left", "middle", "right")
    assert set(description.provenance["split"]["validation"]) == {"n_left", "n_middle", "n_right"}
    assert description.provenance["pulses"]["n_middle"] == np.count_nonzero(labels[10:] == 1)


def test_a_class_without_pulses_is_refused(tmp_path: Path) -> None:
    pulses, _ = pair_pulses(60)
    with pytest.raises(DataError, match=r"lefts and \d+ middles and 0 rights"):
        train(pulses, two_channels(), TrainingConfig(task=THREE), folder=tmp_path / "model")


def test_what_knows_gammas_and_neutrons_is_refused_for_other_classes() -> None:
    with pytest.raises(SettingsError, match="balance is for the classes gamma and neutron, these are left"):
        TrainingConfig(task=THREE, balance="class")


def test_pulses_of_several_channels_cannot_be_augmented(tmp_path: Path) -> None:
    config = TrainingConfig(augment={"noise": 1.0})
    with pytest.raises(SettingsError, match="one channel"):
        train(pair_pulses(60)[0], two_channels(), config, folder=tmp_path / "model")
