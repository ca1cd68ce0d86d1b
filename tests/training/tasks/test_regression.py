from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from tests.training.tasks.pulses import pair_pulses, two_channels

from discrimen.errors import DataError, SettingsError
from discrimen.keras_jax import load_keras
from discrimen.network.prepare import prepare
from discrimen.training import Quantity, Regression, TrainingConfig, TrainingResult, load_model_folder, train
from discrimen.training.examples import Examples
from discrimen.training.tasks import task_from_dict
from discrimen.training.tasks.regression import position

PLACE = Quantity(name="place", unit="mm")
BOTH = Regression((Quantity(name="place", unit="mm", with_error=True), Quantity(name="light", unit="keVee")))
PREPARATION = two_channels()


def learning(task: Regression, targets: np.ndarray) -> Any:
    n_examples = len(targets)
    examples = Examples(
        waveforms=np.ones((n_examples, 2, 16), np.float32), targets=targets, pulse=np.arange(n_examples)
    )
    return task.learning(load_keras().keras, PREPARATION, examples, TrainingConfig(task=task))


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    """Place in mm, measured to 100 mm and unknown of every third pulse; light in keVee."""
    pulses, share = pair_pulses(1200)
    measured = 1000 * share + np.random.default_rng(5).normal(0, 100, 1200)
    place = np.where(np.arange(1200) % 3, measured, np.nan)
    config = TrainingConfig(
        task=BOTH, architecture="mlp", options={"hidden": (16,)}, epochs=25, learning_rate=0.02, batch_size=60
    )
    targets = {"place": place, "light": 40 + 0.02 * share}
    return train(pulses, PREPARATION, config, folder=tmp_path_factory.mktemp("place") / "model", targets=targets)


def test_quantities_are_learned_in_their_units(result: TrainingResult) -> None:
    pulses, share = pair_pulses(200, seed=1)
    given = [np.asarray(each) for each in result.model(prepare(pulses.samples, PREPARATION).waveforms)]
    assert [each.shape for each in given] == [(200, 2), (200, 1)]
    # Without a network the mean would be off by 200 mm.
    assert np.abs(given[0][:, 0] - 1000 * share).mean() < 40
    assert np.abs(given[1][:, 0] - 40 - 0.02 * share).mean() < 0.002


def test_errors_are_those_of_the_measurement(result: TrainingResult) -> None:
    place = np.asarray(result.model(prepare(pair_pulses(200, seed=1)[0].samples, PREPARATION).waveforms)[0])
    assert place[:, 1].min() > 0
    # A network that has learned nothing says 0.69 of the spread, more than 170 mm.
    assert 70 < place[:, 1].mean() < 140


def test_the_description_names_quantities_and_units(result: TrainingResult) -> None:
    _, description = load_model_folder(result.folder)
    assert [(each.name, each.kind, each.unit, each.with_error, each.n_values) for each in description.outputs] == [
        ("place", "quantity", "mm", True, 2),
        ("light", "quantity", "keVee", False, 1),
    ]
    assert task_from_dict(description.provenance["training"]["task"]) == BOTH


def test_the_history_tells_errors_in_units(result: TrainingResult) -> None:
    header = (result.folder / "history.csv").read_text().splitlines()[0]
    assert "place_absolute_error_mm" in header
    assert "val_light_absolute_error_keVee" in header


def test_the_fixed_last_layer_is_a_plain_dense_one(result: TrainingResult) -> None:
    layer = result.model.get_layer("light_in_unit")
    assert type(layer).__name__ == "Dense"
    assert not layer.trainable


def test_what_is_not_known_does_not_count() -> None:
    targets = np.array([[1.0, np.nan], [3.0, 10.0], [np.nan, 30.0], [5.0, 20.0]], np.float32)
    task = Regression((PLACE, Quantity(name="light", unit="keVee")))
    taught = learning(task, targets)
    values = np.array([[1.0, 999.0], [3.0, 10.0], [-999.0, 30.0], [5.0, 20.0]], np.float32)
    assert_allclose(np.asarray(taught.loss(taught.packed(targets), values)), 0, atol=1e-12)
    values[0, 0] += 2.0
    spread = np.nanstd(targets[:, 0])
    # Mean over the three known places, half of the loss beside the light's.
    mean = np.asarray(taught.loss(taught.packed(targets), values)).mean()
    assert mean == pytest.approx((2.0 / spread) ** 2 / 3 / 2, rel=1e-5)


def test_the_loss_of_an_error_is_least_at_the_size_of_the_residual() -> None:
    targets = np.linspace(-3, 3, 101, dtype=np.float32)[:, np.newaxis]
    taught = learning(Regression((replace(PLACE, with_error=True),)), targets)
    packed = taught.packed(targets)
    tried = np.linspace(0.1, 2, 39)
    loss = [
        float(np.mean(taught.loss(packed, np.concatenate([targets + 0.7, np.full_like(targets, each)], axis=1))))
        for each in tried
    ]
    assert tried[int(np.argmin(loss))] == pytest.approx(0.7, abs=0.03)


