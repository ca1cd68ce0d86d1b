"""What evaluation compares, pulse by pulse: network scores, charges and light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.evaluation.report import NotComputed
from discrimen.network.preparation import Preparation
from discrimen.network.prepare import constant_fraction_crossing, subtract_baseline
from discrimen.pulse_shape.charge import Charges, charge_comparison
from discrimen.pulses import Label, Pulses
from discrimen.pulses.detector import Calibration, GatesNs

CROSSING_FRACTION = 0.3
"""Of the peak: where gates start to count if the model's preparation aligns on nothing."""

_BLOCK_SAMPLES = 2**21


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Upright:
    """Waveforms above their baseline, pulses upwards, with the constant-fraction crossing of each.

    Parameters
    ----------
    waveforms : ndarray of float32, shape (pulse, sample)
        The full record in ADC counts.
    crossing : ndarray of float32, shape (pulse,)
        In samples; NaN where there is none.
    """

    waveforms: NDArray[np.float32]
    crossing: NDArray[np.float32]


def crossing_fraction(preparation: Preparation) -> float:
    """Return the fraction of the peak that gates refer to: the model's own where it aligns its pulses."""
    return CROSSING_FRACTION if preparation.alignment is None else preparation.alignment.fraction


def upright(samples: NDArray[Any], preparation: Preparation) -> Upright:
    """Turn raw records upright with the baseline window and the polarity of a model.

    Raises
    ------
    DataError
        If the records are shorter than the baseline window.
    """
    waveforms, _ = subtract_baseline(
        samples, start=preparation.baseline_start, stop=preparation.baseline_stop, polarity=preparation.polarity
    )
    crossing = constant_fraction_crossing(waveforms, fraction=crossing_fraction(preparation))
    return Upright(waveforms=waveforms, crossing=crossing)


def charges_of(pulses: Pulses, preparation: Preparation, gates: GatesNs) -> Charges:
    """Charge comparison of raw pulses, block by block.

    Raises
    ------
    DataError
        If the records are shorter than the baseline window.
    """
    period_ns = pulses.require_sample_period_ns()
    parts = []
    for samples in blocks(pulses.samples):
        turned = upright(samples, preparation)
        parts.append(
            charge_comparison(turned.waveforms, crossing=turned.crossing, sample_period_ns=period_ns, gates=gates)
        )
    return Charges(
        **{
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in ("long_charge_adc_ns", "short_charge_adc_ns", "psd", "truncated")
        }
    )


def neutron_scores(scores: NDArray[Any], *, n_pulses: int, neutron_class: int) -> NDArray[np.float64]:
    """Return the neutron column of a predictor's answer.

    Raises
    ------
    DataError
        If it is not one row a pulse, or holds anything but probabilities and NaN.
    """
    if scores.ndim != 2 or len(scores) != n_pulses:
        raise DataError(f"the predictor must give one row for each of {n_pulses} pulses, got shape {scores.shape}")
    neutron = scores[:, neutron_class].astype(np.float64)
    known = neutron[~np.isnan(neutron)]
    if ((known < 0) | (known > 1)).any():
        raise DataError(f"neutron scores must lie between 0 and 1, got {known.min():g} to {known.max():g}")
    return neutron


def light_kevee(
    pulses: Pulses, *, calibration: Calibration | None, preparation: Preparation, gates: GatesNs | None
) -> tuple[NDArray[np.float64] | None, str | NotComputed]:
    """Return the light of each pulse in keVee and where it comes from, or None and why there is none.

    Raises
    ------
    SettingsError
        If the calibration needs gates and there are none.
    DataError
        If the calibration needs a column that the pulses lack.
    """
    if pulses.energy_kevee is not None:
        return pulses.energy_kevee.astype(np.float64), "column energy_kevee"
    if calibration is None:
        return None, NotComputed(
            "the pulses have no column energy_kevee and the model's settings no calibration: no energy bins"
        )
    quantity = _calibrated_quantity(pulses, calibration, preparation, gates)
    light: NDArray[np.float64] = calibration.gain_kevee_per_unit * quantity + calibration.offset_kevee
    source = f"{calibration.gain_kevee_per_unit:g} keVee * {calibration.quantity} + {calibration.offset_kevee:g} keVee"
    return light, f"calibration: {source}"


def spectra_distance(energy_kevee: NDArray[np.float64], labels: NDArray[Any]) -> float | None:
    """Return how far the light spectra of the two classes lie apart, or None where chance explains it.

    The distance is that of Kolmogorov and Smirnov; chance stays below 2.5 / sqrt(effective number of pulses) but for
    one sample in 100,000.
    """
    gamma, neutron = (np.sort(energy_kevee[labels == label]) for label in (Label.GAMMA, Label.NEUTRON))
    at = np.concatenate([gamma, neutron])
    below = [np.searchsorted(light, at, side="right") / len(light) for light in (gamma, neutron)]
    distance = float(np.abs(below[0] - below[1]).max())
    n_effective = len(gamma) * len(neutron) / (len(gamma) + len(neutron))
    return distance if distance * np.sqrt(n_effective) > 2.5 else None


def _calibrated_quantity(
    pulses: Pulses, calibration: Calibration, preparation: Preparation, gates: GatesNs | None
) -> NDArray[np.float64]:
    if calibration.quantity == "energy":
        return pulses.column("energy").astype(np.float64)
    if calibration.quantity == "peak_adc":
        peaks = [upright(samples, preparation).waveforms.max(axis=1) for samples in blocks(pulses.samples)]
        return np.concatenate(peaks).astype(np.float64)
    if gates is None:
        raise SettingsError("the calibration uses long_charge_adc_ns, but no gates are given: add them to the settings")
    return charges_of(pulses, preparation, gates).long_charge_adc_ns.astype(np.float64)


def blocks(samples: NDArray[Any]) -> list[NDArray[Any]]:
    """Cut raw samples into runs of pulses that are small in memory; one empty block where there are none."""
    step = max(1, _BLOCK_SAMPLES // samples.shape[1])
    return [samples[first : first + step] for first in range(0, max(1, len(samples)), step)]
