"""What an audit says of a data set: one fault at a time, with what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How much a finding weighs."""

    ERROR = "error"
    """A network trained on this learns something else than pulse shape, or is judged by what it has seen."""
    WARNING = "warning"
    """It may be right, but only somebody who knows the measurement can say so."""
    NOTE = "note"
    """Good to know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fault of a data set.

    Parameters
    ----------
    check : str
        Which check found it, a name that stays the same from version to version, for example ``give-away-baseline``.
    severity : Severity
        How much it weighs.
    what : str
        What is the matter.
    how_many : str
        Of the pulses, channels or runs concerned.
    where : str
        In which files, runs, channels or parts.
    mend : str
        What to do about it.
    numbers : mapping
        The figures behind it, plain data with the units in the keys.
    """

    check: str
    severity: Severity
    what: str
    how_many: str
    where: str
    mend: str
    numbers: Mapping[str, Any] = field(default_factory=dict)


def ordered(findings: list[Finding]) -> tuple[Finding, ...]:
    """Return the findings, the gravest first, otherwise in the order in which they were made."""
    return tuple(sorted(findings, key=lambda finding: list(Severity).index(finding.severity)))
