"""Separation: the two pulses that a piled-up record is the sum of, and whether there are one, two or more of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.network.model_description import ModelDescription
from discrimen.network.outputs import PREPARED, ClassThreshold, Output, class_scores
from discrimen.network.part_template import PartTemplate
from discrimen.network.preparation import Preparation
from discrimen.network.prepare import subtract_baseline
from discrimen.pulses.hits import Hits
from discrimen.training.examples import Examples, prepared_pulses
from discrimen.training.part_template import choose_distance, learn_template
from discrimen.training.remix import Mixture, Remix
from discrimen.training.tasks.base import Learning, Targets, input_spread
from discrimen.training.tasks.classless import refuse_options_of_classes

if TYPE_CHECKING:
    from discrimen.training.config import TrainingConfig

COMPONENTS, N_PULSES = "components", "n_pulses"
"""Names of the targets: clean records of the two parts, and how many pulses each part holds."""
PARTS, PILE_UP = "parts", "pile_up"
"""Names of the outputs."""
SINGLE, PAIR, MORE = "single", "pair", "more"
N_PARTS = 2
MOVED_SHARE = 0.15

_SCORE_WEIGHT = 0.05
_JUDGED_APART = 4000
"""Records put together of the validation part, by which it is chosen from which distance on a template is fitted."""
_LEAST_PROBABILITY = 1e-7


@dataclass(frozen=True, slots=True, kw_only=True)
class Separation:
    """Give the two parts of each record, in no order, and the probabilities of one, two and more pulses.

    Parameters
    ----------
    gain : float
        Above 0, half of the training examples are made such as another source would give, with parts about as high as
        each other, at any height: the standard deviation of the natural logarithm of their ratio. See
        :class:`~discrimen.training.remix.Remix`.
    mixed_share : float
        Share of the training examples whose second part is that of another record.
    moved_share : float
        Share whose second part is moved later, up to half of the record: distances that are rare are learnt too.
    single_share, more_share : float
        Shares whose second part is left out, or that get a third pulse.
    false_alarms : float
        Share of single pulses that may count as piled up: sets the threshold `single` of the model.
    """

    name: ClassVar[str] = "separation"
    gain: float = 0.0
    mixed_share: float = 0.5
    moved_share: float = MOVED_SHARE
    single_share: float = 0.2
    more_share: float = 0.1
    false_alarms: float = 0.001

    def __post_init__(self) -> None:
        shares = (self.mixed_share, self.moved_share, self.single_share, self.more_share, self.false_alarms)
        if not all(0 <= share < 1 for share in shares) or self.single_share + self.more_share >= 1:
            raise SettingsError(f"separation: shares must lie between 0 and 1, got {', '.join(map(str, shares))}")
        if not 0 <= self.gain <= 2:
            raise SettingsError(f"separation: the spread of gains must lie between 0 and 2, got {self.gain}")

    @property
    def classes(self) -> tuple[str, ...]:
        """None: how many pulses there are does not part the data."""
        return ()

    def require_fitting(self, config: TrainingConfig) -> None:
        """Refuse what is for classes; see :class:`~discrimen.training.tasks.base.Task`."""
        refuse_options_of_classes(self.name, config)

    def outputs(self, preparation: Preparation, *, code: int | None) -> tuple[Output, ...]:
        """Return parts and pile-up; see :class:`~discrimen.training.tasks.base.Task`.

        Raises
        ------
        SettingsError
            If the input has several channels.
        """
        if preparation.n_channels != 1:
            raise SettingsError(f"separation is for pulses of one channel, these have {preparation.n_channels}")
        shape = (N_PARTS, preparation.window_length)
        return (
            Output(name=PARTS, kind="waveform", shape=shape, unit=PREPARED),
            class_scores((SINGLE, PAIR, MORE), name=PILE_UP),
        )

    def groups(self, pulses: Hits, targets: Targets) -> NDArray[np.int64]:
        """Put all pulses into one group; see :class:`~discrimen.training.tasks.base.Task`."""
        return np.zeros(len(pulses), dtype=np.int64)

    def examples(self, pulses: Hits, preparation: Preparation, targets: Targets, config: TrainingConfig) -> Examples:
        """Prepare every pulse; the targets are laid out as :class:`~discrimen.training.remix.Mixture` says."""
        components, n_pulses = _checked(targets, pulses, preparation)
        waveforms, kept, way_back = prepared_pulses(pulses, preparation, np.arange(len(pulses)))
        divisor = way_back.divisor.astype(np.float32)
        parts = above_baseline(components[kept], preparation) / divisor[:, np.newaxis, np.newaxis]
        mixture = Mixture(
            waveforms=waveforms[:, 0],
            parts=parts,
            n_pulses=n_pulses[kept],
            divisor=divisor,
            run=np.zeros(len(kept), np.int64) if pulses.info.run is None else pulses.info.run[kept].astype(np.int64),
        )
        return Examples(
            waveforms=waveforms, targets=mixture.as_targets(), pulse=kept, n_invalid=len(pulses) - len(kept)
        )

    def learning(
        self, keras: ModuleType, preparation: Preparation, training: Examples, config: TrainingConfig
    ) -> Learning:
        """Choose a loss that knows no order of the parts; see :class:`~discrimen.training.tasks.base.Task`."""
        n_values = N_PARTS * preparation.window_length
        if not Mixture.of_targets(training.targets).is_pair.any():
            raise DataError("no training record holds two pulses, one in each part: there is nothing to separate")
        mean_energy = float(np.square(training.targets[:, :n_values], dtype=np.float64).sum(axis=1).mean())
        remix = Remix(
            scale=preparation.scale,
            gain=self.gain,
            mixed_share=self.mixed_share,
            moved_share=self.moved_share,
            single_share=self.single_share,
            more_share=self.more_share,
        )

        def finished(description: ModelDescription, model: Any, validation: Examples) -> ModelDescription:
            outputs = self._with_threshold(description.outputs, model, remix.alone(validation))
            many = np.tile(np.arange(len(validation)), max(1, _JUDGED_APART // max(1, len(validation))))
            # Pulses of the source that is trained on; those of a strange one would tell of the network's ignorance.
            judging = replace(remix, gain=0.0).draw(validation, many, rng=np.random.default_rng([config.seed, 8]))
            template = _template(Mixture.of_targets(training.targets), judging, model)
            return replace(description, outputs=outputs, part_template=template)

        return Learning(
            loss=_loss(keras.ops, n_values, mean_energy),
            loss_label="square of the difference (of that of the parts) and cross-entropy",
            metrics=_metrics(keras, n_values, mean_energy),
            trained=(0, 1),
            packed=packed,
            input_spread=input_spread(preparation, training),
            remix=remix,
            finished=finished,
        )

    def _with_threshold(self, outputs: Sequence[Output], model: Any, alone: Examples) -> tuple[Output, ...]:
        """Set from which probability of a single pulse on a record is one, by single pulses of the validation part."""
        parts, scores = outputs
        if not len(alone):
            return parts, scores
        single = model.predict(alone.waveforms, batch_size=4096, verbose=0)[1][:, 0]
        # So that at most this share of the single pulses lies below.
        value = float(np.quantile(single, self.false_alarms, method="lower"))
        return parts, replace(scores, thresholds={SINGLE: ClassThreshold(value, of=SINGLE)})

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        names = ("gain", "mixed_share", "moved_share", "single_share", "more_share", "false_alarms")
        return {"name": self.name, **{name: getattr(self, name) for name in names}}


def _template(training: Mixture, judging: Examples, model: Any) -> PartTemplate | None:
    """Return the shape of the training pulses, where fitting it to pulses that lie apart beats the network."""
    template = learn_template(training)
    if template is None:
        return None
    given = model.predict(judging.waveforms, batch_size=4096, verbose=0)[0].astype(np.float32)
    mixture = Mixture.of_targets(judging.targets, judging.waveforms[:, 0])
    return choose_distance(template, mixture, given.reshape(mixture.parts.shape))


def above_baseline(components: NDArray[Any], preparation: Preparation) -> NDArray[np.float32]:
    """Return components, shape (pulse, part, sample), above the baseline of each, pulses upwards, in the window."""
    channel = preparation.only
    flat = components.reshape(-1, components.shape[-1])
    waves, _ = subtract_baseline(
        flat, start=channel.baseline_start, stop=channel.baseline_stop, polarity=channel.polarity
    )
    window = waves[:, channel.window_start : channel.window_start + preparation.window_length]
    return window.reshape(*components.shape[:2], -1)


def packed(targets: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what the loss compares with: the parts, which of single, pair and more it is, whether the parts count.

    They do in pairs. One pulse, and two at the same time, look alike; of three it is arbitrary which two are one part.
    """
    mixture = Mixture.of_targets(targets)
    n_pulses = mixture.n_pulses.sum(axis=1)
    kind = np.clip(n_pulses - 1, 0, 2).astype(np.float32)
    return np.column_stack([targets[:, : 2 * mixture.parts.shape[2]], kind, mixture.is_pair]).astype(np.float32)


