"""The part of the audit that asks for no class: copies, a split that parts them, the condition of the pulses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.audit.condition import check_condition
from discrimen.audit.duplicates import check_duplicates, check_split, find_copies
from discrimen.audit.finding import Finding, Severity, ordered
from discrimen.audit.quantities import measure
from discrimen.errors import DataError
from discrimen.pulses import Label
from discrimen.runs.dataset import Dataset


def audit_without_classes(
    dataset: Dataset, *, validation: NDArray[np.bool_], seed: int = 0, accept: bool = False
) -> tuple[Finding, ...]:
    """Look for what spoils a training that is not about classes.

    Parameters
    ----------
    dataset : Dataset
        With labels or without.
    validation : ndarray of bool, shape (pulse,)
        Which pulses judge the network.
    seed : int
        Chooses among the pulses of a large data set.
    accept : bool
        Whether errors are told only.

    Raises
    ------
    DataError
        If there are errors, and they are not accepted.
    """
    alike = np.full(len(dataset.pulses), Label.GAMMA, dtype=np.int8)
    of_one = replace(dataset, pulses=dataset.pulses.replace(label=alike))
    quantities = measure(of_one, rng=np.random.default_rng(seed))
    copies = find_copies(of_one.pulses.samples)
    condition = [
        replace(finding, how_many=f"{finding.numbers['n_gamma']} of {len(quantities)} pulses looked at")
        if "n_gamma" in finding.numbers
        else finding
        for finding in check_condition(of_one, quantities)
    ]
    findings = ordered([*check_duplicates(of_one, copies), *check_split(copies, validation), *condition])
    errors = [finding for finding in findings if finding.severity == Severity.ERROR]
    if errors and not accept:
        told = "; ".join(f"{finding.check}: {finding.what} ({finding.how_many})" for finding in errors)
        raise DataError(
            f"the audit found {len(errors)} errors in the data: {told}. Mend the data, or accept them (--accept)"
        )
    return findings


def record_without_classes(findings: Sequence[Finding], dataset: Dataset) -> dict[str, Any]:
    """Return what a model keeps of the findings of :func:`audit_without_classes`."""
    told = [{"severity": f.severity.value, "check": f.check, "what": f.what} for f in findings]
    return {"seed": 0, "n_looked_at": len(dataset.pulses), "findings": told}
