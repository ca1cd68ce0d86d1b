"""What auto-encoders and similar networks make of pulses: clean ones, codes, new ones, and each of piled-up ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from discrimen.api.inputs import Paths, open_all, parted
from discrimen.api.model import model_of, path_of
from discrimen.api.options import DenoisingWishes, EncodingWishes, SeparationWishes
from discrimen.errors import SettingsError
from discrimen.formats.base import ReadOptions
from discrimen.inference.load import Model

if TYPE_CHECKING:
    from discrimen.api.options import DenoisingOfFiles, EncodingOfFiles, GenerationWishes, SeparationOfFiles
    from discrimen.reconstruction.decode import Decoding
    from discrimen.reconstruction.denoise import Denoising
    from discrimen.reconstruction.encoding import Encoding
    from discrimen.reconstruction.generated_run import GeneratedRun
    from discrimen.reconstruction.separated_runs import SeparatedRuns
    from discrimen.runs.components import Components


def denoise(
    model: Model | Path | str,
    paths: Paths,
    output: Path | str,
    *,
    options: ReadOptions | None = None,
    clean: Path | str | Sequence[Path | str] = (),
    report: Path | str | None = None,
    **given: Unpack[DenoisingOfFiles],
) -> Denoising:
    """Write the pulses of run files without the noise of the electronics, with the same columns, in constant memory.

    Parameters
    ----------
    model : Model, Path or str
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
    **given
        Fields of :class:`~discrimen.reconstruction.denoise.DenoisingOptions`,
        and what the files do not say by name; see :func:`discrimen.api.inputs.inputs_of`.

    Raises
    ------
    SettingsError
        If there are clean records without a report, or the model gives no waveform of the whole record.
    """
    wishes, reader = parted(given, DenoisingWishes)
    model = model_of(model)
    from discrimen.reconstruction.denoise import DenoisingOptions, denoise_runs

    if clean and report is None:
        raise SettingsError("clean records are for the report: give its folder too, or leave them out")
    done = denoise_runs(
        open_all(paths, options, **reader),
        model.predictor,
        Path(output),
        options=DenoisingOptions(**wishes),
        model_sha256=model.sha256,
    )
    if report is not None:
        from discrimen.evaluation.waveforms import report_on_runs

        bare = open_all(clean, None) if clean else ()
        report_on_runs(model.predictor, open_all(paths, options, **reader), report, told=done.told(), clean=bare)
    return done


def encode(
    model: Model | Path | str,
    paths: Paths,
    output: Path | str,
    *,
    options: ReadOptions | None = None,
    report: Path | str | None = None,
    **given: Unpack[EncodingOfFiles],
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
    report : Path or str, optional
        Folder for a page with what the first pulses have lost once they are decoded, and the bytes.
    **given
        Fields of :class:`~discrimen.reconstruction.encoding.EncodingOptions`,
        and what the files do not say by name; see :func:`discrimen.api.inputs.inputs_of`.
    """
    wishes, reader = parted(given, EncodingWishes)
    from discrimen.reconstruction.encode import encode_runs
    from discrimen.reconstruction.encoding import EncodingOptions

    chosen = EncodingOptions(**wishes)
    done = encode_runs(open_all(paths, options, **reader), path_of(model), Path(output), options=chosen)
    if report is not None:
        from discrimen.evaluation.waveforms import report_on_runs
        from discrimen.reconstruction.coded import CodedPredictor

        back = CodedPredictor.of(path_of(model), done.header, threads=chosen.threads)
        report_on_runs(back, open_all(paths, options, **reader), report, told=done.told())
    return done


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

    return decode_file(Path(codes), path_of(model), Path(output), as_float=as_float)


def generate(model: Model | Path | str, output: Path | str, **wishes: Unpack[GenerationWishes]) -> GeneratedRun:
    """Generate pulses of asked class and light into a run file, with the truth next to it, in constant memory.

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
    from discrimen.reconstruction.generated_run import generate_run
    from discrimen.reconstruction.generation_options import GenerationOptions

    return generate_run(path_of(model), Path(output), options=GenerationOptions(**wishes))


def separate(
    model: Model | Path | str,
    paths: Paths,
    output: Path | str | None = None,
    *,
    classifier: Model | Path | str | None = None,
    components: Sequence[Components] | None = None,
    options: ReadOptions | None = None,
    report: Path | str | None = None,
    **given: Unpack[SeparationOfFiles],
) -> SeparatedRuns:
    """Find records of two pulses, take them apart, and write every pulse on its own, in constant memory.

    Parameters
    ----------
    model : Model, Path or str
        Trained for the task separation.
    paths : Path, str or sequence of them
        Run files of any readable format; they are never modified.
    output : Path or str, optional
        The native file to write (``.lh5``); without one pulses are counted.
    classifier : Model, optional
        Scores each written pulse.
    components : sequence of Components, optional
        The truth of each run, from :mod:`discrimen.runs.components`: how right the parts are is reported.
    options : ReadOptions, optional
        What the files do not say.
    report : Path or str, optional
        Folder for a page with what was counted, pictures of records and parts, and how right these are.
    **given
        Fields of :class:`~discrimen.reconstruction.separate.SeparationOptions`,
        and what the files do not say by name; see :func:`discrimen.api.inputs.inputs_of`.
    """
    wishes, reader = parted(given, SeparationWishes)
    model = model_of(model)
    from discrimen.reconstruction.separate import SeparationOptions, separate_runs

    chosen = SeparationOptions(**wishes)
    done = separate_runs(
        open_all(paths, options, **reader),
        model.predictor,
        None if output is None else Path(output),
        classifier=None if classifier is None else model_of(classifier).predictor,
        components=components,
        options=chosen,
    )
    if report is not None:
        from discrimen.reconstruction.separated_page import write_separation

        again = open_all(paths, options, **reader)
        write_separation(done, again, model.predictor, report, components=components, threshold=chosen.threshold)
    return done
