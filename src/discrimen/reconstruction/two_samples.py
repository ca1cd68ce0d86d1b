"""Whether real and generated pulses have the same distributions: two-sample tests of what is measured of a pulse."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError, require_module
from discrimen.network.condition import Condition, Size
from discrimen.network.preparation import Preparation
from discrimen.pulse_shape.charge import charge_comparison
from discrimen.pulse_shape.upright import upright
from discrimen.pulses import Pulses
from discrimen.pulses.detector import GatesNs

QUANTITIES = {
    "height": "ADC counts",
    "charge": "ADC counts x ns",
    "tail fraction": "1",
    "crossing time": "ns",
    "noise before the pulse": "ADC counts",
    "baseline": "ADC counts",
}
"""What is compared, and its unit."""

FEWEST = 50
"""Pulses on each side of a test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoSample:
    """A two-sample test of Kolmogorov and Smirnov.

    Parameters
    ----------
    quantity, class_name : str
        What is compared, and of which class.
    size : Size
        What the range is of.
    size_range : tuple of float
        Light or height of the pulses.
    distance : float
        The largest difference of the two cumulative distributions.
    p_value : float
        The chance of so large a distance between two samples of one distribution.
    n_real, n_generated : int
        Pulses with a value.
    real_mean, generated_mean, real_spread : float
        Means, and standard deviation of the real ones.
    """

    quantity: str
    class_name: str
    size: Size
    size_range: tuple[float, float]
    distance: float
    p_value: float
    n_real: int
    n_generated: int
    real_mean: float
    generated_mean: float
    real_spread: float

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        values = asdict(self)
        del values["size"], values["size_range"]
        return values | {self.size.range_name.replace(self.size.word, "range"): list(self.size_range)}

    @property
    def told_range(self) -> str:
        """The range with its unit, for people."""
        low, high = self.size_range
        return f"{low:.4g}-{high:.4g} {self.size.unit}"


def measured(pulses: Pulses, preparation: Preparation, gates: GatesNs | None) -> dict[str, NDArray[np.float64]]:
    """Measure the pulses: the names are those of :data:`QUANTITIES`, NaN where there is no value.

    Raises
    ------
    SettingsError
        If the gates of charge comparison are not known.
    """
    if gates is None:
        raise SettingsError("pulses are compared by their charges: the gates are not known, put them into --settings")
    turned, period_ns = upright(pulses.samples, preparation), preparation.sample_period_ns
    charges = charge_comparison(turned.waveforms, crossing=turned.crossing, sample_period_ns=period_ns, gates=gates)
    window = slice(preparation.only.baseline_start, preparation.only.baseline_stop)
    quiet = pulses.samples[:, window].astype(np.float64)
    values = {
        "height": turned.waveforms.max(axis=1),
        "charge": charges.long_charge_adc_ns,
        "tail fraction": charges.psd,
        "crossing time": turned.crossing * period_ns,
        "noise before the pulse": quiet.std(axis=1, ddof=1),
        "baseline": quiet.mean(axis=1),
    }
    return {name: np.asarray(each, np.float64) for name, each in values.items()}


def two_sample_tests(
    real: Mapping[str, NDArray[np.float64]],
    generated: Mapping[str, NDArray[np.float64]],
    *,
    labels: tuple[NDArray[Any], NDArray[Any]],
    sizes: tuple[NDArray[Any], NDArray[Any]],
    condition: Condition,
    edges: Sequence[float],
) -> tuple[TwoSample, ...]:
    """Test each quantity, for each class and range of light or height with enough pulses.

    Parameters
    ----------
    real, generated : mapping of str to ndarray
        See :func:`measured`.
    labels, sizes : pair of ndarray
        Of the real and of the generated pulses.
    condition : Condition
        Classes by number, and what the sizes are.
    edges : sequence of float
        Of the ranges of the size.
    """
    test = require_module("scipy.stats", extra="analysis").ks_2samp
    found = []
    for quantity, (number, name), (low, high) in itertools.product(
        real, enumerate(condition.groups), itertools.pairwise(edges)
    ):
        sides = []
        for values, label, size in zip((real[quantity], generated[quantity]), labels, sizes, strict=True):
            inside = values[(label == number) & (size >= low) & (size < high)]
            sides.append(inside[np.isfinite(inside)])
        if min(map(len, sides)) < FEWEST:
            continue
        tested = test(*sides, method="asymp")
        found.append(
            TwoSample(
                quantity=quantity,
                class_name=name,
                size=condition.size,
                size_range=(float(low), float(high)),
                distance=float(tested.statistic),
                p_value=float(tested.pvalue),
                n_real=len(sides[0]),
                n_generated=len(sides[1]),
                real_mean=float(sides[0].mean()),
                generated_mean=float(sides[1].mean()),
                real_spread=float(sides[0].std()),
            )
        )
    return tuple(found)
