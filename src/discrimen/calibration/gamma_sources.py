"""The table of gamma sources: their lines, grouped by the Compton edges that a scintillator can part.

Energies and intensities per decay from the Evaluated Nuclear Structure Data File (National Nuclear Data Center,
NuDat 3). Only ratios within a group are used. Left out are lines whose edges lie on the continuum of stronger ones.
"""

from __future__ import annotations

from dataclasses import dataclass

from discrimen.calibration.compton import compton_edge_kev
from discrimen.errors import SettingsError


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeGroup:
    """Lines whose edges lie so close together that one fit takes them all.

    Parameters
    ----------
    lines_kev : tuple of float
        Energies of the gammas.
    intensities : tuple of float
        Gammas of each per decay.
    """

    lines_kev: tuple[float, ...]
    intensities: tuple[float, ...]

    @property
    def edge_kev(self) -> float:
        """The highest edge: what the position of the group refers to."""
        return compton_edge_kev(max(self.lines_kev))

    @property
    def name(self) -> str:
        """The lines in words."""
        return " and ".join(f"{line:.1f}" for line in self.lines_kev) + " keV"


@dataclass(frozen=True, slots=True, kw_only=True)
class GammaSource:
    """One row of the table.

    Parameters
    ----------
    name : str
        Nuclide as in ``--source``.
    groups : tuple of EdgeGroup
        From the lowest edge to the highest.
    """

    name: str
    groups: tuple[EdgeGroup, ...]


def _source(name: str, *groups: tuple[tuple[float, float], ...]) -> GammaSource:
    return GammaSource(
        name=name,
        groups=tuple(
            EdgeGroup(lines_kev=tuple(kev for kev, _ in lines), intensities=tuple(share for _, share in lines))
            for lines in groups
        ),
    )


GAMMA_SOURCES: tuple[GammaSource, ...] = (
    _source("Cs-137", ((661.657, 0.851),)),
    _source("Co-60", ((1173.228, 0.9985), (1332.492, 0.9998))),
    _source("Na-22", ((511.0, 1.808),), ((1274.537, 0.9994),)),
    _source("Mn-54", ((834.848, 0.99976),)),
    _source("Zn-65", ((1115.539, 0.5004),)),
    _source("Y-88", ((898.042, 0.937),), ((1836.063, 0.992),)),
    _source("K-40", ((1460.820, 0.1066),)),
    _source("Tl-208", ((2614.511, 0.99754),)),
)
"""Every source. Tl-208 is the end of the chains of Th-228 and Th-232."""


def source_named(name: str) -> GammaSource:
    """Return a source by its nuclide, whatever the case.

    Raises
    ------
    SettingsError
        If it is not in the table.
    """
    for source in GAMMA_SOURCES:
        if source.name.lower() == name.lower():
            return source
    known = ", ".join(source.name for source in GAMMA_SOURCES)
    raise SettingsError(f"no Compton edges are known of a source '{name}'; choose one of: {known}")
