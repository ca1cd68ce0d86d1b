"""Separated pulses as pulses of a run: records of their own, with time, light and score."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.inference.base import Predictor
from discrimen.inference.compatible import require_compatible
from discrimen.network.preparation import Preparation
from discrimen.pulse_shape.upright import calibrated_light_kevee
from discrimen.pulses import PulseFlag, Pulses
from discrimen.pulses.detector import DetectorSettings, GatesNs, LightCalibration
from discrimen.reconstruction.parts import Kind, Parted
from discrimen.reconstruction.phase import Phases

_OF_RECORD = ("energy", "energy_short", "energy_kevee", "label", "neutron_probability", "photon_llr", "record_llr")
"""Columns that say something of the record as a whole, or of its first pulse: not of its parts."""


@dataclass(slots=True, kw_only=True)
class PartWriter:
    """Makes the pulses that are written.

    Parameters
    ----------
    preparation : Preparation
        Of the separating model.
    calibration, gates
        Of the detector, for the light; None where it is not known.
    classifier : Predictor or None
        Scores the pulses.
    in_place, as_float
        As of :class:`~discrimen.reconstruction.separate.SeparationOptions`.
    adc_bits : int or None
        Of the digitizer.
    run : int or None
        Number of the input among several.
    where : str
        Name of the input, for messages.

    Attributes
    ----------
    phases : Phases or None
        Learnt from the first chunk; None where it has too few pulses, and times are those of linear interpolation.
    n_written, n_unlike, n_chunks : int
        Pulses written, those of them that are unlike what the classifier knows, and chunks.
    """

    preparation: Preparation
    calibration: LightCalibration | None
    gates: GatesNs | None
    classifier: Predictor | None
    in_place: bool
    as_float: bool
    adc_bits: int | None
    run: int | None
    where: str
    phases: Phases | None = field(init=False, default=None)
    n_written: int = field(init=False, default=0)
    n_unlike: int = field(init=False, default=0)
    n_chunks: int = field(init=False, default=0)

    def written(self, pulses: Pulses, parted: Parted, *, label: NDArray[np.int8] | None) -> Pulses:
        """Return single pulses as they are and the parts of pairs, by record and time.

        Parameters
        ----------
        pulses : Pulses
            The records.
        parted : Parted
            What they are.
        label : ndarray of int8, shape (pulse, part), or None
            Classes of the parts, where the truth is known.
        """
        if self.n_chunks == 0:
            self.phases = Phases.learn(parted.crossing[np.isin(parted.kind, (Kind.SINGLE, Kind.PAIR))])
        self.n_chunks += 1
        single, pair = (np.flatnonzero(parted.kind == kind) for kind in (Kind.SINGLE, Kind.PAIR))
        parent = np.concatenate([single, pair, pair])
        part = np.repeat(np.array([0, 0, 1], np.int8), [len(single), len(pair), len(pair)])
        order = np.lexsort((part, parent))
        parent, part = parent[order], part[order]
        parts = pulses[parent].replace(**dict.fromkeys(_OF_RECORD), part=part)
        samples = parts.samples.astype(np.float32 if self.as_float else parts.samples.dtype)
        is_part = parted.is_pair[parent]
        samples[is_part] = self._records(parted, parent[is_part], part[is_part], samples.dtype)
        parts = parts.replace(samples=samples, **self._times(pulses, parted, parent, part))
        if self.run is not None and parts.run is None:
            parts = parts.replace(run=np.full(len(parts), self.run, np.int32))
        if label is not None:
            parts = parts.replace(label=label[parent, part])
        self.n_written += len(parts)
        return parts.replace(**self._light(parts), **self._scores(parts)) if len(parts) else parts

    def _records(
        self, parted: Parted, parent: NDArray[np.int64], part: NDArray[np.int8], dtype: np.dtype[Any]
    ) -> NDArray[Any]:
        """Return parts as records on the baseline of theirs; a second one lies where the first does."""
        waves = parted.waves_adc[parent, part]
        if not self.in_place:
            whole = np.floor(parted.crossing[parent]).astype(np.int64)
            waves = _moved(waves, whole[np.arange(len(part)), part] - whole[:, 0])
        records = parted.baseline_adc[parent, np.newaxis] + self.preparation.only.polarity * waves
        if dtype.kind == "f":
            return records.astype(dtype)
        limits = np.iinfo(dtype)
        highest = limits.max if self.adc_bits is None else min(2**self.adc_bits - 1, limits.max)
        lowest = limits.min if self.adc_bits is None else 0
        return np.clip(np.rint(records), lowest, highest).astype(dtype)

    def _times(
        self, pulses: Pulses, parted: Parted, parent: NDArray[np.int64], part: NDArray[np.int8]
    ) -> dict[str, NDArray[Any]]:
        """Return the columns that tell when each part came, and mark parts as pile-up."""
        is_part = parted.is_pair[parent]
        time = parted.crossing if self.phases is None else self.phases.times(parted.crossing)
        late = time[parent, part] - time[parent, 0]
        offset_ns = np.where(is_part, late, 0.0) * self.preparation.sample_period_ns
        columns: dict[str, NDArray[Any]] = {"time_offset_ns": offset_ns.astype(np.float64)}
        flags = np.zeros(len(parent), np.uint32) if pulses.flags is None else pulses.flags[parent].copy()
        flags[is_part] |= np.uint32(PulseFlag.PILE_UP)
        columns["flags"] = flags
        if pulses.timestamp_ps is not None:
            columns["timestamp_ps"] = pulses.timestamp_ps[parent] + np.rint(1000 * offset_ns).astype(np.int64)
        if pulses.tof_ns is not None:
            columns["tof_ns"] = pulses.tof_ns[parent] + offset_ns
        return columns

    def _light(self, parts: Pulses) -> dict[str, NDArray[Any]]:
        """Return the light, where the calibration refers to what a part has."""
        if self.calibration is None or self.calibration.quantity == "energy":
            return {}
        light = calibrated_light_kevee(parts, self.calibration, preparation=self.preparation, gates=self.gates)
        return {"energy_kevee": light.astype(np.float32)}

    def _scores(self, parts: Pulses) -> dict[str, NDArray[Any]]:
        if self.classifier is None:
            return {}
        description = self.classifier.description
        require_compatible(description, parts, DetectorSettings(), where=self.where)
        judged = self.classifier.judge(parts.samples)
        if judged.outside is not None:
            self.n_unlike += int(np.count_nonzero(judged.outside))
        return {"neutron_score": judged.scores[:, description.neutron_class]}


def _moved(waves: NDArray[np.float32], by: NDArray[np.int64]) -> NDArray[np.float32]:
    """Move each waveform so many samples to the left; behind its end there is the baseline."""
    at = np.arange(waves.shape[1]) + by[:, np.newaxis]
    taken = np.take_along_axis(waves, np.minimum(at, waves.shape[1] - 1), axis=1)
    return np.where(at < waves.shape[1], taken, np.float32(0))
