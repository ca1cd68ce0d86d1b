"""The charge-comparison plane: energy and pulse shape parameter of each pulse, from waveforms or from list mode."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.labelling.places import board_and_channel, chosen, joined
from discrimen.network.prepare import choose_preparation
from discrimen.pulse_shape.upright import calibrated_light_kevee, charges_of
from discrimen.pulses import PulseFlag, Pulses
from discrimen.pulses.array import by_settings
from discrimen.pulses.detector import DetectorSettings
from discrimen.pulses.list_mode import ListModeEvents
from discrimen.pulses.rails import at_rail

_SATURATED = PulseFlag.SATURATED_GATE | PulseFlag.SATURATED_INPUT


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
    psd_step : ndarray of float64, shape (pulse,)
        By how much the PSD changes with one count of the charge; 0 where it was computed from waveforms.
    energy_unit : str
        keVee where the detector is calibrated, else ADC ns or the digitizer's own.
    """

    energy: NDArray[np.float64]
    psd: NDArray[np.float64]
    board: NDArray[np.int32]
    channel: NDArray[np.int32]
    psd_step: NDArray[np.float64]
    energy_unit: str

    def __len__(self) -> int:
        return len(self.psd)

    def light(self) -> dict[str, NDArray[np.float64]]:
        """Return the light of the pulses as a column of theirs, where the detector is calibrated."""
        return {"energy_kevee": self.energy} if self.energy_unit == "keVee" else {}


def plane_of_pulses(pulses: Pulses, settings: DetectorSettings) -> Plane:
    """Integrate the gates of each channel over waveforms; pulses that the ADC cut off have no PSD.

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
    parts = list(by_settings(pulses, settings))
    planes = [_plane_of_alike(pulses[at], own) if len(parts) > 1 else _plane_of_alike(pulses, own) for at, own in parts]
    if len(parts) == 1:
        return planes[0]
    return chosen(joined(planes), np.argsort(np.concatenate([at for at, _ in parts])))


def _plane_of_alike(pulses: Pulses, settings: DetectorSettings) -> Plane:
    if settings.gates is None:
        raise SettingsError(
            "band labels need the gates of the charge comparison: put "
            "'gates: {gate_start_ns: -20, short_gate_end_ns: ..., long_gate_end_ns: ...}' into --settings, "
            "or give --gates START:SHORT:LONG; 'discrimen gates' searches them in a mixed run"
        )
    known = settings.merged(sample_period_ns=pulses.require_sample_period_ns())
    preparation = choose_preparation(known, n_samples=pulses.n_samples)
    charges = charges_of(pulses, preparation, settings.gates)
    psd = charges.psd.astype(np.float64)
    if pulses.flags is not None:
        psd[(pulses.flags & np.uint32(_SATURATED)) != 0] = np.nan
    cut_off = at_rail(pulses.samples.max(axis=1), pulses.samples.min(axis=1), adc_bits=settings.adc_bits)
    if cut_off is not None:
        psd[cut_off] = np.nan
    energy, unit = charges.long_charge_adc_ns.astype(np.float64), "ADC ns"
    if settings.calibration is not None:
        unit = "keVee"
        energy = calibrated_light_kevee(
            pulses, settings.calibration, preparation=preparation, gates=settings.gates, charges=charges
        )
    return Plane(energy=energy, psd=psd, psd_step=np.zeros(len(psd)), energy_unit=unit, **board_and_channel(pulses))


def plane_of_events(charges: ListModeEvents, settings: DetectorSettings) -> Plane:
    """Take the charges that the digitizer computed.

    Parameters
    ----------
    charges : ListModeEvents
        Of a list-mode file.
    settings : DetectorSettings
        A calibration of quantity `energy` refers to the long charge.

    Raises
    ------
    SettingsError
        If the calibration refers to what list mode does not hold.
    DataError
        If the list has no charge, or no pulse shape parameter.
    """
    energy, psd, unit = charges.long_charge, charges.psd, "digitizer units"
    if energy is None or psd is None:
        raise DataError(
            "band labels need the charge of each event and its pulse shape parameter or short charge; this list has "
            f"{', '.join(charges.columns())}: name them with --branch energy=NAME and --branch psd=NAME or "
            "energy_short=NAME"
        )
    calibration = settings.calibration
    if calibration is not None:
        if calibration.quantity != "energy":
            raise SettingsError(
                f"list mode holds no {calibration.quantity}: calibrate the digitizer's long charge (quantity: energy)"
            )
        energy, unit = calibration.light_kevee(energy, board=charges.board, channel=charges.channel), "keVee"
    return Plane(
        energy=energy,
        psd=psd,
        psd_step=charges.psd_step,
        energy_unit=unit,
        **board_and_channel(charges),
    )
