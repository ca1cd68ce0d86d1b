"""How right separated pulses are, where the truth is known, beside a fit of templates to the same records."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.network.preparation import Preparation
from discrimen.network.prepare import constant_fraction_crossing, prepare
from discrimen.pulse_shape.template import Template
from discrimen.pulse_shape.upright import CROSSING_FRACTION
from discrimen.pulses import Label, Pulses
from discrimen.reconstruction.parts import Kind, Parted
from discrimen.reconstruction.template_fit import better_order, choose_ridge, fit_two
from discrimen.runs.components import Components
from discrimen.training.tasks.separation import above_baseline

EDGES_SAMPLES = (0.0, 1.0, 3.0, 10.0, 30.0, np.inf)
"""Of the distances between two pulses, in samples."""

_RIDGE_RECORDS = 100
_TEMPLATE_PULSES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """How near the parts of some records are to the truth.

    Parameters
    ----------
    n_records : int
        Judged.
    nrmse : float or None
        Root of the squared difference over all samples of both parts, in the better order, divided by that of the
        true parts; all records together.
    median : float or None
        Median of the same of each record.
    charge_spread : float or None
        Half the central 68 % of the relative error of the charge of a part.
    delay_spread_ns : float or None
        Half the central 68 % of the error of the delay between the parts.
    """

    n_records: int
    nrmse: float | None
    median: float | None
    charge_spread: float | None
    delay_spread_ns: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Distance:
    """Quality of both ways for records whose pulses are so far apart.

    Parameters
    ----------
    low_ns, high_ns : float
        The distance; the last one has no upper end (infinite).
    n_parted : int
        How many of the records of the network are parted; others count as one pulse or more than two, or are refused.
    network, fit : Quality
        On the same records.
    """

    low_ns: float
    high_ns: float
    n_parted: int
    network: Quality
    fit: Quality | None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Judged:
    """All of it.

    Parameters
    ----------
    everything : Quality
        Of the network, all records of two parts, whatever these hold.
    singles : Quality
        Of the network, records with one pulse in each part.
    network, fit : Quality
        Of records among the singles that the fit was tried on.
    ridge : float or None
        Of the fit, chosen by the truth of other records.
    by_distance : tuple of Distance
        Of the network on all singles and of the fit on those that it was tried on.
    n_alone, n_false_alarms : int
        Records of one pulse, and how many of them count as more.
    n_two, n_found : int
        Records of two pulses (one in each part), and how many of them count as more than one.
    """

    everything: Quality
    singles: Quality
    network: Quality
    fit: Quality | None
    ridge: float | None
    by_distance: tuple[Distance, ...]
    n_alone: int
    n_false_alarms: int
    n_two: int
    n_found: int

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON; a distance without an upper end has null there."""
        names = ("n_alone", "n_false_alarms", "n_two", "n_found", "ridge")
        rows = [asdict(row) for row in self.by_distance]
        for row in rows:
            row["high_ns"] = None if np.isinf(row["high_ns"]) else row["high_ns"]
        qualities = {name: getattr(self, name) for name in ("everything", "singles", "network", "fit")}
        return {
            **{name: None if value is None else asdict(value) for name, value in qualities.items()},
            "by_distance": rows,
            **{name: getattr(self, name) for name in names},
        }


