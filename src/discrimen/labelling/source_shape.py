"""RunShapes of pulses as a few numbers each, for comparing whole runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.formats.base import Reader
from discrimen.labelling.places import board_and_channel, joined
from discrimen.labelling.plane import plane_of_pulses
from discrimen.network.preparation import Preparation
from discrimen.network.prepare import choose_preparation, prepare
from discrimen.pulse_shape.base import steps_up_to
from discrimen.pulse_shape.upright import aligned_preparation
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings
from discrimen.runs.polarity import upright_chunks

_RATIO = 1.3
_WHOLE_SHARE = 0.99


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RunShapes:
    """What is compared of the pulses of a run.

    Parameters
    ----------
    charges : ndarray of float32, shape (pulse, interval)
        Share of the charge in intervals of time after the leading edge; NaN for a pulse that cannot be aligned.
    energy : ndarray of float64, shape (pulse,)
        In `energy_unit`, NaN where there is none.
    board, channel : ndarray of int32, shape (pulse,)
        Zero where the file does not say.
    energy_unit : str
        keVee where the detector is calibrated and has gates, else ADC ns.
    """

    charges: NDArray[np.float32]
    energy: NDArray[np.float64]
    board: NDArray[np.int32]
    channel: NDArray[np.int32]
    energy_unit: str

    def __len__(self) -> int:
        return len(self.energy)


def shape_preparation(pulses: Pulses, settings: DetectorSettings) -> Preparation:
    """Describe how records are aligned on the leading edge, cut where the latest ones end.

    Raises
    ------
    SettingsError
        If polarity, sampling period or baseline window are not known.
    DataError
        If no pulse has a leading edge.
    """
    plain = choose_preparation(
        settings.merged(sample_period_ns=pulses.require_sample_period_ns()), n_samples=pulses.n_samples, scale="none"
    )
    return aligned_preparation(pulses.samples, plain, whole_share=_WHOLE_SHARE)


def shapes_of_pulses(pulses: Pulses, preparation: Preparation, settings: DetectorSettings) -> RunShapes:
    """Cut the charge of each pulse into intervals that grow with time.

    Parameters
    ----------
    pulses : Pulses
        As digitised.
    preparation : Preparation
        From :func:`shape_preparation`.
    settings : DetectorSettings
        With gates and calibration the energy is in keVee.

    Raises
    ------
    SettingsError
        If the sampling period is not that of the preparation.
    DataError
        If the records are shorter than the window.
    """
    period_ns = pulses.require_sample_period_ns()
    if not np.isclose(period_ns, preparation.sample_period_ns, rtol=1e-6):
        raise SettingsError(
            f"shapes are compared at {preparation.sample_period_ns:g} ns a sample, got pulses of {period_ns:g} ns: "
            "runs of one detector and digitizer belong together"
        )
    if pulses.n_samples < preparation.window_length:
        raise DataError(
            f"shapes are compared over {preparation.window_length} samples, got records of {pulses.n_samples}: runs of "
            "one detector and digitizer belong together"
        )
    prepared = prepare(pulses.samples, preparation)
    starts = np.array([0, *steps_up_to(preparation.window_length - 1, ratio=_RATIO)])
    charges = np.add.reduceat(prepared.waveforms[:, 0], np.unique(starts), axis=1, dtype=np.float32)
    area = charges.sum(axis=1, dtype=np.float64)
    usable = prepared.valid & (area > 0)
    charges[~usable] = np.nan
    charges /= np.where(usable, area, 1.0).astype(np.float32)[:, np.newaxis]
    energy, unit = area * preparation.sample_period_ns, "ADC ns"
    if settings.gates is not None:
        plane = plane_of_pulses(pulses, settings)
        energy, unit = plane.energy, plane.energy_unit
    return RunShapes(
        charges=charges,
        energy=np.where(usable, energy, np.nan),
        energy_unit=unit,
        **board_and_channel(pulses),
    )


def read_shapes(
    reader: Reader, preparation: Preparation, *, on_progress: Callable[[int], None] = lambda _: None
) -> RunShapes:
    """Read a whole run.

    Raises
    ------
    DataError
        If it is empty.
    """
    parts = []
    for pulses in upright_chunks(reader):
        parts.append(shapes_of_pulses(pulses, preparation, reader.info.settings))
        on_progress(len(pulses))
    if not parts:
        raise DataError(f"{reader.info.path}: no pulses to label")
    return joined(parts)
