"""A trained model's folder to a frozen file that proves itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, FormatError
from discrimen.freezing.calibrate import Calibration, CalibrationTask, calibrate, calibrated
from discrimen.freezing.carried_history import with_history
from discrimen.freezing.from_keras import layers_of
from discrimen.inference.keras_predictor import KerasPredictor
from discrimen.inference.native import NativePredictor
from discrimen.inference.reference_predictor import ReferencePredictor, score_exactly
from discrimen.keras_jax import load_keras
from discrimen.network.frozen_file import FrozenModel, GoldenVectors, write_frozen
from discrimen.network.preparation import Preparation
from discrimen.training import load_model_folder

N_GOLDEN = 64
GOLDEN_TOLERANCE = 1e-5
"""How far a float32 engine may be off the float64 scores."""

_HIGHEST_ADC = 4000
_BASELINE_ADC = 8000


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Freezing:
    """What was frozen.

    Parameters
    ----------
    path : Path
        The frozen file.
    model : FrozenModel
        What is in it.
    worst_difference : float
        Largest difference between the frozen model's scores in float64 and those of Keras in float32, both before a
        temperature.
    calibration : Calibration or None
        Temperature and thresholds, where they were wanted.
    """

    path: Path
    model: FrozenModel
    worst_difference: float
    calibration: Calibration | None = None


def freeze(
    folder: Path | str,
    output: Path | str,
    *,
    golden: NDArray[np.int32] | None = None,
    calibration: CalibrationTask | None = None,
) -> Freezing:
    """Freeze a trained model.

    Parameters
    ----------
    folder : Path
        Folder of the trained model, its ``model.keras``, or a checkpoint in it.
    output : Path
        The ``*.discrimen`` file to write.
    golden : ndarray of int32, shape (pulse, sample), optional
        Raw pulses for the golden vectors; by default made-up ones of many amplitudes and decay times.
    calibration : CalibrationTask, optional
        Labelled pulses to fit a temperature and choose thresholds on, which become part of the frozen model.

    Raises
    ------
    SettingsError
        If a layer cannot be frozen, or the network cannot take a temperature.
    DataError
        If a golden pulse cannot be prepared, the frozen model does not give the scores of Keras, or the pulses of the
        calibration are too few.
    OutputError
        If the file cannot be written.
    """
    session = load_keras("cpu")
    keras_model, spec = load_model_folder(folder, session=session)
    spec = with_history(spec, Path(folder))
    with session.on_device():
        layers = layers_of(keras_model)
    samples = golden_pulses(spec.preparation) if golden is None else golden
    keras = KerasPredictor(folder)
    scores = score_exactly(layers, spec, samples)
    if np.isnan(scores).any():
        raise DataError("golden pulses must rise above their baseline, every one of them")
    worst = float(np.abs(scores - keras.predict(samples)).max())
    if not worst <= GOLDEN_TOLERANCE:
        raise DataError(f"the frozen model is off the Keras model by {worst:.3g}, allowed are {GOLDEN_TOLERANCE:g}")
    chosen = None
    if calibration is not None:
        before = keras.predict(calibration.pulses.samples)
        chosen = calibrate(before, calibration, neutron_class=spec.neutron_class)
        layers, spec = calibrated(layers, spec, chosen, calibration)
        scores = score_exactly(layers, spec, samples)
    frozen = FrozenModel(spec, layers, GoldenVectors(samples, scores, GOLDEN_TOLERANCE))
    write_frozen(frozen, output)
    try:
        for load in (ReferencePredictor, NativePredictor):
            load(output)  # checks the golden vectors as everybody will
    except FormatError:
        Path(output).unlink()
        raise
    return Freezing(path=Path(output), model=frozen, worst_difference=worst, calibration=chosen)


def golden_pulses(preparation: Preparation) -> NDArray[np.int32]:
    """Make raw pulses of many amplitudes, rise and decay times for a preparation, the same ones at every call.

    Parameters
    ----------
    preparation : Preparation
        Of the model; the pulses start right behind its baseline window.

    Returns
    -------
    ndarray of int32, shape (64, sample)
        In ADC counts, with noise of one count.
    """
    rng = np.random.default_rng(20)
    n_samples = max(preparation.shortest_record, preparation.baseline_stop + preparation.window_length)
    time = np.arange(n_samples) - preparation.baseline_stop - rng.uniform(0.5, 2.0, (N_GOLDEN, 1))
    fast, slow = rng.uniform(0.5, 3.0, (2, N_GOLDEN, 1)) * [[[1.0]], [[8.0]]]
    tail = rng.uniform(0.0, 0.3, (N_GOLDEN, 1))
    late = np.maximum(time, 0)
    shape = ((1 - tail) * np.exp(-late / fast) + tail * np.exp(-late / slow)) * -np.expm1(-late / 0.7)
    height = rng.uniform(50, _HIGHEST_ADC, (N_GOLDEN, 1)) * preparation.polarity
    raw = _BASELINE_ADC + height * shape / shape.max(axis=1, keepdims=True) + rng.normal(0, 1, shape.shape)
    rounded: NDArray[np.int32] = np.rint(raw).astype(np.int32)
    return rounded
