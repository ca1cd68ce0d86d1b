"""Signals of point charges in a crystal: electrons and holes drift, every contact sees a charge (Shockley-Ramo)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.simulation.germanium.crystal import CORE, Crystal
from discrimen.simulation.germanium.drift import electron_velocities, hole_velocities
from discrimen.simulation.germanium.grid import build_grid
from discrimen.simulation.germanium.potentials import N_CONTACTS, Potentials, relax

_BLOCK_EVENTS = 256


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Field:
    """A crystal under bias: all that charges in it need.

    Parameters
    ----------
    potentials : Potentials
        Of the crystal.
    velocity_mm_per_ns : ndarray of float32, shape (row, 6)
        Of holes and of electrons.
    """

    potentials: Potentials
    velocity_mm_per_ns: NDArray[np.float32]

    @property
    def crystal(self) -> Crystal:
        """The crystal."""
        return self.potentials.grid.crystal

    def depths_and_segments(self, points_mm: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.int16]]:
        """Return how deep points lie under the surface in mm (negative outside), and the segments around them."""
        from discrimen.simulation.germanium.shape_kernels import depths_and_segments

        found: tuple[Any, Any] = depths_and_segments(
            np.ascontiguousarray(points_mm, dtype=np.float64), self.potentials.grid.shape
        )
        return found

    def collecting_segments(
        self, points_mm: NDArray[np.floating], *, longest_ns: float, n_threads: int = 2
    ) -> NDArray[np.int16]:
        """Return which segment collects the charge of each point, -1 where nothing arrives within a time.

        Faster than :func:`induce`, of which it is the segment for points without a cloud.
        """
        from discrimen.simulation.germanium import drift_kernels

        points = np.ascontiguousarray(points_mm, dtype=np.float64)
        grid, contacts = self.potentials.grid, np.empty((len(points), 2), dtype=np.int64)

        def fill(start: int) -> None:
            stop = start + _BLOCK_EVENTS
            drift_kernels.ends(
                points[start:stop],
                longest_ns,
                grid.row,
                self.velocity_mm_per_ns,
                grid.origin_mm,
                grid.spacing_mm,
                grid.shape,
                contacts[start:stop],
            )

        with ThreadPoolExecutor(n_threads) as pool:
            list(pool.map(fill, range(0, len(points), _BLOCK_EVENTS)))
        return _collecting(contacts, Charges.single(points))


def build_field(crystal: Crystal, *, spacing_mm: float = 1.0, n_threads: int = 2) -> Field:
    """Solve for the potentials of a crystal and the velocities in it.

    Raises
    ------
    SettingsError
        If the crystal is not depleted, or the grid is impossible.
    """
    potentials = relax(build_grid(crystal, spacing_mm=spacing_mm), n_threads=n_threads)
    field, angle = potentials.field_v_per_mm, crystal.lattice_angle_deg
    holes = hole_velocities(field, lattice_angle_deg=angle)
    electrons = electron_velocities(field, lattice_angle_deg=angle)
    return Field(
        potentials=potentials, velocity_mm_per_ns=np.concatenate([holes, electrons], axis=1).astype(np.float32)
    )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Charges:
    """Point charges, several of which may make one event.

    Parameters
    ----------
    points_mm : ndarray, shape (point, 3)
        Where pairs of electrons and holes begin.
    amounts : ndarray, shape (point,)
        How much charge; 1 gives signals of height 1.
    first_point : ndarray of int64, shape (event + 1,)
        Event e holds the points first_point[e] to first_point[e + 1].
    spreads : ndarray, shape (point, 2, 6)
        For holes and electrons: direction in the cloud (3), radius in mm, growth of its cube by repulsion in mm3/ns,
        diffusion in mm2/ns; zeros for points that stay points.
    seeds : ndarray of int64, shape (event,)
        Of the diffusion; -1 where there is none.
    """

    points_mm: NDArray[np.float64]
    amounts: NDArray[np.float64]
    first_point: NDArray[np.int64]
    spreads: NDArray[np.float64]
    seeds: NDArray[np.int64]

    @classmethod
    def single(cls, points_mm: NDArray[np.floating]) -> Charges:
        """Return unit charges at points, an event each."""
        n = len(points_mm)
        return cls(
            points_mm=np.ascontiguousarray(points_mm, dtype=np.float64),
            amounts=np.ones(n),
            first_point=np.arange(n + 1, dtype=np.int64),
            spreads=np.zeros((n, 2, 6)),
            seeds=np.full(n, -1, dtype=np.int64),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """How signals are sampled.

    Parameters
    ----------
    n_samples : int
        Of each trace.
    sample_period_ns : float
        Between samples.
    onset_ns : float
        When the gamma ray interacts, after the first sample.
    """

    n_samples: int = 56
    sample_period_ns: float = 10.0
    onset_ns: float = 20.0


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Signals:
    """What the contacts see.

    Parameters
    ----------
    traces : ndarray of float32, shape (event, 37, sample)
        Charge signals in units of the amounts; that of a collecting contact rises, of the core too.
    segment : ndarray of int16, shape (event,)
        Which segment collects most; -1 where nothing arrived within the window.
    contacts : ndarray of int64, shape (point, 2)
        Where the holes and the electrons of each point ended; -1 where they had not arrived.
    """

    traces: NDArray[np.float32]
    segment: NDArray[np.int16]
    contacts: NDArray[np.int64]


def induce(
    field: Field,
    charges: Charges,
    *,
    window: Window,
    time_constants_ns: float | NDArray[np.floating] = 0.0,
    time_offsets_ns: NDArray[np.floating] | None = None,
    n_threads: int = 2,
) -> Signals:
    """Return the signals of charges.

    Parameters
    ----------
    field : Field
        The crystal.
    charges : Charges
        In it.
    window : Window
        How signals are sampled.
    time_constants_ns : float or ndarray, shape (37,)
        Single pole of the preamplifiers; 0 for none.
    time_offsets_ns : ndarray, shape (event,), optional
        How much later than the onset of the window each event comes.
    n_threads : int
        Threads to use.

    Raises
    ------
    DataError
        If a point lies outside of the crystal.
    """
    from discrimen.simulation.germanium import drift_kernels, shape_kernels

    grid = field.potentials.grid
    depths, _ = shape_kernels.depths_and_segments(charges.points_mm, grid.shape)
    if np.any(depths <= 0):
        worst = int(np.argmin(depths))
        x, y, z = charges.points_mm[worst]
        raise DataError(f"point {worst} at ({x:.2f}, {y:.2f}, {z:.2f}) mm lies outside of {field.crystal.name}")
    n_events = len(charges.seeds)
    offsets = np.zeros(n_events) if time_offsets_ns is None else np.asarray(time_offsets_ns, dtype=np.float64)
    traces = np.empty((n_events, N_CONTACTS, window.n_samples), dtype=np.float32)
    contacts = np.empty((len(charges.points_mm), 2), dtype=np.int64)
    taus = np.broadcast_to(np.asarray(time_constants_ns, dtype=np.float64), N_CONTACTS).copy()

    def fill(start: int) -> None:
        stop = min(start + _BLOCK_EVENTS, n_events)
        drift_kernels.signals(
            charges.points_mm,
            charges.amounts,
            charges.spreads,
            charges.first_point[start : stop + 1],
            charges.seeds[start:stop],
            window.onset_ns + offsets[start:stop],
            _polarity(field.crystal),
            taus,
            float(window.sample_period_ns),
            grid.row,
            field.velocity_mm_per_ns,
            field.potentials.weighting,
            grid.origin_mm,
            grid.spacing_mm,
            grid.shape,
            traces[start:stop],
            contacts,
        )

    with ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(fill, range(0, n_events, _BLOCK_EVENTS)))
    return Signals(traces=traces, segment=_collecting(contacts, charges), contacts=contacts)


def _polarity(crystal: Crystal) -> NDArray[np.float32]:
    """Return the signs that make the signal of a collecting contact positive."""
    polarity = np.full(N_CONTACTS, np.sign(crystal.bias_v), dtype=np.float32)
    polarity[CORE] *= -1
    return polarity


def _collecting(contacts: NDArray[np.int64], charges: Charges) -> NDArray[np.int16]:
    """Return which segment collects most of each event."""
    ends = np.where(contacts[:, 0] == CORE, contacts[:, 1], contacts[:, 0])
    n_events = len(charges.seeds)
    collected = np.zeros((n_events, N_CONTACTS + 1))
    event = np.repeat(np.arange(n_events), np.diff(charges.first_point))
    np.add.at(collected, (event, ends), charges.amounts)
    segment = np.argmax(collected[:, :CORE], axis=1)
    return np.where(collected[:, :CORE].max(axis=1) > 0, segment, -1).astype(np.int16)