@dataclass(slots=True)
class Judge:
    """Collects parts, and holds them against the truth in the end.

    Parameters
    ----------
    truth : Components
        Of the whole run.
    preparation : Preparation
        Of the separating model.
    """

    truth: Components
    preparation: Preparation
    _errors: list[_Errors] = field(default_factory=list)
    _records: list[NDArray[np.float32]] = field(default_factory=list)
    _kinds: list[NDArray[np.int8]] = field(default_factory=list)

    def add(self, pulses: Pulses, parted: Parted, rows: slice) -> NDArray[np.int8] | None:
        """Take the parts of a chunk; return the classes of the parts in their order, where they are known."""
        if rows.stop > len(self.truth):
            return None  # `require_all` tells of it
        truth = self.truth[rows]
        wanted = above_baseline(truth.records, self.preparation)
        errors = _Errors.of(parted.waves_adc, wanted, self.preparation.sample_period_ns)
        prepared = prepare(pulses.samples, self.preparation)
        self._records.append(prepared.waveforms[:, 0] * prepared.restoration.divisor[:, np.newaxis].astype(np.float32))
        self._errors.append(errors)
        self._kinds.append(parted.kind)
        if truth.label is None:
            return None
        turned = errors.crossed & parted.is_pair
        return np.where(turned[:, np.newaxis], truth.label[:, ::-1], truth.label)

    def require_all(self, n_read: int, *, where: str) -> None:
        """Refuse a truth of other records.

        Raises
        ------
        DataError
            If it is longer or shorter than the run.
        """
        if n_read != len(self.truth):
            raise DataError(
                f"{where}: {n_read} records, but clean components of {len(self.truth)}: give the files that belong "
                "together, whole"
            )

    def judged(self, *, n_fitted: int) -> Judged:
        """Return all figures.

        Parameters
        ----------
        n_fitted : int
            Records of two single pulses that the fit is tried on, evenly over the run; 0 leaves it out.
        """
        errors, kind = _Errors.joined(self._errors), np.concatenate(self._kinds)
        told = np.isin(kind, (Kind.SINGLE, Kind.PAIR, Kind.MORE, Kind.UNCLEAR))
        two = (self.truth.n_pulses > 0).all(axis=1) & told
        singles = two & self.truth.singles
        alone = (self.truth.n_pulses.sum(axis=1) == 1) & told
        tried, ridge, fitted = self._fitted(np.flatnonzero(singles), n_fitted)
        rows = []
        period_ns = self.preparation.sample_period_ns
        for low, high in pairwise(EDGES_SAMPLES):
            inside = (errors.distance_ns >= low * period_ns) & (errors.distance_ns < high * period_ns)
            own = None if fitted is None else fitted.quality(inside[tried])
            if (singles & inside).any():
                ends = {"low_ns": low * period_ns, "high_ns": high * period_ns}
                n_parted = int((singles & inside & (kind == Kind.PAIR)).sum())
                rows.append(Distance(**ends, n_parted=n_parted, network=errors.quality(singles & inside), fit=own))
        return Judged(
            everything=errors.quality(two),
            singles=errors.quality(singles),
            network=errors.quality(tried),
            fit=None if fitted is None else fitted.quality(np.ones(len(tried), np.bool_)),
            ridge=ridge,
            by_distance=tuple(rows),
            n_alone=int(alone.sum()),
            n_false_alarms=int((alone & (kind != Kind.SINGLE)).sum()),
            n_two=int(singles.sum()),
            n_found=int((singles & (kind != Kind.SINGLE)).sum()),
        )

    def _fitted(self, singles: NDArray[np.int64], n_fitted: int) -> tuple[NDArray[np.int64], float | None, Any]:
        """Fit templates, made of true parts, to some records; the ridge is chosen on others."""
        if not n_fitted or len(singles) < 2 * _RIDGE_RECORDS:
            return singles, None, None
        chosen = singles[:: max(1, len(singles) // (n_fitted + _RIDGE_RECORDS))]
        first, tried = chosen[:_RIDGE_RECORDS], chosen[_RIDGE_RECORDS : _RIDGE_RECORDS + n_fitted]
        records = np.concatenate(self._records)
        templates = self._templates(singles)
        ridge = choose_ridge(records[first], self._wanted(first), templates)
        fitted = fit_two(records[tried], templates, ridge=ridge)
        return tried, ridge, _Errors.of(fitted.parts, self._wanted(tried), self.preparation.sample_period_ns)

    def _wanted(self, at: NDArray[np.int64]) -> NDArray[np.float64]:
        return above_baseline(self.truth[at].records, self.preparation).astype(np.float64)

    def _templates(self, singles: NDArray[np.int64]) -> list[Template]:
        """Return the mean pulse, or that of each class."""
        some = singles[:: max(1, len(singles) // _TEMPLATE_PULSES)]
        waves = self._wanted(some).reshape(-1, self.preparation.window_length).astype(np.float32)
        if self.truth.label is None:
            return [Template.of(waves)]
        label = self.truth.label[some].ravel()
        kinds = [kind for kind in (Label.GAMMA, Label.NEUTRON) if (label == kind).sum() >= 2 * _RIDGE_RECORDS]
        return [Template.of(waves[label == kind]) for kind in kinds] or [Template.of(waves)]


@dataclass(frozen=True, slots=True, eq=False)
class _Errors:
    """What differs between parts and truth, for each record."""

    square: NDArray[np.float64]
    true_square: NDArray[np.float64]
    charge: NDArray[np.float64]
    delay_ns: NDArray[np.float64]
    distance_ns: NDArray[np.float64]
    crossed: NDArray[np.bool_]

    @classmethod
    def of(cls, parts: NDArray[Any], wanted: NDArray[Any], period_ns: float) -> _Errors:
        square, crossed = better_order(parts, wanted)
        own = np.where(crossed[:, np.newaxis, np.newaxis], parts[:, ::-1], parts)
        with np.errstate(divide="ignore", invalid="ignore"):
            charge = own.sum(axis=2, dtype=np.float64) / wanted.sum(axis=2, dtype=np.float64) - 1
        delay, true_delay = _delay_ns(own, period_ns), _delay_ns(wanted, period_ns)
        return cls(
            square=square,
            true_square=np.square(wanted, dtype=np.float64).sum(axis=(1, 2)),
            charge=charge,
            delay_ns=delay - true_delay,
            distance_ns=np.abs(true_delay),
            crossed=crossed,
        )

    @classmethod
    def joined(cls, several: list[_Errors]) -> _Errors:
        return cls(*(np.concatenate([getattr(each, name) for each in several]) for name in cls.__slots__))

    def quality(self, at: NDArray[Any]) -> Quality:
        square, true_square = self.square[at], self.true_square[at]
        if not len(square):
            return Quality(n_records=0, nrmse=None, median=None, charge_spread=None, delay_spread_ns=None)
        return Quality(
            n_records=len(square),
            nrmse=float(np.sqrt(square.sum() / true_square.sum())),
            median=float(np.median(np.sqrt(square / true_square))),
            charge_spread=_half_central(self.charge[at].ravel()),
            delay_spread_ns=_half_central(self.delay_ns[at]),
        )


def _delay_ns(parts: NDArray[Any], period_ns: float) -> NDArray[np.float64]:
    flat = parts.reshape(-1, parts.shape[2]).astype(np.float32)
    crossing = constant_fraction_crossing(flat, fraction=CROSSING_FRACTION).reshape(-1, 2)
    return (crossing[:, 1] - crossing[:, 0]).astype(np.float64) * period_ns


def _half_central(values: NDArray[np.float64]) -> float | None:
    known = values[np.isfinite(values)]
    if not len(known):
        return None
    low, high = np.quantile(known, (0.16, 0.84))
    return float((high - low) / 2)
