"""What the classic methods have in common: aligned waveforms in, one number a pulse out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError

Waveforms = NDArray[np.float32]
"""Shape (pulse, sample): above the baseline, upwards, aligned on the leading edge, in ADC counts; a row of zeros for a
pulse that could not be aligned."""

Merit = Callable[[NDArray[np.float64]], float]
"""From the scores of all tuning pulses to a number, the higher the better; NaN marks a pulse without a score."""


_Tuned = TypeVar("_Tuned")


class Method(Protocol):
    """A tuned method."""

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What was tuned, as plain data, units in the names."""

    def score(self, waveforms: Waveforms) -> NDArray[np.float64]:
        """Score aligned waveforms.

        Returns
        -------
        ndarray of float64, shape (pulse,)
            The larger, the more like a neutron; NaN where the pulse has no score.
        """


def best_of(tried: Iterable[tuple[_Tuned, NDArray[np.float64]]], merit: Merit) -> _Tuned:
    """Return what gave the scores with the highest merit, the first among equals.

    Parameters
    ----------
    tried : iterable of (method, ndarray)
        Each with its scores of all tuning pulses.
    merit : callable
        Judges the scores; what has no merit (NaN) never wins over what has some.

    Raises
    ------
    DataError
        If there is none to choose from.
    """
    reached = [(merit(scores), method) for method, scores in tried]
    if not reached:
        raise DataError("nothing to tune: the aligned records are too short")
    return reached[int(np.argmax(np.nan_to_num([value for value, _ in reached], nan=-np.inf)))][1]


def over(value: NDArray[Any], divisor: NDArray[Any]) -> NDArray[np.float64]:
    """Divide, where the divisor is positive; NaN elsewhere."""
    positive = divisor > 0
    quotient = value / np.where(positive, divisor, 1.0)
    return np.where(positive, quotient, np.nan).astype(np.float64)


def steps_up_to(n_samples: int, *, first: int = 1, ratio: float = 1.2) -> tuple[int, ...]:
    """Return whole numbers in about geometric steps, `n_samples` the last."""
    if n_samples < first:
        return ()
    n_steps = int(np.ceil(np.log(max(n_samples / first, 1.0)) / np.log(ratio))) + 1
    return tuple(int(value) for value in np.unique(np.rint(np.geomspace(first, n_samples, n_steps))))
