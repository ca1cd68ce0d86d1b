"""Locate hits by a basis: the classic method, with the same answers and flags as a model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.grid_search.bound import posterior
from discrimen.grid_search.noise import Noise, white_noise
from discrimen.grid_search.search import SearchOptions, search
from discrimen.grid_search.segment_library import SegmentLibrary, SignalBasis, segment_library
from discrimen.network.hits_domain import END_SAMPLES, NET_SHARE, NET_SIGMA, PositionFlag, dead_channels
from discrimen.network.located import Located
from discrimen.pulses.hits import Hits, in_order_of

_FEWEST_BASELINE = 4


class NamedBasis(SignalBasis, Protocol):
    """A basis whose channels have names and whose interactions a time."""

    @property
    def channels(self) -> tuple[str, ...]:
        """Segments, then the core."""

    @property
    def onset_ns(self) -> float:
        """When the gamma ray interacts, after the first sample."""


@dataclass(slots=True, eq=False, kw_only=True)
class GridSearch:
    """Locates hits of one crystal.

    Parameters
    ----------
    basis : NamedBasis
        Of the crystal.
    options : SearchOptions
        How to search.
    posterior : bool
        Give the mean of the posterior with its standard deviation, instead of the least square.
    latest_ns : float
        Hits may be so much later in their record than the basis, from 0 on.
    offset_step_ns : float
        Between the times that are compared.
    most_chi_square : float or None
        Hits whose least square, by the number of samples of all channels, is above it get no position: two interactions
        in one segment, for example. About 1 for noise alone; None: all get one.
    noise_adc : float or None
        Of a sample in ADC counts, white; None: measured before the onset of the first hits, in each channel.
    libraries : dict of int to SegmentLibrary
        By segment, filled as hits come; those of another search with the same basis, times and noise may be given.
    """

    basis: NamedBasis
    options: SearchOptions = field(default_factory=SearchOptions)
    posterior: bool = False
    latest_ns: float = 10.0
    offset_step_ns: float = 2.5
    most_chi_square: float | None = None
    noise_adc: float | None = None
    libraries: dict[int, SegmentLibrary] = field(default_factory=dict, repr=False)
    _noise: Noise | None = field(default=None, repr=False)

    def locate(self, hits: Hits) -> Located:
        """Find the position of each hit.

        Parameters
        ----------
        hits : Hits
            Their channels may be in any order. The records end as long after the onset as those of the basis; what
            they have before is baseline.

        Returns
        -------
        Located
            With errors where the mean of the posterior is asked for.

        Raises
        ------
        DataError
            If channels, sampling period or length of the records do not fit the basis.
        """
        ordered = in_order_of(hits, self.basis.channels)
        self._require_fitting(ordered)
        whole = self._above_baseline(ordered)
        there = ~dead_channels(ordered, slice(0, self._n_baseline(ordered.n_samples)))
        if ordered.present is not None:
            there &= ordered.present
        noise = self._noise_of(whole, there)
        traces = whole[:, :, -self.basis.traces.shape[2] :]
        height = traces[:, -1, -END_SAMPLES:].mean(axis=1)
        segment, flags = self._segments(traces, noise, height)
        flags[~there[:, -1]] |= np.uint16(PositionFlag.NO_REFERENCE)
        flags[~there[:, :-1].all(axis=1)] |= np.uint16(PositionFlag.MISSING_CHANNELS)
        position, deviation = np.full((2, len(hits), 3), np.nan)
        everything = np.arange(len(self.basis.channels))
        for number in np.unique(segment[flags == 0]):
            rows = np.flatnonzero((segment == number) & (flags == 0))
            library = self._library(int(number), noise)
            white = noise.whitened(traces[rows], everything)
            if self.posterior:
                mean = posterior(library, white, height[rows])
                position[rows], deviation[rows] = mean.mean_mm, mean.rms_mm
            else:
                found = search(library, white, height[rows], options=self.options)
                unlike = rows[found.chi_square > (self.most_chi_square or np.inf) * found.n_values]
                position[rows] = found.positions_mm
                flags[unlike] |= np.uint16(PositionFlag.UNLIKE_SIGNALS)
                position[unlike] = np.nan
        return Located(position_mm=position, deviation_mm=deviation if self.posterior else None, flags=flags)

    def _require_fitting(self, hits: Hits) -> None:
        n_samples = self.basis.traces.shape[2]
        period_ns = hits.info.sample_period_ns
        if period_ns is not None and not np.isclose(period_ns, self.basis.sample_period_ns, rtol=1e-6):
            raise DataError(
                f"the hits are sampled every {period_ns:g} ns, the basis every {self.basis.sample_period_ns:g} ns"
            )
        if hits.n_samples < n_samples:
            raise DataError(f"the hits have {hits.n_samples} samples, the signals of the basis {n_samples}")
        n_baseline = self._n_baseline(hits.n_samples)
        if n_baseline < _FEWEST_BASELINE:
            raise DataError(
                f"the hits have {n_baseline} samples before the onset, expected at least {_FEWEST_BASELINE} for the "
                "baseline"
            )

    def _n_baseline(self, n_samples: int) -> int:
        """Return how many samples of a record lie before the earliest onset."""
        skipped = n_samples - int(self.basis.traces.shape[2])
        return skipped + int(self.basis.onset_ns / self.basis.sample_period_ns)

    def _above_baseline(self, hits: Hits) -> NDArray[np.float32]:
        samples = hits.samples.astype(np.float32)
        before = samples[:, :, : self._n_baseline(hits.n_samples)]
        above: NDArray[np.float32] = samples - before.mean(axis=2, keepdims=True)
        return above

    def _noise_of(self, whole: NDArray[np.float32], there: NDArray[np.bool_]) -> Noise:
        if self._noise is None:
            n_channels, n_samples = whole.shape[1], int(self.basis.traces.shape[2])
            n_baseline = self._n_baseline(whole.shape[2])
            before = whole[:, :, :n_baseline]
            sigma = (
                np.sqrt(
                    np.einsum("hcs,hcs,hc->c", before, before, there.astype(np.float32))
                    / np.maximum(there.sum(axis=0) * (n_baseline - 1), 1)
                )
                if self.noise_adc is None
                else np.full(n_channels, self.noise_adc)
            )
            silent = np.flatnonzero(~(sigma > 0))
            if len(silent):
                raise DataError(
                    f"channel {self.basis.channels[silent[0]]} has no noise before the pulse: is it dead or absent in "
                    "all hits? For signals without noise give it (--noise-adc)"
                )
            self._noise = white_noise(sigma, n_channels=n_channels, n_samples=n_samples)
        return self._noise

    def _segments(
        self, traces: NDArray[np.float32], noise: Noise, height: NDArray[np.float32]
    ) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:
        """Return the hit segment and the flags of hits that have none, or several."""
        ends = traces[:, :-1, -END_SAMPLES:].mean(axis=2)
        sigma = np.sqrt(noise.covariance[:-1, 0, 0] / END_SAMPLES)
        net = (ends > NET_SHARE * height[:, None]) & (ends > NET_SIGMA * sigma)
        flags = np.zeros(len(traces), np.uint16)
        flags[~(height > 0)] |= np.uint16(PositionFlag.UNPREPARED)
        flags[~net.any(axis=1)] |= np.uint16(PositionFlag.TOO_LOW)
        flags[net.sum(axis=1) > 1] |= np.uint16(PositionFlag.SEVERAL_SEGMENTS)
        return ends.argmax(axis=1), flags

    def _library(self, segment: int, noise: Noise) -> SegmentLibrary:
        if segment not in self.libraries:
            self.libraries[segment] = segment_library(
                self.basis,
                segment,
                noise,
                channels=np.arange(len(self.basis.channels)),
                offsets_ns=np.arange(0, self.latest_ns + 0.5 * self.offset_step_ns, self.offset_step_ns),
                window=slice(0, self.basis.traces.shape[2]),
            )
        return self.libraries[segment]
