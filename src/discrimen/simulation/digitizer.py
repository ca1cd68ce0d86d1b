"""Front end and digitizer: from charge to ADC counts."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from discrimen.pulses.detector import PolarityName
from discrimen.simulation.noise import coloured
from discrimen.simulation.response import Response

Trigger = Literal["constant_fraction", "leading_edge"]

CROSSING_FRACTION = 0.3
"""A constant-fraction trigger fires where the pulse reaches this share of its peak."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ringing:
    """A damped oscillation that follows every impulse: exp(-t/decay) (cosine cos wt + sine sin wt), w = 2 pi/period.

    Parameters
    ----------
    cosine_per_ns, sine_per_ns : float
        Amplitudes in 1/ns, relative to an impulse of unit area.
    decay_ns, period_ns : float
        Decay time and period in ns.
    """

    cosine_per_ns: float
    sine_per_ns: float
    decay_ns: float
    period_ns: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontEnd:
    """Everything between the anode and the ADC, as one linear filter.

    Parameters
    ----------
    time_constant_ns : float
        Of a single-pole low pass.
    sigma_ns : float
        Of a Gaussian smearing.
    ringing : Ringing or None
        What an impedance mismatch adds.
    second_time_constant_ns : float or None
        Of a second low pass behind the first, which must differ from it.
    """

    time_constant_ns: float
    sigma_ns: float
    ringing: Ringing | None = None
    second_time_constant_ns: float | None = None

    @classmethod
    def of_bandwidth(cls, bandwidth_mhz: float) -> FrontEnd:
        """Return a plain single-pole low pass with this -3 dB frequency (and a Gaussian of 0.1 ns)."""
        return cls(time_constant_ns=1000 / (2 * np.pi * bandwidth_mhz), sigma_ns=0.1)

    def response(self, *, extra_sigma_ns: float = 0.0) -> Response:
        """Return the impulse response; `extra_sigma_ns` adds in quadrature to the Gaussian (single-electron width)."""
        direct = Response.low_pass(self.time_constant_ns, sigma_ns=float(np.hypot(self.sigma_ns, extra_sigma_ns)))
        if self.second_time_constant_ns is not None:
            direct = direct.then_low_pass(self.second_time_constant_ns)
        if self.ringing is None:
            return direct
        ring = self.ringing
        pole = complex(-1 / ring.decay_ns, 2 * np.pi / ring.period_ns)
        half = complex(ring.cosine_per_ns, -ring.sine_per_ns) / 2
        echo = direct.then([pole, pole.conjugate()], [half, half.conjugate()])
        return direct.plus(echo)


class Digitised(NamedTuple):
    """Records, and what is known of them.

    Parameters
    ----------
    samples : ndarray of uint16, shape (pulse, sample)
        As the ADC gives them.
    saturated : ndarray of bool, shape (pulse,)
        True where a sample would have lain beyond a rail.
    baseline_adc : ndarray of float32, shape (pulse,)
        The true baseline, noise aside.
    """

    samples: NDArray[np.uint16]
    saturated: NDArray[np.bool_]
    baseline_adc: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Digitizer:
    """One digitizer with its front end and the settings it is run with.

    Parameters
    ----------
    name : str
        Its name in :data:`DIGITIZERS`.
    sample_period_ns : float
        Time between samples in ns.
    adc_bits : int
        Resolution; samples are clipped to 0 .. 2**adc_bits - 1.
    n_samples : int
        Length of the record.
    pretrigger_ns : float
        From the first sample to the trigger, up to one sampling period more (the phase of the sampling clock).
    polarity : {"positive", "negative"}
        Direction of the pulses.
    baseline_adc, baseline_spread_adc : float
        Mean baseline, and its standard deviation from pulse to pulse.
    noise_adc : float
        Standard deviation of the noise of each sample.
    gain_adc_per_kevee : float
        Peak of the mean gamma pulse for 1 keVee, in ADC counts.
    trigger : {"constant_fraction", "leading_edge"}
        A leading edge fires earlier on a higher pulse (time walk); a constant fraction does not.
    threshold_adc : float
        Of the leading edge, above the baseline.
    charge_divisor : int
        The digitizer's own energies are gate sums (ADC counts x samples) divided by this, in 0 .. 65535.
    pile_up_resolving_ns : float
        A second pulse closer than this is not noticed by the digitizer.
    front_end : FrontEnd
        What shapes the pulse before the ADC.
    adc_step : int
        Every sample is a multiple of it: 4 where a digitizer gives 10 bits as 12.
    noise_power : tuple of float
        Relative power of the noise at evenly spaced frequencies from 0 to half the sampling rate; empty: white.
    """

    name: str
    sample_period_ns: float
    adc_bits: int
    n_samples: int
    pretrigger_ns: float
    polarity: PolarityName
    baseline_adc: float
    baseline_spread_adc: float
    noise_adc: float
    gain_adc_per_kevee: float
    trigger: Trigger
    threshold_adc: float
    charge_divisor: int
    pile_up_resolving_ns: float
    front_end: FrontEnd
    adc_step: int = 1
    noise_power: tuple[float, ...] = ()

    @property
    def highest_adc(self) -> int:
        """The upper rail."""
        return int(2**self.adc_bits - 1)

    @property
    def highest_code(self) -> int:
        """The highest value that a sample can have."""
        return self.highest_adc // self.adc_step * self.adc_step

    @property
    def sign(self) -> int:
        """+1 for pulses that rise, -1 for pulses that fall."""
        return 1 if self.polarity == "positive" else -1

    @property
    def record_ns(self) -> float:
        """Length of the record in ns."""
        return self.n_samples * self.sample_period_ns

    def digitise(
        self,
        waves_adc: NDArray[np.float32],
        *,
        baseline_shift_adc: NDArray[np.float64],
        relative_noise: NDArray[np.float32],
        rng: np.random.Generator,
    ) -> Digitised:
        """Add baseline and noise, round and clip.

        Parameters
        ----------
        waves_adc : ndarray of float32, shape (pulse, sample)
            Pulses above the baseline in ADC counts, positive.
        baseline_shift_adc : ndarray of float64, shape (pulse,)
            Of the pulse's channel and run, added to the mean baseline.
        relative_noise : ndarray of float32, shape (pulse,)
            Of the pulse's channel and run, times `noise_adc`.
        rng : numpy.random.Generator
            Source of baseline and noise.
        """
        mean = self.baseline_adc + baseline_shift_adc[:, None]
        drawn = mean + self.baseline_spread_adc * rng.standard_normal((len(waves_adc), 1))
        baseline = drawn.astype(np.float32)
        analogue: NDArray[Any] = coloured(rng.standard_normal(waves_adc.shape, dtype=np.float32), self.noise_power)
        analogue *= np.float32(self.noise_adc) * relative_noise[:, None]
        analogue += baseline
        analogue += self.sign * waves_adc
        analogue /= self.adc_step
        np.rint(analogue, out=analogue)
        analogue *= self.adc_step
        saturated = (analogue.min(axis=1) < 0) | (analogue.max(axis=1) > self.highest_adc)
        return Digitised(np.clip(analogue, 0, self.highest_code).astype(np.uint16), saturated, baseline[:, 0])


