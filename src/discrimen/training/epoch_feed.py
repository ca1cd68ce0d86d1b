"""What the network sees in each epoch: the training examples as they are, weighed, drawn again or distorted again."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.network.preparation import Preparation
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings
from discrimen.pulses.hits import Hits, as_hits
from discrimen.simulation.distortion import Digitisation
from discrimen.training.augmentation import Augmentation
from discrimen.training.balance import Balance, balance_pulses
from discrimen.training.config import TrainingConfig
from discrimen.training.examples import Examples
from discrimen.training.extension import RECORD, Extension, extension_of
from discrimen.training.fresh_noise import FreshNoise
from discrimen.training.tasks import Learning


@dataclass(frozen=True, slots=True, eq=False)
class Renewal:
    """Training examples that a task puts together again, by its remix."""

    examples: Examples
    learning: Learning

    @classmethod
    def of(cls, examples: Examples, learning: Learning) -> Renewal | None:
        """Return it where the task has a remix."""
        return None if learning.remix is None else cls(examples, learning)

    def draw(self, at: NDArray[np.int64], *, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[Any]]:
        """Return network input and what the loss compares with, for the examples at these places."""
        assert self.learning.remix is not None
        made = self.learning.remix.draw(self.examples, at, rng=rng)
        return made.waveforms, self.learning.packed(made.targets)


@dataclass(slots=True, eq=False, kw_only=True)
class EpochFeed:
    """Training data, epoch by epoch.

    Parameters
    ----------
    waveforms : ndarray of float32, shape (example, channel, window sample)
        Undistorted network input; none where fresh noise makes it.
    targets : ndarray, shape (example, ...)
        What the loss compares with.
    batch_size : int
        Examples to one step.
    shuffle : bool
        Whether each epoch has an order of its own.
    seed : int
        With the number of the epoch it gives all that is drawn.
    balance : Balance, optional
        What each example counts, in the loss or when examples are drawn.
    augmentation : Augmentation, optional
        Distorts the examples again in each epoch.
    renewal : Renewal, optional
        Puts the examples together again in each epoch, targets included.
    fresh_noise : FreshNoise, optional
        Gives each example other noise in each epoch, step by step: an epoch of many channels would fill the memory.
    weights : ndarray of float32, shape (example,), or None
        Of each example in the loss, if it is balanced by weights.
    chances : ndarray of float64, shape (example,), or None
        Of each example to be the next one drawn, if the examples are balanced by resampling.
    """

    waveforms: NDArray[np.float32]
    targets: NDArray[Any]
    batch_size: int
    shuffle: bool
    seed: int
    balance: Balance | None = None
    augmentation: Augmentation | None = None
    renewal: Renewal | None = None
    fresh_noise: FreshNoise | None = None
    weights: NDArray[np.float32] | None = field(init=False, default=None)
    chances: NDArray[np.float64] | None = field(init=False, default=None)
    _order: NDArray[np.int64] = field(init=False)
    _drawn: NDArray[np.float32] | None = field(init=False, default=None)
    _targets: NDArray[Any] | None = field(init=False, default=None)
    _epoch: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._order = np.arange(len(self.targets))
        if self.balance is not None and self.balance.by == "weights":
            self.weights = self.balance.weights.astype(np.float32)
        elif self.balance is not None:
            self.chances = self.balance.weights / self.balance.weights.sum()

    @property
    def renewed(self) -> bool:
        """Whether epochs differ in more than their order."""
        changes = (self.augmentation, self.chances, self.renewal, self.fresh_noise)
        return any(each is not None for each in changes)

    @property
    def extension(self) -> Extension | None:
        """What thins the examples, if anything does."""
        return None if self.augmentation is None else self.augmentation.extension

    def begin_epoch(self, epoch: int) -> None:
        """Draw the examples of an epoch, counted from 0; the same epoch gives the same again."""
        if not self.renewed:
            return
        self._epoch = epoch
        rng = np.random.default_rng([self.seed, 1, epoch])
        n_examples = len(self.targets)
        order = np.arange(n_examples)
        if self.chances is not None:
            order = np.sort(rng.choice(n_examples, n_examples, p=self.chances))
        self._order = rng.permutation(order) if self.shuffle else order
        if self.augmentation is not None:
            # An example that was drawn twice is distorted in two ways.
            self._drawn = self.augmentation.draw(self._order, rng=rng)
        if self.renewal is not None:
            self._drawn, self._targets = self.renewal.draw(self._order, rng=rng)

    def batch(self, number: int) -> tuple[NDArray[Any], ...]:
        """Return waveforms, targets and, if there are any, weights of one step of the epoch that began."""
        rows = slice(number * self.batch_size, (number + 1) * self.batch_size)
        at = self._order[rows]
        if self.fresh_noise is not None:
            waveforms = self.fresh_noise.draw(at, rng=np.random.default_rng([self.seed, 8, self._epoch, number]))
        else:
            waveforms = self.waveforms[at] if self._drawn is None else self._drawn[rows]
        weights = () if self.weights is None else (self.weights[at],)
        targets = self.targets[at] if self._targets is None else self._targets[rows]
        return waveforms, targets, *weights

    def arguments(self, keras: ModuleType) -> dict[str, Any]:
        """Return what ``model.fit`` needs to know of the training data."""
        if self.renewed:
            # The examples are in order already; Keras would shuffle the batches by generators of its own.
            return {"x": _keras_dataset(keras, self), "shuffle": False}
        return {
            "x": self.waveforms,
            "y": self.targets,
            "sample_weight": self.weights,
            "batch_size": self.batch_size,
            "shuffle": self.shuffle,
        }

    def record(self) -> dict[str, Any]:
        """Return what was done to the training part as plain data, for the model's provenance."""
        extension = self.extension
        return {
            **({} if self.balance is None else {"balance": self.balance.record()}),
            **({} if extension is None else {RECORD: extension.record()}),
        }


