"""One or two interactions in a segment: places of both, the share of the energy, and the probability of two."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.network.interactions import FALSE_PAIRS, FALSE_SHARE, INTERACTIONS, ONE, POSITION, SECOND, SHARE, TWO
from discrimen.network.model_description import ModelDescription
from discrimen.network.outputs import ClassThreshold, Output, class_scores
from discrimen.network.preparation import Preparation
from discrimen.pulses.hits import COORDINATES, Hits
from discrimen.training.examples import Examples, known_examples
from discrimen.training.tasks.base import Learning, Targets, input_spread
from discrimen.training.tasks.classless import refuse_options_of_classes

if TYPE_CHECKING:
    from discrimen.training.config import TrainingConfig

COLUMNS = (
    *(f"{axis}_mm" for axis in COORDINATES),
    *(f"{axis}_2_mm" for axis in COORDINATES),
    "energy_kev",
    "energy_2_kev",
    "n_interactions",
)
"""Of the hits, that this is learned from."""
FREE_BELOW = 0.6
"""Share of the energy in the first up to which either order of the two is right."""

_N_VALUES, _TWO = 7, 7
"""Of the targets: both places and the share; behind them, whether there are two."""
_SCORE_WEIGHT = 2.0
_LEAST_PROBABILITY = 1e-7
_LEAST_DEVIATION = 1e-6


@dataclass(frozen=True, slots=True)
class Interactions:
    """Give the places of one or two interactions, that of more energy first."""

    name: ClassVar[str] = "interactions"

    @property
    def classes(self) -> tuple[str, ...]:
        """None: how many interactions there are does not part the data."""
        return ()

    def require_fitting(self, config: TrainingConfig) -> None:
        """Refuse what is for classes; see :class:`~discrimen.training.tasks.base.Task`."""
        refuse_options_of_classes(self.name, config)

    def outputs(self, preparation: Preparation, *, code: int | None) -> tuple[Output, ...]:
        """Return both places, the share and the classes; see :class:`~discrimen.training.tasks.base.Task`."""
        place = Output(name=POSITION, kind="quantity", shape=(3,), unit="mm", names=COORDINATES, with_error=True)
        return (
            place,
            replace(place, name=SECOND),
            Output(name=SHARE, kind="quantity", shape=(1,), unit="1", with_error=True),
            class_scores((ONE, TWO), name=INTERACTIONS),
        )

    def groups(self, pulses: Hits, targets: Targets) -> NDArray[np.int64]:
        """Leave out hits of more interactions, or of unknown; see :class:`~discrimen.training.tasks.base.Task`."""
        return np.where(np.isfinite(_values(pulses, targets)[:, _TWO]), 0, -1)

    def examples(self, pulses: Hits, preparation: Preparation, targets: Targets, config: TrainingConfig) -> Examples:
        """Prepare every hit of one or two interactions; see :class:`~discrimen.training.tasks.base.Task`."""
        values = _values(pulses, targets)
        return known_examples(pulses, preparation, values, known=np.isfinite(values[:, _TWO]))

    def learning(
        self, keras: ModuleType, preparation: Preparation, training: Examples, config: TrainingConfig
    ) -> Learning:
        """Choose likelihoods, in either order where both are right; see :mod:`discrimen.training.tasks.base`."""
        _require_both(training.targets)
        values = training.targets[:, :_N_VALUES].astype(np.float64)
        mean, spread = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
        # Shares that are all alike teach nothing, but places do.
        spread = np.where(spread > 0, spread, 1.0)
        return Learning(
            loss=_loss(keras.ops, spread.astype(np.float32)),
            loss_label="negative log likelihood and cross-entropy",
            metrics=_metrics(keras),
            trained=(0, 1, 2, 3),
            packed=packed,
            units={0: (mean[:3], spread[:3]), 1: (mean[3:6], spread[3:6]), 2: (mean[6:], spread[6:])},
            input_spread=input_spread(preparation, training),
            finished=_with_threshold,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {"name": self.name}


def _values(pulses: Hits, targets: Targets) -> NDArray[np.float32]:
    """Return both places, the share of the first and whether there are two, NaN where it is not known."""
    if targets:
        raise DataError(f"one and two interactions are learned from columns of the hits, not from {', '.join(targets)}")
    known = pulses.info.columns()
    missing = next((name for name in COLUMNS if name not in known), None)
    if missing is not None:
        raise DataError(f"the hits have no column '{missing}'; one and two interactions need {', '.join(COLUMNS)}")
    n_interactions = known["n_interactions"]
    share = 1 - known["energy_2_kev"] / known["energy_kev"]
    is_two = np.select([n_interactions == 1, n_interactions == 2], [0.0, 1.0], np.nan)
    values = np.stack([*(known[name] for name in COLUMNS[:6]), share, is_two], axis=1).astype(np.float32)
    values[is_two == 0, 3:_N_VALUES] = np.nan
    return values


def _require_both(targets: NDArray[np.float32]) -> None:
    n_two = int(np.count_nonzero(targets[:, _TWO] == 1))
    if not 2 <= n_two <= len(targets) - 2:
        raise DataError(
            f"{n_two} of {len(targets)} hits of the training part have two interactions: expected one and two"
        )
    names = ("x", "y", "z", "x of the second", "y of the second", "z of the second")
    for name, column in zip(names, targets.T, strict=False):
        if not np.nanstd(column) > 0:
            raise DataError(f"{name}: the training part knows no two different values; there is nothing to learn")


def packed(targets: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what the loss compares with: values, 0 where unknown; which are known; two or not; either order or not."""
    values, is_two = targets[:, :_N_VALUES], targets[:, _TWO]
    known = np.isfinite(values)
    is_free = (is_two == 1) & (values[:, 6] < FREE_BELOW)
    return np.column_stack([np.where(known, values, 0), known, is_two, is_free]).astype(np.float32)