BC501A_SETUP = FrontEnd(
    time_constant_ns=4.9785,
    sigma_ns=2.1961,
    ringing=Ringing(cosine_per_ns=-0.0423, sine_per_ns=-0.0163, decay_ns=20.301, period_ns=22.066),
)
"""The set-up of the real BC501A pulses (DT5751), with its ringing from an impedance mismatch.

Fitted to the digitised mean pulses by `benchmarks/fit_bc501a_front_end.py`, which says what the fit assumes.
"""

_NUMEXO2 = Digitizer(
    name="NUMEXO2",
    sample_period_ns=10.0,
    adc_bits=14,
    n_samples=75,
    pretrigger_ns=150.0,
    polarity="negative",
    baseline_adc=15000.0,
    baseline_spread_adc=5.0,
    noise_adc=3.0,
    gain_adc_per_kevee=3.75,
    trigger="constant_fraction",
    threshold_adc=40.0,
    charge_divisor=1,
    pile_up_resolving_ns=60.0,
    front_end=replace(BC501A_SETUP, ringing=None),
)

DIGITIZERS: dict[str, Digitizer] = {
    digitizer.name: digitizer
    for digitizer in (
        _NUMEXO2,
        replace(
            _NUMEXO2,
            name="NUMEXO2-5ns",
            sample_period_ns=5.0,
            n_samples=232,
            noise_adc=round(_NUMEXO2.noise_adc * math.sqrt(2), 2),
            charge_divisor=2,
        ),
        replace(_NUMEXO2, name="NUMEXO2-NEDA", n_samples=232),
        Digitizer(
            name="DT5730",
            sample_period_ns=2.0,
            adc_bits=14,
            n_samples=400,
            pretrigger_ns=120.0,
            polarity="negative",
            baseline_adc=15000.0,
            baseline_spread_adc=5.0,
            noise_adc=3.0,
            gain_adc_per_kevee=3.75,
            trigger="constant_fraction",
            threshold_adc=40.0,
            charge_divisor=4,
            pile_up_resolving_ns=30.0,
            front_end=FrontEnd.of_bandwidth(250.0),
        ),
        Digitizer(
            name="DT5751",
            sample_period_ns=1.0,
            adc_bits=10,
            n_samples=192,
            pretrigger_ns=36.0,
            polarity="negative",
            baseline_adc=880.0,
            baseline_spread_adc=3.0,
            noise_adc=1.0,
            gain_adc_per_kevee=0.35,
            trigger="leading_edge",
            threshold_adc=15.0,
            charge_divisor=8,
            pile_up_resolving_ns=30.0,
            front_end=BC501A_SETUP,
        ),
    )
}
"""The digitizers by name.

Known: sampling period and bits of each; 75 samples of 10 ns as the reference network of NEDA sees them; 250 MHz input
bandwidth of the DT5730 (CAEN); baseline, polarity, record length and about 36 ns of pre-trigger of the real DT5751
pulses. Chosen: the other baselines and pre-triggers; negative polarity (a photomultiplier's anode without inverter);
the gains, which put the rail at about 4 MeVee (14 bits) and 2.5 MeVee (10 bits); thresholds and resolving times.

NUMEXO2-5ns is what the board gives NEDA: 200 MHz and 14 bits (Houarner et al., the NUMEXO2 module), 232 samples in a
frame of 512 bytes (`NEDA_NB_OF_ITEMS` in `MFMNedaFrame.h` of GANIL's library of frames). Chosen: noise of the same
density as in the 75 samples of 10 ns, so that the mean of two samples has the noise of one of those; the pre-trigger.

NUMEXO2-NEDA is NUMEXO2 with as many samples as such a frame holds, of 10 ns: for files of GANIL's MFM.

NUMEXO2 takes the fitted low pass of the real BC501A set-up (5 ns, 32 MHz, and a Gaussian) without the ringing. This
matters for charge comparison: at 10 ns sampling a faster front end is undersampled, and the two gates then fluctuate
with the phase of the clock far more than with the photoelectrons.
"""
