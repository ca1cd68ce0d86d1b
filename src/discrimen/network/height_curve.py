"""A threshold that follows the height of the pulse."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError

MOST_KNOTS = 16


@dataclass(frozen=True, slots=True)
class HeightCurve:
    """Thresholds at some heights; their logit is linear in the logarithm of the height between, and flat outside.

    A network that ends in a softmax gives the score as the logistic function of a number; it is this number, the logit,
    that changes evenly with the logarithm of the light. Near 0 and 1, where most scores lie, thresholds themselves
    would differ by many powers of ten in their distance to the end, and a line between two of them would follow the
    larger distance alone.

    Parameters
    ----------
    height_adc : tuple of float
        Of the knots, ascending: the highest sample of the window above the baseline, in ADC counts.
    threshold : tuple of float
        There, between 0 and 1, which are not allowed themselves.

    Raises
    ------
    SettingsError
        If there are not 2 to 16 knots, heights do not ascend, or a threshold is not a possible one.
    """

    height_adc: tuple[float, ...]
    threshold: tuple[float, ...]

    def __post_init__(self) -> None:
        n_knots, heights = len(self.height_adc), self.height_adc
        if not 2 <= n_knots <= MOST_KNOTS or len(self.threshold) != n_knots:
            raise SettingsError(
                f"a curve of thresholds needs 2 to {MOST_KNOTS} heights and as many thresholds, got {n_knots} and "
                f"{len(self.threshold)}"
            )
        ascend = all(low < high for low, high in pairwise(heights))
        if not (heights[0] > 0 and math.isfinite(heights[-1]) and ascend):
            raise SettingsError(f"the heights of a curve of thresholds must be positive and ascend, got {heights}")
        if not all(0 < each < 1 for each in self.threshold):
            raise SettingsError(f"the thresholds of a curve must lie between 0 and 1, got {self.threshold}")

    def __str__(self) -> str:
        low, high = self.height_adc[0], self.height_adc[-1]
        return f"{self.threshold[0]:.4g} at {low:.4g} ADC counts to {self.threshold[-1]:.4g} at {high:.4g}"

    def at(self, height_adc: NDArray[Any]) -> NDArray[np.float64]:
        """Return the threshold of each pulse.

        Parameters
        ----------
        height_adc : ndarray of float, shape (pulse,)
            In ADC counts; NaN for a pulse that could not be prepared.

        Returns
        -------
        ndarray of float64, shape (pulse,)
            NaN where the height is; no score reaches that.
        """
        knots, thresholds = np.array(self.height_adc), np.array(self.threshold)
        height = np.clip(height_adc.astype(np.float64), knots[0], knots[-1])
        left = np.clip(np.searchsorted(knots, height, side="right") - 1, 0, len(knots) - 2)
        share = np.log(height / knots[left]) / np.log(knots[left + 1] / knots[left])
        logits = np.log(thresholds) - np.log1p(-thresholds)
        between = 1 / (1 + np.exp(-(logits[left] + share * (logits[left + 1] - logits[left]))))
        low, high = thresholds[left], thresholds[left + 1]
        # Rounding must not carry it beyond its knots: engines decide without a logarithm where neither is in doubt.
        between = np.clip(between, np.minimum(low, high), np.maximum(low, high))
        exact: NDArray[np.float64] = np.select(
            [height == knots[left], height == knots[left + 1]], [low, high], default=between
        )
        return exact

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {name: list(values) for name, values in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> HeightCurve:
        """Build from what :meth:`as_dict` returned.

        Raises
        ------
        SettingsError
            If a name is unknown or missing, or a value does not fit.
        """
        try:
            return cls(**{name: tuple(map(float, each)) for name, each in values.items()})
        except (TypeError, ValueError) as error:
            raise SettingsError(f"this is no curve of thresholds: {error}") from error


Cut = float | HeightCurve
"""Where a class begins: at one score, or at one that follows the height of the pulse."""


def plain_threshold(cut: Cut) -> float | dict[str, Any]:
    """Return a threshold as plain data, ready for JSON: a number, or a curve as an object of its own."""
    return cut.as_dict() if isinstance(cut, HeightCurve) else cut


def thresholds_of(cut: Cut, height_adc: NDArray[Any] | None, *, n_pulses: int) -> NDArray[np.float64]:
    """Return the threshold of each pulse, shape (pulse,).

    Parameters
    ----------
    cut : float or HeightCurve
        The threshold.
    height_adc : ndarray of float, shape (pulse,), or None
        In ADC counts; None where one threshold needs none.
    n_pulses : int
        How many there are.

    Raises
    ------
    SettingsError
        If the threshold follows the height, and the height is not known.
    """
    if not isinstance(cut, HeightCurve):
        return np.full(n_pulses, cut)
    if height_adc is None:
        raise SettingsError("this threshold follows the height of the pulse, which is not known: give a number instead")
    return cut.at(height_adc)
