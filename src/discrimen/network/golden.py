"""Golden vectors: raw pulses with the values that whoever loads a frozen model must find again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, FormatError
from discrimen.network.graph import Network, run
from discrimen.network.model_description import ModelDescription
from discrimen.network.outputs import Output
from discrimen.network.preparation import Preparation
from discrimen.network.prepare import prepare

LARGEST_TOLERANCE = 0.01
"""Of the largest golden value: a wider tolerance would let a check pass that cannot fail."""


ROUNDINGS = 16
"""A float32 engine may be off so many times as far as NumPy in float32 is."""

SHARE_OF_LARGEST = 1e-6
"""And by so much of the largest value: engines have formulas of their own for exponentials."""

SMALLEST_LOGIT_TOLERANCE = 2e-6
"""Of logits: it moves a score by 5e-7 at most."""

LARGEST_LOGIT_TOLERANCE = 1e-3
"""Of logits: whatever moves a score by 1e-3 moves them by 4e-3 and more."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GoldenVectors:
    """Raw pulses with what the network must give for them, before the outputs' activations.

    The activations are left out because they saturate: a score of 1.0000000 does not feel its weights any more.

    Parameters
    ----------
    samples : ndarray of int32 or float32, shape (pulse, channel, sample)
        In ADC counts.
    present : ndarray of bool, shape (pulse, channel), optional
        Which channels are there; None: all.
    values : tuple of ndarray of float64, each of shape (pulse, value)
        For each output.
    tolerances : tuple of float
        How far each output's values may be off, in their own unit.
    """

    samples: NDArray[Any]
    present: NDArray[np.bool_] | None = None
    values: tuple[NDArray[np.float64], ...]
    tolerances: tuple[float, ...]

    def __post_init__(self) -> None:
        for values, tolerance in zip(self.values, self.tolerances, strict=True):
            largest = float(np.abs(values).max(initial=0.0))
            if not (isfinite(largest) and 0 < tolerance <= LARGEST_TOLERANCE * largest):
                raise DataError(
                    f"golden values of up to {largest:g} with a tolerance of {tolerance:g} prove nothing: expected "
                    f"more than 0 and at most {LARGEST_TOLERANCE:g} of the largest"
                )


def exact_values(
    network: Network, preparation: Preparation, samples: NDArray[Any], *, present: NDArray[Any] | None = None
) -> tuple[NDArray[np.float64], ...]:
    """Compute a network in float64, from raw samples to what each output reads, before its activation.

    Parameters
    ----------
    network : Network
        The network.
    preparation : Preparation
        Its preparation.
    samples : ndarray, shape (pulse, channel, sample), or (pulse, sample) for one channel
        As digitised.
    present : ndarray of bool, shape (pulse, channel), optional
        Which channels are there.

    Returns
    -------
    tuple of ndarray of float64, each of shape (pulse, value)
        NaN for a pulse that cannot be prepared.
    """
    prepared = prepare(samples, preparation, present=present, dtype=np.float64)
    values = run(network, prepared.waveforms)
    return tuple(np.where(prepared.valid[:, np.newaxis], value, np.nan) for value in values)


def golden_vectors(
    network: Network, description: ModelDescription, samples: NDArray[Any], *, present: NDArray[np.bool_] | None = None
) -> GoldenVectors:
    """Compute what a network gives for raw pulses, and how far an engine in float32 may be off.

    Parameters
    ----------
    network : Network
        The network.
    description : ModelDescription
        Its description.
    samples : ndarray of int32 or float32, shape (pulse, channel, sample)
        Pulses that can be prepared, every one of them.
    present : ndarray of bool, shape (pulse, channel), optional
        Which channels are there.

    Raises
    ------
    DataError
        If the outputs do not fit the network, a value is not finite, or the values prove nothing.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        exact = exact_values(network, description.preparation, samples, present=present)
        rounded = run(network, prepare(samples, description.preparation, present=present).waveforms)
    require_shapes(exact, description.outputs)
    if not all(np.isfinite(values).all() for values in (*exact, *rounded)):
        raise DataError("the network gives values that are no finite numbers for pulses that it was made for")
    tolerances = tuple(map(_tolerance, description.outputs, exact, rounded))
    return GoldenVectors(samples=samples, present=present, values=exact, tolerances=tolerances)


def _tolerance(output: Output, exact: NDArray[np.float64], rounded: NDArray[np.float32]) -> float:
    largest = float(np.abs(exact).max())
    tolerance = ROUNDINGS * float(np.abs(exact - rounded).max()) + SHARE_OF_LARGEST * largest
    if output.kind == "classes":
        # Small logits may be differences of large values; large ones may leave float32 no thousandth at all.
        tolerance = max(tolerance, SMALLEST_LOGIT_TOLERANCE)
        tolerance = min(tolerance, max(LARGEST_LOGIT_TOLERANCE, SHARE_OF_LARGEST * largest))
    return min(tolerance, LARGEST_TOLERANCE * largest)


def require_shapes(values: Sequence[NDArray[Any]], outputs: Sequence[Output]) -> None:
    """Refuse a network that does not give what its outputs promise.

    Raises
    ------
    DataError
        If it does not.
    """
    for value, output in zip(values, outputs, strict=True):
        if value.shape[1] != output.n_values:
            raise DataError(
                f"output {output.name!r} of shape {output.shape} needs {output.n_values} values, "
                f"the network gives {value.shape[1]}"
            )


def require_golden(
    golden: GoldenVectors,
    outputs: Sequence[Output],
    compute: Callable[[NDArray[Any], NDArray[np.bool_] | None], Sequence[NDArray[Any]]],
    path: Path | str,
) -> tuple[float, ...]:
    """Compute golden vectors again and refuse the model if they differ.

    Parameters
    ----------
    golden : GoldenVectors
        What is promised.
    outputs : sequence of Output
        Of the model.
    compute : callable
        From samples and which channels are there to the values before the outputs' activations.
    path : Path
        Of the model, for the message.

    Returns
    -------
    tuple of float
        The largest difference of each output.

    Raises
    ------
    FormatError
        If a value differs by more than the tolerance of its output, or cannot be computed.
    """
    try:
        found = compute(golden.samples, golden.present)
        require_shapes(found, outputs)
    except DataError as error:
        raise FormatError(f"the model cannot be computed: {error}", Path(path)) from error
    worst = []
    for output, values, wanted, tolerance in zip(outputs, found, golden.values, golden.tolerances, strict=True):
        worst.append(float(np.abs(values - wanted).max()))
        if not worst[-1] <= tolerance:
            raise FormatError(
                f"the model is off its own golden vectors: output {output.name!r} by {worst[-1]:.3g} before its "
                f"activation, allowed are {tolerance:.3g}; freeze it again",
                Path(path),
            )
    return tuple(worst)
