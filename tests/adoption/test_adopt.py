"""Networks from elsewhere become folders of models, held against their own runtimes."""

from __future__ import annotations

import importlib
import json
import sys
import warnings
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from tests.adoption import keras2_files as files

from discrimen.adoption import Promise, Task, adopt, input_length, parse_promise
from discrimen.adoption.keras_file import read_keras
from discrimen.adoption.preparation_file import read_preparation
from discrimen.errors import DataError, FormatError, OutputError, SettingsError
from discrimen.freezing.from_keras import network_of
from discrimen.keras_jax import KerasSession, load_keras
from discrimen.network.golden import exact_values
from discrimen.network.made_up import made_up_pulses
from discrimen.network.model_description import read_description
from discrimen.network.preparation import Channel, Preparation, one_channel
from discrimen.training.checkpoints import save_model

GOLDEN = Path(__file__).parents[1] / "freezing" / "golden"
N_SAMPLES = 32
PREPARATION = one_channel(
    sample_period_ns=4,
    polarity=-1,
    baseline_start=0,
    baseline_stop=10,
    window_start=8,
    window_length=N_SAMPLES,
    scale="peak",
)
TASK = Task(preparation=PREPARATION)


@pytest.fixture(scope="module")
def session() -> KerasSession:
    return load_keras("cpu")


def dense_file(path, activation="softmax", n_values=2, **options):
    config = files.sequential(files.start((N_SAMPLES,)), files.dense("dense", n_values, activation))
    weights = {name: 0.5 * value for name, value in files.dense_weights(N_SAMPLES, n_values).items()}
    return files.write_model(path, config, {"dense": weights}, **options)


def recomputed(folder, session, samples=None):
    """Compute what the stored model gives, by its network in float64, from its description alone."""
    description = read_description(folder / "model.json")
    network = network_of(read_keras(folder / "model.keras", session), description)
    samples = made_up_pulses(description.preparation, 8) if samples is None else samples
    values = exact_values(network, description.preparation, samples)
    return [output.finish(value) for output, value in zip(description.outputs, values, strict=True)]


