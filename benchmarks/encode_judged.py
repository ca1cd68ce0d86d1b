"""What decoded pulses lose, by light: the judgement of fixed networks, charge comparison, and energy."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.inference.base import Predictor
from discrimen.metrics import auc
from discrimen.metrics.figure_of_merit import figure_of_merit
from discrimen.metrics.paired import auc_difference
from discrimen.network.preparation import Preparation
from discrimen.network.prepare import constant_fraction_crossing, prepare
from discrimen.pulse_shape.charge import Charges, charge_comparison
from discrimen.pulse_shape.upright import CROSSING_FRACTION
from discrimen.pulses.detector import DetectorSettings

RANGES_KEVEE = (30, 50, 100, 200, 500)


@dataclass(frozen=True, eq=False)
class Records:
    """Raw records and what is measured of them."""

    samples: NDArray[Any]
    preparation: Preparation
    settings: DetectorSettings

    @cached_property
    def above(self) -> NDArray[np.float32]:
        """Above the baseline, upwards, in ADC counts."""
        return prepare(self.samples, self.preparation).waveforms[:, 0]

    @cached_property
    def crossing(self) -> NDArray[np.float32]:
        """Constant-fraction crossing, in samples."""
        return constant_fraction_crossing(self.above, fraction=CROSSING_FRACTION)

    @cached_property
    def charges(self) -> Charges:
        """Of the gates of the settings."""
        gates, period_ns = self.settings.gates, self.preparation.sample_period_ns
        assert gates is not None
        return charge_comparison(self.above, crossing=self.crossing, sample_period_ns=period_ns, gates=gates)


@dataclass(frozen=True, eq=False)
class Judge:
    """Compares decoded records with the recorded ones.

    Parameters
    ----------
    recorded : Records
        As recorded.
    light, labels : ndarray, shape (pulse,)
        True light in keVee, and class.
    networks : mapping of str to Predictor
        Fixed classifiers.
    """

    recorded: Records
    light: NDArray[np.float32]
    labels: NDArray[np.int8]
    networks: Mapping[str, Predictor]
    _scores: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    def ranges(self, samples: NDArray[Any]) -> list[dict[str, Any]]:
        """Return the losses of decoded records, by range of light."""
        found = Records(samples, self.recorded.preparation, self.recorded.settings)
        scores = {name: network.predict(samples)[:, 1].astype(np.float64) for name, network in self.networks.items()}
        rows = []
        for low, high in itertools.pairwise(RANGES_KEVEE):
            chosen = (self.light >= low) & (self.light < high)
            merits = [_merit(each.charges.psd[chosen]) for each in (self.recorded, found)]
            rows.append(
                {
                    "range_kevee": [low, high],
                    "n_pulses": int(chosen.sum()),
                    "auc_loss": {name: self._loss(name, values, chosen) for name, values in scores.items()},
                    "figure_of_merit": merits,
                    "resolution": [self._resolution(each, chosen) for each in (self.recorded, found)],
                    "time_difference_ns": self._time_difference_ns(found, chosen),
                    "noise_before_adc": [_noise(each, chosen) for each in (self.recorded, found)],
                }
            )
        return rows

    def recorded_figures(self) -> dict[str, Any]:
        """Return the areas under the curve of the recorded pulses, by range of light."""
        ranges = [(self.light >= low) & (self.light < high) for low, high in itertools.pairwise(RANGES_KEVEE)]
        return {name: [auc(self._of(name)[each], self.labels[each]).value for each in ranges] for name in self.networks}

    def _of(self, name: str) -> NDArray[np.float64]:
        if name not in self._scores:
            self._scores[name] = self.networks[name].predict(self.recorded.samples)[:, 1].astype(np.float64)
        return self._scores[name]

    def _loss(self, name: str, scores: NDArray[np.float64], chosen: NDArray[np.bool_]) -> list[float]:
        """Return the relative loss of the area under the curve, and its interval."""
        reference, labels = self._of(name)[chosen], self.labels[chosen]
        lost = auc_difference(scores[chosen], reference, labels)
        whole = auc(reference, labels).value
        return [-each / whole for each in (lost.value, lost.high, lost.low)]

    def _resolution(self, records: Records, chosen: NDArray[np.bool_]) -> float:
        """Return half the central 68 % of charge over true light, relative to the median."""
        low, middle, high = np.nanquantile(
            (records.charges.long_charge_adc_ns / self.light)[chosen], [0.1587, 0.5, 0.8413]
        )
        return float((high - low) / 2 / middle)

    def _time_difference_ns(self, found: Records, chosen: NDArray[np.bool_]) -> float:
        """Return half the central 68 % of the difference of the crossings."""
        late = (found.crossing - self.recorded.crossing)[chosen] * self.recorded.preparation.sample_period_ns
        low, high = np.nanquantile(late, [0.1587, 0.8413])
        return float((high - low) / 2)


def of_row(row: Mapping[str, Any]) -> str:
    """Return the figures of one range of light as a line."""
    losses = "; ".join(
        f"{name} {100 * value:.4f} % ({100 * low:.4f} to {100 * high:.4f})"
        for name, (value, low, high) in row["auc_loss"].items()
    )
    before, after = row["figure_of_merit"]
    merit = "no fit" if before is None or after is None else f"{before:.3f} -> {after:.3f}, {after / before - 1:+.1%}"
    resolution, noise = ([f"{each:.4g}" for each in row[name]] for name in ("resolution", "noise_before_adc"))
    return (
        f"{row['range_kevee'][0]}-{row['range_kevee'][1]} keVee: AUC lost: {losses}; figure of merit {merit}; "
        f"resolution {' -> '.join(resolution)}; time {row['time_difference_ns']:.2f} ns; noise {' -> '.join(noise)}"
    )


def _merit(psd: NDArray[np.float32]) -> float | None:
    try:
        return figure_of_merit(psd).value
    except DataError:
        return None


def _noise(records: Records, chosen: NDArray[np.bool_]) -> float:
    channel = records.preparation.only
    before = records.above[chosen, channel.baseline_start : channel.baseline_stop]
    return float(np.sqrt(before.var(axis=1, ddof=1).mean()))
