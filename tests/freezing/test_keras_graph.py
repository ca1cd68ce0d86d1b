"""Functional models: chains with residual additions are translated, everything else is refused in one clear line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.inference.same_scores import assert_same_scores

from discrimen.errors import SettingsError
from discrimen.freezing.from_keras import layers_of
from discrimen.keras_jax import KerasSession, load_keras
from discrimen.network.layers import AddKept, Keep, Layer
from discrimen.training.checkpoints import save_model

WIDTH = 6


@pytest.fixture(scope="module")
def session() -> KerasSession:
    return load_keras("cpu")


def slots(layers: tuple[Layer, ...]) -> str:
    """Write the chain in short: K0 keeps, A0 adds, a dot is anything else."""
    letters = {Keep: "K", AddKept: "A"}
    return " ".join(
        f"{letters[type(layer)]}{layer.slot}" if isinstance(layer, Keep | AddKept) else "." for layer in layers
    )


def dense(keras: Any, values: Any) -> Any:
    return keras.layers.Dense(WIDTH, activation="tanh")(values)


def plain(keras: Any, x: Any) -> Any:
    return dense(keras, dense(keras, x))


def one_block(keras: Any, x: Any) -> Any:
    return keras.layers.Add()([dense(keras, x), x])


def shortcut_first(keras: Any, x: Any) -> Any:
    return keras.layers.Add()([x, dense(keras, x)])


def written_as_a_sum(keras: Any, x: Any) -> Any:
    return dense(keras, x) + x


def one_after_another(keras: Any, x: Any) -> Any:
    return one_block(keras, one_block(keras, x))


def nested(keras: Any, x: Any) -> Any:
    inner = one_block(keras, dense(keras, x))
    return keras.layers.Add()([x, dense(keras, inner)])


def crossed(keras: Any, x: Any) -> Any:
    first = dense(keras, x)
    second = keras.layers.Add()([dense(keras, first), x])
    return keras.layers.Add()([dense(keras, second), first])


def used_twice(keras: Any, x: Any) -> Any:
    first = keras.layers.Add()([dense(keras, x), x])
    return keras.layers.Add()([dense(keras, first), x])


def three_added(keras: Any, x: Any) -> Any:
    first = dense(keras, x)
    return keras.layers.Add()([x, dense(keras, first), first])


def doubled(keras: Any, x: Any) -> Any:
    return keras.layers.Add()([x, x])


def added_in_the_end(keras: Any, x: Any) -> Any:
    first = dense(keras, x)
    return keras.layers.Softmax()(keras.layers.Add()([dense(keras, first), first]))


def shared_layer(keras: Any, x: Any) -> Any:
    layer = keras.layers.Dense(WIDTH, activation="tanh")
    return keras.layers.Add()([layer(layer(x)), x])


def model_within(keras: Any, x: Any) -> Any:
    entry = keras.Input((WIDTH,))
    inner = keras.Model(entry, one_block(keras, entry))
    sequence = keras.Sequential([keras.Input((WIDTH,)), inner, keras.layers.Dense(WIDTH)])
    return keras.layers.Add()([inner(sequence(x)), x])


CHAINS: dict[Callable[[Any, Any], Any], str] = {
    plain: ". .",
    one_block: "K0 . A0",
    shortcut_first: "K0 . A0",
    written_as_a_sum: "K0 . A0",
    one_after_another: "K0 . A0 K0 . A0",
    nested: "K0 . K1 . A1 . A0",
    crossed: "K0 . K1 . A0 . A1",
    used_twice: "K0 . A0 . A0",
    three_added: "K0 . K1 . A0 A1",
    doubled: "K0 A0",
    added_in_the_end: ". K0 . A0 .",
    shared_layer: "K0 . . A0",
    model_within: "K0 K1 . A1 . K1 . A1 A0",
}


@pytest.mark.parametrize("build", CHAINS, ids=lambda build: build.__name__)
def test_chain_with_additions_computes_what_keras_computes(session: KerasSession, build: Callable[..., Any]) -> None:
    keras = session.keras
    x = keras.Input((WIDTH,))
    layers = assert_same_scores(session, keras.Model(x, build(keras, x)))
    assert slots(layers) == CHAINS[build]


def test_loaded_model_and_cut_out_model_are_chains_too(session: KerasSession, tmp_path: Path) -> None:
    keras = session.keras
    x = keras.Input((WIDTH,))
    middle = one_block(keras, x)
    model = keras.Model(x, one_block(keras, middle))
    save_model(model, tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    assert slots(assert_same_scores(session, loaded)) == "K0 . A0 K0 . A0"
    assert slots(assert_same_scores(session, keras.Model(x, middle))) == "K0 . A0"
    assert slots(assert_same_scores(session, keras.Model(middle, model.output))) == "K0 . A0"


def projection(keras: Any, x: Any) -> Any:
    return keras.layers.Add(name="sum")([dense(keras, x), keras.layers.Dense(WIDTH, name="projection")(x)])


def concatenation(keras: Any, x: Any) -> Any:
    return keras.layers.Concatenate(name="join")([dense(keras, x), x])


def two_inputs(keras: Any, x: Any) -> Any:
    return [x, keras.Input((WIDTH,))]


def unequal(keras: Any, x: Any) -> Any:
    return keras.layers.Add(name="sum")([x, keras.layers.Dense(1)(x)])


def constant(keras: Any, x: Any) -> Any:
    return dense(keras, x) + 1.0


def always_training(keras: Any, x: Any) -> Any:
    return keras.layers.Dropout(0.5, name="drop")(x, training=True)


def started_states(keras: Any, x: Any) -> Any:
    steps = keras.layers.Reshape((3, 2))(x)
    return keras.layers.GRU(WIDTH, name="gru")(steps, initial_state=x)


def returned_state(keras: Any, x: Any) -> Any:
    return keras.layers.GRU(WIDTH, return_state=True, name="gru")(keras.layers.Reshape((3, 2))(x))[1]


def nine_open(keras: Any, x: Any) -> Any:
    values = [x]
    for _ in range(9):
        values.append(dense(keras, values[-1]))
    return keras.layers.Add()(values)


REFUSED: dict[Callable[[Any, Any], Any], str] = {
    projection: "layer 'sum' adds a branch with layers of its own.*only chains of layers with residual additions",
    concatenation: r"layer 'join' \(Concatenate\) has 2 inputs and 1 outputs; only chains",
    unequal: r"layer 'sum' adds values of different shapes .*\(None, 1\).*\(None, 6\)",
    constant: "layer 'add.*further arguments",
    always_training: "layer 'drop' is called with training=True",
    started_states: r"'gru' \(GRU\) has 2 inputs",
    returned_state: r"'gru' \(GRU\) has 1 inputs and 2 outputs",
    nine_open: "more than 8 shortcuts are open at a time",
}


@pytest.mark.parametrize("build", REFUSED, ids=lambda build: build.__name__)
def test_any_other_graph_is_refused_with_its_reason(session: KerasSession, build: Callable[..., Any]) -> None:
    keras = session.keras
    x = keras.Input((WIDTH,))
    with pytest.raises(SettingsError, match=REFUSED[build]):
        layers_of(keras.Model(x, build(keras, x)))


def test_eight_open_shortcuts_are_kept(session: KerasSession) -> None:
    keras = session.keras
    x = keras.Input((WIDTH,))
    values = [x]
    for _ in range(8):
        values.append(dense(keras, values[-1]))
    assert "K7" in slots(assert_same_scores(session, keras.Model(x, keras.layers.Add()(values))))


def test_several_inputs_and_outputs_are_refused(session: KerasSession) -> None:
    keras = session.keras
    x, y = keras.Input((WIDTH,)), keras.Input((WIDTH,))
    with pytest.raises(SettingsError, match="has 2 inputs; only chains"):
        layers_of(keras.Model([x, y], keras.layers.Add()([x, y])))
    with pytest.raises(SettingsError, match="has 2 outputs; only chains"):
        layers_of(keras.Model(x, [dense(keras, x), dense(keras, x)]))


def test_model_of_a_kind_of_its_own_is_refused(session: KerasSession) -> None:
    class Mine(session.keras.Model):  # type: ignore[misc, name-defined]
        pass

    with pytest.raises(SettingsError, match="sequential and functional models can be frozen, this one is a Mine"):
        layers_of(Mine())
