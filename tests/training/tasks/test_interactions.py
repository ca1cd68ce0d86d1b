from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.training.tasks.pulses import pair_pulses, two_channels

from discrimen.errors import DataError
from discrimen.keras_jax import load_keras
from discrimen.network.interactions import FALSE_PAIRS, InteractionOutputs
from discrimen.network.prepare import prepare
from discrimen.training import Hits, TrainingConfig, TrainingResult, load_model_folder, train
from discrimen.training.examples import Examples
from discrimen.training.tasks import Interactions, task_from_dict

PREPARATION = two_channels()
FIRST, SECOND = (1.0, 2.0, 3.0), (-4.0, 5.0, 6.0)


def toy_hits(n_hits: int, *, seed: int = 0) -> Hits:
    """Hits whose place follows their share of light; those of a small share have two interactions."""
    pulses, left = pair_pulses(n_hits, seed=seed)
    two = left < 0.5
    x = (10 * left).astype(np.float32)
    nothing = np.where(two, 0, np.nan).astype(np.float32)
    columns = {
        "x_mm": x,
        "y_mm": -x,
        "z_mm": x,
        "x_2_mm": nothing - x,
        "y_2_mm": nothing + x,
        "z_2_mm": nothing + 2 * x,
        "energy_kev": np.full(n_hits, 100.0),
        "energy_2_kev": nothing + 10 + 20 * left,
        "n_interactions": 1 + two,
    }
    return replace(pulses, columns=columns)


def targets(*, share: float) -> np.ndarray:
    """Of a pair, of a single interaction elsewhere and of two more hits that only spread the values."""
    nothing = [np.nan] * 4
    rows = [
        [*FIRST, *SECOND, share, 1],
        [0, 0, 0, *nothing, 0],
        [9, 9, 9, *nothing, 0],
        [5, 4, 3, 1, 1, 1, 0.9, 1],
    ]
    return np.array(rows, np.float32)


def learned(values: np.ndarray) -> Any:
    examples = Examples(waveforms=np.ones((len(values), 2, 16), np.float32), targets=values, pulse=np.arange(4))
    return Interactions().learning(load_keras().keras, PREPARATION, examples, TrainingConfig(task=Interactions()))


def loss_of_pair(values: np.ndarray, *, share: float, two: float = 0.9) -> float:
    """Return the loss of the first hit, where places and share are given and every deviation is one."""
    taught, wanted = learned(targets(share=share)), targets(share=share)
    first, second, of_first = values[:3], values[3:6], values[6:]
    row = np.concatenate([first, np.ones(3), second, np.ones(3), of_first, [1.0], [1 - two, two]])
    return float(np.asarray(taught.loss(taught.packed(wanted), np.tile(row, (4, 1)).astype(np.float32)))[0])


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    config = TrainingConfig(
        task=Interactions(),
        architecture="mlp",
        options={"hidden": (24,)},
        epochs=30,
        learning_rate=0.02,
        batch_size=40,
    )
    return train(toy_hits(900), PREPARATION, config, folder=tmp_path_factory.mktemp("two") / "model")


@pytest.mark.slow
def test_places_shares_and_numbers_of_interactions_are_learned(result: TrainingResult) -> None:
    hits = toy_hits(300, seed=1)
    given = [np.asarray(each) for each in result.model(prepare(hits.samples, PREPARATION).waveforms)]
    two = hits.column("n_interactions") == 2
    assert ((given[3][:, 1] > 0.5) == two).mean() > 0.95
    assert np.abs(given[0][:, 0] - hits.column("x_mm")).mean() < 0.7
    assert np.abs(given[1][two, 2] - hits.column("z_2_mm")[two]).mean() < 0.7
    assert np.abs(given[2][two, 0] - 1 + hits.column("energy_2_kev")[two] / 100).mean() < 0.05


@pytest.mark.slow
def test_the_description_tells_the_outputs_and_the_threshold_of_false_pairs(result: TrainingResult) -> None:
    _, description = load_model_folder(result.folder)
    at = InteractionOutputs.of_model(description)
    assert at == InteractionOutputs(second=1, share=2, interactions=3)
    assert [output.unit for output in description.outputs] == ["mm", "mm", "1", "1"]
    threshold = description.outputs[3].thresholds[FALSE_PAIRS]
    assert threshold.of == "two"
    assert isinstance(threshold.value, float)
    assert 0 < threshold.value < 1
    assert task_from_dict(description.provenance["training"]["task"]) == Interactions()


def test_either_order_is_right_where_the_energies_are_alike() -> None:
    straight, crossed = np.array([*FIRST, *SECOND, 0.55]), np.array([*SECOND, *FIRST, 0.45])
    assert loss_of_pair(crossed, share=0.55) == pytest.approx(loss_of_pair(straight, share=0.55), abs=1e-5)
    straight[6], crossed[6] = 0.8, 0.2
    assert loss_of_pair(crossed, share=0.8) > loss_of_pair(straight, share=0.8) + 0.1


def test_the_order_turns_the_share_as_well() -> None:
    crossed = np.array([*SECOND, *FIRST, 0.45])
    wrong = np.array([*SECOND, *FIRST, 0.9])
    assert loss_of_pair(wrong, share=0.55) > loss_of_pair(crossed, share=0.55) + 0.01


def test_what_a_single_interaction_has_not_does_not_count() -> None:
    taught, wanted = learned(targets(share=0.7)), targets(share=0.7)
    row = np.ones((4, 16), np.float32)
    other = row.copy()
    other[:, 6:14] = 7.0
    found = [np.asarray(taught.loss(taught.packed(wanted), each)) for each in (row, other)]
    assert found[0][1] == pytest.approx(found[1][1])
    assert found[0][0] != pytest.approx(found[1][0])


def test_a_pair_that_is_told_costs_less() -> None:
    values = np.array([*FIRST, *SECOND, 0.7])
    assert loss_of_pair(values, share=0.7, two=0.9) < loss_of_pair(values, share=0.7, two=0.2) - 0.2


def test_hits_of_more_interactions_are_left_out() -> None:
    hits = toy_hits(40)
    more = np.where(np.arange(40) < 10, 3, hits.column("n_interactions")).astype(np.int8)
    hits = replace(hits, columns={**hits.columns, "n_interactions": more})
    assert np.array_equal(Interactions().groups(hits, {}), np.where(np.arange(40) < 10, -1, 0))
    examples = Interactions().examples(hits, PREPARATION, {}, TrainingConfig(task=Interactions()))
    assert (len(examples), examples.n_unlabelled) == (30, 10)


def test_hits_that_teach_nothing_of_pairs_are_refused() -> None:
    hits = toy_hits(40)
    without = replace(hits, columns={name: hits.columns[name] for name in hits.columns if name != "z_2_mm"})
    with pytest.raises(DataError, match="no column 'z_2_mm'; one and two interactions need x_mm"):
        Interactions().groups(without, {})
    with pytest.raises(DataError, match="not from place"):
        Interactions().groups(hits, {"place": np.zeros(40)})
    singles = targets(share=0.7)
    singles[[0, 3], 7] = 0
    with pytest.raises(DataError, match="0 of 4 hits of the training part have two interactions"):
        learned(singles)
