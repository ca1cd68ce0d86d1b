"""Balance: rare training pulses count more, over class, energy and shape.

A network learns what weighs in its loss. High energies and odd shapes are rare, so it learns them last, if at all.
Here both classes get the same share of the loss; within each class so does every occupied range of energy; and within
each range of energy so does every occupied range of charge-comparison PSD, as far as a cap on the weight of a single
pulse allows. Only the training part is balanced: validation and test keep their natural composition.

The shape is balanced for both classes together. If it were for each class by itself, both would be spread alike over
the PSD, and the network would learn that the PSD tells nothing; a weight that depends on the pulse alone leaves the
ratio of the classes at each place of the plane as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.labelling.plane import plane_of_pulses
from discrimen.network.preparation import Preparation
from discrimen.pulse_shape.charge import best_gates
from discrimen.pulse_shape.upright import upright
from discrimen.pulses import Label, Pulses
from discrimen.pulses.detector import DetectorSettings, GatesNs, WindowNs

BalanceName = Literal["none", "class", "energy", "shape"]
BalanceBy = Literal["weights", "resampling"]

DEFAULT_CAP = 10.0
N_ENERGY_CELLS = 12
N_SHAPE_CELLS = 12
GATE_SEARCH_PULSES = 2000
"""Of each class: the gates only have to tell shapes apart."""
_ENDS = (0.001, 0.999)
"""Quantiles between which the cells lie; the first and the last take what is beyond."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PulsePlane:
    """Where pulses lie.

    Parameters
    ----------
    energy : ndarray of float64, shape (pulse,)
        In `energy_unit`; NaN where it is not known.
    psd : ndarray of float64, shape (pulse,)
        PSD of charge comparison; NaN where there is none.
    energy_unit : str
        Of the energy.
    gates : GatesNs
        Behind the PSD.
    gates_from : {"settings", "search"}
        Given with the detector, or those that part the labels of the training pulses best.
    """

    energy: NDArray[np.float64]
    psd: NDArray[np.float64]
    energy_unit: str
    gates: GatesNs
    gates_from: Literal["settings", "search"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Balance:
    """What each training pulse counts.

    Parameters
    ----------
    weights : ndarray of float64, shape (pulse,)
        Mean 1, none above the cap.
    name : {"class", "energy", "shape"}
        Balanced over class; over class and energy; over class, energy and shape.
    by : {"weights", "resampling"}
        Weights of the loss, or chances to be drawn in each epoch.
    cap : float
        Highest weight allowed.
    n_cells : int
        Occupied cells.
    labels : ndarray of int32, shape (pulse,)
        Of the pulses.
    plane : PulsePlane
        Where the pulses lie.
    """

    weights: NDArray[np.float64]
    name: BalanceName
    by: BalanceBy
    cap: float
    n_cells: int
    labels: NDArray[np.int32]
    plane: PulsePlane

    @property
    def n_effective(self) -> float:
        """Number of equally weighted pulses with the same statistical error: (sum w)^2 / sum w^2 (Kish)."""
        return float(self.weights.sum() ** 2 / (self.weights**2).sum())

    def record(self) -> dict[str, Any]:
        """Return what was done as plain data, for the model's provenance."""
        neutron = self.labels == Label.NEUTRON
        return {
            "over": self.name,
            "by": self.by,
            "cap": self.cap,
            "n_cells": self.n_cells,
            "n_effective": round(self.n_effective, 1),
            "lowest_weight": float(self.weights.min()),
            "highest_weight": float(self.weights.max()),
            "share_at_cap": float((self.weights >= self.cap * (1 - 1e-9)).mean()),
            "neutron_share_before": float(neutron.mean()),
            "neutron_share_after": float(self.weights[neutron].sum() / self.weights.sum()),
            "energy_unit": self.plane.energy_unit,
            "gates": self.plane.gates.model_dump(),
            "gates_from": self.plane.gates_from,
        }


def check_balance(
    name: BalanceName, by: BalanceBy, cap: float, *, contamination: Mapping[str, float] | None = None
) -> None:
    """Refuse what cannot be done.

    Raises
    ------
    SettingsError
        If a value does not fit, or the labels are known to be wrong in part: the correction of the loss would have to
        know how weights change the share of wrong labels from cell to cell.
    """
    if name not in get_args(BalanceName):
        raise SettingsError(f"balance must be one of {', '.join(get_args(BalanceName))}, got {name!r}")
    if by not in get_args(BalanceBy):
        raise SettingsError(f"balance_by must be weights or resampling, got {by!r}")
    if not (np.isfinite(cap) and cap >= 1):
        raise SettingsError(f"balance_cap is the highest weight where the mean is 1: give 1 or more, got {cap:g}")
    if name != "none" and contamination is not None and any(contamination.values()):
        raise SettingsError("labels of known contamination cannot be balanced: leave out the one or the other")


def balance_pulses(
    pulses: Pulses,
    labels: NDArray[np.int32],
    *,
    name: BalanceName,
    by: BalanceBy,
    cap: float,
    preparation: Preparation,
    settings: DetectorSettings,
    rng: np.random.Generator,
) -> Balance:
    """Weigh training pulses.

    Parameters
    ----------
    pulses : Pulses
        The training part alone. The energy is the column energy_kevee, else that of the detector's calibration, else
        the long charge.
    labels : ndarray of int32, shape (pulse,)
        Gamma or neutron.
    name, by, cap
        See :class:`Balance`.
    preparation : Preparation
        Polarity and baseline window.
    settings : DetectorSettings
        Gates, if they are known.
    rng : numpy.random.Generator
        Chooses pulses to search gates on where none are known.

    Raises
    ------
    DataError
        If no pulse has a constant-fraction crossing, so that there are no gates.
    """
    plane = plane_of(pulses, labels, preparation=preparation, settings=settings, rng=rng)
    weights, n_cells = shared_out(plane, labels, name=name, cap=cap)
    return Balance(
        weights=weights,
        name=name,
        by=by,
        cap=cap,
        n_cells=n_cells,
        labels=labels,
        plane=plane,
    )


def shared_out(
    plane: PulsePlane, labels: NDArray[np.int32], *, name: BalanceName, cap: float
) -> tuple[NDArray[np.float64], int]:
    """Weigh pulses over class, energy and shape; see the top of this module.

    Parameters
    ----------
    plane : PulsePlane
        Where the pulses lie.
    labels : ndarray of int32, shape (pulse,)
        Gamma or neutron.
    name, cap
        See :class:`Balance`.

    Returns
    -------
    weights : ndarray of float64, shape (pulse,)
        Mean 1.
    n_cells : int
        Occupied cells.
    """
    everything = np.zeros(len(labels), np.int64)
    # Spectra fall over decades: cells are equally wide in the logarithm.
    energy = _cut(np.log(np.where(plane.energy > 0, plane.energy, np.nan)), N_ENERGY_CELLS)
    shape = _cut(plane.psd, N_SHAPE_CELLS)
    weights = equal_cells(everything, labels, np.ones(len(labels)), cap=cap)
    cells: list[NDArray[Any]] = [labels]
    if name in ("energy", "shape"):
        weights = equal_cells(labels, energy, weights, cap=cap)
        cells.append(energy)
    if name == "shape":
        weights = equal_cells(energy, shape, weights, cap=cap)
        cells.append(shape)
    return weights, int(np.unique(np.stack(cells), axis=1).shape[1])


def equal_cells(
    groups: NDArray[Any], cells: NDArray[Any], weights: NDArray[np.float64], *, cap: float
) -> NDArray[np.float64]:
    """Scale weights so that, within each group, every cell has the same sum, where the cap allows.

    All pulses of a cell are scaled by the same factor, and the sum of each group stays. A cell that could hold no more
    than C with its heaviest pulse at the cap gets min(level, C); the level follows from the sum.

    Parameters
    ----------
    groups, cells : ndarray of int, shape (pulse,)
        Which group, and which cell of the group, each pulse lies in.
    weights : ndarray of float64, shape (pulse,)
        So far, positive, none above the cap.
    cap : float
        Highest weight of a pulse.

    Returns
    -------
    ndarray of float64, shape (pulse,)
        With the same mean.
    """
    scaled = weights.copy()
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        _, cell = np.unique(cells[members], return_inverse=True)
        sums: NDArray[np.float64] = np.bincount(cell, weights=weights[members]).astype(np.float64)
        heaviest = np.zeros(len(sums))
        np.maximum.at(heaviest, cell, weights[members])
        # Rounding must not leave a cell less than it has.
        room = np.maximum(sums * cap / heaviest, sums)
        scaled[members] *= (np.minimum(_level(sums, room), room) / sums)[cell]
    return scaled


def _level(sums: NDArray[np.float64], room: NDArray[np.float64]) -> float:
    """Return the level at which all cells together, each filled to the level or to its room, hold the sum of all."""
    ascending = np.sort(room)
    # With the k smallest cells full, the others share what is left; the first level that fills no further one holds.
    left = sums.sum() - np.concatenate([[0.0], np.cumsum(ascending)[:-1]])
    levels = left / np.arange(len(room), 0, -1)
    fits = np.flatnonzero(levels <= ascending)
    # Where there is room for the sum and no more, rounding may leave none.
    return float(levels[fits[0]] if len(fits) else ascending[-1])


def plane_of(
    pulses: Pulses,
    labels: NDArray[np.int32],
    *,
    preparation: Preparation,
    settings: DetectorSettings,
    rng: np.random.Generator,
) -> PulsePlane:
    """Find energy and PSD of each pulse; parameters as of :func:`balance_pulses`."""
    gates = settings.gates or _searched_gates(pulses, labels, preparation, rng)
    period_ns, channel = preparation.sample_period_ns, preparation.only
    has_light = pulses.energy_kevee is not None
    as_prepared = DetectorSettings(
        sample_period_ns=period_ns,
        polarity="positive" if channel.polarity > 0 else "negative",
        baseline=WindowNs(start_ns=channel.baseline_start * period_ns, stop_ns=channel.baseline_stop * period_ns),
        gates=gates,
        calibration=None if has_light else settings.calibration,
    )
    plane = plane_of_pulses(pulses.replace(sample_period_ns=period_ns), as_prepared)
    return PulsePlane(
        energy=pulses.column("energy_kevee").astype(np.float64) if has_light else plane.energy,
        psd=plane.psd,
        energy_unit="keVee" if has_light else plane.energy_unit,
        gates=gates,
        gates_from="search" if settings.gates is None else "settings",
    )


def _searched_gates(
    pulses: Pulses, labels: NDArray[np.int32], preparation: Preparation, rng: np.random.Generator
) -> GatesNs:
    some = np.concatenate([rng.permutation(np.flatnonzero(labels == label))[:GATE_SEARCH_PULSES] for label in (0, 1)])
    turned = upright(pulses.samples[some], replace(preparation, alignment=None))
    is_neutron = labels[some] == Label.NEUTRON

    def separation(psd: NDArray[np.float64]) -> float:
        """Distance of the medians over the widths, which a few wild values do not move."""
        gamma, neutron = (values[np.isfinite(values)] for values in (psd[~is_neutron], psd[is_neutron]))
        if not (len(gamma) and len(neutron)):
            return float("nan")
        quantiles = [np.quantile(values, [0.16, 0.5, 0.84]) for values in (gamma, neutron)]
        width = sum(high - low for low, _, high in quantiles)
        return float((quantiles[1][1] - quantiles[0][1]) / width) if width > 0 else float("nan")

    return best_gates(
        turned.waveforms,
        crossing=turned.crossing,
        sample_period_ns=preparation.sample_period_ns,
        merit=separation,
        n_refinements=0,
    ).gates


def _cut(values: NDArray[np.float64], n_cells: int) -> NDArray[np.int64]:
    """Cut into cells of equal width; what is not known is a cell of its own, the last."""
    known = np.isfinite(values)
    if not known.any():
        return np.full(len(values), n_cells, np.int64)
    low, high = np.quantile(values[known], _ENDS)
    inner = np.linspace(low, high, n_cells + 1)[1:-1]
    return np.where(known, np.searchsorted(inner, np.where(known, values, low), side="right"), n_cells)
