"""What adaptation and drift look at, pulse by pulse: logit, peak, baseline and noise, in constant memory a pulse."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.formats.base import Reader
from discrimen.formats.channel_selection import ALL_CHANNELS, ChannelSelection, ChannelSieve
from discrimen.inference.base import Predictor
from discrimen.inference.compatible import require_compatible
from discrimen.metrics import neutron_logits
from discrimen.network.preparation import Preparation
from discrimen.network.prepare import subtract_baseline
from discrimen.pulses import Label, PulseFlag, Pulses

_CUT_OFF = PulseFlag.SATURATED_INPUT | PulseFlag.SATURATED_GATE
_BLOCK_SAMPLES = 2**21


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Measured:
    """Figures of pulses, each of shape (pulse,) and of type float64 unless stated.

    Parameters
    ----------
    logit : ndarray
        log(p / (1 - p)) of the neutron score; NaN for a pulse that could not be prepared, or that the digitizer flags
        as saturated.
    peak_adc : ndarray
        Highest sample above the baseline, in the direction of the pulses.
    baseline_adc : ndarray
        Mean of the samples of the model's baseline window.
    noise_adc : ndarray
        Standard deviation of the same samples; 0 where the window holds one sample.
    label : ndarray of int8
        :class:`~discrimen.pulses.Label`; unknown where the run holds no labels.
    """

    logit: NDArray[np.float64]
    peak_adc: NDArray[np.float64]
    baseline_adc: NDArray[np.float64]
    noise_adc: NDArray[np.float64]
    label: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.logit)

    def __getitem__(self, index: slice | NDArray[np.bool_] | NDArray[np.int64]) -> Measured:
        """Select pulses by a slice, a boolean mask or an array of positions."""
        return Measured(**{field.name: getattr(self, field.name)[index] for field in fields(self)})

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Which pulses have a score and a peak."""
        found: NDArray[np.bool_] = np.isfinite(self.logit) & np.isfinite(self.peak_adc) & (self.peak_adc > 0)
        return found


def join(parts: Iterable[Measured]) -> Measured:
    """Join the pulses of several stretches, perhaps none."""
    chunks = [_none(), *parts]
    return Measured(
        **{field.name: np.concatenate([getattr(chunk, field.name) for chunk in chunks]) for field in fields(Measured)}
    )


def measure(pulses: Pulses, predictor: Predictor) -> Measured:
    """Score pulses, and measure what the score alone does not tell.

    Parameters
    ----------
    pulses : Pulses
        That fit the model.
    predictor : Predictor
        A model of two classes.

    Raises
    ------
    DataError
        If the records are too short for the model, or it has not two classes.
    """
    description = predictor.description
    logit = neutron_logits(predictor.predict(pulses.samples), neutron_class=description.neutron_class)
    if pulses.flags is not None:
        logit[(pulses.flags & np.uint32(_CUT_OFF)) != 0] = np.nan
    step = max(1, _BLOCK_SAMPLES // pulses.n_samples)
    peak, baseline, noise = np.empty((3, len(pulses)))
    for first in range(0, len(pulses), step):
        rows = slice(first, first + step)
        peak[rows], baseline[rows], noise[rows] = levels_of(pulses[rows], description.preparation)
    unknown = np.full(len(pulses), Label.UNKNOWN, np.int8)
    return Measured(
        logit=logit,
        peak_adc=peak,
        baseline_adc=baseline,
        noise_adc=noise,
        label=unknown if pulses.label is None else pulses.label,
    )


def measure_run(
    reader: Reader,
    predictor: Predictor,
    *,
    selection: ChannelSelection = ALL_CHANNELS,
    on_pulses: Callable[[Pulses], None] = lambda _: None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Measured:
    """Measure every pulse of a run file, chunk by chunk; the waveforms are not kept.

    Parameters
    ----------
    reader : Reader
        The open run file.
    predictor : Predictor
        The model.
    selection : ChannelSelection
        Which boards and channels.
    on_pulses : callable
        Called with the pulses of the selection of each chunk.
    on_progress : callable
        Called with the number of pulses of each chunk.

    Raises
    ------
    DataError
        If the file holds no pulse of the selection, or the model does not fit them.
    """
    info, sieve, parts = reader.info, ChannelSieve(selection, str(reader.info.path)), []
    for read in reader.chunks():
        pulses = sieve(read)
        if len(pulses):
            require_compatible(predictor.description, pulses, info.settings, where=str(info.path))
            parts.append(measure(pulses, predictor))
            on_pulses(pulses)
        on_progress(len(read))
    if not parts:
        met = sieve.describe_met()
        raise DataError(f"{info.path}: no pulses of {selection}" + (f"; it holds {met}" if met else ""))
    return join(parts)


def levels_of(
    pulses: Pulses, preparation: Preparation
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float64]]:
    """Return peak, baseline and noise of pulses in ADC counts, as :class:`Measured` says, each of shape (pulse,).

    Raises
    ------
    DataError
        If the records are shorter than the baseline window.
    """
    window = slice(preparation.only.baseline_start, preparation.only.baseline_stop)
    upright, baseline = subtract_baseline(
        pulses.samples,
        start=preparation.only.baseline_start,
        stop=preparation.only.baseline_stop,
        polarity=preparation.only.polarity,
    )
    return upright.max(axis=1), baseline, upright[:, window].std(axis=1, dtype=np.float64)


def _none() -> Measured:
    empty = np.empty(0)
    return Measured(logit=empty, peak_adc=empty, baseline_adc=empty, noise_adc=empty, label=np.empty(0, np.int8))
