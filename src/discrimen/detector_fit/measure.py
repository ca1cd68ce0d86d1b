"""All that is measured on the records of one channel, alike for real and for simulated ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.detector_fit.bands import Bands, find_bands
from discrimen.detector_fit.noise import Noise, adc_step, least_usual_bits, measure_noise
from discrimen.detector_fit.records import Records
from discrimen.detector_fit.traces import Traces, polarity_of, refuse_opposite, second_pulses, trace
from discrimen.detector_fit.trigger import TriggerFit, find_trigger
from discrimen.pulses.detector import PolarityName

_FEWEST_FOR_SECONDS = 100


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Measured:
    """One channel, measured.

    Parameters
    ----------
    traces : Traces
        Its records; pulses with a second one are not clean.
    has_second : ndarray of bool, shape (pulse,)
        Whether a second pulse was seen in an otherwise clean record.
    n_single : int
        Records that were looked at for second pulses.
    noise, trigger, bands
        See their classes.
    polarity : {"positive", "negative"}
        Told, or seen.
    adc_bits, adc_step : int
        Told or the least usual number; greatest common divisor of the codes' differences.
    sample_period_ns : float
        Between samples.
    """

    traces: Traces
    has_second: NDArray[np.bool_]
    n_single: int
    noise: Noise
    trigger: TriggerFit
    bands: Bands
    polarity: PolarityName
    adc_bits: int
    adc_step: int
    sample_period_ns: float

    @property
    def sign(self) -> int:
        """+1 for pulses that rise, -1 for pulses that fall."""
        return 1 if self.polarity == "positive" else -1

    @property
    def heights_adc(self) -> NDArray[np.float64]:
        """Of the clean pulses."""
        return self.traces.height_adc[self.traces.clean]

    @property
    def looks_for_seconds(self) -> bool:
        """Whether there are pulses enough for a share of second ones."""
        return self.n_single >= _FEWEST_FOR_SECONDS

    @property
    def second_share(self) -> float:
        """Of the records that were looked at."""
        return float(self.has_second.sum()) / max(self.n_single, 1)


def measure(records: Records) -> Measured:
    """Measure everything that needs no model.

    Raises
    ------
    DataError
        If the polarity is contradicted, nothing lies before the pulses, or too few are clean.
    """
    samples, period = records.samples, records.sample_period_ns
    polarity = records.settings.polarity
    if polarity is None:
        polarity = polarity_of(samples)
    else:
        refuse_opposite(samples, polarity)
    bits = records.settings.adc_bits or least_usual_bits(samples)
    every = trace(samples, sign=1 if polarity == "positive" else -1, highest_adc=2**bits - 1)
    has_second = every.clean & second_pulses(every)
    traces = replace(every, clean=every.clean & ~has_second)
    step = adc_step(samples)
    return Measured(
        traces=traces,
        has_second=has_second,
        n_single=int(every.clean.sum()),
        noise=measure_noise(samples, traces, step=step),
        trigger=find_trigger(traces),
        bands=find_bands(traces, period_ns=period),
        polarity=polarity,
        adc_bits=bits,
        adc_step=step,
        sample_period_ns=period,
    )


def steps_of_files(samples: NDArray[Any], file: NDArray[np.int64]) -> list[int]:
    """Return the ADC step of each file on its own."""
    return [adc_step(samples[file == number]) for number in np.unique(file)]
