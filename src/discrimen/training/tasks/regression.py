"""Regression: quantities with a unit, each with or without its error; what is not known of a pulse does not count."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.network.outputs import Output
from discrimen.network.preparation import Preparation
from discrimen.pulses.hits import COORDINATES, Hits
from discrimen.training.examples import Examples, known_examples
from discrimen.training.tasks.base import Learning, Targets, input_spread
from discrimen.training.tasks.classless import refuse_options_of_classes

if TYPE_CHECKING:
    from discrimen.training.config import TrainingConfig

_LEAST_DEVIATION = 1e-6
"""Of the spread: the loss of a standard deviation of nothing is no number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """What is to be learned.

    Parameters
    ----------
    name : str
        Of the output, and of the target that is given in Python.
    unit : str
        Of its values.
    components : tuple of str
        Names of its values, for example x, y, z; none for a single value.
    column : str or None
        Of the pulses, where no target is given; by default the one with the quantity's name.
    with_error : bool
        Whether the network gives the standard deviation of each value too.
    columns : tuple of str
        Of the pulses, one for each component; none where targets are given.

    Raises
    ------
    SettingsError
        If this is no output, or there is not one column for each component.
    """

    name: str
    unit: str
    components: tuple[str, ...] = ()
    column: str | None = None
    with_error: bool = False
    columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "components", tuple(self.components))
        object.__setattr__(self, "columns", tuple(self.columns))
        self.output()  # refuses what is no output
        if self.columns and (self.column is not None or len(self.columns) != self.n_values):
            given = ", ".join((*self.columns, *((self.column,) if self.column else ())))
            raise SettingsError(f"{self.name}: expected one column for each of {self.n_values} values, got {given}")

    @property
    def n_values(self) -> int:
        """How many values it has."""
        return max(1, len(self.components))

    @property
    def target_columns(self) -> tuple[str, ...]:
        """Columns of the pulses that hold the targets; none of several values whose columns nobody named."""
        if self.columns or self.n_values > 1:
            return self.columns
        return (self.column or self.name,)

    def output(self) -> Output:
        """Return what the model will give."""
        return Output(
            name=self.name,
            kind="quantity",
            shape=(self.n_values,),
            unit=self.unit,
            names=self.components,
            with_error=self.with_error,
        )


