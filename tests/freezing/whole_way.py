"""Models of every kind, trained or adopted in a second or two, each with pulses to try it on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.adoption import keras2_files
from tests.runs.toy_hits import toy_hits
from tests.training.toy_pulses import PREPARATION, toy_pulses

from discrimen.adoption.adopt import Task as Adopted
from discrimen.adoption.adopt import adopt
from discrimen.adoption.promises import Promise
from discrimen.keras_jax import load_keras
from discrimen.models import ARCHITECTURES
from discrimen.network.preparation import Channel, Preparation, one_channel
from discrimen.network.prepare.choose_hits import choose_hits_preparation
from discrimen.pulses.detector import DetectorSettings
from discrimen.pulses.hits import Hits
from discrimen.training import TrainingConfig, train
from discrimen.training.checkpoints import save_model
from discrimen.training.tasks import Classification, Quantity, Reconstruction, Regression
from discrimen.training.tasks.regression import position

GOLDEN = Path(__file__).parent / "golden"
AUTOENCODERS = ("dense_autoencoder", "conv_autoencoder")
OF_SEGMENTS = ("neighbours", "neighbours_autoencoder")
CLASSIFIERS = tuple(name for name in ARCHITECTURES if name not in (*AUTOENCODERS, *OF_SEGMENTS))
TWO_DETECTORS = Preparation(
    sample_period_ns=10.0,
    channels=(
        Channel(name="anode", polarity=-1, baseline_stop=8),
        Channel(name="dynode", baseline_stop=8, window_start=2),
    ),
    window_length=28,
    masked=True,
)
OWN_FILE = '''
"""A body with two heads."""


def build(keras, *, shape, outputs, options):
    """Return a model of two heads on one convolution."""
    entry = keras.Input(shape)
    body = keras.layers.Conv1D(6, 5, strides=2, activation="relu")(keras.layers.Permute((2, 1))(entry))
    row = keras.layers.Concatenate()(
        [keras.layers.GlobalMaxPooling1D()(body), keras.layers.GlobalAveragePooling1D()(body)]
    )
    return keras.Model(entry, [keras.layers.Dense(output.n_values)(row) for output in outputs])
'''


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """The folder of a model, and raw pulses (pulse, channel, sample) to try it on."""

    folder: Path
    samples: NDArray[Any]
    present: NDArray[np.bool_] | None = None


def two_detectors(n_pulses: int, *, seed: int) -> tuple[NDArray[np.uint16], NDArray[np.bool_], NDArray[np.int8]]:
    """Return pulses of two channels, which of them are there, and three classes by their tails."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 3, n_pulses).astype(np.int8)
    time = np.maximum(np.arange(32) - 10.0, 0)
    tail = 0.1 + 0.15 * label[:, np.newaxis, np.newaxis] + rng.normal(0, 0.01, (n_pulses, 2, 1))
    pulse = np.where(np.arange(32) >= 10, (1 - tail) * np.exp(-time / 2) + tail * np.exp(-time / 12), 0)
    height = rng.uniform(500, 3000, (n_pulses, 1, 1)) * np.array([[[-1.0], [0.5]]])
    samples = 8000 + height * pulse + rng.normal(0, 3, pulse.shape)
    present = np.ones((n_pulses, 2), dtype=np.bool_)
    present[rng.random(n_pulses) < 0.2, 1] = False
    return samples.round().astype(np.uint16), present, label


def _classifier(architecture: str) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        train(toy_pulses(150), PREPARATION, TrainingConfig(architecture=architecture, epochs=2), folder=folder)
        return Made(folder, toy_pulses(40, seed=1).samples[:, np.newaxis])

    return make


def _autoencoder(architecture: str) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        config = TrainingConfig(architecture=architecture, task=Reconstruction(), epochs=2)
        train(toy_pulses(150), PREPARATION, config, folder=folder)
        return Made(folder, toy_pulses(40, seed=1).samples[:, np.newaxis])

    return make


def three_classes_of_two_channels(folder: Path) -> Made:
    samples, present, label = two_detectors(300, seed=2)
    pulses = Hits(samples=samples, sample_period_ns=10.0, present=present, columns={"label": label})
    config = TrainingConfig(architecture="cnn", task=Classification(("gamma", "neutron", "alpha")), epochs=2)
    train(pulses, TWO_DETECTORS, config, folder=folder)
    tried, there, _ = two_detectors(60, seed=3)
    return Made(folder, tried, there)


def _regression(folder: Path, config: TrainingConfig) -> Made:
    samples, present, label = two_detectors(300, seed=2)
    rng = np.random.default_rng(4)
    place_mm = np.stack([10.0 * label + rng.normal(0, 1, 300), rng.normal(0, 5, 300)], axis=1)
    place_mm[rng.random(place_mm.shape) < 0.3] = np.nan
    every = {"place": place_mm, "energy": 100.0 + 50 * label}
    targets = {output.name: every[output.name] for output in config.outputs(TWO_DETECTORS)}
    pulses = Hits(samples=samples, sample_period_ns=10.0, present=present)
    train(pulses, TWO_DETECTORS, config, folder=folder, targets=targets)
    tried, there, _ = two_detectors(60, seed=3)
    return Made(folder, tried, there)