def test_columns_of_the_pulses_are_targets(tmp_path: Path) -> None:
    pulses, share = pair_pulses(60)
    known = replace(pulses, columns={"energy_kevee": share.astype(np.float32)})
    task = Regression((Quantity(name="light", unit="keVee", column="energy_kevee"),))
    result = train(known, PREPARATION, TrainingConfig(task=task, epochs=1), folder=tmp_path / "model")
    assert result.n_unlabelled == 0
    with pytest.raises(DataError, match=r"place: the pulses have no column 'place'.*energy_kevee.*targets="):
        train(known, PREPARATION, TrainingConfig(task=Regression((PLACE,)), epochs=1), folder=tmp_path / "other")


def test_a_quantity_of_several_columns_is_learned_from_them(tmp_path: Path) -> None:
    pulses, share = pair_pulses(300)
    x, z = (10 * share).astype(np.float32), np.where(np.arange(300) % 2, np.nan, share).astype(np.float32)
    known = replace(pulses, columns={"x_mm": x, "y_mm": -x, "z_mm": z})
    config = TrainingConfig(
        task=Regression((position(),)),
        architecture="mlp",
        options={"hidden": (16,)},
        epochs=25,
        learning_rate=0.02,
        batch_size=20,
    )
    result = train(known, PREPARATION, config, folder=tmp_path / "model")
    given = np.asarray(result.model(prepare(pulses.samples, PREPARATION).waveforms))
    assert np.abs(given[:, 0] - x).mean() < 0.5
    assert np.abs(given[:, 1] + x).mean() < 0.5
    assert np.abs(given[:, 2] - share).mean() < 0.06
    with pytest.raises(DataError, match="position: the pulses have no column 'y_mm'"):
        train(replace(pulses, columns={"x_mm": x}), PREPARATION, config, folder=tmp_path / "other")


def test_tasks_stored_before_there_were_several_columns_are_read() -> None:
    old = {"name": "light", "unit": "keVee", "components": [], "column": "energy_kevee", "with_error": False}
    task = task_from_dict({"name": "regression", "quantities": [old]})
    assert task == Regression((Quantity(name="light", unit="keVee", column="energy_kevee"),))
    assert task_from_dict(Regression((position(),)).as_dict()) == Regression((position(),))


def test_as_many_columns_as_components_are_asked_for() -> None:
    with pytest.raises(SettingsError, match="position: expected one column for each of 3 values, got x_mm, y_mm"):
        Quantity(name="position", unit="mm", components=("x", "y", "z"), columns=("x_mm", "y_mm"))


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ({"place": np.full(40, np.nan)}, "two pulses, got 0 pulses"),
        ({"place": np.full(40, 7.0)}, "place: the training part knows .* all of them 7"),
        ({"place": np.zeros((40, 2))}, r"expected targets of shape \(40, 1\), got \(40, 2\)"),
        ({"place": np.r_[np.inf, np.arange(39.0)]}, "1 targets are infinite, the first is number 0"),
        ({"place": np.arange(40.0), "colour": np.zeros(40)}, "targets of no quantity: colour"),
    ],
)
def test_targets_that_teach_nothing_are_refused(tmp_path: Path, targets: dict[str, Any], message: str) -> None:
    config = TrainingConfig(task=Regression((PLACE,)), epochs=1)
    with pytest.raises(DataError, match=message):
        train(pair_pulses(40)[0], PREPARATION, config, folder=tmp_path / "model", targets=targets)
    assert not (tmp_path / "model").exists()


def test_pulses_of_which_nothing_is_known_are_left_out_and_counted(tmp_path: Path) -> None:
    pulses, share = pair_pulses(60)
    place = np.where(np.arange(60) < 20, np.nan, share)
    config = TrainingConfig(task=Regression((PLACE,)), epochs=1)
    result = train(pulses, PREPARATION, config, folder=tmp_path / "model", targets={"place": place})
    assert (result.n_unlabelled, result.n_training + len(result.validation_index)) == (20, 40)


def test_a_quantity_without_a_unit_is_refused() -> None:
    with pytest.raises(SettingsError, match="output 'place': a unit is missing"):
        Quantity(name="place", unit="")


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"contamination": {"gamma": 0.1}}, "contamination"),
        ({"balance": "class"}, "balance"),
        ({"augment": {"gain": 0.1}}, "augment"),
    ],
)
def test_options_of_classes_are_refused(options: dict[str, Any], name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} .*the task is regression: leave it out"):
        TrainingConfig(task=Regression((PLACE,)), **options)
