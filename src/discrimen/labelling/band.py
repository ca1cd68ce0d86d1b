"""Labels by band: energy-dependent cuts in the charge-comparison plane, with the purity that they reach.

Where the bands merge nobody knows what a pulse is. Two estimates of the contamination behind each cut are made: from
the tails of the fitted Gaussians, and from the other band's outer side, mirrored at its centre, which knows of tails
that are not Gaussian. The worse one counts. A class whose purity stays below the wish is left out of its slice.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.labelling.band_control import BandControl, compare_with_control
from discrimen.labelling.band_cuts import ClassCut, choose_cuts
from discrimen.labelling.band_evidence import BandEvidence, find_evidence
from discrimen.labelling.band_fit import (
    FEWEST_IN_SLICE,
    Bands,
    SliceFit,
    fit_slices,
    slice_edges,
    smooth_bands,
    straightened,
)
from discrimen.labelling.band_shape import find_shapes
from discrimen.metrics import FIGURE_OF_MERIT_DEFINITION
from discrimen.pulses import Label

_DEFAULT_QUANTILES = (0.05, 0.999)


@dataclass(frozen=True, slots=True, kw_only=True)
class BandOptions:
    """How to label by band.

    Parameters
    ----------
    purity : float
        Wished share of true neutrons among those labelled so, and of true gammas, in each slice.
    least_efficiency : float
        A cut that keeps less of its own band than this is not tried: the slice is left out for the class.
    energy_range : (float, float), optional
        In the unit of the energy; by default from the 5 % to the 99.9 % quantile.
    n_draws : int
        Bootstrap repetitions behind each interval.
    confidence : float
        Of the intervals.
    """

    purity: float = 0.99
    least_efficiency: float = 0.5
    energy_range: tuple[float, float] | None = None
    n_draws: int = 200
    confidence: float = 0.95

    def __post_init__(self) -> None:
        for name in ("purity", "least_efficiency", "confidence"):
            if not 0 < getattr(self, name) < 1:
                raise SettingsError(f"{name} must lie between 0 and 1, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class BandSlice:
    """One slice of energy: its fit and its cuts.

    Parameters
    ----------
    fit : SliceFit
        Two Gaussians, or why not.
    gamma, neutron : ClassCut
        What is labelled as each class.
    """

    fit: SliceFit
    gamma: ClassCut
    neutron: ClassCut

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        merit = self.fit.merit
        return {
            "energy_low": self.fit.low,
            "energy_high": self.fit.high,
            "energy_centre": self.fit.centre,
            "n_pulses": self.fit.n_pulses,
            "figure_of_merit": None if merit is None else merit.value,
            "figure_of_merit_error": None if merit is None else merit.error,
            "figure_of_merit_probability": None if merit is None else merit.probability,
            "no_fit": self.fit.problem or None,
            "gamma": asdict(self.gamma),
            "neutron": asdict(self.neutron),
        }


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class BandLabels:
    """Two bands, and the cuts that follow.

    Parameters
    ----------
    slices : tuple of BandSlice
        By ascending energy.
    bands : Bands
        Smooth centres and widths.
    evidence : BandEvidence
        Why there are two.
    options : BandOptions
        As asked for.
    control : BandControl, optional
        The run without neutrons beside the mixed one, where one was given.
    """

    slices: tuple[BandSlice, ...]
    bands: Bands
    evidence: BandEvidence
    options: BandOptions
    control: BandControl | None = None

    def labels(self, energy: NDArray[Any], psd: NDArray[Any]) -> NDArray[np.int8]:
        """Label pulses; what lies between the cuts, far outside of a band or in a slice left out stays unknown.

        Parameters
        ----------
        energy, psd : ndarray of float, shape (pulse,)
            In the units of the fit; NaN stays unknown.
        """
        labels = np.full(len(energy), Label.UNKNOWN, np.int8)
        edges = np.array([*(part.fit.low for part in self.slices), self.slices[-1].fit.high])
        known = np.flatnonzero(np.isfinite(psd) & (energy >= edges[0]) & (energy < edges[-1]))
        energy, psd = np.asarray(energy)[known], np.asarray(psd)[known]
        number = np.searchsorted(edges, energy, side="right") - 1
        for label, name in ((Label.GAMMA, "gamma"), (Label.NEUTRON, "neutron")):
            labelled = np.array([getattr(part, name).labelled for part in self.slices])[number]
            low, high = self.limits(energy, label)
            labels[known[labelled & (psd >= low) & (psd < high)]] = label
        return labels

    def limits(self, energy: NDArray[Any], label: Label) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the lowest and the highest PSD that get a label, at some energies.

        The limits of the slices, in units of the distance between the bands, are joined by straight lines in the
        logarithm of the energy.
        """
        cuts = [part.gamma if label is Label.GAMMA else part.neutron for part in self.slices]
        at = np.log([part.fit.centre for part in self.slices])
        chosen = np.array([cut.labelled for cut in cuts])
        chosen = chosen if chosen.any() else ~chosen
        gamma, neutron = self.bands.gamma_mean(energy), self.bands.neutron_mean(energy)
        low, high = (
            np.interp(np.log(energy), at[chosen], np.array([getattr(cut, name) for cut in cuts])[chosen])
            for name in ("place_low", "place_high")
        )
        return gamma + low * (neutron - gamma), gamma + high * (neutron - gamma)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "options": asdict(self.options),
            "evidence": self.evidence.as_dict(),
            "gamma_run": None if self.control is None else asdict(self.control),
            "figure_of_merit_definition": FIGURE_OF_MERIT_DEFINITION,
            "slices": [part.as_dict() for part in self.slices],
        }


