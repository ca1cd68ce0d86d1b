"""A basis: the signals of single interactions on a grid of positions, as grid searches use it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from discrimen.errors import FormatError, SettingsError
from discrimen.output.files import complete_or_absent
from discrimen.output.hdf5 import hdf5_output
from discrimen.simulation.germanium.crystal import CHANNELS, N_SECTORS, Crystal
from discrimen.simulation.germanium.electronics import TIME_CONSTANT_NS
from discrimen.simulation.germanium.signals import Charges, Field, Window, build_field, induce

_MARK, _VERSION = "discrimen_basis", 1
_MOST_LEFT_OUT = 0.01
_PHYSICS = 1
"""Raised whenever the same description gives other signals, so that no basis of older physics is taken for new."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Basis:
    """Signals of unit energy at known positions.

    Parameters
    ----------
    positions_mm : ndarray of float32, shape (position, 3)
        Where the gamma ray interacts.
    segment : ndarray of int16, shape (position,)
        Which segment collects the charge.
    traces : ndarray of float32, shape (position, 37, sample)
        In units of the full energy: 1 at the end in the collecting segment and the core.
    sample_period_ns : float
        Between samples.
    onset_ns : float
        When the gamma ray interacts, after the first sample.
    channels : tuple of str
        Names of the channels.
    source : str
        SHA-256 of all that made the basis.
    n_left_out : int
        Positions left out, as their charge had not arrived at the end of the window.
    crystal : Crystal or None
        Of which crystal; None in a file that does not say.
    """

    positions_mm: NDArray[np.float32]
    segment: NDArray[np.int16]
    traces: NDArray[np.float32]
    sample_period_ns: float
    onset_ns: float
    channels: tuple[str, ...]
    source: str
    n_left_out: int = 0
    crystal: Crystal | None = None

    def __len__(self) -> int:
        return len(self.positions_mm)