def plain_feed(
    training: Examples,
    config: TrainingConfig,
    *,
    targets: NDArray[Any] | None = None,
    balance: Balance | None = None,
    augmentation: Augmentation | None = None,
    renewal: Renewal | None = None,
    fresh_noise: FreshNoise | None = None,
) -> EpochFeed:
    """Return the training examples as they are, unless a balance or an augmentation is given.

    The targets are those of the examples, unless the loss compares with something made of them.
    """
    return EpochFeed(
        waveforms=training.waveforms,
        targets=training.targets if targets is None else targets,
        batch_size=config.batch_size,
        shuffle=config.shuffle,
        seed=config.seed,
        balance=balance,
        augmentation=augmentation,
        renewal=renewal,
        fresh_noise=fresh_noise,
    )


def training_feed(
    pulses: Pulses | Hits,
    training: Examples,
    config: TrainingConfig,
    *,
    targets: NDArray[Any],
    preparation: Preparation,
    settings: DetectorSettings,
    renewal: Renewal | None = None,
    clean: Hits | None = None,
) -> EpochFeed:
    """Balance and augment the training part as the configuration wants it.

    Parameters
    ----------
    pulses : Pulses or Hits
        That the examples were taken from.
    training : Examples
        The training part alone.
    config : TrainingConfig
        What to do.
    targets : ndarray, shape (example, ...)
        What the loss compares with.
    preparation : Preparation
        From raw samples to network input.
    settings : DetectorSettings
        Of the detector.
    renewal : Renewal, optional
        Puts the examples together again in each epoch.
    clean : Hits, optional
        The same hits without noise: each epoch gives them noise again.

    Raises
    ------
    DataError
        If the pulses have no crossing, so that there is no shape to balance over, they cannot be extended, or the clean
        hits are others.
    SettingsError
        If pulses of several channels are to be balanced or augmented, or there is nothing to extend.
    """
    balance, augmentation = None, None
    if config.balance != "none":
        balance = balance_pulses(
            _one_channel(pulses, "balance")[training.pulse],
            _labels(training),
            name=config.balance,
            by=config.balance_by,
            cap=config.balance_cap,
            preparation=preparation,
            settings=settings,
            rng=np.random.default_rng([config.seed, 2]),
        )
    if config.renews_pulses:
        of_one = _one_channel(pulses, "augment" if config.augment else "extend_down")
        digitisation = _digitisation(preparation, settings)
        augmentation = Augmentation(
            samples=of_one.samples[training.pulse],
            waveforms=training.waveforms,
            largest=config.augment,
            preparation=preparation,
            digitisation=digitisation,
            pulse=training.pulse,
            extension=extension_of(of_one, training, config, preparation=preparation, digitisation=digitisation),
        )
    return plain_feed(
        training,
        config,
        targets=targets,
        balance=balance,
        augmentation=augmentation,
        renewal=renewal,
        fresh_noise=None if clean is None else FreshNoise.of(as_hits(pulses), clean, training, preparation),
    )


def _digitisation(preparation: Preparation, settings: DetectorSettings) -> Digitisation:
    channel = preparation.only
    return Digitisation(
        sample_period_ns=preparation.sample_period_ns,
        baseline_start=channel.baseline_start,
        baseline_stop=channel.baseline_stop,
        adc_bits=settings.adc_bits,
    )


def _one_channel(pulses: Pulses | Hits, option: str) -> Pulses:
    if isinstance(pulses, Hits):
        raise SettingsError(f"{option} knows pulses of one channel only (Pulses), these are Hits: leave it out")
    return pulses


def _labels(examples: Examples) -> NDArray[np.int32]:
    if examples.labels is None:
        raise SettingsError("balance weighs classes, these examples have none: leave it out")
    return examples.labels


def _keras_dataset(keras: ModuleType, feed: EpochFeed) -> Any:
    """Keras asks for one batch after the other; its class is known only when Keras is there."""

    class Batches(keras.utils.PyDataset):  # type: ignore[misc, name-defined]
        def __len__(self) -> int:
            return -(-len(feed.targets) // feed.batch_size)

        def __getitem__(self, number: int) -> tuple[NDArray[Any], ...]:
            return feed.batch(number)

    return Batches()
