"""Entries that saw different pulses: differences of independent figures."""

from __future__ import annotations

from collections.abc import Mapping

from discrimen.comparison.result import Against, ComparedRange, Figures, LeakageAgainst
from discrimen.evaluation import NotComputed
from discrimen.metrics import EnergyBin, Leakage, unpaired_difference

Ranges = Mapping[EnergyBin | None, Figures | NotComputed]
Counts = Mapping[EnergyBin | None, tuple[int, int]]


def unpaired_ranges(found: Mapping[str, Ranges], counts: Mapping[str, Counts]) -> tuple[ComparedRange, ...]:
    """Compare entries with the first one, in every range that all of them have.

    Parameters
    ----------
    found : mapping of str to mapping of EnergyBin or None to Figures or NotComputed
        By entry.
    counts : mapping of str to mapping of EnergyBin or None to tuple of int
        Gammas and neutrons, by entry.
    """
    first = next(iter(found.values()))
    ranges = []
    for energy in first:
        if not all(energy in each for each in found.values()):
            continue
        figures = {name: each[energy] for name, each in found.items()}
        reference, *others = figures
        base = figures[reference]
        against = {}
        for name in others:
            own = figures[name]
            if isinstance(own, Figures) and isinstance(base, Figures):
                against[name] = _against(own, base)
        ranges.append(
            ComparedRange(
                energy=energy,
                n_gamma={name: each[energy][0] for name, each in counts.items()},
                n_neutron={name: each[energy][1] for name, each in counts.items()},
                figures=figures,
                against=against,
            )
        )
    return tuple(ranges)


def _against(own: Figures, base: Figures) -> Against:
    leakages = []
    for leakage in own.leakages:
        other = base.leakage_at(leakage.efficiency) if isinstance(leakage, Leakage) else None
        if isinstance(leakage, Leakage) and other is not None:
            difference = unpaired_difference(
                (leakage.leakage, leakage.low, leakage.high), (other.leakage, other.low, other.high)
            )
            leakages.append(LeakageAgainst(efficiency=leakage.efficiency, difference=difference, ratio=None))
    areas = ((each.auc.value, each.auc.low, each.auc.high) for each in (own, base))
    return Against(auc=unpaired_difference(*areas), leakages=tuple(leakages))
