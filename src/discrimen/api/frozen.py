"""A frozen model: made, adapted, put to work."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from discrimen.api.model import load, names_of
from discrimen.api.runs import open_all
from discrimen.errors import SettingsError
from discrimen.formats.base import ReadOptions
from discrimen.formats.table import open_reader
from discrimen.inference.compatible import require_compatible
from discrimen.inference.load import Model
from discrimen.network.thresholds import choose_threshold
from discrimen.runs.dataset import Dataset

if TYPE_CHECKING:
    from discrimen.adaptation.adapt import Adaptation
    from discrimen.api.options import (
        AdaptationOptions,
        CalibrationOptions,
        DenoisingWishes,
        EncodingWishes,
        GenerationWishes,
        SeparationWishes,
    )
    from discrimen.freezing.calibrate import CalibrationTask
    from discrimen.reconstruction.decode import Decoding
    from discrimen.reconstruction.denoise import Denoising
    from discrimen.reconstruction.encoding import Encoding
    from discrimen.reconstruction.generate import GeneratedRun
    from discrimen.reconstruction.separated_runs import SeparatedRuns
    from discrimen.runs.components import Components
    from discrimen.scoring.classify import Classification


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

    task = _calibration_task(_path_of(model), calibration, **wishes)
    return load(freeze_model(_path_of(model), output, calibration=task).path)


def adapt(
    model: Model | Path | str,
    paths: Path | str | Sequence[Path | str],
    output: Path | str,
    *,
    labelled: bool = False,
    options: ReadOptions | None = None,
    seed: int = 0,
    **wishes: Unpack[AdaptationOptions],
) -> Adaptation:
    """Choose thresholds and scale of a frozen model anew for another channel or detector, into another frozen file.

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
    **wishes
        Fields of :class:`~discrimen.adaptation.recalibrate.Wishes`.
    """
    from discrimen.adaptation.adapt import adapt as adapt_model
    from discrimen.adaptation.recalibrate import Wishes

    readers = open_all(paths, options)
    return adapt_model(_path_of(model), readers, output, labelled=labelled, wishes=Wishes(**wishes), seed=seed)


def classify(
    model: Model,
    path: Path | str,
    output: Path | str,
    *,
    options: ReadOptions | None = None,
    threshold: str | float | None = None,
) -> Classification:
    """Score every pulse of a run file, in constant memory, into a file beside it.

    Parameters
    ----------
    model : Model
        From :func:`train` or :func:`load`.
    path : Path or str
        Run file of any readable format; it is never modified.
    output : Path or str
        ``.h5``, ``.parquet``, or ``.root`` for a friend tree.
    options : ReadOptions, optional
        What the file does not say.
    threshold : str or float, optional
        Least neutron score of a neutron, for the counts, or the name of a threshold that the model stores; by default
        the only one that it stores, or 0.5.
    """
    from discrimen.scoring.classify import classify_run
    from discrimen.scoring.discriminator import Discriminator

    reader = open_reader(path, options)
    chosen = choose_threshold(model.description.thresholds, threshold)
    return classify_run(
        reader, Discriminator(predictor=model.predictor, sha256=model.sha256, threshold=chosen), Path(output)
    )


def denoise(
    model: Model,
    paths: Path | str | Sequence[Path | str],
    output: Path | str,
    *,
    options: ReadOptions | None = None,
    clean: Path | str | Sequence[Path | str] = (),
    report: Path | str | None = None,
    **wishes: Unpack[DenoisingWishes],
) -> Denoising:
    """Write the pulses of run files without the noise of the electronics, with the same columns, in constant memory.

    Parameters
    ----------
    model : Model
        That gives a waveform, trained on clean records.
    paths : Path, str or sequence of them
        Run files of any readable format; they are never modified.
    output : Path or str
        The run file to write; its suffix tells the format.
    options : ReadOptions, optional
        What the files do not say.
    clean : Path, str or sequence of them
        With a report: clean records to compare with, one file for each run.
    report : Path or str, optional
        Folder for a page with noise, time and discrimination before and after.
    **wishes
        Fields of :class:`~discrimen.reconstruction.denoise.DenoisingOptions`.

    Raises
    ------
    SettingsError
        If there are clean records without a report, or the model gives no waveform of the whole record.
    """
    from discrimen.reconstruction.denoise import DenoisingOptions, denoise_runs

    if clean and report is None:
        raise SettingsError("clean records are for the report: give its folder too, or leave them out")
    done = denoise_runs(
        open_all(paths, options),
        model.predictor,
        Path(output),
        options=DenoisingOptions(**wishes),
        model_sha256=model.sha256,
    )
    if report is not None:
        from discrimen.evaluation.waveforms import evaluate_runs, write_waveform_report

        found = evaluate_runs(model.predictor, open_all(paths, options), clean=open_all(clean, None) if clean else ())
        write_waveform_report(
            found, report, name="denoise", title="Denoised pulses", values={"denoising": done.as_dict()}
        )
    return done


def encode(
    model: Model | Path | str,
    paths: Path | str | Sequence[Path | str],
    output: Path | str,
    *,
    options: ReadOptions | None = None,
    **wishes: Unpack[EncodingWishes],
) -> Encoding:
    """Store the pulses of run files as codes of a few bytes, with all columns, in constant memory; lossy.

    Parameters
    ----------
    model : Model, Path or str
        A frozen auto-encoder, loaded or not.
    paths : Path, str or sequence of them
        Run files of any readable format; they are never modified.
    output : Path or str
        The codes file to write.
    options : ReadOptions, optional
        What the files do not say.
    **wishes
        Fields of :class:`~discrimen.reconstruction.encoding.EncodingOptions`.
    """
    from discrimen.reconstruction.encode import encode_runs
    from discrimen.reconstruction.encoding import EncodingOptions

    return encode_runs(open_all(paths, options), _path_of(model), Path(output), options=EncodingOptions(**wishes))


def decode(model: Model | Path | str, codes: Path | str, output: Path | str, *, as_float: bool = False) -> Decoding:
    """Make a run file of stored codes.

    Parameters
    ----------
    model : Model, Path or str
        The frozen auto-encoder that made the codes, loaded or not.
    codes : Path or str
        From :func:`encode`.
    output : Path or str
        The run file to write; its suffix tells the format.
    as_float : bool
        Whether to write float32 instead of whole counts of the recorded type (``.lh5`` only).
    """
    from discrimen.reconstruction.decode import decode_file

    return decode_file(Path(codes), _path_of(model), Path(output), as_float=as_float)


def generate(model: Model | Path | str, output: Path | str, **wishes: Unpack[GenerationWishes]) -> GeneratedRun:
    """Generate pulses of asked class and light into a run file, with the truth beside it, in constant memory.

    Parameters
    ----------
    model : Model, Path or str
        A ``*.discrimen`` of a training for generation, loaded or not.
    output : Path or str
        The run file to write; its suffix tells the format.
    **wishes
        Fields of :class:`~discrimen.reconstruction.generation_options.GenerationOptions`.

    Raises
    ------
    SettingsError
        If the model is no generator, or is asked for a class or a light that it was not trained for.
    """
    from discrimen.reconstruction.generate import generate_run
    from discrimen.reconstruction.generation_options import GenerationOptions

    return generate_run(_path_of(model), Path(output), options=GenerationOptions(**wishes))


def separate(
    model: Model,
    paths: Path | str | Sequence[Path | str],
    output: Path | str | None = None,
    *,
    classifier: Model | None = None,
    components: Sequence[Components] | None = None,
    options: ReadOptions | None = None,
    **wishes: Unpack[SeparationWishes],
) -> SeparatedRuns:
    """Find records of two pulses, take them apart, and write every pulse on its own, in constant memory.

    Parameters
    ----------
    model : Model
        Trained for the task separation.
    paths : Path, str or sequence of them
        Run files of any readable format; they are never modified.
    output : Path or str, optional
        The native file to write (``.lh5``); without one pulses are counted.
    classifier : Model, optional
        Scores each written pulse.
    components : sequence of Components, optional
        The truth of each run, from :mod:`discrimen.runs.components`: how right the parts are is told.
    options : ReadOptions, optional
        What the files do not say.
    **wishes
        Fields of :class:`~discrimen.reconstruction.separate.SeparationOptions`.
    """
    from discrimen.reconstruction.separate import SeparationOptions, separate_runs

    return separate_runs(
        open_all(paths, options),
        model.predictor,
        None if output is None else Path(output),
        classifier=None if classifier is None else classifier.predictor,
        components=components,
        options=SeparationOptions(**wishes),
    )


def _path_of(model: Model | Path | str) -> Path:
    return model.path if isinstance(model, Model) else Path(model)


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
