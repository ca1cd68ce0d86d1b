"""What is measured of every pulse that a model gives a waveform of, stretch by stretch."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.inference.base import Predictor
from discrimen.metrics.waveform_residuals import WaveformErrors
from discrimen.network.domain import outside
from discrimen.network.prepare import prepare
from discrimen.pulse_shape.measures import measures_of
from discrimen.pulse_shape.upright import blocks, crossing_fraction
from discrimen.pulses.detector import GatesNs
from discrimen.training.tasks.reconstruction import in_scale_of

_NAMES = tuple(each.name for each in fields(WaveformErrors))
_BEFORE, _AFTER = "tail_before", "tail_after"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Waveforms:
    """Pulses of one stretch, ADC counts above the baseline: recorded, given, and what should have come out.

    Each is of shape (pulse, sample) of the model's window.
    """

    recorded: NDArray[np.float64]
    given: NDArray[np.float64]
    reference: NDArray[np.float64]


@dataclass(slots=True, eq=False, kw_only=True)
class Measured:
    """What was measured, pulse by pulse; NaN where a pulse was left out.

    Parameters
    ----------
    kept : ndarray of bool, shape (pulse,)
        Which pulses are judged.
    n_unprepared, n_outside : int
        Left out: without a pulse above the baseline; unlike the training.
    errors : WaveformErrors
        Of all pulses.
    tail_before, tail_after : ndarray of float64, shape (pulse,)
        Tail fractions of what went in and what came out.
    code : ndarray of float32, shape (pulse, latent), or None
        Of an auto-encoder.
    residual_sum, residual_square_sum : ndarray of float64, shape (sample,)
        Over the pulses judged.
    """

    kept: NDArray[np.bool_]
    n_unprepared: int = 0
    n_outside: int = 0
    errors: WaveformErrors
    tail_before: NDArray[np.float64]
    tail_after: NDArray[np.float64]
    code: NDArray[np.float32] | None
    residual_sum: NDArray[np.float64] = field(default_factory=lambda: np.zeros(()))
    residual_square_sum: NDArray[np.float64] = field(default_factory=lambda: np.zeros(()))


def code_at(predictor: Predictor) -> int | None:
    """Return which output of a model is a code."""
    places = [number for number, output in enumerate(predictor.description.outputs) if output.kind == "code"]
    return places[0] if places else None


def waveforms_of(
    predictor: Predictor, samples: NDArray[Any], clean: NDArray[Any] | None
) -> tuple[Waveforms, NDArray[np.bool_], tuple[NDArray[np.float32], ...]]:
    """Compute a stretch of pulses.

    Returns
    -------
    waveforms : Waveforms
        Of all of them.
    valid : ndarray of bool, shape (pulse,)
        Which could be prepared.
    outputs : tuple of ndarray
        All that the model gives.
    """
    preparation = predictor.description.preparation
    prepared, outputs = prepare(samples, preparation), predictor.run(samples)
    divisor = np.asarray(prepared.restoration.divisor, dtype=np.float64)[:, np.newaxis]
    recorded = prepared.waveforms[:, 0] * divisor
    given = outputs[predictor.description.waveform_at].astype(np.float64) * divisor
    reference = recorded
    if clean is not None:
        reference = in_scale_of(clean[:, np.newaxis], preparation, prepared.restoration)[:, 0] * divisor
    return Waveforms(recorded=recorded, given=given, reference=reference), prepared.valid, outputs


def measured_by(
    predictor: Predictor, samples: NDArray[Any], clean: NDArray[Any] | None, gates: GatesNs | None
) -> Measured:
    """Compute all pulses and measure them.

    Parameters
    ----------
    predictor : Predictor
        Of one channel.
    samples : ndarray, shape (pulse, sample)
        As digitised.
    clean : ndarray, shape (pulse, sample), or None
        Clean records of the same pulses.
    gates : GatesNs or None
        Of charge comparison.
    """
    description, number = predictor.description, code_at(predictor)
    n_pulses, length = len(samples), description.preparation.window_length
    columns = {name: np.full(n_pulses, np.nan) for name in (*_NAMES, _BEFORE, _AFTER)}
    found = Measured(
        kept=np.zeros(n_pulses, dtype=np.bool_),
        errors=WaveformErrors(**{name: columns[name] for name in _NAMES}),
        tail_before=columns[_BEFORE],
        tail_after=columns[_AFTER],
        code=None if number is None else np.full((n_pulses, description.outputs[number].n_values), np.nan, np.float32),
        residual_sum=np.zeros(length),
        residual_square_sum=np.zeros(length),
    )
    start = 0
    for block in blocks(samples):
        stretch = slice(start, start + len(block))
        start += len(block)
        waveforms, valid, outputs = waveforms_of(predictor, block, None if clean is None else clean[stretch])
        keep = valid & np.isfinite(waveforms.given).all(axis=1)
        found.n_unprepared += int(np.count_nonzero(~keep))
        if description.domain is not None:
            strange = keep & (outside(block, description.preparation, description.domain) != 0)
            found.n_outside += int(np.count_nonzero(strange))
            keep &= ~strange
        found.kept[stretch] = keep
        for name, values in _of_stretch(waveforms, predictor, gates).items():
            columns[name][stretch][keep] = values[keep]
        residual = (waveforms.given - waveforms.reference)[keep]
        found.residual_sum += residual.sum(axis=0)
        found.residual_square_sum += np.square(residual).sum(axis=0)
        if found.code is not None and number is not None:
            found.code[stretch][keep] = outputs[number][keep]
    return found


def _of_stretch(waveforms: Waveforms, predictor: Predictor, gates: GatesNs | None) -> dict[str, NDArray[np.float64]]:
    preparation = predictor.description.preparation
    before = _before(predictor)
    how: dict[str, Any] = {
        "sample_period_ns": preparation.sample_period_ns,
        "fraction": crossing_fraction(preparation),
        "gates": gates,
        "before": before,
    }
    # Waveforms of pulses that are left out may hold anything.
    with np.errstate(all="ignore"):
        recorded, given, reference = (
            measures_of(each, **how) for each in (waveforms.recorded, waveforms.given, waveforms.reference)
        )
        nothing = np.full(len(waveforms.given), np.nan)
        tails = {
            _BEFORE: nothing if recorded.tail_fraction is None else recorded.tail_fraction,
            _AFTER: nothing if given.tail_fraction is None else given.tail_fraction,
        }
        true_tail = nothing if reference.tail_fraction is None else reference.tail_fraction
        noise = nothing
        if before.stop > before.start:
            noise = waveforms.recorded[:, before].var(axis=1)
        return {
            "residual_square_adc2": np.square(waveforms.given - waveforms.reference).mean(axis=1),
            "reference_square_adc2": np.square(waveforms.reference).mean(axis=1),
            "noise_square_adc2": noise,
            "input_square_adc2": np.square(waveforms.recorded - waveforms.reference).mean(axis=1),
            "charge": given.charge_adc_ns / reference.charge_adc_ns - 1,
            "tail_fraction": tails[_AFTER] - true_tail,
            "time_ns": given.time_ns - reference.time_ns,
            "input_time_ns": recorded.time_ns - reference.time_ns,
            **tails,
        }


def _before(predictor: Predictor) -> slice:
    """Return the samples of the window that lie before the pulse; none where the window follows the pulse."""
    preparation = predictor.description.preparation
    channel = preparation.only
    if preparation.alignment is not None:
        return slice(0, 0)
    start = max(0, channel.baseline_start - channel.window_start)
    return slice(start, max(start, min(channel.baseline_stop - channel.window_start, preparation.window_length)))
