"""The result of a comparison: plain data, with all that text, pictures and JSON show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from discrimen.evaluation import NotComputed
from discrimen.evaluation.report import at_efficiency, computed, main_efficiency
from discrimen.metrics import Auc, Difference, EnergyBin, Leakage, LeakageRatio
from discrimen.output.plain import plain
from discrimen.output.summary import Summarised


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Area under the curve and gamma leakages, one for each wished efficiency, of one entry in one range."""

    auc: Auc
    leakages: tuple[Leakage | NotComputed, ...]

    def leakage_at(self, efficiency: float) -> Leakage | None:
        """Return the leakage at one of the wished efficiencies, or None where it was not computed."""
        return at_efficiency(computed(self.leakages), efficiency)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakageAgainst:
    """Leakage of an entry against that of the reference.

    Parameters
    ----------
    efficiency : float
        Wished share of the neutrons, of both.
    difference : Difference
        Leakage minus that of the reference.
    ratio : LeakageRatio or None
        Over that of the reference; None unless both saw the same pulses.
    """

    efficiency: float
    difference: Difference
    ratio: LeakageRatio | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """An entry against the reference: area under the curve minus the reference's, and leakages."""

    auc: Difference
    leakages: tuple[LeakageAgainst, ...]

    def leakage_at(self, efficiency: float) -> LeakageAgainst | None:
        """Return the leakage at an efficiency that both reach, or None."""
        return at_efficiency(self.leakages, efficiency)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ComparedRange:
    """All entries in one range of energy.

    Parameters
    ----------
    energy : EnergyBin or None
        None for all pulses.
    n_gamma, n_neutron : mapping of str to int
        Pulses of each class, by entry.
    figures : mapping of str to Figures or NotComputed
        By entry.
    against : mapping of str to Against
        By entry, the reference and what was not computed left out.
    """

    energy: EnergyBin | None
    n_gamma: Mapping[str, int]
    n_neutron: Mapping[str, int]
    figures: Mapping[str, Figures | NotComputed]
    against: Mapping[str, Against]

    @property
    def name(self) -> str:
        """What the range is called."""
        return "all energies" if self.energy is None else str(self.energy)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Group:
    """Entries that are compared with each other.

    Parameters
    ----------
    title : str
        What they share.
    entries : tuple of str
        Names, the reference first.
    paired : bool
        Whether all saw the same pulses, so that intervals of differences know of what they share.
    ranges : tuple of ComparedRange
        All pulses together, then each range of energy.
    notes : tuple of str
        What a reader must know.
    """

    title: str
    entries: tuple[str, ...]
    paired: bool
    ranges: tuple[ComparedRange, ...]
    notes: tuple[str, ...] = ()

    @property
    def reference(self) -> str:
        """What the others are compared with."""
        return self.entries[0]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class Comparison(Summarised):
    """Models on data sets, or reports.

    Parameters
    ----------
    groups : tuple of Group
        Each a table and a picture.
    efficiencies : tuple of float
        Neutron efficiencies at which the leakage was wanted.
    confidence : float
        Of every interval.
    origin : mapping of str to mapping
        By name of a model, data set or report, where it comes from.
    created_utc : str
        ISO 8601.
    software : mapping of str to str
        Versions.
    """

    groups: tuple[Group, ...]
    efficiencies: tuple[float, ...]
    confidence: float
    origin: Mapping[str, Mapping[str, Any]]
    created_utc: str
    software: Mapping[str, str]

    def summary(self) -> dict[str, str]:
        """Return what is compared, for people."""
        return {group.title: ", ".join(group.entries) for group in self.groups}

    @property
    def main_efficiency(self) -> float:
        """The wished efficiency that tables show: the one nearest to 95 %."""
        return main_efficiency(self.efficiencies)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON: NaN and infinity become null."""
        values: dict[str, Any] = plain(self)
        return {"discrimen_comparison": 1, **values}
