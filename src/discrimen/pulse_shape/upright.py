"""Raw pulses turned upright: above their baseline, upwards, with the crossing that gates and alignment refer to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.network.preparation import Alignment, Preparation
from discrimen.network.prepare import constant_fraction_crossing, subtract_baseline
from discrimen.output.summary import Summarised
from discrimen.pulse_shape.charge import Charges, charge_comparison
from discrimen.pulses import Pulses
from discrimen.pulses.detector import GatesNs, LightCalibration

CROSSING_FRACTION = 0.3
"""Of the peak: where gates start to count if the preparation aligns on nothing."""

_BEFORE_NS, _FEWEST_BEFORE_SAMPLES = 20.0, 2
_ALIGNMENT_PULSES = 20_000
_BLOCK_SAMPLES = 2**21


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class Upright(Summarised):
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
    """Turn raw records upright with the baseline window and the polarity of a preparation.

    Raises
    ------
    DataError
        If the records are shorter than the baseline window.
    """
    waveforms, _ = subtract_baseline(
        samples,
        start=preparation.only.baseline_start,
        stop=preparation.only.baseline_stop,
        polarity=preparation.only.polarity,
    )
    crossing = constant_fraction_crossing(waveforms, fraction=crossing_fraction(preparation))
    return Upright(waveforms=waveforms, crossing=crossing)


def blocks(samples: NDArray[Any]) -> list[NDArray[Any]]:
    """Cut raw samples into stretches of pulses that are small in memory; one empty block where there are none."""
    step = max(1, _BLOCK_SAMPLES // samples.shape[1])
    return [samples[first : first + step] for first in range(0, max(1, len(samples)), step)]


def aligned_preparation(samples: NDArray[Any], preparation: Preparation, *, whole_share: float) -> Preparation:
    """Return a preparation that aligns whole records on their leading edge, in ADC counts.

    Baseline window, polarity and the fraction of the crossing are those given. The window starts a little before the
    crossing.

    Parameters
    ----------
    samples : ndarray, shape (pulse, sample)
        Raw pulses; the first 20,000 tell where crossings are.
    preparation : Preparation
        Of a model, or of a detector.
    whole_share : float
        The window ends where this share of the records still have samples.

    Raises
    ------
    DataError
        If no pulse has a crossing.
    """
    crossing = upright(samples[:_ALIGNMENT_PULSES], preparation).crossing
    known = crossing[np.isfinite(crossing)]
    if not len(known):
        raise DataError("no pulse has a leading edge: check polarity and baseline window")
    before = max(_FEWEST_BEFORE_SAMPLES, round(_BEFORE_NS / preparation.sample_period_ns))
    length = before + max(2, int(samples.shape[1] - np.quantile(known, whole_share)))
    alignment = Alignment(fraction=crossing_fraction(preparation), position=before, interpolate=True)
    return replace(preparation.with_only(window_start=0), alignment=alignment, window_length=length, scale="none")


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
    return Charges(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in Charges.__slots__})


def calibrated_light_kevee(
    pulses: Pulses,
    calibration: LightCalibration,
    *,
    preparation: Preparation,
    gates: GatesNs | None,
    charges: Charges | None = None,
) -> NDArray[np.float64]:
    """Return the light of raw pulses by the quantity that the calibration refers to.

    Parameters
    ----------
    pulses : Pulses
        As digitised.
    calibration : LightCalibration
        Of the detector.
    preparation : Preparation
        Baseline window and polarity.
    gates : GatesNs or None
        Those that the calibration refers to.
    charges : Charges, optional
        Over these gates, where they are there already.

    Raises
    ------
    SettingsError
        If the calibration needs gates and there are none, or does not know a channel.
    DataError
        If the calibration needs a column that the pulses lack.
    """
    quantity: NDArray[Any]
    if calibration.quantity == "energy":
        quantity = pulses.column("energy")
    elif calibration.quantity == "peak_adc":
        peaks = [upright(samples, preparation).waveforms.max(axis=1) for samples in blocks(pulses.samples)]
        quantity = np.concatenate(peaks)
    elif gates is None:
        raise SettingsError("the calibration uses long_charge_adc_ns, but no gates are given: add them to the settings")
    else:
        quantity = (charges or charges_of(pulses, preparation, gates)).long_charge_adc_ns
    return calibration.light_kevee(quantity, board=pulses.board, channel=pulses.channel)