FILES = {
    "torch_residual": Task(preparation=PREPARATION),
    "torch_normed": Task(preparation=PREPARATION, classes=("gamma", "neutron", "noise")),
    "torch_lstm_both_ways": Task(preparation=PREPARATION, from_logits=True),
    "torch_cnn_opset7": Task(preparation=PREPARATION),
    "sklearn_mlp": Task(preparation=PREPARATION),
    "sklearn_logistic_three": Task(preparation=PREPARATION),
    "torch_autoencoder": Task(
        preparation=PREPARATION, promises=(Promise(name="clean", kind="waveform", unit="prepared"),)
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_onnx_file_becomes_the_folder_of_a_model(name, tmp_path, session):
    done = adopt(GOLDEN / f"{name}.onnx", tmp_path / "model", FILES[name])
    assert done.check.worst <= 1e-5
    assert "onnxruntime" in done.runtime
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == ["model.json", "model.keras"]
    (output,) = done.description.outputs
    (values,) = recomputed(tmp_path / "model", session)
    assert values.shape == (8, output.n_values)
    assert np.isfinite(values).all()
    if output.kind == "classes":
        assert_allclose(values.sum(axis=1), 1, atol=1e-12)


def test_names_of_classes_in_the_file_are_taken(tmp_path):
    done = adopt(GOLDEN / "sklearn_logistic_three.onnx", tmp_path / "model", TASK)
    assert done.description.classes == ("gamma", "neutron", "noise")


def test_where_it_comes_from_and_how_it_was_checked_is_stored(tmp_path):
    adopt(GOLDEN / "torch_cnn.onnx", tmp_path / "model", TASK)
    provenance = json.loads((tmp_path / "model" / "model.json").read_text())["provenance"]
    assert provenance["adopted"]["file"] == "torch_cnn.onnx"
    assert provenance["adopted"]["opset"] == 11
    assert provenance["adopted"]["producer"].startswith("pytorch")
    assert provenance["adopted"]["check"]["pulses"] == "made up"
    assert provenance["adopted"]["check"]["worst_difference"] < 1e-5
    assert len(provenance["model_sha256"]) == 64


def test_given_pulses_are_compared_and_named(tmp_path):
    samples = made_up_pulses(PREPARATION, 300, seed=3)[:, 0]
    task = replace(TASK, samples=samples, files=[{"name": "run.h5"}])
    done = adopt(GOLDEN / "torch_cnn.onnx", tmp_path / "model", task)
    assert done.check.n_pulses == 256
    assert done.description.provenance["adopted"]["check"]["pulses"] == [{"name": "run.h5"}]


@pytest.mark.parametrize(("activation", "logits"), [("softmax", False), ("linear", True)])
def test_keras_2_file_is_stored_as_keras_3_model(tmp_path, session, activation, logits):
    path = dense_file(tmp_path / "x.h5", activation)
    done = adopt(path, tmp_path / "model", Task(preparation=PREPARATION, from_logits=logits))
    assert done.layers == ("Flatten", "Dense")
    assert done.description.scores.activation == "softmax"
    (scores,) = recomputed(tmp_path / "model", session)
    assert_allclose(scores.sum(axis=1), 1, atol=1e-12)


@pytest.mark.parametrize(("activation", "logits"), [("sigmoid", False), ("linear", True)])
def test_one_sigmoid_is_the_score_of_the_second_class(tmp_path, session, activation, logits):
    path = dense_file(tmp_path / "x.h5", activation, n_values=1)
    done = adopt(path, tmp_path / "model", Task(preparation=PREPARATION, from_logits=logits))
    assert done.description.classes == ("gamma", "neutron")
    samples = made_up_pulses(PREPARATION, 8)
    (scores,) = recomputed(tmp_path / "model", session, samples)
    weights = {name: 0.5 * value.astype(float) for name, value in files.dense_weights(N_SAMPLES, 1).items()}
    above = -(samples[:, 0] - samples[:, 0, :10].mean(axis=1, keepdims=True))[:, 8 : 8 + N_SAMPLES]
    values = above / above.max(axis=1, keepdims=True) @ weights["kernel:0"] + weights["bias:0"]
    assert_allclose(scores[:, 1], (1 / (1 + np.exp(-values)))[:, 0], atol=1e-6)


def test_quantities_with_errors_and_units(tmp_path):
    path = dense_file(tmp_path / "x.h5", "softplus", n_values=4)
    promise = Promise(name="light", kind="quantity", unit="keVee", names=("fast", "slow"), with_error=True)
    done = adopt(path, tmp_path / "model", Task(preparation=PREPARATION, promises=(promise,)))
    (output,) = read_description(tmp_path / "model" / "model.json").outputs
    assert (output.unit, output.with_error, output.shape) == ("keVee", True, (2,))
    assert output.activation == "softplus"
    assert done.check.worst <= 1e-5


def test_two_channels_by_a_preparation_of_their_own(tmp_path, session):
    keras = session.keras
    start = keras.Input((16, 2))
    inner = keras.layers.Conv1D(3, 3, activation="relu")(start)
    model = keras.Model(start, [keras.layers.Dense(3, activation="softmax")(keras.layers.Flatten()(inner)), inner])
    save_model(model, tmp_path / "x.keras")
    channels = tuple(Channel(name=name, baseline_stop=5, window_start=4) for name in ("left", "right"))
    preparation = Preparation(sample_period_ns=2, channels=channels, window_length=16)
    promises = tuple(parse_promise(text) for text in ("kind:classes:1:a,b,c", "inner:code:1"))
    done = adopt(tmp_path / "x.keras", tmp_path / "model", Task(preparation=preparation, promises=promises))
    assert [output.shape for output in done.description.outputs] == [(3,), (14, 3)]
    assert "keras" in done.runtime


def test_waveforms_of_steps_and_channels_are_turned(tmp_path, session):
    keras = session.keras
    start = keras.Input((16, 2))
    save_model(keras.Model(start, keras.layers.Conv1D(2, 3, padding="same")(start)), tmp_path / "x.keras")
    channels = tuple(Channel(name=name, baseline_stop=5, window_start=4) for name in ("left", "right"))
    preparation = Preparation(sample_period_ns=2, channels=channels, window_length=16)
    promise = Promise(name="clean", kind="waveform", unit="prepared")
    adopt(tmp_path / "x.keras", tmp_path / "model", Task(preparation=preparation, promises=(promise,)))
    assert read_description(tmp_path / "model" / "model.json").outputs[0].shape == (2, 16)
    assert read_keras(tmp_path / "model" / "model.keras", session).output_shape == (None, 2, 16)


REFUSED = {
    "linear values": ("torch_mlp", TASK, SettingsError, "ends in linear values: give --from-logits"),
    "no linear values": ("torch_cnn", replace(TASK, from_logits=True), SettingsError, "ends in an activation"),
    "classes without names": ("torch_normed", TASK, SettingsError, "gives 3 values: name the classes with --classes"),
    "too many names": ("torch_cnn", replace(TASK, classes=("a", "b", "c")), SettingsError, "2 values, 3 classes"),
    "outputs not described": (
        "torch_cnn",
        replace(TASK, promises=(parse_promise("a:code:1"), parse_promise("b:code:1"))),
        SettingsError,
        "gives 1 outputs, 2 are described",
    ),
    "classes named twice": (
        "torch_cnn",
        replace(TASK, classes=("a", "b"), promises=(parse_promise("a:classes:1:a,b"),)),
        SettingsError,
        "give one of them",
    ),
    "softmax as a code": (
        "torch_cnn", replace(TASK, promises=(parse_promise("a:code:1"),)), SettingsError, "softmax makes probabilities",
    ),
    "classes without a name in the promise": (
        "torch_cnn", replace(TASK, promises=(parse_promise("a:classes:1"),)), SettingsError, "name its classes",
    ),
    "errors of one value": (
        "torch_residual",
        replace(TASK, promises=(Promise(name="a", kind="quantity", unit="ns", with_error=True),)),
        SettingsError,
        "1 values are no values with as many deviations",
    ),
    "another length": (
        "torch_cnn", Task(preparation=replace(PREPARATION, window_length=30)), SettingsError, "takes values of shape",
    ),
    "flat pulses": (
        "torch_cnn",
        replace(TASK, samples=np.full((20, 60), 100, np.int32)),
        DataError,
        "0 of 20 can: check the preparation",
    ),
    "equal pulses": (
        "torch_cnn",
        replace(TASK, samples=np.repeat(made_up_pulses(PREPARATION, 1), 9, axis=0)),
        DataError,
        "too little to prove",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_known_or_does_not_fit_is_refused(name, tmp_path):
    stem, task, kind, match = REFUSED[name]
    with pytest.raises(kind, match=match):
        adopt(GOLDEN / f"{stem}.onnx", tmp_path / "model", task)
    assert not (tmp_path / "model").exists()


def test_network_that_computes_something_else_is_refused(tmp_path, monkeypatch):
    module = importlib.import_module("discrimen.adoption.adopt")
    runtime = module.onnx_runtime

    def off(path, network):
        return lambda waveforms: [values * 1.001 for values in runtime(path, network)(waveforms)]

    monkeypatch.setattr(module, "onnx_runtime", off)
    with pytest.raises(DataError, match=r"'scores' is off what its own runtime gives by 0\.00"):
        adopt(GOLDEN / "torch_cnn.onnx", tmp_path / "model", TASK)
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("x.pt", r"torch\.onnx\.export"),
        ("x.joblib", "never executed; export it by skl2onnx"),
        ("x.tflite", "Keras model that it was made from"),
        ("x.txt", r"expected \.keras, \.h5, \.hdf5, \.onnx, got '\.txt'"),
    ],
)
def test_other_files_are_refused_with_the_way_out(tmp_path, name, match):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(FormatError, match=match):
        adopt(tmp_path / name, tmp_path / "model", TASK)


def test_folder_and_absent_file_are_refused(tmp_path):
    (tmp_path / "saved").mkdir()
    with pytest.raises(FormatError, match="SavedModel"):
        adopt(tmp_path / "saved", tmp_path / "model", TASK)
    with pytest.raises(FormatError, match="no such file"):
        adopt(tmp_path / "nothing.onnx", tmp_path / "model", TASK)


def test_model_that_is_there_is_not_replaced_unasked(tmp_path):
    adopt(GOLDEN / "torch_cnn.onnx", tmp_path / "model", TASK)
    with pytest.raises(OutputError, match="overwrite"):
        adopt(GOLDEN / "sklearn_mlp.onnx", tmp_path / "model", TASK)
    adopt(GOLDEN / "sklearn_mlp.onnx", tmp_path / "model", TASK, overwrite=True)
    assert read_description(tmp_path / "model" / "model.json").provenance["adopted"]["file"] == "sklearn_mlp.onnx"


def test_keras_3_file_with_code_is_refused_by_the_layers_name(tmp_path, session):
    keras = session.keras
    start = keras.Input((N_SAMPLES,))
    save_model(keras.Model(start, keras.layers.Lambda(lambda x: 2 * x, name="my_code")(start)), tmp_path / "x.keras")
    with pytest.raises(FormatError, match=r"layer 'my_code' \(Lambda\) carries code, which is never executed"):
        adopt(tmp_path / "x.keras", tmp_path / "model", TASK)


def test_keras_3_file_with_a_class_of_ones_own_is_refused(tmp_path, session):
    keras = session.keras

    @keras.saving.register_keras_serializable(package="lab")
    class Twice(keras.layers.Layer):
        def call(self, x):
            return 2 * x

    start = keras.Input((N_SAMPLES,))
    save_model(keras.Model(start, Twice(name="twice")(start)), tmp_path / "x.keras")
    with pytest.raises(FormatError, match=r"'twice' \(lab>Twice\) is a class of one's own"):
        adopt(tmp_path / "x.keras", tmp_path / "model", TASK)


def test_keras_3_file_that_names_a_module_of_ones_own_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.keras", "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.5.0"}))
        inner = {"module": "antigravity", "class_name": "fly", "config": {"name": "fly"}, "registered_name": "fly"}
        whole = {"module": "keras", "class_name": "Sequential", "config": {"name": "x", "layers": [inner]}}
        archive.writestr("config.json", json.dumps(whole))
    with pytest.raises(FormatError, match=r"'fly' \(fly\) is a class of one's own"):
        adopt(tmp_path / "x.keras", tmp_path / "model", TASK)
    assert "antigravity" not in sys.modules


def test_keras_file_of_keras_2_is_refused_with_the_way_out(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.keras", "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "2.13.1"}))
        archive.writestr("config.json", "{}")
    with pytest.raises(FormatError, match=r"written by Keras 2\.13\.1, expected 3: load it there and save it as \.h5"):
        adopt(tmp_path / "x.keras", tmp_path / "model", TASK)


