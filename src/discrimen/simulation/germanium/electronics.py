"""From the charge on the contacts to the samples of a digitizer: preamplifiers, cross-talk, noise, 14 bits.

Preamplifiers are single poles, of a time constant each. Cross-talk as B. Bruyneel et al. measured it (NIM A 599 (2009)
196; NIM A 608 (2009) 99): a share of the core's charge in all segments (linear), and of the slope of neighbouring
segments (differential).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.simulation.germanium.crystal import CORE, N_SECTORS, N_SEGMENTS
from discrimen.simulation.noise import coloured, one_over_f

TIME_CONSTANT_NS = 45.0
"""Single pole that best meets the signals that GRETINA's collaboration calculated (docs/germanium.md)."""

_MIDDLE = 2**13


@dataclass(frozen=True, slots=True, kw_only=True)
class Electronics:
    """The electronics of all channels.

    Parameters
    ----------
    time_constant_ns : float
        Mean of the preamplifiers' single poles.
    time_constant_spread : float
        Relative, from channel to channel.
    linear_crosstalk : float
        Share of the core's charge that each segment loses.
    differential_crosstalk_ns : float
        Part of the slope of each neighbouring segment that is added, per ns.
    noise_kev : float
        Rms of a sample.
    noise_corner_mhz : float or None
        Below it noise is more 1/f than white; None for white noise.
    gain_adc_per_kev : float
        Counts of a keV; that of the measured GRETINA crystal by default.
    setup_seed : int
        Of what channels differ in.
    """

    time_constant_ns: float = TIME_CONSTANT_NS
    time_constant_spread: float = 0.0
    linear_crosstalk: float = 0.0
    differential_crosstalk_ns: float = 0.0
    noise_kev: float = 3.0
    noise_corner_mhz: float | None = None
    gain_adc_per_kev: float = 2.4
    setup_seed: int = 0

    def __post_init__(self) -> None:
        for name in ("time_constant_spread", "linear_crosstalk", "differential_crosstalk_ns", "noise_kev"):
            if not 0 <= getattr(self, name) < np.inf:
                raise SettingsError(f"{name} must not be negative, got {getattr(self, name):g}")
        for name in ("time_constant_ns", "gain_adc_per_kev"):
            if not 0 < getattr(self, name) < np.inf:
                raise SettingsError(f"{name} must be positive, got {getattr(self, name):g}")

    @property
    def time_constants_ns(self) -> NDArray[np.float64]:
        """Of each channel, shape (37,)."""
        relative = np.random.default_rng([self.setup_seed, 37]).standard_normal(N_SEGMENTS + 1)
        return np.asarray(self.time_constant_ns * np.maximum(1 + self.time_constant_spread * relative, 0.2))

    def digitise(
        self, traces_kev: NDArray[np.float32], *, sample_period_ns: float, rng: np.random.Generator
    ) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
        """Return the samples of charge signals, and which hits are cut at the end of the digitizer's range.

        Parameters
        ----------
        traces_kev : ndarray of float32, shape (hit, 37, sample)
            After the preamplifiers.
        sample_period_ns : float
            Between samples.
        rng : numpy.random.Generator
            For the noise.

        Returns
        -------
        samples : ndarray of int16, shape (hit, 37, sample)
            Baseline at 0, signals of collecting contacts positive.
        saturated : ndarray of bool, shape (hit,)
        """
        crossed = self._crossed(traces_kev, sample_period_ns)
        n_hits, n_channels, n_samples = crossed.shape
        white = rng.standard_normal((n_hits * n_channels, n_samples), dtype=np.float32)
        if self.noise_corner_mhz is not None:
            power = one_over_f(self.noise_corner_mhz, sample_period_ns=sample_period_ns, n_samples=n_samples)
            white = coloured(white, power)
        counts = (crossed + np.float32(self.noise_kev) * white.reshape(crossed.shape)) * self.gain_adc_per_kev
        rounded = np.rint(counts)
        cut = np.clip(rounded, -_MIDDLE, _MIDDLE - 1)
        return cut.astype(np.int16), np.any(cut != rounded, axis=(1, 2))

    def noiseless(self, traces_kev: NDArray[np.float32], *, sample_period_ns: float) -> NDArray[np.float32]:
        """Return what :meth:`digitise` has before noise, rounding and the ends of the range, in ADC counts."""
        return self._crossed(traces_kev, sample_period_ns) * np.float32(self.gain_adc_per_kev)

    def _crossed(self, traces: NDArray[np.float32], sample_period_ns: float) -> NDArray[np.float32]:
        """Add cross-talk."""
        if not self.linear_crosstalk and not self.differential_crosstalk_ns:
            return traces
        crossed = traces.copy()
        crossed[:, :CORE] -= np.float32(self.linear_crosstalk) * traces[:, CORE:]
        slopes = np.gradient(traces[:, :CORE], sample_period_ns, axis=2)
        for segment in range(N_SEGMENTS):
            around = _neighbours(segment)
            crossed[:, segment] += np.float32(self.differential_crosstalk_ns) * slopes[:, around].sum(axis=1)
        return crossed


def _neighbours(segment: int) -> list[int]:
    """Return the segments beside, before and behind one."""
    ring, sector = divmod(segment, N_SECTORS)
    beside = [N_SECTORS * ring + (sector + step) % N_SECTORS for step in (-1, 1)]
    return beside + [other for other in (segment - N_SECTORS, segment + N_SECTORS) if 0 <= other < N_SEGMENTS]
