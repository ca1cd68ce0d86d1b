"""Labels by source of whole runs: shapes read in a first pass, the labels of each pulse for a second."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from discrimen.errors import DataError
from discrimen.formats.base import Reader
from discrimen.labelling.in_order import InOrder
from discrimen.labelling.places import joined
from discrimen.labelling.source import SourceLabels, SourceOptions, find_source_labels
from discrimen.labelling.source_shape import read_shapes, shape_preparation
from discrimen.pulses import Pulses


def find_run_sources(
    gamma_runs: Sequence[Reader],
    mixed_runs: Sequence[Reader],
    *,
    options: SourceOptions,
    rng: np.random.Generator,
    on_progress: Callable[[int], None] = lambda _: None,
) -> tuple[SourceLabels, list[InOrder]]:
    """Estimate the share of neutrons in mixed runs, and label the pulses of all runs by it.

    Parameters
    ----------
    gamma_runs, mixed_runs : sequence of Reader
        With waveforms.
    options : SourceOptions
        Range and intervals.
    rng : numpy.random.Generator
        For the estimate, and for the pulses that are thinned out.
    on_progress : callable
        Called with the number of pulses of each chunk.

    Returns
    -------
    SourceLabels
        The shares.
    list of InOrder
        What labels the pulses of each run when it is read again, the gamma runs first.

    Raises
    ------
    DataError
        If a run is empty, or as :func:`discrimen.labelling.source.find_source_labels`.
    """
    preparation = shape_preparation(_first_pulses(gamma_runs[0]), gamma_runs[0].info.settings)
    shapes = [read_shapes(each, preparation, on_progress=on_progress) for each in (*gamma_runs, *mixed_runs)]
    gamma, mixed = shapes[: len(gamma_runs)], shapes[len(gamma_runs) :]
    found = find_source_labels(joined(gamma), joined(mixed), options=options, rng=rng)
    light = [{"energy_kevee": run.energy} if found.energy_unit == "keVee" else {} for run in shapes]
    mixed_run = [False] * len(gamma) + [True] * len(mixed)
    labelled = [
        InOrder(found.labels(run, mixed=is_mixed, rng=rng), columns)
        for run, is_mixed, columns in zip(shapes, mixed_run, light, strict=True)
    ]
    return found, labelled


def _first_pulses(reader: Reader) -> Pulses:
    for pulses in reader.chunks():
        if len(pulses):
            return pulses
    raise DataError(f"{reader.info.path}: no pulses to label")