def test_damaged_keras_file_is_refused(tmp_path):
    (tmp_path / "x.keras").write_bytes(b"nothing")
    with pytest.raises(FormatError, match=r"no \.keras file of Keras 3"):
        adopt(tmp_path / "x.keras", tmp_path / "model", TASK)


def test_keras_3_h5_file_is_read(tmp_path, session):
    keras = session.keras
    start = keras.Input((N_SAMPLES,))
    model = keras.Model(start, keras.layers.Dense(2, activation="softmax")(start))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(tmp_path / "x.h5")
    assert adopt(tmp_path / "x.h5", tmp_path / "model", TASK).layers == ("Flatten", "Dense")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("energy", "expected NAME:KIND:UNIT"),
        ("energy:energy:keV", "expected NAME:KIND:UNIT with a kind of classes"),
        ("energy:quantity", "output 'energy': its unit is missing"),
        ("energy:quantity:", "its unit is missing: give energy:quantity:UNIT"),
        (":quantity:ns", "expected NAME:KIND:UNIT"),
    ],
)
def test_promise_without_all_its_parts_is_refused(text, match):
    with pytest.raises(SettingsError, match=match):
        parse_promise(text)


def test_preparation_of_another_model_or_written_by_hand_is_read(tmp_path):
    adopt(GOLDEN / "torch_cnn.onnx", tmp_path / "model", TASK)
    assert read_preparation(tmp_path / "model" / "model.json") == PREPARATION
    assert read_preparation(tmp_path / "model") == PREPARATION
    by_hand = tmp_path / "x.yaml"
    by_hand.write_text(
        "sample_period_ns: 4\nwindow_length: 32\nscale: none\nchannels:\n"
        "  - {name: left, polarity: -1, baseline_start: 0, baseline_stop: 10, window_start: 8}\n"
    )
    assert read_preparation(by_hand).channel_names == ("left",)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("[1, 2]", "expected the preparation of a model, got a list"),
        ("{a: [", "cannot read"),
        ("{a: 1}", "no preparation"),
    ],
)
def test_file_without_a_preparation_is_refused(tmp_path, content, match):
    (tmp_path / "x.yaml").write_text(content)
    with pytest.raises(SettingsError, match=match):
        read_preparation(tmp_path / "x.yaml")


def test_length_of_the_input_is_read_off_the_file(tmp_path):
    assert input_length(GOLDEN / "torch_cnn.onnx") == N_SAMPLES
    assert input_length(dense_file(tmp_path / "x.h5")) == N_SAMPLES
    with pytest.raises(FormatError, match="no such file"):
        input_length(tmp_path / "nothing.onnx")
