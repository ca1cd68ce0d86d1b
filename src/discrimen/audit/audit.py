"""The audit of a data set: what a network could cheat from, what is missing, what is out of order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.audit.blocks import blocks_of, file_of_pulse, listed
from discrimen.audit.class_order import N_PARTS, check_class_order, part_counts
from discrimen.audit.condition import check_condition
from discrimen.audit.duplicates import check_duplicates, find_copies
from discrimen.audit.energy_ranges import check_energy_ranges
from discrimen.audit.finding import Finding, Severity, ordered
from discrimen.audit.leaks import LeakTest, leak_findings, leak_tests
from discrimen.audit.quantities import Pretrigger, Quantities, measure
from discrimen.dataset import Dataset
from discrimen.errors import DataError
from discrimen.pulses import Label

_ORDER_BINS = 200
_SPECTRUM_BINS = 60


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Charts:
    """What the pictures of an audit show.

    Parameters
    ----------
    order_edges : ndarray of int64, shape (bin + 1,)
        Positions in the data set.
    order_counts : ndarray of int64, shape (bin, class)
        Gammas and neutrons between them.
    file_starts : tuple of (int, str)
        Where each file begins, and its name.
    part_counts : ndarray of int64, shape (part, class)
        Gammas and neutrons in ten equal parts.
    charge_edges : ndarray, shape (bin + 1,)
        Of the charge spectra, in ADC counts times samples.
    charge_counts : ndarray of int64, shape (bin, class)
        Gammas and neutrons in each bin.
    before_mean_adc, before_error_adc : ndarray, shape (class, pre-trigger sample)
        Mean pre-trigger of each class, and its standard error; NaN for a class without pulses.
    """

    order_edges: NDArray[np.int64]
    order_counts: NDArray[np.int64]
    file_starts: tuple[tuple[int, str], ...]
    part_counts: NDArray[np.int64]
    charge_edges: NDArray[np.float64]
    charge_counts: NDArray[np.int64]
    before_mean_adc: NDArray[np.float64]
    before_error_adc: NDArray[np.float64]

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in values.items()}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Audit:
    """What was found.

    Parameters
    ----------
    findings : tuple of Finding
        The gravest first.
    leak_tests : tuple of LeakTest
        All of them, passed or not; empty with fewer than four pulses of a class.
    files : tuple of dict
        Name, SHA-256 and number of pulses of each file.
    n_gamma, n_neutron, n_looked_at : int
        Pulses of the data set, and how many of them were measured.
    pretrigger : Pretrigger
        Which samples were taken to lie before the pulse.
    seed : int
        Of all draws.
    charts : Charts
        For the pictures.
    """

    findings: tuple[Finding, ...]
    leak_tests: tuple[LeakTest, ...]
    files: tuple[dict[str, Any], ...]
    n_gamma: int
    n_neutron: int
    n_looked_at: int
    pretrigger: Pretrigger
    seed: int
    charts: Charts

    def of_severity(self, severity: Severity) -> tuple[Finding, ...]:
        """Return the findings of one severity."""
        return tuple(finding for finding in self.findings if finding.severity == severity)

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Findings on which training refuses to start."""
        return self.of_severity(Severity.ERROR)

    def record(self) -> dict[str, Any]:
        """Return what a model keeps of the audit of its training data: what was found, in short."""
        told = [{"severity": f.severity.value, "check": f.check, "what": f.what} for f in self.findings]
        return {"seed": self.seed, "n_looked_at": self.n_looked_at, "findings": told}

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        before = self.pretrigger
        return {
            "files": list(self.files),
            "n_gamma": self.n_gamma,
            "n_neutron": self.n_neutron,
            "n_looked_at": self.n_looked_at,
            "pretrigger": {"start": before.start, "stop": before.stop, "source": before.source},
            "seed": self.seed,
            "n_errors": len(self.errors),
            "findings": [finding.as_dict() for finding in self.findings],
            "leak_tests": [test.as_dict() for test in self.leak_tests],
        }


def audit_dataset(dataset: Dataset, *, seed: int = 0) -> Audit:
    """Look for whatever would let a network learn, or seem to learn, something else than the shape of the pulses.

    Parameters
    ----------
    dataset : Dataset
        Labelled.
    seed : int
        Chooses among the pulses of a large data set, and draws halves and permutations.

    Raises
    ------
    DataError
        If there are no labels, or no pulse is labelled.
    SettingsError
        If the baseline window of the settings does not fit into the records.
    """
    dataset = _labelled(dataset)
    rng = np.random.default_rng(seed)
    blocks = blocks_of(dataset)
    quantities = measure(dataset, rng=rng)
    copies = find_copies(dataset.pulses.samples)
    tests = leak_tests(quantities, dataset.pulses, left_out=copies.further, rng=rng)
    names = listed([str(file["name"]) for file in dataset.files])
    findings = [
        *check_class_order(blocks),
        *leak_findings(tests, where=names),
        *check_duplicates(dataset, copies),
        *check_condition(dataset, quantities),
        *check_energy_ranges(quantities),
        *_not_tested(quantities, tests),
    ]
    return Audit(
        findings=ordered(findings),
        leak_tests=tests,
        files=dataset.files,
        n_gamma=dataset.count(Label.GAMMA),
        n_neutron=dataset.count(Label.NEUTRON),
        n_looked_at=len(quantities),
        pretrigger=quantities.pretrigger,
        seed=seed,
        charts=_charts(dataset, quantities),
    )


