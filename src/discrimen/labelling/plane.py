"""The charge-comparison plane: energy and pulse shape parameter of each pulse, from waveforms or from list mode."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.network.prepare import choose_preparation, constant_fraction_crossing, subtract_baseline
from discrimen.pulse_shape.charge import charge_comparison
from discrimen.pulses import PulseFlag, Pulses
from discrimen.pulses.charge_pairs import ChargePairs
from discrimen.pulses.detector import Calibration, DetectorSettings

CROSSING_FRACTION = 0.3
"""Of the peak: where the gates start to count."""

_SATURATED = PulseFlag.SATURATED_GATE | PulseFlag.SATURATED_INPUT
_BLOCK_SAMPLES = 2**21


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Plane:
    """Pulses in the charge-comparison plane.

    Parameters
    ----------
    energy : ndarray of float64, shape (pulse,)
        In `energy_unit`; NaN where the pulse has no charge.
    psd : ndarray of float64, shape (pulse,)
        :data:`~discrimen.pulse_shape.charge.PSD_DEFINITION`; NaN where there is none, or the digitizer flags
        saturation.
    board, channel : ndarray of int32, shape (pulse,)
        Zero where the file does not say.
    energy_unit : str
        keVee where the detector is calibrated, else ADC ns or the digitizer's own.
    """

    energy: NDArray[np.float64]
    psd: NDArray[np.float64]
    board: NDArray[np.int32]
    channel: NDArray[np.int32]
    energy_unit: str

    def __len__(self) -> int:
        return len(self.psd)


def plane_of_pulses(pulses: Pulses, settings: DetectorSettings) -> Plane:
    """Integrate the gates of the settings over waveforms.

    Parameters
    ----------
    pulses : Pulses
        As digitised.
    settings : DetectorSettings
        Must know gates, polarity, and baseline or pretrigger_ns; with a calibration the energy is in keVee.

    Raises
    ------
    SettingsError
        If one of them is not known.
    DataError
        If the calibration needs a column that the pulses lack.
    """
    if settings.gates is None:
        raise SettingsError(
            "band labels need the gates of the charge comparison: put "
            "'gates: {gate_start_ns: -20, short_gate_end_ns: ..., long_gate_end_ns: ...}' into --settings"
        )
    period_ns = pulses.require_sample_period_ns()
    known = settings.merged(sample_period_ns=period_ns)
    preparation = choose_preparation(known, n_samples=pulses.n_samples)
    long, psd, peak = np.empty((3, len(pulses)))
    step = max(1, _BLOCK_SAMPLES // pulses.n_samples)
    for first in range(0, len(pulses), step):
        rows = slice(first, first + step)
        upright, _ = subtract_baseline(
            pulses.samples[rows],
            start=preparation.baseline_start,
            stop=preparation.baseline_stop,
            polarity=preparation.polarity,
        )
        crossing = constant_fraction_crossing(upright, fraction=CROSSING_FRACTION)
        charges = charge_comparison(upright, crossing=crossing, sample_period_ns=period_ns, gates=settings.gates)
        long[rows], psd[rows] = charges.long_charge_adc_ns, charges.psd
        peak[rows] = upright.max(axis=1)
    if pulses.flags is not None:
        psd[(pulses.flags & np.uint32(_SATURATED)) != 0] = np.nan
    energy, unit = _energy(pulses, settings.calibration, long_charge_adc_ns=long, peak_adc=peak)
    nowhere = np.zeros(len(pulses), np.int32)
    return Plane(
        energy=energy,
        psd=psd,
        board=nowhere if pulses.board is None else pulses.board,
        channel=nowhere if pulses.channel is None else pulses.channel,
        energy_unit=unit,
    )


def plane_of_charges(charges: ChargePairs, settings: DetectorSettings) -> Plane:
    """Take the charges that the digitizer computed.

    Parameters
    ----------
    charges : ChargePairs
        Of a list-mode file.
    settings : DetectorSettings
        A calibration of quantity `energy` refers to the long charge.

    Raises
    ------
    SettingsError
        If the calibration refers to what list mode does not hold.
    """
    energy, unit = charges.long_charge, "digitizer units"
    calibration = settings.calibration
    if calibration is not None:
        if calibration.quantity != "energy":
            raise SettingsError(
                f"list mode holds no {calibration.quantity}: calibrate the digitizer's long charge (quantity: energy)"
            )
        energy, unit = _calibrated(energy, calibration), "keVee"
    return Plane(
        energy=energy,
        psd=charges.psd,
        board=np.zeros(len(charges), np.int32),
        channel=charges.channel,
        energy_unit=unit,
    )


def join_planes(planes: Iterable[Plane]) -> Plane:
    """Join the pulses of several stretches.

    Raises
    ------
    DataError
        If there are none, or their energies have different units.
    """
    parts = list(planes)
    units = sorted({part.energy_unit for part in parts})
    if len(units) != 1:
        raise DataError(
            f"cannot join energies in {' and '.join(units)}; label such files one by one" if units else "no pulses"
        )
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in ("energy", "psd", "board", "channel")
    }
    return Plane(**columns, energy_unit=units[0])


def _energy(
    pulses: Pulses,
    calibration: Calibration | None,
    *,
    long_charge_adc_ns: NDArray[np.float64],
    peak_adc: NDArray[np.float64],
) -> tuple[NDArray[np.float64], str]:
    if calibration is None:
        return long_charge_adc_ns, "ADC ns"
    if calibration.quantity == "energy":
        return _calibrated(pulses.column("energy"), calibration), "keVee"
    quantity = long_charge_adc_ns if calibration.quantity == "long_charge_adc_ns" else peak_adc
    return _calibrated(quantity, calibration), "keVee"


def _calibrated(quantity: NDArray[Any], calibration: Calibration) -> NDArray[np.float64]:
    light: NDArray[np.float64] = calibration.gain_kevee_per_unit * quantity + calibration.offset_kevee
    return light