def _with_threshold(description: ModelDescription, model: Any, validation: Examples) -> ModelDescription:
    """Set from which probability on a hit counts as two, by the single interactions of the validation part."""
    alone = validation.waveforms[validation.targets[:, _TWO] == 0]
    if not len(alone):
        return description
    probability = model.predict(alone, batch_size=4096, verbose=0)[3][:, 1]
    value = float(np.quantile(probability, 1 - FALSE_SHARE, method="higher"))
    *others, scores = description.outputs
    scores = replace(scores, thresholds={FALSE_PAIRS: ClassThreshold(value, of=TWO)})
    return replace(description, outputs=(*others, scores))


def _loss(ops: Any, spread: NDArray[np.float32]) -> Callable[[Any, Any], Any]:
    """Return the likelihoods of both places and of the share, in the better order where both are right."""
    swapped = [3, 4, 5, 0, 1, 2, 6]

    def likelihood(targets: Any, known: Any, found: Any, deviation: Any) -> Any:
        scale = ops.convert_to_tensor(spread)
        # Gaussian negative log likelihood, without its constant; D. A. Nix and A. S. Weigend, Proc. IEEE Int. Conf.
        # Neural Networks (1994) 55.
        spread_of = ops.maximum(deviation / scale, _LEAST_DEVIATION)
        each = 0.5 * ops.square((targets - found) / scale / spread_of) + ops.log(spread_of)
        return ops.sum(known * each, axis=1)

    def loss(targets: Any, values: Any) -> Any:
        wanted, known = targets[:, :_N_VALUES], targets[:, _N_VALUES : 2 * _N_VALUES]
        is_two, is_free = targets[:, 2 * _N_VALUES], targets[:, 2 * _N_VALUES + 1]
        found, deviation = _sorted_out(ops, values)
        straight = likelihood(wanted, known, found, deviation)
        turned = ops.take(wanted, swapped, axis=1)
        turned = ops.concatenate([turned[:, :6], known[:, 6:] * (1 - turned[:, 6:])], axis=1)
        crossed = likelihood(turned, ops.take(known, swapped, axis=1), found, deviation)
        places = ops.where(is_free > 0, ops.minimum(straight, crossed), straight)
        right = is_two * values[:, 15] + (1 - is_two) * values[:, 14]
        entropy = -ops.log(ops.clip(right, _LEAST_PROBABILITY, 1.0))
        return (places + _SCORE_WEIGHT * entropy) / (_N_VALUES + 1)

    return loss


def _sorted_out(ops: Any, values: Any) -> tuple[Any, Any]:
    """Return both places and the share, and their deviations, of the outputs side by side."""
    found = ops.concatenate([values[:, 0:3], values[:, 6:9], values[:, 12:13]], axis=1)
    return found, ops.concatenate([values[:, 3:6], values[:, 9:12], values[:, 13:14]], axis=1)


def _metrics(keras: ModuleType) -> tuple[Any, ...]:
    ops = keras.ops

    def position_error(targets: Any, values: Any) -> Any:
        known = targets[:, _N_VALUES : _N_VALUES + 3]
        return ops.sum(known * ops.abs(targets[:, :3] - values[:, :3]), axis=1) / 3

    def told_right(targets: Any, values: Any) -> Any:
        is_two = targets[:, 2 * _N_VALUES] > 0
        return ops.cast(ops.equal(is_two, values[:, 15] > values[:, 14]), "float32")

    return (
        keras.metrics.MeanMetricWrapper(position_error, name=f"{POSITION}_absolute_error_mm"),
        keras.metrics.MeanMetricWrapper(told_right, name="interactions_told_right"),
    )