@dataclass(frozen=True, slots=True, kw_only=True)
class BasisWish:
    """What a basis should be.

    Parameters
    ----------
    spacing_mm : float
        Between positions.
    field_spacing_mm : float
        Of the grid of potentials.
    time_constant_ns : float
        Single pole of all preamplifiers.
    window : Window
        How signals are sampled.
    segment : int or None
        Positions whose charge this segment collects, only; it need not be the one around them.
    """

    spacing_mm: float = 2.0
    field_spacing_mm: float = 1.0
    time_constant_ns: float = TIME_CONSTANT_NS
    window: Window = field(default_factory=Window)
    segment: int | None = None

    def __post_init__(self) -> None:
        if not 0.5 <= self.spacing_mm <= 20:
            raise SettingsError(f"expected positions every 0.5 to 20 mm, got {self.spacing_mm:g} mm")
        if not 0 <= self.time_constant_ns < np.inf:
            raise SettingsError(f"time_constant_ns must not be negative, got {self.time_constant_ns:g}")

    def source(self, crystal: Crystal) -> str:
        """Return the SHA-256 of the wish, the crystal and the physics."""
        text = json.dumps({"physics": _PHYSICS, "crystal": crystal.digest(), **asdict(self)}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def build_basis(
    crystal: Crystal, wish: BasisWish | None = None, *, electric: Field | None = None, n_threads: int = 2
) -> Basis:
    """Compute a basis.

    Parameters
    ----------
    crystal : Crystal
        Of which crystal.
    wish : BasisWish, optional
        What it should be.
    electric : Field, optional
        Of the same crystal, where it is there already.
    n_threads : int
        Threads to use.

    Raises
    ------
    SettingsError
        If the crystal is not depleted, nothing lies on the grid of positions, or the charge of more than 1 % of them
        has not arrived at the end of the window.
    """
    wish = wish or BasisWish()
    electric = electric or build_field(crystal, spacing_mm=wish.field_spacing_mm, n_threads=n_threads)
    positions = grid_positions(electric, wish.spacing_mm, near_segment=wish.segment)
    signals = induce(
        electric,
        Charges.single(positions),
        window=wish.window,
        time_constants_ns=wish.time_constant_ns,
        n_threads=n_threads,
    )
    arrived = np.all(signals.contacts >= 0, axis=1)
    n_left_out = int(np.count_nonzero(~arrived))
    if n_left_out > _MOST_LEFT_OUT * len(arrived):
        raise SettingsError(
            f"charges of {n_left_out} of {len(arrived)} positions have not arrived within the window of "
            f"{wish.window.n_samples} samples: make it longer"
        )
    wished = arrived if wish.segment is None else arrived & (signals.segment == wish.segment)
    return Basis(
        positions_mm=positions[wished].astype(np.float32),
        segment=signals.segment[wished],
        traces=signals.traces[wished],
        sample_period_ns=wish.window.sample_period_ns,
        onset_ns=wish.window.onset_ns,
        channels=CHANNELS,
        n_left_out=n_left_out,
        source=wish.source(crystal),
        crystal=crystal,
    )


def grid_positions(field: Field, spacing_mm: float, *, near_segment: int | None = None) -> NDArray[np.float64]:
    """Return the positions of a grid of this spacing inside a crystal, at least a tenth of it below the surface.

    Parameters
    ----------
    field : Field
        Of the crystal.
    spacing_mm : float
        Between positions.
    near_segment : int, optional
        Only in this segment and those around it, whose charge it may collect.

    Returns
    -------
    ndarray of float64, shape (n, 3)

    Raises
    ------
    SettingsError
        If there is none.
    """
    crystal = field.crystal
    across = np.arange(-crystal.radius_mm // spacing_mm, crystal.radius_mm // spacing_mm + 2) * spacing_mm
    along = np.arange(0.5, crystal.length_mm / spacing_mm) * spacing_mm
    points = np.stack(np.meshgrid(across, across, along, indexing="ij"), axis=-1).reshape(-1, 3)
    depths, segments = field.depths_and_segments(points)
    inside = depths > 0.1 * spacing_mm
    if near_segment is not None:
        rings = np.abs(segments // N_SECTORS - near_segment // N_SECTORS)
        sectors = (segments - near_segment + 1) % N_SECTORS
        inside &= (rings <= 1) & (sectors <= 2)
    if not inside.any():
        where = "" if near_segment is None else f", segment {near_segment}"
        raise SettingsError(f"no position of a {spacing_mm:g} mm grid lies in {crystal.name}{where}")
    return points[inside]


def cached_basis(path: Path, crystal: Crystal, wish: BasisWish | None = None, *, n_threads: int = 2) -> Basis:
    """Return the basis of a file if it was made from the same, else compute it and write the file.

    Raises
    ------
    FormatError
        If the file is there and no basis.
    """
    wish = wish or BasisWish()
    if path.is_file():
        basis = read_basis(path)
        if basis.source == wish.source(crystal):
            return basis
    basis = build_basis(crystal, wish, n_threads=n_threads)
    write_basis(path, basis)
    return basis


def write_basis(path: Path, basis: Basis) -> None:
    """Write a basis; the file is complete or absent."""
    with complete_or_absent(path) as part, hdf5_output(part) as output:
        for name in ("positions_mm", "segment", "traces"):
            values = getattr(basis, name)
            output.file.create_dataset(name, data=values)
        output.file.attrs["sample_period_ns"] = basis.sample_period_ns
        output.file.attrs["onset_ns"] = basis.onset_ns
        output.file.attrs["channels"] = json.dumps(list(basis.channels))
        output.file.attrs["n_left_out"] = basis.n_left_out
        output.file.attrs["source"] = basis.source
        if basis.crystal is not None:
            output.file.attrs["crystal"] = basis.crystal.model_dump_json()
        output.file.attrs[_MARK] = _VERSION
        output.check()


def is_basis_file(path: Path) -> bool:
    """Return whether a file says that it holds a basis; never raises."""
    try:
        with h5py.File(path, "r") as file:
            return _MARK in file.attrs
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, OverflowError):
        return False


def read_basis(path: Path) -> Basis:
    """Read a basis.

    Raises
    ------
    FormatError
        If the file holds none, or contradicts itself.
    """
    try:
        with h5py.File(path, "r") as file:
            if int(file.attrs.get(_MARK, 0)) != _VERSION:
                raise FormatError(f"expected a basis of version {_VERSION}", path)
            basis = Basis(
                positions_mm=file["positions_mm"][:],
                segment=file["segment"][:],
                traces=file["traces"][:],
                sample_period_ns=float(file.attrs["sample_period_ns"]),
                onset_ns=float(file.attrs["onset_ns"]),
                channels=tuple(json.loads(file.attrs["channels"])),
                n_left_out=int(file.attrs["n_left_out"]),
                source=str(file.attrs["source"]),
                crystal=Crystal.model_validate_json(file.attrs["crystal"]) if "crystal" in file.attrs else None,
            )
    except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        raise FormatError(f"cannot be read as a basis: {error}", path) from error
    n, n_channels = len(basis), len(basis.channels)
    if basis.segment.shape != (n,) or basis.traces.ndim != 3 or basis.traces.shape[:2] != (n, n_channels):
        raise FormatError(
            f"expected {n} positions of {n_channels} channels, got segments {basis.segment.shape} and traces "
            f"{basis.traces.shape}",
            path,
        )
    return basis
