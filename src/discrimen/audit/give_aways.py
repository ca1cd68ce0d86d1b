"""Give-away tests: whether the class can be recognised from what is not the shape of the pulse."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.audit.discriminant import Features, cross_judge
from discrimen.audit.features import features_of, matched_by_peak
from discrimen.audit.finding import Finding, Severity
from discrimen.audit.permutation import permutation_tests
from discrimen.audit.quantities import Quantities
from discrimen.metrics import Auc, auc
from discrimen.pulses import Pulses

FALSE_ALARMS = 1e-3
"""Chance that any of the give-away tests says something of a clean data set."""

FALSE_ALARMS_FEWEST = 1e-2
"""The same where the labels have too few arrangements for that: five and five have 252, so that no test can be surer
than 1 in 126."""

FEW_EACH = 200
"""With fewer pulses of a class than this, labels are permuted instead of a classifier taught."""

MOST_EACH = 10_000
"""Pulses of each class that are looked at, at most."""

POSITION_TOLERANCE_SAMPLES = 0.2
"""Between the quantiles of the classes' trigger positions: its own shape moves a pulse's crossing by a tenth of it."""

AMPLITUDE_TOLERANCE = 0.55
"""AUC up to which the charges count as alike: a record that cuts off the tail cuts off more of a neutron's."""

WEAK_AUC = 0.55
"""A give-away up to this AUC is sure but small, as between any two real runs: a warning, not an error."""

_LEAST_EACH = 4
_UNITS = {"baseline": "ADC counts", "ADC step": "ADC counts", "trigger position": "samples", "amplitude": "ADC samples"}
"""Of the quantities whose quartiles are told; the first one, where a test sees several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveAwayTest:
    """How well the class can be recognised from one thing that should say nothing of it.

    Parameters
    ----------
    name : str
        What was looked at.
    auc : Auc
        With an interval of the confidence `confidence`, so wide that all tests of a clean data set together hold 0.5.
    confidence : float
        Of the interval.
    p_value : float
        Of no give-away, corrected for the number of tests.
    gives_away : bool
        Whether it gives the class away.
    n_pulses, n_tests : int
        How many pulses were looked at, and how many tests were made.
    method : str
        How it was tested.
    matched : bool
        Whether pulses of equal height were compared.
    quartiles : tuple of two tuples of three floats, or None
        Of the quantity, gammas first, where the test sees one that can be told.
    unit : str
        Of the quartiles.
    """

    name: str
    auc: Auc
    confidence: float
    p_value: float
    gives_away: bool
    n_pulses: int
    n_tests: int
    method: str
    matched: bool = False
    quartiles: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    unit: str = ""

    @property
    def permuted(self) -> bool:
        """Whether labels were permuted, because there are few pulses, and the interval decides nothing."""
        return self.method.startswith("permutation")

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        names = ("name", "confidence", "p_value", "gives_away", "n_pulses", "n_tests", "method", "matched")
        values = {name: getattr(self, name) for name in names}
        values |= {"auc": self.auc.value, "auc_low": self.auc.low, "auc_high": self.auc.high}
        if self.quartiles is not None:
            values |= {"unit": self.unit, "quartiles_gamma": list(self.quartiles[0])}
            values |= {"quartiles_neutron": list(self.quartiles[1])}
        return values

    def typical(self) -> str:
        """Return what is typical of each class, for people; empty where one quantity does not tell it."""
        if self.quartiles is None:
            return ""
        told = [
            f"{name} {middle:.6g} ({low:.6g} to {high:.6g})"
            for name, (low, middle, high) in zip(("gammas", "neutrons"), self.quartiles, strict=True)
        ]
        return f"; median and quartiles in {self.unit}: {', '.join(told)}"


def give_away_tests(
    quantities: Quantities, pulses: Pulses, *, left_out: NDArray[np.int64], rng: np.random.Generator
) -> tuple[GiveAwayTest, ...]:
    """Test everything that could tell the class without the pulse's shape.

    Parameters
    ----------
    quantities : Quantities
        Of the pulses looked at.
    pulses : Pulses
        The whole data set, for board and channel.
    left_out : ndarray of int64, shape (copy,)
        Positions of copies of other pulses: a classifier would know them again, whatever it sees of them.
    rng : numpy.random.Generator
        Draws pulses, halves and permutations.

    Returns
    -------
    tuple of GiveAwayTest
        None with fewer than four pulses of a class: nothing could be found out.
    """
    rows = _drawn(quantities, left_out=left_out, rng=rng)
    neutron = quantities.is_neutron[rows]
    n_each = min(int(neutron.sum()), int((~neutron).sum()))
    if n_each < _LEAST_EACH:
        return ()
    tests = features_of(quantities, pulses, rows)
    if n_each < FEW_EACH:
        return _by_permutation(tests, neutron, rng=rng)
    return tuple(
        _by_classifier(name, features, neutron, quantities.peak_adc[rows], n_tests=len(tests), rng=rng)
        for name, features in tests.items()
    )


def _drawn(quantities: Quantities, *, left_out: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw at most MOST_EACH pulses of each class, none of them constant (those hold no pulse)."""
    usable = ~quantities.constant & ~np.isin(quantities.pulse, left_out)
    chosen = []
    for label in (False, True):
        members = np.flatnonzero((quantities.is_neutron == label) & usable)
        chosen.append(rng.choice(members, MOST_EACH, replace=False) if len(members) > MOST_EACH else members)
    return np.sort(np.concatenate(chosen))


