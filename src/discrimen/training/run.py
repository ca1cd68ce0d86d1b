"""One training in its folder: the epochs, and what stays of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from discrimen.errors import SettingsError
from discrimen.keras_jax import KerasSession
from discrimen.models.own_file import own_record
from discrimen.network.domain import Domain
from discrimen.network.model_description import ModelDescription, write_description
from discrimen.network.outputs import Output
from discrimen.network.preparation import Preparation
from discrimen.output.files import write_files
from discrimen.output.pictures import png_of_pixels
from discrimen.output.plain import json_text
from discrimen.output.provenance import command_line, sha256_of_file, software_versions, utc_now
from discrimen.pulses.detector import DetectorSettings
from discrimen.pulses.hits import Hits
from discrimen.training.checkpoints import Checkpoint, Checkpoints, copy_model, kept_checkpoints
from discrimen.training.config import TrainingConfig
from discrimen.training.epoch_feed import EpochFeed
from discrimen.training.examples import Examples
from discrimen.training.fit import StopReason, compiled_model, first_output, fit
from discrimen.training.history import EpochListener, EpochRecord, History
from discrimen.training.kept_pulses import choose_kept, margins, write_kept
from discrimen.training.model_folder import ModelFolder, load_model_folder
from discrimen.training.plots import write_training_curve
from discrimen.training.resumed import FINE_TUNING
from discrimen.training.seen_pulses import sketch_of
from discrimen.training.shown import Images, NothingShown, Shown, ShownCodes
from discrimen.training.state import TrainingState
from discrimen.training.tasks import Learning
from discrimen.training.tensorboard_log import EpochLog, TensorBoardLog


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the epochs went.

    Parameters
    ----------
    records : tuple of EpochRecord
        Of every epoch that ended.
    best : Checkpoint
        With the lowest validation loss.
    stopped_by : str
        Why they ended.
    architecture : mapping
        Of the network, for its description.
    """

    records: tuple[EpochRecord, ...]
    best: Checkpoint
    stopped_by: StopReason
    architecture: Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TrainingRun:
    """One training: all that stays the same while it goes on.

    Parameters
    ----------
    session : KerasSession
        What computes.
    config : TrainingConfig
        How to train.
    place : ModelFolder
        Where to write.
    preparation, outputs, settings
        Of the model.
    origin : mapping
        Where the pulses come from.
    learning : Learning
        Of the task.
    domain : Domain or None
        What pulses the network sees.
    start : callable, optional
        Gives the network its first weights.
    begun : sequence of EpochRecord
        Epochs of the same training, before it was broken off.
    shown : Shown
        Pictures of what the network makes of validation pulses.
    """

    session: KerasSession
    config: TrainingConfig
    place: ModelFolder
    preparation: Preparation
    outputs: tuple[Output, ...]
    settings: DetectorSettings
    origin: Mapping[str, Any]
    learning: Learning
    domain: Domain | None
    start: Callable[[Any], None] | None
    begun: Sequence[EpochRecord] = ()
    shown: Shown = field(default_factory=NothingShown)

    def train(
        self,
        training: Examples,
        validation: Examples,
        *,
        feed: EpochFeed,
        log: TensorBoardLog,
        progress: EpochListener | None,
    ) -> Outcome:
        """Run the epochs."""
        fitted = compiled_model(
            self.session,
            self.config,
            shape=self.preparation.shape,
            outputs=self.outputs,
            learning=self.learning,
            start=self.start,
        )
        self.session.require_on_device(fitted.model)
        architecture = {
            "name": self.config.architecture,
            "options": self.config.options,
            "n_parameters": fitted.model.count_params(),
            **own_record(self.config.architecture),
        }
        state = TrainingState(self.place.state, fitted.taught)
        history, checkpoints = History(self.place.history), Checkpoints(fitted.model, self.place.checkpoints)
        if self.begun:
            state.restore()
            history.records.extend(self.begun)
            checkpoints.kept.extend(kept_checkpoints(self.place.checkpoints, self.begun))
        else:
            write_description(
                self._description(architecture, self._common_provenance()), self.place.checkpoint_description
            )
        epoch_log = EpochLog(log, lambda: self.shown.images(fitted.model))
        listeners: list[EpochListener] = [history, checkpoints, epoch_log, state]
        if progress is not None:
            listeners.append(progress)
        stopped_by = fit(
            self.session,
            fitted,
            self.config,
            training=training,
            validation=validation,
            listeners=listeners,
            learning=self.learning,
            feed=feed,
            begun=self.begun,
        )
        if stopped_by != "interrupt":  # in the middle of an epoch, Keras has taken the weights out of the model
            self.session.require_on_device(fitted.model)
        return Outcome(tuple(history.records), self._best(checkpoints, stopped_by), stopped_by, architecture)

    def finish(
        self, outcome: Outcome, pulses: Hits, validation: Examples, *, log: TensorBoardLog
    ) -> tuple[Any, ModelDescription]:
        """Give the best checkpoint its final name, describe it, draw it, keep validation pulses with it."""
        write_training_curve(
            outcome.records,
            best_epoch=outcome.best.epoch,
            loss_label=self.learning.loss_label,
            path=self.place.curve,
        )
        copy_model(outcome.best.path, self.place.model)
        figures = {
            "model_sha256": sha256_of_file(self.place.model),
            "best": outcome.records[outcome.best.epoch - 1].as_dict(),
            "n_epochs": len(outcome.records),
            "stopped_by": outcome.stopped_by,
            **self._latents(outcome, log),
        }
        write_description(
            self._description(outcome.architecture, self._common_provenance() | figures), self.place.description
        )
        model, description = load_model_folder(self.place.path, session=self.session)
        if self.learning.finished is not None:
            description = self.learning.finished(description, model, validation)
            write_description(description, self.place.description)
        self._keep_validation_pulses(model, pulses, validation)
        log.images(self._kept_pictures(model), epoch=outcome.best.epoch, prefix="best/")
        if outcome.stopped_by != "interrupt" or FINE_TUNING in self.origin:
            self.place.state.unlink(missing_ok=True)
        return model, description

    @property
    def _gives_scores(self) -> bool:
        return self.outputs[0].kind == "classes"

    def _latents(self, outcome: Outcome, log: TensorBoardLog) -> dict[str, Any]:
        """Measure the code of the best model, write it down, and return what its description keeps."""
        if not isinstance(self.shown, ShownCodes) or self.shown.code_at is None:
            return {}
        latents = self.shown.latents(load_model_folder(outcome.best.path, session=self.session)[0])
        if latents is None:
            return {}
        write_files(
            self.place.path, {self.place.latents.name: json_text({**latents.as_dict(), "command_line": command_line()})}
        )
        figures = {"latents/n_active": float(latents.n_active)}
        if latents.largest is not None:
            figures["latents/largest_correlation"] = latents.largest[0]
        log.figures(figures, epoch=outcome.best.epoch)
        return {"latents": latents.summary()}

    def _kept_pictures(self, model: Any) -> Images:
        """Leave the pictures of the best model in its folder, where there are some beside those of the scores."""
        if not isinstance(self.shown, ShownCodes):
            return self.shown.images(model)
        images = self.shown.images(model)
        write_files(self.place.path, {f"{name}.png": png_of_pixels(image) for name, image in images.items()})
        return images

    def _keep_validation_pulses(self, model: Any, pulses: Hits, validation: Examples) -> None:
        samples = pulses.samples
        chosen = choose_kept(
            len(validation),
            bytes_each=samples.itemsize * int(np.prod(samples.shape[1:])),
            margin=margins(first_output(model, validation)) if self._gives_scores else None,
            rng=np.random.default_rng([self.config.seed, 4]),
        )
        at = validation.pulse[chosen]
        write_kept(self.place.validation_pulses, samples[at], None if pulses.present is None else pulses.present[at])

    def _best(self, checkpoints: Checkpoints, stopped_by: StopReason) -> Checkpoint:
        if checkpoints.best is not None:
            return checkpoints.best
        if stopped_by == "interrupt":
            raise KeyboardInterrupt
        self.place.state.unlink(missing_ok=True)
        rate = "the optimizer's default" if self.config.learning_rate is None else f"{self.config.learning_rate:g}"
        raise SettingsError(
            f"the loss was no finite number in the first epoch: lower the learning rate (now {rate}) "
            f"or scale the pulses (now scale '{self.preparation.scale}')"
        )

    def _description(self, architecture: Mapping[str, Any], provenance: Mapping[str, Any]) -> ModelDescription:
        return ModelDescription(
            preparation=self.preparation,
            outputs=self.outputs,
            architecture=architecture,
            settings=self.settings,
            provenance=provenance,
            domain=self.domain,
        )

    def _common_provenance(self) -> dict[str, Any]:
        return dict(self.origin) | {
            "training": self.config.as_dict(),
            "backend": self.session.backend,
            "versions": software_versions("keras", "jax", "jaxlib", "numpy"),
            "date_utc": utc_now(),
            "command_line": command_line(),
        }


def data_provenance(
    pulses: Hits, examples: Examples, parts: tuple[Examples, Examples], classes: Sequence[str]
) -> dict[str, Any]:
    """Return how many pulses of what kind were used, and what they can be known again by."""
    samples = pulses.samples
    if not np.array_equal(examples.pulse, np.arange(len(pulses))):
        samples = samples[examples.pulse]
    samples = np.ascontiguousarray(samples)
    digest = hashlib.sha256(samples.data)
    digest.update(np.ascontiguousarray(examples.targets if examples.labels is None else examples.labels).data)
    return {
        "pulses": {
            "n_training": len(parts[0]),
            "n_validation": len(parts[1]),
            **{f"n_{name}": count for name, count in examples.counts(classes).items()},
            "n_unlabelled": examples.n_unlabelled,
            "n_invalid": examples.n_invalid,
            "sha256": digest.hexdigest(),
            "sketch": sketch_of(samples.reshape(len(samples), -1)),
        }
    }
