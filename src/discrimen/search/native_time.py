"""Time of the native engine for a pulse, from raw samples to scores."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from discrimen.benchmark import time_in_turns
from discrimen.freezing.freeze import freeze
from discrimen.inference.native import NativePredictor
from discrimen.network.made_up import made_up_pulses

FROZEN_NAME = "model.discrimen"
BATCH_SIZE = 1000
_SECONDS = 0.5


def native_ns_per_pulse(folder: Path, *, seed: int) -> float:
    """Freeze a trained model beside itself and time it on one thread.

    The time is the best of a hundred stretches and more, of 2 ms each: what else the machine does makes
    some of them longer, none shorter.

    Parameters
    ----------
    folder : Path
        Of the trained model; the frozen file is left there.
    seed : int
        Of the made-up pulses.

    Returns
    -------
    float
        In ns, in batches of :data:`BATCH_SIZE` pulses of 16 bits.

    Raises
    ------
    SettingsError, DataError
        If the model cannot be frozen.
    """
    path = folder / FROZEN_NAME
    frozen = freeze(folder, path).model
    samples = made_up_pulses(frozen.description.preparation, BATCH_SIZE, seed=seed)
    predictor = NativePredictor(path, threads=1)
    times_ns = time_in_turns({"native": partial(predictor.predict, samples)}, seconds=_SECONDS)["native"]
    return float(times_ns.min()) / BATCH_SIZE