def find_bands(
    energy: NDArray[Any],
    psd: NDArray[Any],
    *,
    options: BandOptions,
    rng: np.random.Generator,
    psd_step: NDArray[Any] | None = None,
    gamma_run: tuple[NDArray[Any], NDArray[Any]] | None = None,
) -> BandLabels:
    """Find the two bands of a mixed source and the cuts for a wished purity.

    There must be evidence of two species, see :func:`~discrimen.labelling.band_evidence.find_evidence`. Then each
    slice of energy is fitted with two Gaussians; smooth curves go through their centres and widths, the slices are
    straightened along them and fitted once more. Cuts, purity and efficiency follow from the smooth bands and the
    shares of the classes in each slice.

    Parameters
    ----------
    energy : ndarray of float, shape (pulse,)
        Long charge or calibrated light.
    psd : ndarray of float, shape (pulse,)
        Larger for neutrons; NaN is left out.
    options : BandOptions
        Wished purity and range.
    rng : numpy.random.Generator
        For the bootstrap, and the halves that the evidence is judged by.
    psd_step : ndarray of float, shape (pulse,), optional
        By how much the PSD changes with one count of the digitizer.
    gamma_run : (ndarray, ndarray), optional
        Energy and PSD of a run without neutrons: the upper band must not show there, and its pulses behind a cut tell
        how many gammas lie there.

    Raises
    ------
    DataError
        If there are too few pulses, no evidence of two species, an upper band in the gamma run too, or two bands that
        can be fitted in no slice.
    """
    known = np.isfinite(energy) & np.isfinite(psd) & (np.asarray(energy) > 0)
    step = np.zeros(int(known.sum())) if psd_step is None else np.asarray(psd_step, np.float64)[known]
    energy, psd = np.asarray(energy, np.float64)[known], np.asarray(psd, np.float64)[known]
    low, high = options.energy_range or _default_range(energy)
    edges = slice_edges(energy, low=low, high=high)
    evidence = find_evidence(energy, psd, energy_range=(low, high), psd_step=step, rng=rng)
    fits = _connected(fit_slices(energy, psd, edges=edges), evidence)
    bands = smooth_bands(fits)
    moved = straightened(energy, psd, slices=fits, bands=bands)
    fits = _connected(fit_slices(energy, moved, edges=edges), evidence)
    bands = smooth_bands(fits)
    of_gamma_run = None if gamma_run is None else _Control.of(*gamma_run, bands=bands)
    control = None
    if of_gamma_run is not None:
        shown = (energy >= evidence.low) & (energy < evidence.high)
        control = compare_with_control(
            bands.place(energy[shown], psd[shown]), of_gamma_run.between(evidence.low, evidence.high)
        )
    flanks = find_shapes(energy, psd, slices=fits, bands=bands)
    slices = []
    for fit in fits:
        inside = (energy >= fit.low) & (energy < fit.high)
        gamma, neutron = choose_cuts(
            bands.place(energy[inside], psd[inside]),
            fit=fit,
            bands=bands,
            purity=options.purity,
            least_efficiency=options.least_efficiency,
            n_draws=options.n_draws,
            confidence=options.confidence,
            rng=rng,
            flanks=flanks,
            gamma_run=None if of_gamma_run is None else of_gamma_run.between(fit.low, fit.high),
        )
        slices.append(BandSlice(fit=fit, gamma=gamma, neutron=neutron))
    return BandLabels(slices=tuple(slices), bands=bands, evidence=evidence, options=options, control=control)


@dataclass(frozen=True, slots=True, eq=False)
class _Control:
    """Pulses of a run without neutrons: energies, and places between the bands of the mixed run."""

    energy: NDArray[np.float64]
    place: NDArray[np.float64]

    @classmethod
    def of(cls, energy: NDArray[Any], psd: NDArray[Any], *, bands: Bands) -> _Control:
        known = np.isfinite(energy) & np.isfinite(psd) & (np.asarray(energy) > 0)
        light = np.asarray(energy, np.float64)[known]
        return cls(light, bands.place(light, np.asarray(psd)[known]))

    def between(self, low: float, high: float) -> NDArray[np.float64]:
        """Return the places at some energies."""
        return self.place[(self.energy >= low) & (self.energy < high)]


def _connected(fits: tuple[SliceFit, ...], evidence: BandEvidence) -> tuple[SliceFit, ...]:
    """Take the fit from slices that no unbroken row of fits joins to the energies where two species show.

    Two Gaussians can be fitted to one band with a flat top too.
    """
    proven = [fit.low < evidence.high and fit.high > evidence.low for fit in fits]
    joined = list(proven)
    for order in (range(len(fits)), reversed(range(len(fits)))):
        last = False
        for at in order:
            joined[at] = last = proven[at] or (fits[at].merit is not None and (last or joined[at]))
    return tuple(
        fit
        if is_joined
        else replace(fit, merit=None, problem=fit.problem or "no row of fits leads here from two bands")
        for fit, is_joined in zip(fits, joined, strict=True)
    )


def _default_range(energy: NDArray[np.float64]) -> tuple[float, float]:
    if not len(energy):
        raise DataError("no pulse has a positive charge and a PSD: check polarity, baseline window and gates")
    if len(energy) < FEWEST_IN_SLICE:
        raise DataError(
            f"{len(energy)} pulses with a positive charge and a PSD, at least {FEWEST_IN_SLICE} are needed to tell two "
            "bands"
        )
    low, high = np.quantile(energy, _DEFAULT_QUANTILES)
    return float(low), float(high)
