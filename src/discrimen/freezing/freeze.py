"""A trained model's folder to a frozen file that proves itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, FormatError
from discrimen.freezing.calibrate import Calibration, CalibrationTask, calibrate, calibrated
from discrimen.freezing.carried_history import with_history
from discrimen.freezing.from_keras import network_of
from discrimen.freezing.generator import generator_of, is_generator
from discrimen.freezing.golden_choice import choose_golden
from discrimen.inference.keras_predictor import KerasPredictor
from discrimen.inference.native import NativePredictor
from discrimen.inference.reference_predictor import ReferencePredictor, run_exactly
from discrimen.keras_jax import load_keras
from discrimen.network.frozen_file import FrozenModel, write_frozen
from discrimen.network.golden import GoldenVectors
from discrimen.network.made_up import made_up_pulses
from discrimen.network.outputs import Output
from discrimen.network.prepare import heights_of
from discrimen.output.provenance import command_line, software_versions
from discrimen.training import load_model_folder, validation_pulses

N_MADE_UP = 512
_SMALLEST_SCALE = 1e-30
LARGEST_DIFFERENCE = 1e-4
"""How far a frozen network may be off Keras in float32: of a score, or of the largest value of another output."""


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
        Largest difference between the frozen model in float64 and Keras in float32 on the golden pulses, both before a
        temperature: of a score, or of another output in units of its largest value.
    from_validation : bool
        Whether the golden pulses are some of the training's validation pulses, not made-up ones.
    calibration : Calibration or None
        Temperature and thresholds, where they were wanted.
    """

    path: Path
    model: FrozenModel
    worst_difference: float
    from_validation: bool
    calibration: Calibration | None = None


def freeze(
    folder: Path | str,
    output: Path | str,
    *,
    golden: NDArray[Any] | None = None,
    calibration: CalibrationTask | None = None,
) -> Freezing:
    """Freeze a trained model.

    Parameters
    ----------
    folder : Path
        Folder of the trained model, its ``model.keras``, or a checkpoint in it.
    output : Path
        The ``*.discrimen`` file to write.
    golden : ndarray of integers or float32, shape (pulse, channel, sample), or (pulse, sample), optional
        Raw pulses to choose the golden vectors from; by default the validation pulses that the training kept, or
        made-up ones of many amplitudes and decay times.
    calibration : CalibrationTask, optional
        Labelled pulses to fit a temperature and choose thresholds on, which become part of the frozen model.

    Raises
    ------
    SettingsError
        If a layer cannot be frozen, or the network cannot take a temperature.
    DataError
        If no golden pulse can be prepared, they do not feel all weights, the frozen model does not give what Keras
        gives, or the pulses of the calibration are too few.
    OutputError
        If the file cannot be written.
    """
    session = load_keras("cpu")
    keras_model, description = load_model_folder(folder, session=session)
    description = with_history(description, Path(folder))
    frozen_by = {"command_line": command_line(), "versions": software_versions()}
    description = replace(description, provenance={**description.provenance, "freezing": frozen_by})
    with session.on_device():
        network = network_of(keras_model, description)
    kept = validation_pulses(folder) if golden is None else None
    candidates, present = (golden, None) if kept is None else kept
    if candidates is None:
        candidates = made_up_pulses(description.preparation, N_MADE_UP)
    vectors = choose_golden(network, description, candidates, present=present, session=session)
    keras = KerasPredictor(folder)
    worst = _difference_from(keras, FrozenModel(description, network, vectors))
    chosen = None
    if calibration is not None:
        scores = keras.predict(calibration.pulses.samples)
        preparation = description.preparation
        heights = heights_of(calibration.pulses.samples, preparation) if preparation.n_channels == 1 else None
        chosen = calibrate(scores, calibration, neutron_class=description.neutron_class, height_adc=heights)
        network, description = calibrated(network, description, chosen, calibration)
        vectors = choose_golden(network, description, candidates, present=present, session=session)
    frozen = FrozenModel(description, network, vectors)
    if is_generator(description):
        frozen = generator_of(frozen, Path(folder))
    write_frozen(frozen, output)
    try:
        for load in (ReferencePredictor, NativePredictor):
            load(output)  # checks the golden vectors as everybody will
    except FormatError:
        Path(output).unlink()
        raise
    return Freezing(
        path=Path(output),
        model=frozen,
        worst_difference=worst,
        from_validation=kept is not None,
        calibration=chosen,
    )


def _difference_from(keras: KerasPredictor, frozen: FrozenModel) -> float:
    """Return how far the frozen model is off Keras on its golden pulses; refuse it where that is more than rounding."""
    golden: GoldenVectors = frozen.golden
    exact = run_exactly(frozen, golden.samples, present=golden.present)
    given = keras.run(golden.samples, present=golden.present)
    worst = 0.0
    for output, wanted, found in zip(frozen.description.outputs, given, exact, strict=True):
        difference = float(np.abs(wanted - found).max()) / _scale(output, found)
        if not difference <= LARGEST_DIFFERENCE:
            raise DataError(
                f"output {output.name!r} of the frozen model is off the Keras model by {difference:.3g}, allowed are "
                f"{LARGEST_DIFFERENCE:g}"
            )
        worst = max(worst, difference)
    return worst


def _scale(output: Output, values: NDArray[np.float64]) -> float:
    return 1.0 if output.kind == "classes" else max(float(np.abs(values).max()), _SMALLEST_SCALE)
