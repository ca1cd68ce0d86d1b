"""A frozen model: made, adapted, put to work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from discrimen.api.inputs import Paths, inputs_of, open_all, parted
from discrimen.api.model import load, names_of, path_of
from discrimen.api.options import AdaptationOptions
from discrimen.errors import SettingsError
from discrimen.formats.base import ReadOptions
from discrimen.inference.compatible import require_compatible
from discrimen.inference.load import Model
from discrimen.output.progress import seen_progress
from discrimen.runs.dataset import Dataset

if TYPE_CHECKING:
    from discrimen.adaptation.adapt import Adaptation
    from discrimen.api.options import AdaptationToFiles, CalibrationOptions, ReaderOptions
    from discrimen.freezing.calibrate import CalibrationTask
    from discrimen.scoring.classification import Classification


def freeze(
    model: Model | Path | str,
    output: Path | str,
    *,
    calibration: Dataset | None = None,
    **wishes: Unpack[CalibrationOptions],
) -> Model:
    """Freeze a trained model into one file that needs neither Keras nor anything else to be computed.

    Parameters
    ----------
    model : Model, Path or str
        From :func:`train`, or the folder of a trained model.
    output : Path or str
        The ``*.discrimen`` to write.
    calibration : Dataset, optional
        Labelled pulses, not trained on, to fit a temperature and choose thresholds on.
    **wishes
        Of the calibration: fields of :class:`~discrimen.freezing.calibrate.CalibrationTask`.

    Returns
    -------
    Model
        The frozen one, computed by the native engine.

    Raises
    ------
    SettingsError
        If there are wishes without pulses, or the network cannot be frozen.
    DataError
        If the frozen model does not give the scores of Keras, or the pulses do not suit it.
    """
    from discrimen.freezing.freeze import freeze as freeze_model

    task = _calibration_task(path_of(model), calibration, **wishes)
    return load(freeze_model(path_of(model), output, calibration=task).path)


def adapt(
    model: Model | Path | str,
    paths: Paths,
    output: Path | str,
    *,
    labelled: bool = False,
    options: ReadOptions | None = None,
    seed: int = 0,
    **given: Unpack[AdaptationToFiles],
) -> Adaptation:
    """Choose thresholds and scale of a frozen model again for another channel or detector, into another frozen file.

    Parameters
    ----------
    model : Model, Path or str
        A ``*.discrimen``, loaded or not; it is never modified.
    paths : Path, str or sequence of them
        Run files of the new channel or detector.
    output : Path or str
        The ``*.discrimen`` to write.
    labelled : bool
        Whether to choose by the labels in the files, or by the two bands that the pulses show.
    options : ReadOptions, optional
        What the files do not say.
    seed : int
        Of the draws behind the intervals.
    **given
        Fields of :class:`~discrimen.adaptation.recalibrate.Wishes`,
        and what the files do not say by name; see :func:`discrimen.api.inputs.inputs_of`.
    """
    wishes, reader = parted(given, AdaptationOptions)
    from discrimen.adaptation.adapt import adapt as adapt_model
    from discrimen.adaptation.recalibrate import Wishes

    readers = open_all(paths, options, **reader)
    return adapt_model(path_of(model), readers, output, labelled=labelled, wishes=Wishes(**wishes), seed=seed)


def classify(
    model: Model | Path | str,
    path: Path | str,
    output: Path | str,
    *,
    options: ReadOptions | None = None,
    threshold: str | float | None = None,
    **reader: Unpack[ReaderOptions],
) -> Classification:
    """Score every pulse of a run file, in constant memory, into a file next to it.

    Parameters
    ----------
    model : Model, Path or str
        From :func:`train` or :func:`load`, its file or folder, or a folder of models, one a channel.
    path : Path or str
        Run file of any readable format; it is never modified.
    output : Path or str
        ``.h5``, ``.parquet``, ``.csv``, ``.mfm`` for NEDACOMP frames, or ``.root`` for a friend tree.
    options : ReadOptions, optional
        What the file does not say.
    threshold : str or float, optional
        Least neutron score of a neutron, for the counts, or the name of a threshold that the model stores; by default
        the only one that it stores, or 0.5.
    **reader
        What the file does not say by name; see :func:`discrimen.api.inputs.inputs_of`. Pulses of channels that are not
        chosen have no score.
    """
    from discrimen.scoring.classify import classify_run
    from discrimen.scoring.discriminator import choose_thresholds, discriminators_of, load_models
    from discrimen.scoring.run_scoring import ScoringWish

    where = path_of(model)
    models = {"": model} if isinstance(model, Model) else load_models(where)
    deciding = discriminators_of(where, models, choose_thresholds(models, threshold))
    inputs = inputs_of(options, **reader)
    opened, wish = inputs.open_whole(Path(path)), ScoringWish(selection=inputs.selection)
    with seen_progress(opened.info.path.name, total=opened.info.n_entries) as tick:
        return classify_run(opened, deciding, Path(output), wish=wish, on_progress=tick)


def _calibration_task(
    model: Path, dataset: Dataset | None, **wishes: Unpack[CalibrationOptions]
) -> CalibrationTask | None:
    from discrimen.freezing.calibrate import CalibrationTask
    from discrimen.training.model_folder import read_model_description

    if dataset is None:
        if wishes:
            raise SettingsError(f"{', '.join(wishes)}: chosen on labelled pulses; give them with calibration")
        return None
    require_compatible(read_model_description(model), dataset.pulses, dataset.settings, where=names_of(dataset))
    return CalibrationTask(pulses=dataset.pulses, files=dataset.files, **wishes)
