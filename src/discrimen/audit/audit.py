"""The audit of a data set: what a network could cheat from, what is missing, what is out of order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.audit.blocks import Block, blocks_of, listed
from discrimen.audit.class_order import LEAST_IN_PART, N_PARTS, check_class_order, part_counts
from discrimen.audit.condition import check_condition
from discrimen.audit.duplicates import check_against, check_duplicates, check_split, find_copies
from discrimen.audit.energy_ranges import check_energy_ranges
from discrimen.audit.finding import Finding, Severity, ordered
from discrimen.audit.give_aways import GiveAwayTest, give_away_findings, give_away_tests
from discrimen.audit.plotted import Plotted, plotted_of
from discrimen.audit.quantities import Pretrigger, Quantities, measure
from discrimen.errors import DataError
from discrimen.output.plain import plain
from discrimen.output.summary import Summarised
from discrimen.pulses import Label
from discrimen.runs.dataset import Dataset, file_of_pulse


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class Audit(Summarised):
    """What was found.

    Parameters
    ----------
    findings : tuple of Finding
        The gravest first.
    give_away_tests : tuple of GiveAwayTest
        All of them, passed or not; empty with fewer than four pulses of a class.
    files : tuple of dict
        Name, SHA-256 and number of pulses of each file.
    runs : tuple of dict
        Name of each run, its gammas and neutrons, in all and in up to ten equal parts.
    n_gamma, n_neutron, n_looked_at : int
        Pulses of the data set, and how many of them were measured.
    pretrigger : Pretrigger
        Which samples were taken to lie before the pulse.
    seed : int
        Of all draws.
    plotted : Plotted
        For the pictures.
    """

    findings: tuple[Finding, ...]
    give_away_tests: tuple[GiveAwayTest, ...]
    files: tuple[dict[str, Any], ...]
    runs: tuple[dict[str, Any], ...]
    n_gamma: int
    n_neutron: int
    n_looked_at: int
    pretrigger: Pretrigger
    seed: int
    plotted: Plotted

    def summary(self) -> dict[str, str]:
        """Return the number of pulses and each finding, for people."""
        found = {f"{n}. {each.severity.value}": each.what for n, each in enumerate(self.findings, 1)}
        return {"pulses": f"{self.n_gamma} gamma, {self.n_neutron} neutron"} | (found or {"findings": "none"})

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
        return {
            "files": list(self.files),
            "runs": list(self.runs),
            "n_gamma": self.n_gamma,
            "n_neutron": self.n_neutron,
            "n_looked_at": self.n_looked_at,
            "pretrigger": {name: getattr(self.pretrigger, name) for name in ("start", "stop", "source")},
            "seed": self.seed,
            "n_errors": len(self.errors),
            "findings": plain(self.findings),
            "give_away_tests": [test.as_dict() for test in self.give_away_tests],
        }


def audit_dataset(
    dataset: Dataset,
    *,
    seed: int = 0,
    validation: NDArray[np.bool_] | None = None,
    against: Dataset | None = None,
) -> Audit:
    """Look for whatever would let a network learn, or seem to learn, something else than the shape of the pulses.

    Parameters
    ----------
    dataset : Dataset
        Labelled.
    seed : int
        Chooses among the pulses of a large data set, and draws halves and permutations.
    validation : ndarray of bool, shape (pulse,), optional
        Which pulses a training would judge by; nothing of them may be among the others.
    against : Dataset, optional
        Other pulses, for example to judge by, that must hold none of these.

    Raises
    ------
    DataError
        If there are no labels, or no pulse is labelled.
    SettingsError
        If the baseline window of the settings does not fit into the records.
    """
    known = _labelled(dataset)
    judges = None if validation is None else validation[known]
    dataset = _kept(dataset, known)
    rng = np.random.default_rng(seed)
    blocks = blocks_of(dataset)
    quantities = measure(dataset, rng=rng)
    copies = find_copies(dataset.pulses.samples)
    tests = give_away_tests(quantities, dataset.pulses, left_out=copies.further, rng=rng)
    names = listed([str(file["name"]) for file in dataset.files])
    findings = [
        *check_class_order(blocks),
        *give_away_findings(tests, where=names),
        *check_duplicates(dataset, copies),
        *([] if judges is None else check_split(copies, judges)),
        *([] if against is None else check_against(dataset, against)),
        *check_condition(dataset, quantities),
        *check_energy_ranges(quantities),
        *_not_tested(quantities, tests),
    ]
    return Audit(
        findings=ordered(findings),
        give_away_tests=tests,
        files=dataset.files,
        runs=tuple(_described(block) for block in blocks),
        n_gamma=dataset.count(Label.GAMMA),
        n_neutron=dataset.count(Label.NEUTRON),
        n_looked_at=len(quantities),
        pretrigger=quantities.pretrigger,
        seed=seed,
        plotted=plotted_of(dataset, quantities),
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
            "'discrimen audit' says more; correct the data, or accept them (--accept)"
        )


def _labelled(dataset: Dataset) -> NDArray[np.bool_]:
    """Say which pulses have a label."""
    label = dataset.pulses.column("label")
    known = np.isin(label, (Label.GAMMA, Label.NEUTRON))
    if not known.any():
        raise DataError(f"none of the {len(label)} pulses has a label gamma or neutron: nothing to audit; label them")
    return np.asarray(known)


def _kept(dataset: Dataset, known: NDArray[np.bool_]) -> Dataset:
    """Leave out the pulses of unknown label."""
    if known.all():
        return dataset
    n_left = np.bincount(file_of_pulse(dataset.files)[known], minlength=len(dataset.files))
    files = tuple(described | {"n_pulses": int(n)} for described, n in zip(dataset.files, n_left, strict=True))
    return Dataset(
        pulses=dataset.pulses[known],
        settings=dataset.settings,
        files=files,
        n_unlabelled=dataset.n_unlabelled + int((~known).sum()),
    )


def _described(block: Block) -> dict[str, Any]:
    parts = part_counts(block.is_neutron, max(1, min(N_PARTS, len(block) // LEAST_IN_PART)))
    return {
        "name": block.name,
        "n_gamma": block.n_gamma,
        "n_neutron": block.n_neutron,
        "parts": [{"n_gamma": int(n_gamma), "n_neutron": int(n_neutron)} for n_gamma, n_neutron in parts],
    }


def _not_tested(quantities: Quantities, tests: tuple[GiveAwayTest, ...]) -> list[Finding]:
    found = []
    if not tests:
        found.append(
            _note(
                "give-aways-not-tested",
                "no give-away test was done: it takes four pulses of each class beside copies and constant records",
                "add pulses",
            )
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
