"""Drift of run files: a reference from good runs, stored as JSON, and verdicts on the windows of others."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.adaptation.measured import Measured, join, measure, measure_run
from discrimen.errors import DataError, FormatError, SettingsError
from discrimen.formats.base import Reader
from discrimen.formats.channel_selection import ALL_CHANNELS, ChannelSelection, ChannelSieve
from discrimen.inference.compatible import require_compatible, require_trained_channels
from discrimen.inference.load import Model
from discrimen.metrics.drift import Drift, DriftMonitor, DriftReference
from discrimen.output.files import complete_or_absent
from discrimen.output.provenance import command_line, sha256_of_file, software_versions, utc_now
from discrimen.output.summary import Summarised

KIND = "discrimen_drift_reference"
VERSION = 1
SPLIT = {"logit": "peak_adc"}
"""The logit is looked at once more at given height: another source changes the heights, not this."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class StoredReference(Summarised):
    """A reference with what it belongs to.

    Parameters
    ----------
    reference : DriftReference
        The counts.
    model_sha256 : str
        Of the model whose logit was counted.
    origin : mapping
        Files and their hashes, channels, date, versions.
    """

    reference: DriftReference
    model_sha256: str
    origin: Mapping[str, Any]


def drift_figures(measured: Measured) -> dict[str, NDArray[np.float64]]:
    """Return what is watched, by name: logit, and pulse height, baseline and noise in ADC counts."""
    return {
        "logit": measured.logit,
        "peak_adc": measured.peak_adc,
        "baseline_adc": measured.baseline_adc,
        "noise_adc": measured.noise_adc,
    }


def reference_of_runs(
    readers: Sequence[Reader],
    model: Model,
    *,
    selection: ChannelSelection = ALL_CHANNELS,
    on_progress: Callable[[int], None] = lambda _: None,
) -> StoredReference:
    """Make a reference from runs in which all was well.

    Parameters
    ----------
    readers : sequence of Reader
        Open runs; several of them, at different times, are better than one.
    model : Model
        Whose score is watched.
    selection : ChannelSelection
        Which boards and channels.
    on_progress : callable
        Called with the number of pulses of each chunk.

    Raises
    ------
    DataError
        If the model does not fit the pulses, or there are fewer than 500.
    """
    measured = join(
        measure_run(reader, model.predictor, selection=selection, on_progress=on_progress) for reader in readers
    )
    origin = {
        "files": [{"name": reader.info.path.name, "sha256": sha256_of_file(reader.info.path)} for reader in readers],
        **selection.as_attributes(),
        "date_utc": utc_now(),
        "command_line": command_line(),
        "versions": software_versions(),
    }
    return StoredReference(
        reference=DriftReference.of(drift_figures(measured), split=SPLIT), model_sha256=model.sha256, origin=origin
    )


def write_reference(stored: StoredReference, path: Path) -> None:
    """Write a reference as JSON; it appears when it is complete."""
    content = {
        KIND: VERSION,
        "model_sha256": stored.model_sha256,
        "origin": dict(stored.origin),
        **stored.reference.as_dict(),
    }
    with complete_or_absent(path) as part:
        part.write_text(json.dumps(content) + "\n", encoding="utf-8")


def read_reference(path: Path) -> StoredReference:
    """Read a reference.

    Raises
    ------
    FormatError
        If the file cannot be read or is no reference.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FormatError(f"cannot read the reference: {' '.join(str(error).split())}", path) from error
    if not isinstance(values, dict) or values.get(KIND) != VERSION:
        raise FormatError("this is no reference for drift; make one with 'discrimen drift MODEL RUN -o X.json'", path)
    try:
        return StoredReference(
            reference=DriftReference.from_dict(values), model_sha256=values["model_sha256"], origin=values["origin"]
        )
    except (SettingsError, KeyError) as error:
        raise FormatError(f"the reference contradicts itself: {error}", path) from error


def watch_run(
    reader: Reader,
    model: Model,
    stored: StoredReference,
    *,
    window: int,
    false_alarm_rate: float = 1e-3,
    selection: ChannelSelection = ALL_CHANNELS,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Iterator[Drift]:
    """Judge a run window by window, in constant memory.

    What is left behind the last full window is judged if it holds half of one or more.

    Parameters
    ----------
    reader : Reader
        An open run.
    model : Model
        The one of the reference.
    stored : StoredReference
        What to compare with.
    window : int
        Pulses to a verdict.
    false_alarm_rate : float
        Of each verdict.
    selection, on_progress
        As in :func:`reference_of_runs`.

    Raises
    ------
    SettingsError
        If the reference belongs to another model.
    DataError
        If the run holds no pulses of the selection, or too few for a verdict, or does not fit the model.
    """
    if stored.model_sha256 != model.sha256:
        raise SettingsError(
            f"the reference was made with another model (SHA-256 {stored.model_sha256[:12]}..., here "
            f"{model.sha256[:12]}...): make it again with this one"
        )
    info, sieve = reader.info, ChannelSieve(selection, str(reader.info.path))
    monitor = DriftMonitor(stored.reference, window=window, false_alarm_rate=false_alarm_rate)
    n_verdicts = 0
    for read in reader.chunks():
        pulses = sieve(read)
        if len(pulses):
            require_compatible(model.description, pulses, info.settings, where=str(info.path))
            require_trained_channels(
                model.description, pulses, where=str(info.path), way_out="adapt the model to the new channel"
            )
            for verdict in monitor.add(drift_figures(measure(pulses, model.predictor))):
                n_verdicts += 1
                yield verdict
        on_progress(len(read))
    left = monitor.pending
    if left.n_pulses >= window / 2 or not n_verdicts:
        if not left.n_pulses:
            raise DataError(f"{info.path}: no pulses of {selection}")
        yield left.drift(false_alarm_rate=false_alarm_rate)
