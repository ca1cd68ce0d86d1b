"""Which crystal hits were simulated for, as their files say, and whether it is that of a basis or a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from discrimen.errors import DataError, FormatError, SettingsError
from discrimen.pulses.detector import faults_of
from discrimen.pulses.hits import COORDINATES, Hits
from discrimen.runs.hits_file import HitsInfo
from discrimen.simulation.germanium.crystal import Crystal
from discrimen.simulation.germanium.walls import wall_distances_mm


def crystal_of_hits(info: HitsInfo) -> Crystal | None:
    """Return the crystal that hits were simulated for; None where their file does not say.

    Raises
    ------
    FormatError
        If the file describes a crystal that cannot be.
    """
    simulation = info.provenance.get("simulation")
    described = simulation.get("crystal") if isinstance(simulation, Mapping) else None
    if described is None:
        return None
    try:
        return Crystal.model_validate(described)
    except ValidationError as error:
        raise FormatError(f"its simulation names a crystal that cannot be: {faults_of(error)}", info.path) from error


def crystals_of_files(files: Iterable[Mapping[str, Any]]) -> list[Crystal | None]:
    """Return the crystal of each file of a data set, or of those that a model was trained on.

    Parameters
    ----------
    files : iterable of mapping
        See :class:`~discrimen.runs.hits_dataset.HitsDataset`.

    Raises
    ------
    SettingsError
        If one cannot be.
    """
    described = [file.get("crystal") for file in files]
    try:
        return [None if each is None else Crystal.model_validate(each) for each in described]
    except ValidationError as error:
        raise SettingsError(f"a file was of a crystal that cannot be: {faults_of(error)}") from error


def other_crystal(hits: Crystal | None, known: Sequence[Crystal | None], *, whose: str, where: str) -> str | None:
    """Return in a sentence by what the crystal of hits is another than that of a basis or a model, None for nothing.

    Parameters
    ----------
    hits : Crystal or None
        That of the hits; None where nobody knows it.
    known : sequence of Crystal or None
        Those of the basis, or of the files that a model was trained on; one of them suffices.
    whose : str
        What has these, for example "the basis".
    where : str
        The file of the hits.

    Raises
    ------
    DataError
        If its segments lie elsewhere: positions would be those of another crystal.
    """
    there = [each for each in known if each is not None]
    if hits is None or not there or any(each.digest() == hits.digest() for each in there):
        return None
    names = ", ".join(sorted({each.name for each in there}))
    if not any(each.has_geometry_of(hits) for each in there):
        raise DataError(
            f"{where}: these hits are of the crystal {hits.name}, {whose} is of {names}, whose surface and segments "
            "lie elsewhere: take one of the same crystal"
        )
    return (
        f"{where}: the crystal of these hits ({hits.name}) has other impurities, another bias or another lattice than "
        f"that of {whose} ({names})"
    )


def walls_of_hits(hits: Hits, crystals: Sequence[Crystal | None], n_hits: Sequence[int]) -> NDArray[np.float64] | None:
    """Return the distance of the true positions to the nearest wall of their segment, None where no crystal is known.

    Parameters
    ----------
    hits : Hits
        Of several files, in their order.
    crystals : sequence of Crystal or None
        Of each file.
    n_hits : sequence of int
        Of each file.

    Returns
    -------
    ndarray of float64, shape (hit,), in mm
        NaN where the crystal or a coordinate is not known.
    """
    names = [f"{axis}_mm" for axis in COORDINATES]
    if not any(crystals) or any(name not in hits.columns for name in names):
        return None
    truth = np.stack([hits.column(name).astype(np.float64) for name in names], axis=1)
    parts = np.split(truth, np.cumsum(n_hits)[:-1])
    return np.concatenate(
        [
            np.full(len(part), np.nan) if crystal is None else wall_distances_mm(crystal, part)
            for part, crystal in zip(parts, crystals, strict=True)
        ]
    )