def _by_classifier(
    name: str,
    features: Features,
    is_neutron: NDArray[np.bool_],
    peak_adc: NDArray[np.float64],
    *,
    n_tests: int,
    rng: np.random.Generator,
) -> GiveAwayTest:
    known = np.flatnonzero(np.isfinite(features.quantities).all(axis=1))
    matched = False
    if name == "trigger position":
        # A leading edge fires earlier on a higher pulse: compare pulses of equal height.
        alike = known[matched_by_peak(peak_adc[known], is_neutron[known], rng=rng)]
        matched = len(alike) >= 2 * FEW_EACH
        known = alike if matched else known
    confidence = 1 - 2 * FALSE_ALARMS / n_tests
    found = cross_judge(features[known], is_neutron[known], confidence=confidence, rng=rng)
    p_value = min(1.0, n_tests * found.p_value)
    return GiveAwayTest(
        name=name,
        auc=found.auc,
        confidence=confidence,
        p_value=p_value,
        gives_away=p_value < FALSE_ALARMS and not _tolerable(name, features[known], is_neutron[known], found.auc),
        n_pulses=len(known),
        n_tests=n_tests,
        method="discriminant, one half taught and the other judged, both ways",
        matched=matched,
        quartiles=_quartiles(name, features[known], is_neutron[known]),
        unit=_UNITS.get(name, ""),
    )


def _by_permutation(
    tests: dict[str, Features], is_neutron: NDArray[np.bool_], *, rng: np.random.Generator
) -> tuple[GiveAwayTest, ...]:
    finite = {name: _without_nan(features) for name, features in tests.items()}
    allowed = false_alarms(int(is_neutron.sum()), int((~is_neutron).sum()))
    results = []
    for name, strongest in permutation_tests(finite, is_neutron, rng=rng).items():
        area = auc(strongest.values, is_neutron.astype(np.int8))
        if area.value < 0.5:
            area = Auc(1 - area.value, 1 - area.high, 1 - area.low)
        results.append(
            GiveAwayTest(
                name=name,
                auc=area,
                confidence=0.95,
                p_value=strongest.p_value,
                gives_away=strongest.p_value < allowed and not _tolerable(name, finite[name], is_neutron, area),
                n_pulses=len(is_neutron),
                n_tests=len(tests),
                method=f"permutation of the labels; shown: {strongest.name}",
                quartiles=_quartiles(name, finite[name], is_neutron),
                unit=_UNITS.get(name, ""),
            )
        )
    return tuple(results)


