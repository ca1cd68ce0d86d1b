"""The .h5 files of Keras 2, against the arithmetic written out by hand."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from numpy.testing import assert_allclose
from tests.adoption import keras2_files as files
from tests.adoption.keras2_files import N_SAMPLES

from discrimen.adoption.keras_file import read_keras
from discrimen.errors import FormatError
from discrimen.keras_jax import KerasSession, load_keras


@pytest.fixture(scope="module")
def session() -> KerasSession:
    return load_keras("cpu")


def scores(path, values, session):
    with session.on_device():
        return np.asarray(read_keras(path, session)(values.astype(np.float32)))


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def softmax(values):
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def pulses(*shape):
    return np.random.default_rng(2).normal(size=(3, *shape))


def test_sequential_dense_network_with_leaky_relu_and_dropout(tmp_path, session):
    config = files.sequential(
        files.start((N_SAMPLES,)),
        files.dense("dense", 5),
        files.layer("LeakyReLU", "leaky_re_lu", alpha=0.20000000298023224),
        files.layer("Dropout", "dropout", rate=0.3, noise_shape=None, seed=None),
        files.dense("dense_1", 2, "softmax"),
    )
    first, last = files.dense_weights(N_SAMPLES, 5), files.dense_weights(5, 2)
    weights = {"dense": first, "leaky_re_lu": {}, "dropout": {}, "dense_1": last}
    path = files.write_model(tmp_path / "x.h5", config, weights)
    values = pulses(N_SAMPLES)
    hidden = values @ first["kernel:0"] + first["bias:0"]
    hidden = np.where(hidden > 0, hidden, 0.2 * hidden)
    assert_allclose(scores(path, values, session), softmax(hidden @ last["kernel:0"] + last["bias:0"]), atol=1e-6)


def test_functional_convolution_with_batch_normalisation_and_a_shortcut(tmp_path, session):
    config = files.functional(
        [
            (files.start((N_SAMPLES, 1)), []),
            (files.conv1d("conv1d", 3, 3, padding="same"), ["input_1"]),
            (files.batch_norm("batch_normalization"), ["conv1d"]),
            (files.layer("Activation", "activation", activation="relu"), ["batch_normalization"]),
            (files.layer("Add", "add"), ["activation", "conv1d"]),
            (files.layer("GlobalAveragePooling1D", "pool", data_format="channels_last", keepdims=False), ["add"]),
            (files.dense("dense", 1, "sigmoid"), ["pool"]),
        ],
        ["dense"],
        kind="Model",
    )
    kernel = {"kernel:0": files.weight(3, 1, 3), "bias:0": files.weight(3)}
    norm, last = files.norm_weights(3), files.dense_weights(3, 1)
    path = files.write_model(
        tmp_path / "x.h5", config, {"conv1d": kernel, "batch_normalization": norm, "dense": last}, version="2.2.4-tf"
    )
    values = pulses(N_SAMPLES, 1)
    padded = np.pad(values, ((0, 0), (1, 1), (0, 0)))
    conv = sum(padded[:, tap : tap + N_SAMPLES] @ kernel["kernel:0"][tap] for tap in range(3)) + kernel["bias:0"]
    line = (conv - norm["moving_mean:0"]) / np.sqrt(norm["moving_variance:0"] + 0.001)
    total = np.maximum(line * norm["gamma:0"] + norm["beta:0"], 0) + conv
    wanted = sigmoid(total.mean(axis=1) @ last["kernel:0"] + last["bias:0"])
    assert_allclose(scores(path, values, session), wanted, atol=1e-6)


def lstm(values, weights, gate):
    kernel, recurrent, bias = weights.values()
    state = cell = np.zeros((len(values), len(recurrent)))
    for step in range(values.shape[1]):
        entry, forget, new, out = np.split(values[:, step] @ kernel + state @ recurrent + bias, 4, axis=1)
        cell = gate(forget) * cell + gate(entry) * np.tanh(new)
        state = gate(out) * np.tanh(cell)
    return state


def hard_sigmoid_of_keras_2(values):
    return np.clip(0.2 * values + 0.5, 0, 1)


@pytest.mark.parametrize(("name", "gate"), [("sigmoid", sigmoid), ("hard_sigmoid", hard_sigmoid_of_keras_2)])
def test_lstm_has_the_gates_of_keras_2(tmp_path, session, name, gate):
    config = files.sequential(
        files.start((N_SAMPLES, 1)),
        files.recurrent("LSTM", "lstm", 4, recurrent_activation=name),
        files.dense("dense", 2, "softmax"),
    )
    cell, last = files.lstm_weights(1, 4), files.dense_weights(4, 2)
    path = files.write_model(tmp_path / "x.h5", config, {"lstm": cell, "dense": last})
    values = 2 * pulses(N_SAMPLES, 1)
    wanted = softmax(lstm(values, cell, gate) @ last["kernel:0"] + last["bias:0"])
    assert_allclose(scores(path, values, session), wanted, atol=1e-6)


def test_dense_layers_have_the_hard_sigmoid_of_keras_2(tmp_path, session):
    config = files.sequential(
        files.start((N_SAMPLES,)),
        files.dense("dense", 3, "hard_sigmoid"),
        files.dense("dense_1", 3),
        files.layer("Activation", "activation", activation="hard_sigmoid"),
    )
    first, last = files.dense_weights(N_SAMPLES, 3), files.dense_weights(3, 3)
    path = files.write_model(tmp_path / "x.h5", config, {"dense": first, "dense_1": last, "activation": {}})
    values = pulses(N_SAMPLES)
    hidden = hard_sigmoid_of_keras_2(values @ first["kernel:0"] + first["bias:0"])
    wanted = hard_sigmoid_of_keras_2(hidden @ last["kernel:0"] + last["bias:0"])
    assert_allclose(scores(path, values, session), wanted, atol=1e-6)


def gru(values, weights, *, after):
    kernel, recurrent, bias = weights.values()
    units = len(recurrent)
    own, other = bias if after else (bias, np.zeros_like(bias))
    state = np.zeros((len(values), units))
    for step in range(values.shape[1]):
        read = values[:, step] @ kernel + own
        both = state @ recurrent[:, : 2 * units] + other[: 2 * units]
        keep, opened = np.split(sigmoid(read[:, : 2 * units] + both), 2, axis=1)
        inner = recurrent[:, 2 * units :]
        new = opened * (state @ inner + other[2 * units :]) if after else (opened * state) @ inner
        state = keep * state + (1 - keep) * np.tanh(read[:, 2 * units :] + new)
    return state


@pytest.mark.parametrize("after", [True, False])
def test_gru_of_either_kind(tmp_path, session, after):
    options = {"reset_after": True} if after else {}  # the oldest files do not have the option, and mean no
    config = files.sequential(
        files.start((N_SAMPLES, 1)),
        files.recurrent("GRU", "gru", 4, **options),
        files.dense("dense", 2, "softmax"),
    )
    cell, last = files.lstm_weights(1, 4, gates=3, cell="gru_cell"), files.dense_weights(4, 2)
    if not after:
        cell["gru_cell/bias:0"] = files.weight(12)
    path = files.write_model(tmp_path / "x.h5", config, {"gru": cell, "dense": last})
    values = pulses(N_SAMPLES, 1)
    wanted = softmax(gru(values, cell, after=after) @ last["kernel:0"] + last["bias:0"])
    assert_allclose(scores(path, values, session), wanted, atol=1e-6)


def test_bidirectional_lstm(tmp_path, session):
    inner = files.recurrent("LSTM", "lstm", 3, recurrent_activation="hard_sigmoid")
    config = files.sequential(
        files.start((N_SAMPLES, 1)),
        files.layer("Bidirectional", "bidirectional", layer=inner, merge_mode="concat"),
        files.dense("dense", 2, "softmax"),
    )
    ahead = files.lstm_weights(1, 3, cell="bidirectional/forward_lstm/lstm_cell_1")
    back = {name.replace("forward", "backward"): -value for name, value in ahead.items()}
    last = files.dense_weights(6, 2)
    path = files.write_model(tmp_path / "x.h5", config, {"bidirectional": ahead | back, "dense": last})
    values = 2 * pulses(N_SAMPLES, 1)
    states = [
        lstm(values, ahead, hard_sigmoid_of_keras_2),
        lstm(values[:, ::-1], back, hard_sigmoid_of_keras_2),
    ]
    wanted = softmax(np.concatenate(states, axis=1) @ last["kernel:0"] + last["bias:0"])
    assert_allclose(scores(path, values, session), wanted, atol=1e-6)


def test_model_within_a_model(tmp_path, session):
    inner = files.sequential(files.start((N_SAMPLES,)), files.dense("inner", 3), files.batch_norm("norm", (1,)))
    inner["config"]["name"] = "block"
    config = files.sequential(files.start((N_SAMPLES,)), inner, files.dense("dense", 2, "softmax"))
    first, norm, last = files.dense_weights(N_SAMPLES, 3), files.norm_weights(3), files.dense_weights(3, 2)
    block = {f"inner/{name}": value for name, value in first.items()}
    whole = {f"norm/{name}": value for name, value in norm.items()}
    path = tmp_path / "x.h5"
    files.write_model(path, config, {"dense": last})
    with h5py.File(path, "a") as file:
        group = file["model_weights"].create_group("block")
        names = [*block, *whole]
        # Those that are trained come first, then the others.
        names = [name for name in names if "moving" not in name] + [name for name in names if "moving" in name]
        group.attrs["weight_names"] = [name.encode() for name in names]
        for name in names:
            group[name] = (block | whole)[name]
        file["model_weights"].attrs["layer_names"] = [b"block", b"dense"]
    values = pulses(N_SAMPLES)
    hidden = values @ first["kernel:0"] + first["bias:0"]
    line = (hidden - norm["moving_mean:0"]) / np.sqrt(norm["moving_variance:0"] + 0.001)
    wanted = softmax((line * norm["gamma:0"] + norm["beta:0"]) @ last["kernel:0"] + last["bias:0"])
    assert_allclose(scores(path, values, session), wanted, atol=1e-6)


def test_list_of_layers_of_the_oldest_sequential_files(tmp_path, session):
    first = files.dense("dense", 2, "softmax")
    first["config"]["batch_input_shape"] = [None, N_SAMPLES]
    weights = files.dense_weights(N_SAMPLES, 2)
    path = files.write_model(
        tmp_path / "x.h5", {"class_name": "Sequential", "config": [first]}, {"dense": weights}, version="2.1.6"
    )
    values = pulses(N_SAMPLES)
    assert_allclose(scores(path, values, session), softmax(values @ weights["kernel:0"] + weights["bias:0"]), atol=1e-6)


def simple(*layers, shape=(N_SAMPLES, 1)):
    return files.sequential(files.start(shape), *layers)


REFUSED = {
    "lambda": (simple(files.layer("Lambda", "my_code", function=["4wEAAA==", None, None])), "'my_code' .Lambda.*never"),
    "operation": (simple(files.layer("TFOpLambda", "tf.math.add", function="math.add")), "outside of layers"),
    "unknown layer": (simple(files.layer("AttentionPooling", "pool")), "'pool' .AttentionPooling. cannot be adopted"),
    "cudnn": (simple(files.layer("CuDNNLSTM", "lstm", units=4)), "build the network with LSTM"),
    "unknown option": (
        simple({**files.dense("dense", 2), "config": {"name": "dense", "units": 2, "twist": 3}}),
        "twist=3",
    ),
    "unknown activation": (simple(files.dense("dense", 2, "my_swish")), "activation 'my_swish' cannot be adopted"),
    "time major": (simple(files.recurrent("LSTM", "lstm", 4, time_major=True)), "time_major"),
    "half precision": (simple(files.layer("Flatten", "flat") | {}), None),
    "free length": (files.sequential(files.start((None, 1)), files.dense("dense", 2)), "not fixed"),
    "own class": ({"class_name": "MyModel", "config": {"name": "mine"}}, "the model is a MyModel"),
    "wrong weights": (simple(files.dense("dense", 2)), "needs weights of the shapes"),
}
REFUSED["half precision"][0]["config"]["layers"][1]["config"]["dtype"] = {
    "class_name": "Policy",
    "config": {"name": "mixed_float16"},
}
REFUSED["half precision"] = (REFUSED["half precision"][0], "computes in mixed_float16")


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_adopted_is_refused_by_name(tmp_path, session, name):
    config, match = REFUSED[name]
    path = files.write_model(tmp_path / "x.h5", config, {"dense": files.dense_weights(7, 7)})
    with pytest.raises(FormatError, match=match):
        read_keras(path, session)


def test_file_of_weights_alone_is_refused_with_the_way_out(tmp_path, session):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        files.write_weights(file, {"dense": files.dense_weights(3, 2)})
    with pytest.raises(FormatError, match=r"only weights.*load_weights.*save the whole"):
        read_keras(path, session)


def test_damaged_file_is_refused(tmp_path, session):
    path = tmp_path / "x.h5"
    path.write_bytes(b"nothing")
    with pytest.raises(FormatError, match="cannot be read as HDF5"):
        read_keras(path, session)


def test_other_hdf5_file_is_refused(tmp_path, session):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file["pulses"] = np.zeros(3)
    with pytest.raises(FormatError, match="holds no Keras model"):
        read_keras(path, session)


def test_keras_1_is_refused(tmp_path, session):
    path = files.write_model(tmp_path / "x.h5", simple(files.dense("dense", 2)), {}, version="1.2.2")
    with pytest.raises(FormatError, match=r"expected a model of Keras 2 or 3, got version '1\.2\.2'"):
        read_keras(path, session)
