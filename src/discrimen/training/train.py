"""From labelled pulses to a trained model in a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.keras_jax import KerasSession, load_keras
from discrimen.network.model_spec import ModelSpec, write_spec
from discrimen.network.preparation import Preparation
from discrimen.output.provenance import sha256_of_file, software_versions, utc_now
from discrimen.pulses import Label, Pulses
from discrimen.pulses.detector import DetectorSettings
from discrimen.training.balance_picture import write_balance_picture
from discrimen.training.checkpoints import Checkpoint, Checkpoints, copy_model
from discrimen.training.config import TrainingConfig
from discrimen.training.epoch_feed import EpochFeed, training_feed
from discrimen.training.examples import CLASSES, Examples, part_examples, require_two_each, training_examples
from discrimen.training.fit import StopReason, compiled_model, fit, neutron_scores, seeded
from discrimen.training.history import EpochListener, EpochRecord, History
from discrimen.training.loss import Loss, loss_of
from discrimen.training.model_folder import ModelFolder, claim_folder, load_model_folder
from discrimen.training.plots import write_training_curve
from discrimen.training.seen_pulses import sketch_of
from discrimen.training.split import Split
from discrimen.training.tensorboard_log import EpochLog, TensorBoardLog, open_tensorboard_log


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TrainingResult:
    """A finished training.

    Parameters
    ----------
    model : keras.Model
        The best model, as in ``model.keras``.
    spec : ModelSpec
        Its description, as in ``model.json``.
    folder : Path
        Where everything lies.
    history : tuple of EpochRecord
        Figures of every epoch that ended.
    best_epoch : int
        The epoch with the lowest validation loss, counted from 1.
    stopped_by : {"epochs", "patience", "divergence", "interrupt"}
        Why the training ended: all epochs done; no lower validation loss for as long as the patience; the loss was
        no number any more; Ctrl-C. Whatever it was, the model is the best one until then.
    validation_index : ndarray of int64, shape (validation pulse,)
        Positions, among the pulses given, of those that judged the model; how they were chosen stands in the
        provenance of `spec` under ``split``.
    n_training, n_unlabelled, n_invalid : int
        Pulses trained on, and pulses left out: without a label; labelled, but impossible to prepare.
    """

    model: Any
    spec: ModelSpec
    folder: Path
    history: tuple[EpochRecord, ...]
    best_epoch: int
    stopped_by: StopReason
    validation_index: NDArray[np.int64]
    n_training: int
    n_unlabelled: int
    n_invalid: int

    @property
    def best(self) -> EpochRecord:
        """Figures of the best epoch."""
        return self.history[self.best_epoch - 1]

    @property
    def epoch_duration_s(self) -> NDArray[np.float64]:
        """Wall time of each epoch in s, shape (epoch,)."""
        return np.array([record.duration_s for record in self.history])


def train(
    pulses: Pulses,
    preparation: Preparation,
    config: TrainingConfig | None = None,
    *,
    folder: Path | str,
    settings: DetectorSettings | None = None,
    provenance: Mapping[str, Any] | None = None,
    overwrite: bool = False,
    progress: EpochListener | None = None,
    split: Split | None = None,
    start: Callable[[Any], None] | None = None,
) -> TrainingResult:
    """Train a network on labelled pulses and leave it, with all that tells of it, in a folder.

    Parameters
    ----------
    pulses : Pulses
        With the column `label`; pulses without a label or without a pulse are left out and counted.
    preparation : Preparation
        From raw samples to network input; becomes part of the model.
    config : TrainingConfig, optional
        How to train.
    folder : Path
        Where to write; see :mod:`discrimen.training.model_folder`.
    settings : DetectorSettings, optional
        The detector, stored with the model.
    provenance : mapping, optional
        Where the pulses come from (files and their hashes), stored with the model.
    overwrite : bool
        Whether a training that is in the folder may be replaced.
    progress : EpochListener, optional
        Told of each epoch.
    split : Split, optional
        Which pulses judge the network; by default what `config` makes of the pulses.
    start : callable, optional
        Gives the new network the weights to start from; by default they are random.

    Raises
    ------
    DataError
        If there are fewer than two usable pulses of a class, or the records are too short.
    SettingsError
        If sampling periods differ, or the training diverges before its first epoch ends.
    DeviceError
        If the device is not there.
    OutputError
        If the folder holds a model or an unfinished training already, or cannot be written.
    KeyboardInterrupt
        If the user interrupts before the first epoch ends; later the training just ends.
    """
    config = TrainingConfig() if config is None else config
    session = load_keras(config.device)
    known = pulses if config.soft_labels else pulses.replace(neutron_probability=None)
    examples = training_examples(known, preparation)
    require_two_each(examples)
    split = config.split_of(pulses) if split is None else split
    parts = part_examples(examples, split.validation)
    loss = loss_of(session.keras, parts[0], contamination=config.contamination)
    feed = training_feed(pulses, parts[0], config, preparation=preparation, settings=settings or DetectorSettings())
    place = claim_folder(Path(folder), overwrite=overwrite)
    if feed.balance is not None:
        write_balance_picture(feed.balance, place.balance)
    origin = dict(provenance or {}) | _data_provenance(pulses, examples, parts) | feed.record()
    origin["split"] = split.as_dict()
    run = _Run(session, config, place, preparation, settings or DetectorSettings(), origin, loss, start)
    with (
        session.on_device(),
        seeded(session.keras, config.seed),
        open_tensorboard_log(place.tensorboard, labels=parts[1].labels) as log,
    ):
        outcome = run.train(*parts, feed=feed, log=log, progress=progress)
        model, spec = run.finish(outcome)
        log.images(neutron_scores(model, parts[1]), epoch=outcome.best.epoch, prefix="best/")
    return TrainingResult(
        model=model,
        spec=spec,
        folder=place.path,
        history=outcome.records,
        best_epoch=outcome.best.epoch,
        stopped_by=outcome.stopped_by,
        validation_index=parts[1].pulse,
        n_training=len(parts[0]),
        n_unlabelled=examples.n_unlabelled,
        n_invalid=examples.n_invalid,
    )


def _data_provenance(pulses: Pulses, examples: Examples, parts: tuple[Examples, Examples]) -> dict[str, Any]:
    digest = hashlib.sha256(np.ascontiguousarray(pulses.samples[examples.pulse]).data)
    digest.update(np.ascontiguousarray(examples.labels).data)
    return {
        "pulses": {
            "n_training": len(parts[0]),
            "n_validation": len(parts[1]),
            "n_gamma": examples.count(Label.GAMMA),
            "n_neutron": examples.count(Label.NEUTRON),
            "n_unlabelled": examples.n_unlabelled,
            "n_invalid": examples.n_invalid,
            "sha256": digest.hexdigest(),
            "sketch": sketch_of(pulses.samples[examples.pulse]),
        }
    }


@dataclass(frozen=True, slots=True)
class _Outcome:
    """How the epochs went."""

    records: tuple[EpochRecord, ...]
    best: Checkpoint
    stopped_by: StopReason
    architecture: Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """One training: all that stays the same while it goes on."""

    session: KerasSession
    config: TrainingConfig
    place: ModelFolder
    preparation: Preparation
    settings: DetectorSettings
    origin: Mapping[str, Any]
    loss: Loss
    start: Callable[[Any], None] | None

    def train(
        self,
        training: Examples,
        validation: Examples,
        *,
        feed: EpochFeed,
        log: TensorBoardLog,
        progress: EpochListener | None,
    ) -> _Outcome:
        """Run the epochs."""
        model = compiled_model(
            self.session,
            self.config,
            window_length=self.preparation.window_length,
            n_classes=len(CLASSES),
            loss=self.loss,
            start=self.start,
        )
        self.session.require_on_device(model)
        architecture = {
            "name": self.config.architecture,
            "options": self.config.options,
            "n_parameters": model.count_params(),
        }
        write_spec(self._spec(architecture, self._common_provenance()), self.place.checkpoint_spec)
        history, checkpoints = History(self.place.history), Checkpoints(model, self.place.checkpoints)
        epoch_log = EpochLog(log, lambda: neutron_scores(model, validation))
        listeners: list[EpochListener] = [history, checkpoints, epoch_log]
        if progress is not None:
            listeners.append(progress)
        stopped_by = fit(
            self.session,
            model,
            self.config,
            training=training,
            validation=validation,
            listeners=listeners,
            feed=feed,
        )
        if stopped_by != "interrupt":  # in the midst of an epoch, Keras has taken the weights out of the model
            self.session.require_on_device(model)
        best = self._best(checkpoints, stopped_by)
        return _Outcome(tuple(history.records), best, stopped_by, architecture)

    def finish(self, outcome: _Outcome) -> tuple[Any, ModelSpec]:
        """Give the best checkpoint its final name, describe it, draw it."""
        write_training_curve(outcome.records, best_epoch=outcome.best.epoch, path=self.place.curve)
        copy_model(outcome.best.path, self.place.model)
        figures = {
            "model_sha256": sha256_of_file(self.place.model),
            "best": asdict(outcome.records[outcome.best.epoch - 1]),
            "n_epochs": len(outcome.records),
            "stopped_by": outcome.stopped_by,
        }
        write_spec(self._spec(outcome.architecture, self._common_provenance() | figures), self.place.spec)
        return load_model_folder(self.place.path, session=self.session)

    def _best(self, checkpoints: Checkpoints, stopped_by: StopReason) -> Checkpoint:
        if checkpoints.best is not None:
            return checkpoints.best
        if stopped_by == "interrupt":
            raise KeyboardInterrupt
        rate = "the optimizer's default" if self.config.learning_rate is None else f"{self.config.learning_rate:g}"
        raise SettingsError(
            f"the loss was no finite number in the first epoch: lower the learning rate (now {rate}) "
            f"or scale the pulses (now scale '{self.preparation.scale}')"
        )

    def _spec(self, architecture: Mapping[str, Any], provenance: Mapping[str, Any]) -> ModelSpec:
        return ModelSpec(
            preparation=self.preparation,
            classes=tuple(label.name.lower() for label in CLASSES),
            architecture=architecture,
            settings=self.settings,
            provenance=provenance,
        )

    def _common_provenance(self) -> dict[str, Any]:
        return dict(self.origin) | {
            "training": self.config.as_dict(),
            "backend": self.session.backend,
            "versions": software_versions("keras", "jax", "jaxlib", "numpy"),
            "date_utc": utc_now(),
        }
