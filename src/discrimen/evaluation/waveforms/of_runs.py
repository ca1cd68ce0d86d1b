"""The waveforms of a model judged on run files, as far as they fit into memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.evaluation.waveforms.evaluate import evaluate_waveforms
from discrimen.evaluation.waveforms.page import write_waveform_report
from discrimen.evaluation.waveforms.report import WaveformReport
from discrimen.formats.base import Reader
from discrimen.inference.base import Predictor
from discrimen.labelling import label_by_truth
from discrimen.output.stage_report import StageTold
from discrimen.pulses import Pulses, concatenate
from discrimen.pulses.rails import at_rail
from discrimen.runs.beginning import beginning
from discrimen.runs.clean_records import require_same_pulses
from discrimen.simulation.truth import read_truth, truth_path

MOST_PULSES = 100_000
"""Of each file, from its beginning: a report need not see more."""


def evaluate_runs(
    predictor: Predictor, readers: Sequence[Reader], *, clean: Sequence[Reader] = (), seed: int = 0
) -> WaveformReport:
    """Judge a model by the beginning of run files; the truth next to a simulated one tells classes and light.

    Parameters
    ----------
    predictor : Predictor
        Of a model that gives a waveform.
    readers : sequence of Reader
        Open inputs.
    clean : sequence of Reader
        Of the clean records of the same pulses, one for each input, or none.
    seed : int
        Of the draws behind intervals.

    Raises
    ------
    DataError
        If there is not one clean file for each input, they are of other pulses, or the inputs do not go together.
    """
    if clean and len(clean) != len(readers):
        raise DataError(f"{len(clean)} files of clean records for {len(readers)} inputs: give one for each")
    parts = [beginning(reader, MOST_PULSES) for reader in readers]
    bare = [beginning(reader, MOST_PULSES) for reader in clean]
    for recorded, one in zip(parts, bare, strict=False):
        require_same_pulses(recorded, one)
    truths = [truth_path(reader.info.path) for reader in readers]
    if all(path.is_file() for path in truths):
        parts = [label_by_truth(part, read_truth(path)) for part, path in zip(parts, truths, strict=True)]
    within = np.concatenate([_within(part, reader, predictor) for part, reader in zip(parts, readers, strict=True)])
    cut = [reader.info.path.name for reader, part in zip(readers, parts, strict=True) if len(part) == MOST_PULSES]
    notes = [f"the report looks at the first {MOST_PULSES} pulses of {', '.join(cut)}"] if cut else []
    if not within.all():
        notes.append(f"{np.count_nonzero(~within)} saturated pulses are left out")
    return evaluate_waveforms(
        predictor,
        concatenate(parts)[within],
        clean=np.concatenate([one.samples for one in bare])[within] if bare else None,
        gates=readers[0].info.settings.gates,
        files=[
            {"name": reader.info.path.name, "n_pulses": len(part)} for reader, part in zip(readers, parts, strict=True)
        ],
        seed=seed,
        notes=notes,
    )


def report_on_runs(
    predictor: Predictor,
    readers: Sequence[Reader],
    folder: Path | str,
    *,
    told: StageTold,
    clean: Sequence[Reader] = (),
) -> tuple[Path, ...]:
    """Judge a model by the beginning of run files that a stage has taken, and write the page of that stage.

    Parameters
    ----------
    predictor, readers, clean
        See :func:`evaluate_runs`.
    folder : Path
        Made if need be.
    told : StageTold
        What the stage did.

    Returns
    -------
    tuple of Path
        The files: JSON, page, pictures.

    Raises
    ------
    DataError, OutputError, MissingExtraError
        See :func:`evaluate_runs` and :func:`~discrimen.evaluation.waveforms.page.write_waveform_report`.
    """
    return write_waveform_report(evaluate_runs(predictor, readers, clean=clean), folder, told=told)


def _within(pulses: Pulses, reader: Reader, predictor: Predictor) -> NDArray[np.bool_]:
    """Tell which pulses are not cut off by the ADC, as far as its range is known."""
    adc_bits = reader.info.settings.adc_bits or predictor.description.settings.adc_bits
    cut = at_rail(pulses.samples.max(axis=1), pulses.samples.min(axis=1), adc_bits=adc_bits)
    return np.ones(len(pulses), np.bool_) if cut is None else ~cut