def _checked(targets: Targets, pulses: Hits, preparation: Preparation) -> tuple[NDArray[Any], NDArray[np.int64]]:
    if COMPONENTS not in targets:
        raise DataError(
            "separation learns from the clean components of each record, which are missing: give --components FILE "
            "(simulate --components writes it; for the run of a detector discrimen overlay RUN does, of its single "
            "pulses), or a folder with label1_*.csv and label2_*.csv beside the traces"
        )
    if preparation.alignment is not None:
        raise SettingsError("separation needs the record as it stands: train without --align")
    components = targets[COMPONENTS]
    wanted = (len(pulses), N_PARTS, pulses.samples.shape[2])
    if components.shape != wanted:
        raise DataError(f"the components must have the shape {wanted} (pulse, part, sample), got {components.shape}")
    n_pulses = targets.get(N_PULSES, np.ones(wanted[:2], np.int64))
    if n_pulses.shape != wanted[:2] or n_pulses.min() < 0:
        raise DataError(f"the number of pulses must have the shape {wanted[:2]}, 0 and more, got {n_pulses.shape}")
    return components, n_pulses


def _split_up(ops: Any, targets: Any, values: Any, n_values: int) -> tuple[Any, Any]:
    """Return the square of the difference in the better order of the parts, and the scores."""
    shape = (-1, N_PARTS, n_values // N_PARTS)
    wanted, given = (ops.reshape(each[:, :n_values], shape) for each in (targets, values))
    straight = ops.sum(ops.square(wanted - given), axis=(1, 2))
    crossed = ops.sum(ops.square(wanted - ops.flip(given, axis=1)), axis=(1, 2))
    return ops.minimum(straight, crossed), values[:, n_values:]


def _loss(ops: Any, n_values: int, mean_energy: float) -> Any:
    def loss(targets: Any, values: Any) -> Any:
        square, scores = _split_up(ops, targets, values, n_values)
        kind = ops.one_hot(ops.cast(targets[:, n_values], "int32"), 3)
        probability = ops.clip(ops.sum(kind * scores, axis=1), _LEAST_PROBABILITY, 1.0)
        return targets[:, n_values + 1] * square / mean_energy - _SCORE_WEIGHT * ops.log(probability)

    return loss


def _metrics(keras: ModuleType, n_values: int, mean_energy: float) -> tuple[Any, ...]:
    ops = keras.ops

    def square(targets: Any, values: Any) -> Any:
        return targets[:, n_values + 1] * _split_up(ops, targets, values, n_values)[0] / mean_energy

    def right(targets: Any, values: Any) -> Any:
        found = ops.argmax(values[:, n_values:], axis=1)
        return ops.cast(ops.equal(ops.cast(found, "float32"), targets[:, n_values]), "float32")

    wrapped = keras.metrics.MeanMetricWrapper
    return wrapped(square, name="parts_square"), wrapped(right, name="pile_up_accuracy")