def require_sound(audit: Audit) -> None:
    """Refuse a data set with errors.

    Raises
    ------
    DataError
        With every finding of severity error.
    """
    if audit.errors:
        told = "; ".join(f"{finding.check}: {finding.what} ({finding.how_many})" for finding in audit.errors)
        raise DataError(
            f"the audit found {len(audit.errors)} errors in the data: {told}. "
            "'discrimen audit' says more; mend the data, or accept them (--accept)"
        )


def _labelled(dataset: Dataset) -> Dataset:
    """Leave out the pulses of unknown label."""
    label = dataset.pulses.column("label")
    known = np.isin(label, (Label.GAMMA, Label.NEUTRON))
    if not known.any():
        raise DataError(f"none of the {len(label)} pulses has a label gamma or neutron: nothing to audit; label them")
    if known.all():
        return dataset
    n_left = np.bincount(file_of_pulse(dataset)[known], minlength=len(dataset.files))
    files = tuple(described | {"n_pulses": int(n)} for described, n in zip(dataset.files, n_left, strict=True))
    return Dataset(
        pulses=dataset.pulses[known],
        settings=dataset.settings,
        files=files,
        n_unlabelled=dataset.n_unlabelled + int((~known).sum()),
    )


def _not_tested(quantities: Quantities, tests: tuple[LeakTest, ...]) -> list[Finding]:
    found = []
    if not tests:
        found.append(
            _note("leaks-not-tested", "no leak test was done: that takes four pulses of each class", "add pulses")
        )
    elif not quantities.pretrigger.usable:
        found.append(
            _note(
                "pretrigger-not-tested",
                "fewer than three samples lie before the pulse: noise and shape of the pre-trigger were not tested",
                "record a longer pre-trigger, or say where it lies with --baseline-ns",
            )
        )
    return found


def _note(check: str, what: str, mend: str) -> Finding:
    return Finding(
        check=check, severity=Severity.NOTE, what=what, how_many="the whole data set", where="all files", mend=mend
    )


def _charts(dataset: Dataset, quantities: Quantities) -> Charts:
    is_neutron = dataset.pulses.column("label") == Label.NEUTRON
    n_bins = max(1, min(_ORDER_BINS, len(is_neutron) // 5))
    lengths = [len(part) for part in np.array_split(is_neutron, n_bins)]
    starts = np.cumsum([0, *(int(file["n_pulses"]) for file in dataset.files)])[:-1]
    mean, error = _mean_before(quantities)
    charge_edges, charge_counts = _spectra(quantities)
    return Charts(
        order_edges=np.cumsum([0, *lengths]),
        order_counts=part_counts(is_neutron, n_bins),
        file_starts=tuple((int(start), str(f["name"])) for start, f in zip(starts, dataset.files, strict=True)),
        part_counts=part_counts(is_neutron, min(N_PARTS, len(is_neutron))),
        charge_edges=charge_edges,
        charge_counts=charge_counts,
        before_mean_adc=mean,
        before_error_adc=error,
    )


def _mean_before(quantities: Quantities) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    mean = np.full((2, quantities.before_adc.shape[1]), np.nan)
    error = mean.copy()
    for row, label in enumerate((False, True)):
        before = quantities.before_adc[(quantities.is_neutron == label) & ~quantities.constant]
        if len(before):
            mean[row] = before.mean(axis=0, dtype=np.float64)
            error[row] = before.std(axis=0, dtype=np.float64) / np.sqrt(len(before))
    return mean, error


def _spectra(quantities: Quantities) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    charge = quantities.charge_adc
    positive = charge[charge > 0]
    edges = np.array([1.0, 2.0])
    if len(positive):
        low, high = np.quantile(positive, [0.001, 1.0])
        edges = np.geomspace(low, max(high, 1.001 * low) * (1 + 1e-9), _SPECTRUM_BINS + 1)
    counts = [np.histogram(charge[quantities.is_neutron == label], edges)[0] for label in (False, True)]
    return edges, np.stack(counts, axis=1).astype(np.int64)