@dataclass(frozen=True, slots=True)
class Regression:
    """Give quantities.

    Parameters
    ----------
    quantities : tuple of Quantity
        Each an output of its own.
    """

    name: ClassVar[str] = "regression"
    quantities: tuple[Quantity, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "quantities", tuple(self.quantities))
        names = [quantity.name for quantity in self.quantities]
        if not names or len(set(names)) != len(names):
            raise SettingsError(f"regression needs quantities of different names, got {', '.join(names) or 'none'}")

    @property
    def classes(self) -> tuple[str, ...]:
        """None."""
        return ()

    def require_fitting(self, config: TrainingConfig) -> None:
        """Refuse what is for classes; see :class:`~discrimen.training.tasks.base.Task`."""
        refuse_options_of_classes(self.name, config)

    def outputs(self, preparation: Preparation, *, code: int | None) -> tuple[Output, ...]:
        """Return an output for each quantity; see :class:`~discrimen.training.tasks.base.Task`."""
        return tuple(quantity.output() for quantity in self.quantities)

    def groups(self, pulses: Hits, targets: Targets) -> NDArray[np.int64]:
        """Leave out pulses of which nothing is known; see :class:`~discrimen.training.tasks.base.Task`."""
        known = np.isfinite(self._values(pulses, targets)).any(axis=1)
        return np.where(known, 0, -1)

    def examples(self, pulses: Hits, preparation: Preparation, targets: Targets, config: TrainingConfig) -> Examples:
        """Prepare every pulse of which something is known; see :class:`~discrimen.training.tasks.base.Task`."""
        values = self._values(pulses, targets)
        known: NDArray[np.bool_] = np.asarray(np.isfinite(values).any(axis=1))
        return known_examples(pulses, preparation, values, known=known)

    def learning(
        self, keras: ModuleType, preparation: Preparation, training: Examples, config: TrainingConfig
    ) -> Learning:
        """Choose mean square, or the likelihood of values with errors; see :mod:`discrimen.training.tasks.base`."""
        mean, spread = self._mean_and_spread(training.targets)
        loss = _loss(keras, self.quantities, spread.astype(np.float32))
        metrics = tuple(_metric(keras, quantity, *places) for quantity, places in _with_places(self.quantities))
        units = {
            number: (mean[of], spread[of])
            for number, of in enumerate(_slices([quantity.n_values for quantity in self.quantities]))
        }
        with_error = any(quantity.with_error for quantity in self.quantities)
        return Learning(
            loss=loss,
            loss_label="negative log likelihood" if with_error else "mean square (units of the spread, squared)",
            metrics=metrics,
            trained=tuple(range(len(self.quantities))),
            packed=self._packed,
            units=units,
            input_spread=input_spread(preparation, training),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        told = [
            asdict(quantity) | {"components": list(quantity.components), "columns": list(quantity.columns)}
            for quantity in self.quantities
        ]
        return {"name": self.name, "quantities": told}

    def _values(self, pulses: Hits, targets: Targets) -> NDArray[np.float32]:
        """Return the targets of all quantities side by side, NaN where one is not known."""
        strange = sorted(set(targets) - {quantity.name for quantity in self.quantities})
        if strange:
            raise DataError(f"there are targets of no quantity: {', '.join(strange)}")
        return np.concatenate([_target(quantity, pulses, targets) for quantity in self.quantities], axis=1)

    def _names(self) -> list[str]:
        return [
            f"{quantity.name} {component}".strip()
            for quantity in self.quantities
            for component in quantity.components or ("",)
        ]

    def _mean_and_spread(self, values: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        known = np.isfinite(values)
        for name, column, there in zip(self._names(), values.T, known.T, strict=True):
            if there.sum() < 2 or column[there].min() == column[there].max():
                told = "no value" if not there.any() else f"{there.sum()} values, all of them {column[there][0]:g}"
                raise DataError(f"{name}: the training part knows {told}; there is nothing to learn: give more targets")
        exact = np.where(known, values, np.nan).astype(np.float64)
        return np.nanmean(exact, axis=0), np.nanstd(exact, axis=0)

    def _packed(self, targets: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return values, 0 where unknown, and behind them weights: the mean over a part is one over what is known."""
        known = np.isfinite(targets)
        share = known.mean(axis=0)
        for name, one in zip(self._names(), share, strict=True):
            if one == 0:
                raise DataError(f"{name}: a part of the pulses knows no value: give more targets, or split otherwise")
        return np.concatenate([np.where(known, targets, 0), known / share], axis=1).astype(np.float32)


def position(*, with_error: bool = True) -> Quantity:
    """Return the place of an interaction as a quantity: x, y and z in mm, from the columns of hits."""
    columns = tuple(f"{name}_mm" for name in COORDINATES)
    return Quantity(name="position", unit="mm", components=COORDINATES, with_error=with_error, columns=columns)


def _with_places(quantities: Sequence[Quantity]) -> Iterator[tuple[Quantity, tuple[slice, slice, slice]]]:
    """Yield each quantity with its places among the targets, the weights, and the values of the network."""
    total = sum(quantity.n_values for quantity in quantities)
    targets = _slices([quantity.n_values for quantity in quantities])
    given = _slices([quantity.output().n_values for quantity in quantities])
    for quantity, of, values in zip(quantities, targets, given, strict=True):
        yield quantity, (of, slice(of.start + total, of.stop + total), values)


def _slices(lengths: Sequence[int]) -> list[slice]:
    ends = np.cumsum([0, *lengths]).tolist()
    return [slice(begin, end) for begin, end in pairwise(ends)]


def _target(quantity: Quantity, pulses: Hits, targets: Targets) -> NDArray[np.float32]:
    if quantity.name in targets:
        values = np.asarray(targets[quantity.name], dtype=np.float32)
    else:
        known, wanted = pulses.info.columns(), quantity.target_columns
        missing = next((name for name in wanted or (quantity.name,) if name not in known), None)
        if missing is not None:
            raise DataError(
                f"{quantity.name}: the pulses have no column '{missing}' of such values; they have: "
                f"{', '.join(known) or 'none'}; name another, or give targets={{'{quantity.name}': values}} in Python"
            )
        values = np.stack([known[name].astype(np.float32) for name in wanted], axis=1)
    values = values[:, np.newaxis] if values.ndim == 1 else values
    if values.shape != (len(pulses), quantity.n_values):
        raise DataError(
            f"{quantity.name}: expected targets of shape {(len(pulses), quantity.n_values)}, got {values.shape}"
        )
    endless = np.flatnonzero(np.isinf(values).any(axis=1))
    if len(endless):
        raise DataError(
            f"{quantity.name}: {len(endless)} targets are infinite, the first is number {endless[0]}; NaN stands for "
            "what is not known"
        )
    return values


def _loss(keras: ModuleType, quantities: Sequence[Quantity], spread: NDArray[np.float32]) -> Callable[[Any, Any], Any]:
    ops = keras.ops
    places = list(_with_places(quantities))
    total = sum(quantity.n_values for quantity in quantities)

    def loss(targets: Any, values: Any) -> Any:
        """Return the mean over what is known, in units of the spread."""
        terms = []
        for quantity, (of, weights, given) in places:
            n_values = quantity.n_values
            scale = ops.convert_to_tensor(spread[of])
            found = values[:, given]
            residual = (targets[:, of] - found[:, :n_values]) / scale
            if quantity.with_error:
                # Gaussian negative log likelihood, without its constant; D. A. Nix and A. S. Weigend, Proc. IEEE Int.
                # Conf. Neural Networks (1994) 55.
                deviation = ops.maximum(found[:, n_values:] / scale, _LEAST_DEVIATION)
                each = 0.5 * ops.square(residual / deviation) + ops.log(deviation)
            else:
                each = ops.square(residual)
            terms.append(ops.sum(targets[:, weights] * each, axis=1))
        return sum(terms[1:], terms[0]) / total

    return loss


def _metric(keras: ModuleType, quantity: Quantity, of: slice, weights: slice, given: slice) -> Any:
    ops, n_values = keras.ops, quantity.n_values

    def mean_absolute(targets: Any, values: Any) -> Any:
        error = ops.abs(targets[:, of] - values[:, given][:, :n_values])
        return ops.sum(targets[:, weights] * error, axis=1) / n_values

    return keras.metrics.MeanMetricWrapper(mean_absolute, name=f"{quantity.name}_absolute_error_{quantity.unit}")
