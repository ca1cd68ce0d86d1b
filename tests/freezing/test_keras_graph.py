"""Models of any graph are translated; what code would have to join is refused in one clear line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.freezing.same_values import assert_same_values, described, kinds_of

from discrimen.errors import SettingsError
from discrimen.freezing.from_keras import network_of
from discrimen.keras_jax import KerasSession
from discrimen.training.checkpoints import save_model

WIDTH = 6
STEPS, CHANNELS = 5, 4


def dense(keras: Any, values: Any) -> Any:
    return keras.layers.Dense(WIDTH, activation="tanh")(values)


def plain(keras: Any, x: Any) -> Any:
    return dense(keras, dense(keras, x))


def one_block(keras: Any, x: Any) -> Any:
    return keras.layers.Add()([dense(keras, x), x])


def written_as_a_sum(keras: Any, x: Any) -> Any:
    return dense(keras, x) + x


def nested(keras: Any, x: Any) -> Any:
    inner = one_block(keras, dense(keras, x))
    return keras.layers.Add()([x, dense(keras, inner)])


def crossed(keras: Any, x: Any) -> Any:
    first = dense(keras, x)
    second = keras.layers.Add()([dense(keras, first), x])
    return keras.layers.Add()([dense(keras, second), first])


def three_added(keras: Any, x: Any) -> Any:
    first = dense(keras, x)
    return keras.layers.Add()([x, dense(keras, first), first])


def doubled(keras: Any, x: Any) -> Any:
    return keras.layers.Add()([x, x])


def projection(keras: Any, x: Any) -> Any:
    return keras.layers.Add()([dense(keras, x), keras.layers.Dense(WIDTH)(x)])


def many_open(keras: Any, x: Any) -> Any:
    values = [x]
    for _ in range(12):
        values.append(dense(keras, values[-1]))
    return keras.layers.Add()(values)


def shared_layer(keras: Any, x: Any) -> Any:
    layer = keras.layers.Dense(WIDTH, activation="tanh")
    return keras.layers.Add()([layer(layer(x)), x])


def model_within(keras: Any, x: Any) -> Any:
    entry = keras.Input((WIDTH,))
    inner = keras.Model(entry, one_block(keras, entry))
    sequence = keras.Sequential([keras.Input((WIDTH,)), inner, keras.layers.Dense(WIDTH)])
    return keras.layers.Add()([inner(sequence(x)), x])


def model_within_of_two_inputs_and_outputs(keras: Any, x: Any) -> Any:
    first, second = keras.Input((WIDTH,)), keras.Input((WIDTH,))
    difference = keras.layers.Subtract()([first, second])
    inner = keras.Model([first, second], [difference, keras.layers.Dense(WIDTH)(second)])
    left, right = inner([dense(keras, x), x])
    return keras.layers.Concatenate()([left, right])


GRAPHS: dict[Callable[[Any, Any], Any], str] = {
    plain: "Flatten Dense Dense",
    one_block: "Flatten Dense Add",
    written_as_a_sum: "Flatten Dense Add",
    nested: "Flatten Dense Dense Add Dense Add",
    crossed: "Flatten Dense Dense Add Dense Add",
    three_added: "Flatten Dense Dense Add",
    doubled: "Flatten Add",
    projection: "Flatten Dense Dense Add",
    many_open: "Flatten" + 12 * " Dense" + " Add",
    shared_layer: "Flatten Dense Dense Add",
    model_within: "Flatten Dense Add Dense Dense Add Add",
    model_within_of_two_inputs_and_outputs: "Flatten Dense Dense Add Dense Concatenate",
}


@pytest.mark.parametrize("build", GRAPHS, ids=lambda build: build.__name__)
def test_graph_computes_what_keras_computes(session: KerasSession, build: Callable[..., Any]) -> None:
    keras = session.keras
    x = keras.Input((WIDTH,))
    values = keras.layers.Identity()(build(keras, x))
    if build is plain:
        values = keras.layers.Dense(2)(values)
    network = assert_same_values(session, keras.Model(x, values))
    names = " ".join(kinds_of(network))
    assert names.removesuffix(" Dense" if build is plain else "") == GRAPHS[build]


def test_branches_are_joined_as_keras_joins_them(session: KerasSession) -> None:
    """Every way to join steps, rows and channels, as the outputs of one model."""
    keras, layers = session.keras, session.keras.layers
    x = keras.Input((STEPS * CHANNELS,))
    steps = layers.Reshape((STEPS, CHANNELS))(x)
    other = layers.Conv1D(CHANNELS, 3, padding="same")(steps)
    row = layers.GlobalAveragePooling1D()(steps)
    kept, narrow = layers.Reshape((1, CHANNELS))(row), layers.Dense(1)(steps)
    one = layers.Dense(1)(kept)
    joined = [
        *(
            layers.Add()([steps, other, other]),
            layers.Subtract()([steps, other]),
            layers.Average()([steps, other, narrow]),
        ),
        *(layers.Multiply()([steps, other]), layers.Multiply()([steps, row]), layers.Multiply()([kept, steps])),
        *(layers.Multiply()([steps, narrow]), layers.Multiply()([kept, narrow]), layers.Multiply()([one, steps])),
        *(layers.Add()([steps, row]), layers.Add()([kept, steps]), layers.Subtract()([narrow, steps])),
        *(layers.Concatenate()([steps, other, narrow]), layers.Concatenate(axis=1)([steps, other])),
        *(layers.Concatenate(axis=-2)([steps, kept]), layers.Concatenate(axis=1)([row, x])),
        *(steps * other, steps - other, kept + steps, keras.ops.concatenate([steps, other], axis=2)),
    ]
    assert_same_values(session, keras.Model(x, joined))


def test_attention_computes_what_keras_computes(session: KerasSession) -> None:
    keras, layers = session.keras, session.keras.layers
    x = keras.Input((STEPS * CHANNELS,))
    steps = layers.Reshape((STEPS, CHANNELS))(x)
    few = layers.Conv1D(6, 2, strides=2)(steps)
    query, key, value = (layers.Dense(3)(steps) for _ in range(3))
    attended = [
        layers.MultiHeadAttention(2, 3)(steps, steps),
        layers.MultiHeadAttention(3, 2, use_bias=False)(few, steps, key=layers.Dense(5)(steps)),
        # Keras on JAX computes other sizes of keys and values only on the way that knows a dropout.
        layers.MultiHeadAttention(2, 3, value_dim=5, output_shape=7, dropout=0.1)(query=few, value=steps),
        layers.Attention()([query, value, key]),
        layers.Attention(use_scale=True)([query, value]),
    ]
    assert_same_values(session, keras.Model(x, attended))


def test_constants_are_lines(session: KerasSession) -> None:
    keras = session.keras
    x = keras.Input((STEPS * CHANNELS,))
    steps = keras.layers.Reshape((STEPS, CHANNELS))(x)
    of_channels, of_steps = np.arange(1.0, 5.0, dtype=np.float32), np.arange(5.0, dtype=np.float32)[:, np.newaxis]
    formulas = [
        *(x / 4.0, 3 * x, x - 2, 2 - x, 1.5 + x, keras.ops.divide(x, 3), (x - 0.5) / 0.1),
        *(steps * of_channels, keras.ops.subtract(of_steps, steps), steps + of_steps[np.newaxis]),
    ]
    network = assert_same_values(session, keras.Model(x, formulas))
    assert set(kinds_of(network)) == {"Flatten", "Reshape", "Permute", "Dense", "Conv1D"}


def test_loaded_model_and_cut_out_model_are_graphs_too(session: KerasSession, tmp_path: Path) -> None:
    keras = session.keras
    x = keras.Input((WIDTH,))
    middle = one_block(keras, x)
    model = keras.Model(x, one_block(keras, middle))
    save_model(model, tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    assert kinds_of(assert_same_values(session, loaded)) == ["Flatten", *("Dense", "Add") * 2]
    assert kinds_of(assert_same_values(session, keras.Model(x, middle))) == ["Flatten", "Dense", "Add"]
    assert kinds_of(assert_same_values(session, keras.Model(middle, model.output))) == ["Flatten", "Dense", "Add"]


def test_shared_layer_at_two_shapes_is_read_where_it_is_used(session: KerasSession) -> None:
    keras, layers = session.keras, session.keras.layers
    x = keras.Input((12,))
    shared, flat = layers.Conv1D(2, 3), layers.Flatten()
    long, short = layers.Reshape((12, 1))(x), layers.Reshape((4, 1))(layers.Dense(4)(x))
    assert_same_values(session, keras.Model(x, [flat(shared(long)), flat(shared(short))]))


def unequal(keras: Any, x: Any) -> Any:
    return keras.layers.Reshape((3, 2))(x) * keras.layers.Dense(2)(x)


def always_training(keras: Any, x: Any) -> Any:
    return keras.layers.Dropout(0.5, name="drop")(x, training=True)


def started_states(keras: Any, x: Any) -> Any:
    steps = keras.layers.Reshape((3, 2))(x)
    return keras.layers.GRU(WIDTH, name="gru")(steps, initial_state=x)


def returned_state(keras: Any, x: Any) -> Any:
    return keras.layers.GRU(WIDTH, return_state=True, name="gru")(keras.layers.Reshape((3, 2))(x))[1]


def causal_attention(keras: Any, x: Any) -> Any:
    steps = keras.layers.Reshape((3, 2))(x)
    return keras.layers.MultiHeadAttention(1, 2, name="heads")(steps, steps, use_causal_mask=True)


def scores_of_attention(keras: Any, x: Any) -> Any:
    steps = keras.layers.Reshape((3, 2))(x)
    return keras.layers.MultiHeadAttention(1, 2, name="heads")(steps, steps, return_attention_scores=True)[1]


def reciprocal(keras: Any, x: Any) -> Any:
    return 1 / x


def divided_by_nothing(keras: Any, x: Any) -> Any:
    return x / 0.0


def constant_for_each_pulse(keras: Any, x: Any) -> Any:
    return x + np.ones((3, WIDTH), np.float32)


def own_operation(keras: Any, x: Any) -> Any:
    return keras.ops.sort(x)


def unmerged(keras: Any, x: Any) -> Any:
    steps = keras.layers.Reshape((3, 2))(x)
    return keras.layers.Bidirectional(keras.layers.GRU(2), merge_mode=None, name="both")(steps)[0]


REFUSED: dict[Callable[[Any, Any], Any], str] = {
    unequal: r"joins values of shapes \(3, 2\), \(2,\) by an operator.*Reshape",
    always_training: "layer 'drop' is called with training=True",
    started_states: "layer 'gru' is called with initial_state=",
    returned_state: r"'gru' \(GRU\) gives 2 values",
    causal_attention: "layer 'heads' is called with use_causal_mask=True",
    scores_of_attention: r"'heads' .* gives 2 values|called with return_attention_scores=True",
    reciprocal: r"\(TrueDivide\) joins a value with a constant in front of it.*Add, Subtract, Multiply can",
    divided_by_nothing: "its kernel is not finite",
    constant_for_each_pulse: r"a shift of shape \(3, 6\) cannot be frozen for values of shape \(6,\)",
    own_operation: r"'sort.*' \(Sort\) cannot be frozen",
    unmerged: r"'both' \(Bidirectional\) gives 2 values",
}


@pytest.mark.parametrize("build", REFUSED, ids=lambda build: build.__name__)
def test_any_other_use_is_refused_with_its_reason(session: KerasSession, build: Callable[..., Any]) -> None:
    keras = session.keras
    x = keras.Input((WIDTH,))
    model = keras.Model(x, build(keras, x))
    with pytest.raises(SettingsError, match=REFUSED[build]):
        network_of(model, described(model))


def test_shapes_that_keras_believes_in_alone_are_refused(session: KerasSession) -> None:
    """Keras takes both directions of a layer to be equally wide, whatever they are."""
    layers = session.keras.layers
    unlike = layers.Bidirectional(layers.GRU(3), backward_layer=layers.GRU(2, go_backwards=True), name="unlike")
    model = session.keras.Sequential([session.keras.Input((4, 2)), unlike])
    with pytest.raises(SettingsError, match=r"'unlike' gives values of shape \(6,\) in Keras, frozen .* give \(5,\)"):
        network_of(model, described(model))


def test_models_that_code_would_have_to_join_are_refused(session: KerasSession) -> None:
    keras = session.keras

    class Mine(keras.Model):  # type: ignore[misc, name-defined]
        pass

    x = keras.Input((WIDTH,))
    description = described(keras.Model(x, dense(keras, x)))
    with pytest.raises(SettingsError, match=r"sequential and functional models can be frozen, 'mine' is a Mine"):
        network_of(Mine(), description)
    with pytest.raises(SettingsError, match=r"is not built yet: begin it with a keras\.Input"):
        network_of(keras.Sequential([keras.layers.Dense(2)]), description)
    with pytest.raises(SettingsError, match=r"a Mine"):
        network_of(Mine(x, dense(keras, x)), description)
