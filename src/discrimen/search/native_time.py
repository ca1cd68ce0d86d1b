"""Time of the native engine for a pulse, from raw samples to scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from discrimen.benchmark.made_up import made_up_pulses
from discrimen.benchmark.package_backends import native
from discrimen.benchmark.run import RawPulses, with_scores
from discrimen.benchmark.timing import time_batches
from discrimen.errors import DataError
from discrimen.freezing.freeze import freeze

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
        If the model cannot be frozen, or the engine does not give its scores.
    """
    path = folder / FROZEN_NAME
    frozen = freeze(folder, path).model
    samples = made_up_pulses(frozen.spec.preparation, BATCH_SIZE, np.random.default_rng(seed))
    sweep = time_batches(
        [native(path, threads=1)],
        with_scores(frozen, RawPulses(samples=samples, source="made up")),
        batch_sizes=(BATCH_SIZE,),
        seconds=_SECONDS,
        on_step=lambda _: None,
    )
    if not sweep.times:
        raise DataError(f"{path}: cannot be timed: {sweep.left_out[0].reason}")
    return sweep.times[0].best_ns_per_signal