PLACE = Quantity(name="place", unit="mm", components=("x", "y"), with_error=True)


def place_in_mm_with_errors(folder: Path) -> Made:
    return _regression(folder, TrainingConfig(architecture="mlp", task=Regression((PLACE,)), epochs=2))


HIT_BODIES: Mapping[str, Mapping[str, Any]] = {
    "mlp": {"hidden": (24, 12)},
    "patches": {"filters": 12, "hidden": (16,)},
    "cnn": {},
    "traces": {"features": 6, "hidden": (16,)},
    "neighbours": {"hidden": (16,)},
}
"""Architectures that are tried on 37 channels, with options."""


def _positions_of_hits(architecture: str) -> Callable[[Path], Made]:
    """Positions with their errors from 37 channels, some of them absent."""

    def make(folder: Path) -> Made:
        hits = _with_dead_segments(toy_hits(300))
        preparation = choose_hits_preparation(hits, DetectorSettings(), reference="core")
        options = HIT_BODIES[architecture]
        task = Regression((position(),))
        train(
            hits,
            preparation,
            TrainingConfig(architecture=architecture, options=options, task=task, epochs=2),
            folder=folder,
        )
        tried = _with_dead_segments(toy_hits(60, seed=1))
        return Made(folder, tried.samples, tried.present)

    return make


def _with_dead_segments(hits: Hits) -> Hits:
    present = np.ones((len(hits), hits.n_channels), np.bool_)
    present[::3, 7] = False
    return replace(hits, present=present)


def own_file_with_two_heads(folder: Path) -> Made:
    folder.parent.mkdir(parents=True, exist_ok=True)
    source = folder.parent / "mine.py"
    source.write_text(OWN_FILE)
    quantities = (Quantity(name="place", unit="mm", components=("x", "y")), Quantity(name="energy", unit="keVee"))
    return _regression(folder, TrainingConfig(architecture=f"{source}:build", task=Regression(quantities), epochs=2))


def adopted_keras_3(folder: Path) -> Made:
    """One sigmoid value behind layers that our own architectures do not have."""
    session = load_keras("cpu")
    keras = session.keras
    keras.utils.set_random_seed(3)
    with session.on_device():
        network = keras.Sequential(
            [
                keras.Input((75, 1)),
                keras.layers.SeparableConv1D(6, 5, padding="same"),
                keras.layers.Conv1D(6, 3, padding="causal", dilation_rate=2, groups=2),
                keras.layers.LayerNormalization(),
                keras.layers.LeakyReLU(0.1),
                keras.layers.Bidirectional(keras.layers.GRU(3, reset_after=False)),
                keras.layers.Dense(1, activation="sigmoid"),
            ]
        )
        folder.parent.mkdir(parents=True, exist_ok=True)
        save_model(network, folder.parent / "foreign.keras")
    samples = toy_pulses(60, seed=1).samples
    adopt(folder.parent / "foreign.keras", folder, Adopted(preparation=PREPARATION, samples=samples))
    return Made(folder, samples[:, np.newaxis])


def adopted_keras_2(folder: Path) -> Made:
    """One sigmoid value of a file that Keras 2 wrote."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    layers = (keras2_files.start((75,)), keras2_files.dense("dense", 1, "sigmoid"))
    weights = {name: 0.3 * value for name, value in keras2_files.dense_weights(75, 1).items()}
    path = keras2_files.write_model(folder.parent / "foreign.h5", keras2_files.sequential(*layers), {"dense": weights})
    samples = toy_pulses(60, seed=1).samples
    adopt(path, folder, Adopted(preparation=PREPARATION, samples=samples))
    return Made(folder, samples[:, np.newaxis])


def _adopted_onnx(name: str, *promises: Promise) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        with np.load(GOLDEN / f"{name}.npz") as stored:
            shape = stored["input"].shape[1:]
        preparation = one_channel(
            sample_period_ns=10.0, polarity=-1, baseline_start=0, baseline_stop=6, window_length=int(np.prod(shape))
        )
        samples = toy_pulses(60, seed=1).samples[:, 8 : 8 + preparation.window_length]
        task = Adopted(preparation=preparation, promises=promises, samples=samples)
        adopt(GOLDEN / f"{name}.onnx", folder, task)
        return Made(folder, samples[:, np.newaxis])

    return make


MODELS: Mapping[str, Callable[[Path], Made]] = {
    **{name: _classifier(name) for name in CLASSIFIERS},
    **{name: _autoencoder(name) for name in AUTOENCODERS},
    "three classes of two channels": three_classes_of_two_channels,
    **{f"positions of 37 channels by {name}": _positions_of_hits(name) for name in HIT_BODIES},
    "place in mm with errors": place_in_mm_with_errors,
    "two heads of an own file": own_file_with_two_heads,
    "adopted from Keras 3": adopted_keras_3,
    "adopted from Keras 2": adopted_keras_2,
    "adopted from PyTorch": _adopted_onnx("torch_cnn"),
    "adopted from scikit-learn": _adopted_onnx("sklearn_mlp"),
}
