"""Folders of models: which go together, and which thresholds are chosen."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.scoring.small_model import write_small_model

from discrimen.errors import SettingsError
from discrimen.scoring.discriminator import choose_thresholds, discriminators_of, load_models


def loaded(folder: Path) -> object:
    models = load_models(folder, backend="reference")
    return discriminators_of(folder, models, choose_thresholds(models))


def pair(folder: Path, **second: object) -> Path:
    folder.mkdir()
    write_small_model(folder / "a.discrimen", channels=(0,))
    write_small_model(folder / "b.discrimen", **({"channels": (1,)} | second))  # type: ignore[arg-type]
    return folder


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ({"channels": ()}, "b.discrimen: the model does not say which channel"),
        ({"channels": (1, 0)}, "a.discrimen and b.discrimen are both for board 0 channel 0"),
        (
            {"classes": ("neutron", "gamma")},
            "in classes: a.discrimen has gamma, neutron, b.discrimen has neutron, gamma",
        ),
        ({"domain": True}, "alike in domain: a.discrimen has unknown, b.discrimen has known"),
    ],
)
def test_models_that_do_not_go_together_are_refused(tmp_path: Path, second: dict[str, object], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        loaded(pair(tmp_path / "each", **second))


def test_a_threshold_must_be_stored_in_each_model(tmp_path: Path) -> None:
    models = load_models(pair(tmp_path / "each", threshold=0.7), backend="reference")
    assert [each.value for each in choose_thresholds(models).values()] == [0.5, 0.7]
    assert [each.value for each in choose_thresholds(models, 0.3).values()] == [0.3, 0.3]
    with pytest.raises(SettingsError, match=r"a\.discrimen: the model stores no threshold 'mine'"):
        choose_thresholds(models, "mine")


def test_the_hash_is_of_all_models_and_their_channels_whatever_the_files_are_called(tmp_path: Path) -> None:
    folder = pair(tmp_path / "each")
    before = loaded(folder)
    (folder / "a.discrimen").rename(folder / "c.discrimen")
    assert loaded(folder).sha256 == before.sha256  # type: ignore[attr-defined]
    write_small_model(folder / "c.discrimen", channels=(0,), seed=9)
    assert loaded(folder).sha256 != before.sha256  # type: ignore[attr-defined]