def _quartiles(
    name: str, features: Features, is_neutron: NDArray[np.bool_]
) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    if name not in _UNITS:
        return None
    gamma, neutron = (np.quantile(features.quantities[is_neutron == of, 0], [0.25, 0.5, 0.75]) for of in (False, True))
    return tuple(gamma.tolist()), tuple(neutron.tolist())


def _tolerable(name: str, features: Features, is_neutron: NDArray[np.bool_], area: Auc) -> bool:
    """Whether a difference, sure as it may be, is what the physics of the pulse makes of it."""
    if name == "amplitude":
        return area.value <= AMPLITUDE_TOLERANCE
    if name == "trigger position":
        levels = np.linspace(0.05, 0.95, 19)
        quantiles = [np.quantile(features.quantities[is_neutron == label, 0], levels) for label in (False, True)]
        return float(np.abs(quantiles[1] - quantiles[0]).max()) <= POSITION_TOLERANCE_SAMPLES
    return False


def false_alarms(n_gamma: int, n_neutron: int) -> float:
    """Return the chance that any give-away test says something of a clean data set of so many pulses."""
    surest = 2 / comb(n_gamma + n_neutron, n_neutron)
    return FALSE_ALARMS if surest < FALSE_ALARMS else FALSE_ALARMS_FEWEST


def _without_nan(features: Features) -> Features:
    quantities = features.quantities
    known = np.isfinite(quantities)
    # A pulse without a crossing stands in the middle: it pulls to neither side.
    middle = np.where(known.any(axis=0), np.nanmedian(np.where(known.any(axis=0), quantities, 0.0), axis=0), 0.0)
    return Features(names=features.names, quantities=np.where(known, quantities, middle), samples=features.samples)


_MEND = {
    "pre-trigger": "look at the mean pre-trigger samples of both classes: take both classes under the same conditions",
    "pre-trigger noise": "take both classes with the same electronics, cables, digitizer settings and rate",
    "baseline": "take both classes with the same DC offset and channel; subtract the baseline (training does), and "
    "check with the pre-trigger test that nothing else came with it",
    "ADC step": "one class was digitised or stored with fewer bits: take it again, or drop the other's lowest bits",
    "trigger position": "trigger both classes alike, or align the pulses (train --align FRACTION)",
    "channel": "take both classes in every channel, or train each channel by itself",
    "amplitude": "spectra of neutrons and gammas differ by nature, so this alone is no fault: balance the training "
    "part over energy, scale each pulse to its peak, and judge in bins of energy",
}


def give_away_findings(tests: tuple[GiveAwayTest, ...], *, where: str) -> list[Finding]:
    """Turn the tests that failed into findings."""
    spectra_differ = any(test.gives_away for test in tests if test.name == "amplitude")
    return [_finding(test, spectra_differ=spectra_differ, where=where) for test in tests if test.gives_away]


def _finding(test: GiveAwayTest, *, spectra_differ: bool, where: str) -> Finding:
    # The spectra of the classes differ by nature, and a leading edge then fires at different times.
    natural = test.name == "amplitude" or (test.name == "trigger position" and spectra_differ and not test.matched)
    return Finding(
        check=f"give-away-{test.name.replace(' ', '-').lower()}",
        severity=Severity.WARNING if natural or test.auc.value <= WEAK_AUC else Severity.ERROR,
        what=f"the {test.name} alone tells the class: AUC {test.auc.value:.3f} where 0.5 is due "
        f"(p = {test.p_value:.2g}, corrected for {test.n_tests} tests)",
        how_many=f"tested on {test.n_pulses} pulses{test.typical()}",
        where=where,
        mend=_MEND[test.name],
        numbers=test.as_dict(),
    )
