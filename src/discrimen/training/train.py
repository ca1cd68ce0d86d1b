"""From pulses and a task to a trained model in a folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.keras_jax import load_keras
from discrimen.network.model_description import ModelDescription
from discrimen.network.preparation import Preparation
from discrimen.output.summary import Summarised
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings
from discrimen.pulses.hits import Hits, as_hits
from discrimen.training.balance_picture import write_balance_picture
from discrimen.training.config import TrainingConfig
from discrimen.training.epoch_feed import EpochFeed, Renewal, training_feed
from discrimen.training.examples import Examples, part_examples, require_two_each
from discrimen.training.fit import StopReason, seeded
from discrimen.training.generator_training import MADE_FROM, keep_generator, provenance_of, records_of_task
from discrimen.training.history import VALIDATION, EpochListener, EpochRecord
from discrimen.training.model_folder import claim_folder, require_free
from discrimen.training.resumed import Unfinished, read_unfinished
from discrimen.training.run import TrainingRun, data_provenance
from discrimen.training.seen_domain import seen_domain
from discrimen.training.shown import shown_of
from discrimen.training.split import Split
from discrimen.training.tasks import Learning, Targets
from discrimen.training.tensorboard_log import open_tensorboard_log


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class TrainingResult(Summarised):
    """A finished training.

    Parameters
    ----------
    model : keras.Model
        The best model, as in ``model.keras``.
    description : ModelDescription
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
        provenance of `description` under ``split``.
    n_training, n_unlabelled, n_invalid : int
        Pulses trained on, and pulses left out: without a target; with one, but impossible to prepare.
    """

    model: Any
    description: ModelDescription
    folder: Path
    history: tuple[EpochRecord, ...]
    best_epoch: int
    stopped_by: StopReason
    validation_index: NDArray[np.int64]
    n_training: int
    n_unlabelled: int
    n_invalid: int

    def summary(self) -> dict[str, str]:
        """Return where the model lies, how far the training went and what the best epoch reached, for people."""
        best = {name: value for name, value in self.best.as_dict().items() if name.startswith(VALIDATION)}
        return {
            "folder": str(self.folder),
            "epochs": f"{len(self.history)}, ended by {self.stopped_by}; best {self.best_epoch}",
            "best epoch": ", ".join(f"{name} {value:.4g}" for name, value in best.items()),
            "pulses": f"{self.n_training} to train, {len(self.validation_index)} to judge, "
            f"{self.n_unlabelled + self.n_invalid} left out",
            "seconds an epoch": f"{self.median_epoch_s:.2g}",
        }

    @property
    def best(self) -> EpochRecord:
        """Figures of the best epoch."""
        return self.history[self.best_epoch - 1]

    @property
    def epoch_duration_s(self) -> NDArray[np.float64]:
        """Wall time of each epoch in s, shape (epoch,)."""
        return np.array([record.duration_s for record in self.history])

    @property
    def median_epoch_s(self) -> float:
        """Median wall time of an epoch in s; the first one, which compiles, hardly counts."""
        return float(np.median(self.epoch_duration_s))


def train(
    pulses: Pulses | Hits,
    preparation: Preparation,
    config: TrainingConfig | None = None,
    *,
    folder: Path | str,
    targets: Targets | None = None,
    clean: Hits | None = None,
    settings: DetectorSettings | None = None,
    provenance: Mapping[str, Any] | None = None,
    overwrite: bool = False,
    progress: EpochListener | None = None,
    split: Split | None = None,
    start: Callable[[Any], None] | None = None,
) -> TrainingResult:
    """Train a network on pulses and leave it, with all that tells of it, in a folder.

    Parameters
    ----------
    pulses : Pulses or Hits
        For a classification with the column `label`; pulses without a target or without a pulse are left out and
        counted. Pulses of several channels come as :class:`~discrimen.training.Hits`.
    preparation : Preparation
        From raw samples to network input; becomes part of the model.
    config : TrainingConfig, optional
        How to train, and what for.
    folder : Path
        Where to write; see :mod:`discrimen.training.model_folder`.
    targets : mapping of str to ndarray, optional
        What the columns of the pulses do not hold: for a regression by the name of the quantity, shape (pulse,) or
        (pulse, component), NaN where not known; for a reconstruction `waveform`, clean raw samples of the shape of
        the pulses' own.
    clean : Hits, optional
        The same hits without noise: in each epoch every hit gets the noise of another, see
        :mod:`discrimen.training.fresh_noise`.
    settings : DetectorSettings, optional
        The detector, stored with the model.
    provenance : mapping, optional
        Where the pulses come from (files and their hashes), stored with the model.
    overwrite : bool
        Whether a training that is in the folder may be replaced.
    progress : EpochListener, optional
        Called after each epoch.
    split : Split, optional
        Which pulses judge the network; by default what `config` makes of the pulses.
    start : callable, optional
        Gives the new network the weights to start from; by default they are random.

    Raises
    ------
    DataError
        If there are fewer than two usable pulses of a class, targets do not fit, or the records are too short.
    SettingsError
        If sampling periods differ, the network cannot be built, or the training diverges before its first epoch ends.
    DeviceError
        If the device is not there.
    OutputError
        If the folder holds a model or an unfinished training already, or cannot be written.
    KeyboardInterrupt
        If the user interrupts before the first epoch ends; later the training just ends, and :func:`resume` goes on.
    """
    if not overwrite:
        require_free(folder)
    config = TrainingConfig() if config is None else config
    settings = settings or DetectorSettings()
    records = records_of_task(pulses, preparation, config, settings)
    result = _train(
        pulses if records is None else records.pulses,
        preparation if records is None else records.preparation,
        config,
        folder=Path(folder),
        targets=targets or {},
        clean=clean,
        settings=settings,
        provenance=dict(provenance or {}) | provenance_of(records),
        overwrite=overwrite,
        progress=progress,
        split=split,
        start=start,
    )
    if records is not None:
        keep_generator(result.model, records, result.validation_index, result.folder, seed=config.seed)
    return result


def resume(
    pulses: Pulses | Hits,
    folder: Path | str,
    *,
    targets: Targets | None = None,
    clean: Hits | None = None,
    progress: EpochListener | None = None,
    split: Split | None = None,
) -> TrainingResult:
    """Go on with a training that was broken off, from the last epoch that ended.

    Preparation, configuration, settings and provenance are those of the folder.

    Parameters
    ----------
    pulses, targets, clean, split
        The same as when the training began.
    folder : Path
        Of the unfinished training.
    progress : EpochListener, optional
        Called after each further epoch.

    Raises
    ------
    FormatError
        If there is no unfinished training, or what it left cannot be read.
    DataError
        If the pulses are not those that the training began with.
    DiscrimenError
        As :func:`train`.
    """
    unfinished = read_unfinished(Path(folder))
    preparation = unfinished.description.preparation
    if MADE_FROM in unfinished.given_provenance:
        preparation = Preparation.from_dict(unfinished.given_provenance[MADE_FROM])
    records = records_of_task(pulses, preparation, unfinished.config, unfinished.description.settings)
    result = _train(
        pulses if records is None else records.pulses,
        preparation if records is None else records.preparation,
        unfinished.config,
        folder=Path(folder),
        targets=targets or {},
        clean=clean,
        settings=unfinished.description.settings,
        provenance=unfinished.given_provenance,
        overwrite=True,
        progress=progress,
        split=split,
        start=None,
        unfinished=unfinished,
    )
    if records is not None:
        keep_generator(result.model, records, result.validation_index, result.folder, seed=unfinished.config.seed)
    return result


def _train(
    pulses: Pulses | Hits,
    preparation: Preparation,
    config: TrainingConfig,
    *,
    folder: Path,
    targets: Targets,
    clean: Hits | None,
    settings: DetectorSettings,
    provenance: dict[str, Any],
    overwrite: bool,
    progress: EpochListener | None,
    split: Split | None,
    start: Callable[[Any], None] | None,
    unfinished: Unfinished | None = None,
) -> TrainingResult:
    session, task = load_keras(config.device), config.task
    outputs = config.outputs(preparation)
    of_channels = as_hits(pulses)
    examples = task.examples(of_channels, preparation, targets, config)
    require_two_each(examples, task.classes)
    if split is None:
        split = config.split_of(pulses, targets=targets)
    parts = part_examples(examples, split.validation, task.classes)
    examples = examples.without_waveforms()  # the parts hold them
    learning = task.learning(session.keras, preparation, parts[0], config)
    if clean is not None:
        parts = parts[0].without_waveforms(), parts[1]
    feed = training_feed(
        pulses,
        parts[0],
        config,
        targets=learning.packed(parts[0].targets),
        preparation=preparation,
        settings=settings,
        renewal=Renewal.of(parts[0], learning),
        clean=clean,
    )
    parts = parts[0], _judging(parts[1], feed, learning, pulses, preparation, config)
    origin = provenance | data_provenance(of_channels, examples, parts, task.classes) | feed.record()
    origin["split"] = split.as_dict()
    if unfinished is not None:
        unfinished.require_same(origin)
    place = claim_folder(folder, overwrite=overwrite, resumed=unfinished is not None)
    if feed.balance is not None:
        write_balance_picture(feed.balance, place.balance)
    run = TrainingRun(
        session=session,
        config=config,
        place=place,
        preparation=preparation,
        outputs=outputs,
        settings=settings,
        origin=origin,
        learning=learning,
        domain=seen_domain(of_channels, parts, preparation, feed=feed, adc_bits=settings.adc_bits),
        start=start,
        begun=() if unfinished is None else unfinished.records,
        shown=shown_of(task, outputs, of_channels, parts[1], preparation),
    )
    with (
        session.on_device(),
        seeded(session.keras, config.seed),
        open_tensorboard_log(place.tensorboard) as log,
    ):
        outcome = run.train(*parts, feed=feed, log=log, progress=progress)
        model, description = run.finish(outcome, of_channels, parts[1], log=log)
    return TrainingResult(
        model=model,
        description=description,
        folder=place.path,
        history=outcome.records,
        best_epoch=outcome.best.epoch,
        stopped_by=outcome.stopped_by,
        validation_index=parts[1].pulse,
        n_training=len(parts[0]),
        n_unlabelled=examples.n_unlabelled,
        n_invalid=examples.n_invalid,
    )


def _judging(
    validation: Examples,
    feed: EpochFeed,
    learning: Learning,
    pulses: Pulses | Hits,
    preparation: Preparation,
    config: TrainingConfig,
) -> Examples:
    """Return the part that judges, thinned or put together again as the part that teaches is."""
    if learning.remix is not None:
        return learning.remix.judging(validation, rng=np.random.default_rng([config.seed, 7]))
    if feed.extension is None or isinstance(pulses, Hits):
        return validation
    return feed.extension.judging(validation, pulses, preparation, rng=np.random.default_rng([config.seed, 6]))
