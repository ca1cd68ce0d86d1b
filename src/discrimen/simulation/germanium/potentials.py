"""The electric potential and the weighting potentials of all contacts, relaxed together on one grid.

The weighting potential of a contact is 1 on it and 0 on all others, without space charge (W. Shockley, J. Appl. Phys. 9
(1938) 635; S. Ramo, Proc. IRE 27 (1939) 584). Nodes next to a contact use its true distance (G. H. Shortley and
R. Weller, J. Appl. Phys. 9 (1938) 334). Red nodes have black neighbours only, so that each half of a sweep does not
depend on its order; over-relaxation as in D. M. Young, Trans. Am. Math. Soc. 76 (1954) 92. The back has no contact: no
field leaves through it, as germanium's permittivity is 16 times that of the vacuum behind.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.simulation.germanium.crystal import CORE, N_SEGMENTS, Crystal
from discrimen.simulation.germanium.grid import Grid

N_CONTACTS = N_SEGMENTS + 1
PERMITTIVITY = 16.0
"""Of germanium, relative to the vacuum (B. Bruyneel et al., NIM A 569 (2006) 764)."""

_CHARGE_OVER_PERMITTIVITY_V_MM = 1.602176634e-19 / 8.8541878128e-12 * 1e3
_MOST_SWEEPS = 3000


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Potentials:
    """Potentials on a grid.

    Parameters
    ----------
    grid : Grid
        Whose rows these are.
    weighting : ndarray of float32, shape (row, 37)
        Weighting potential of each contact.
    electric_v : ndarray of float32, shape (row,)
        Electric potential in V.
    field_v_per_mm : ndarray of float32, shape (row, 3)
        Electric field.
    n_sweeps : int
        After which nothing changed any more.
    """

    grid: Grid
    weighting: NDArray[np.float32]
    electric_v: NDArray[np.float32]
    field_v_per_mm: NDArray[np.float32]
    n_sweeps: int


def relax(grid: Grid, *, tolerance: float = 4e-6, n_threads: int = 2) -> Potentials:
    """Solve for all potentials.

    Parameters
    ----------
    grid : Grid
        Of the crystal.
    tolerance : float
        Largest change of a potential in a sweep at the end, in units of the bias or of 1.
    n_threads : int
        Threads to use.

    Raises
    ------
    SettingsError
        If the crystal is not depleted at its bias.
    """
    from discrimen.simulation.germanium import relaxation_kernels as kernels

    table = _start(grid)
    free = slice(0, grid.n_free)
    weights, reach = kernels.link_weights(grid.arm)
    source = (_space_charge_v_per_mm2(grid) / grid.crystal.bias_v * grid.spacing_mm**2 * reach).astype(np.float32)
    cells = max(grid.crystal.length_mm, 2 * grid.crystal.radius_mm) / grid.spacing_mm
    omega = np.float32(2 / (1 + np.sin(np.pi / (0.75 * cells))))

    def sweep(start: int, stop: int) -> float:
        return float(kernels.relax_rows(table, grid.neighbour, weights, source, omega, start, stop))

    n_sweeps = _sweeps(sweep, grid, tolerance=tolerance, n_threads=n_threads)
    kernels.fill_outside(table, grid.outside, grid.row, grid.neighbour, grid.arm, grid.n_free)
    electric_v = table[:, N_CONTACTS] * np.float32(grid.crystal.bias_v)
    _require_depletion(grid, table[free, N_CONTACTS])
    field = kernels.field_at_nodes(electric_v, grid.neighbour, grid.arm, np.float32(grid.spacing_mm), grid.n_rows)
    kernels.extend_field(field, grid.outside, grid.row, grid.n_free)
    return Potentials(
        grid=grid,
        weighting=np.ascontiguousarray(table[:, :N_CONTACTS]),
        electric_v=electric_v,
        field_v_per_mm=field,
        n_sweeps=n_sweeps,
    )


def _start(grid: Grid) -> NDArray[np.float32]:
    """Return the table before the first sweep: contacts as they are, all else halfway."""
    table = np.full((grid.n_rows, N_CONTACTS + 1), 0.5 / N_SEGMENTS, dtype=np.float32)
    table[:, CORE:] = 0.5
    contacts = table[grid.n_free : grid.n_free + N_CONTACTS]
    contacts[:, :N_CONTACTS] = np.eye(N_CONTACTS)
    contacts[:, N_CONTACTS] = contacts[:, CORE]
    return table


def _sweeps(sweep: Callable[[int, int], float], grid: Grid, *, tolerance: float, n_threads: int) -> int:
    """Sweep over red and black nodes until nothing changes; return how often."""
    halves = [(0, grid.n_red), (grid.n_red, grid.n_free)]
    with ThreadPoolExecutor(n_threads) as pool:
        for number in range(1, _MOST_SWEEPS + 1):
            change = 0.0
            for start, stop in halves:
                edges = np.linspace(start, stop, n_threads + 1).astype(int)
                change = max(change, *pool.map(sweep, edges[:-1], edges[1:]))
            if change < tolerance:
                return number
    raise SettingsError(
        f"{grid.crystal.name}: potentials still change by {change:.1e} after {_MOST_SWEEPS} sweeps: widen the grid of "
        f"{grid.spacing_mm:g} mm"
    )


def _space_charge_v_per_mm2(grid: Grid) -> NDArray[np.float64]:
    """Return charge density over permittivity at the free nodes: positive ions in depleted n-type germanium."""
    crystal = grid.crystal
    per_cm3 = 1e10 * (crystal.impurity_front_1e10_per_cm3 + crystal.impurity_slope_1e10_per_cm4 * grid.z_mm / 10)
    sign = 1 if crystal.impurity_type == "n" else -1
    return np.asarray(sign * per_cm3 * 1e-3 * _CHARGE_OVER_PERMITTIVITY_V_MM / PERMITTIVITY)


def _require_depletion(grid: Grid, relative: NDArray[np.float32]) -> None:
    """Require the potential to stay between those of the contacts: beyond, carriers would gather and not drift."""
    beyond = np.maximum(relative - 1, -relative)
    worst = int(np.argmax(beyond))
    if beyond[worst] <= 1e-3:
        return
    x, y, z = grid.origin_mm + grid.spacing_mm * grid.nodes[worst]
    crystal: Crystal = grid.crystal
    raise SettingsError(
        f"{crystal.name} is not depleted at {crystal.bias_v:g} V: around ({x:.0f}, {y:.0f}, {z:.0f}) mm the potential "
        f"is {relative[worst] * crystal.bias_v:.0f} V, beyond that of both contacts; raise the bias or lower the "
        "impurities"
    )


def sum_rule_error(potentials: Potentials) -> float:
    """Return how far the weighting potentials of all contacts are from adding up to 1, at worst in the crystal."""
    total = potentials.weighting[: potentials.grid.n_free].sum(axis=1, dtype=np.float64)
    return float(np.abs(total - 1).max())


def residual(potentials: Potentials) -> Any:
    """Return how far each weighting potential is from the mean of its neighbours, at worst, shape (37,)."""
    from discrimen.simulation.germanium import relaxation_kernels as kernels

    grid = potentials.grid
    weights, _ = kernels.link_weights(grid.arm)
    return kernels.residuals(potentials.weighting, grid.neighbour, weights)
