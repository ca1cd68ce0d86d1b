"""The quality of signals: learnt from good runs, watched in others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from discrimen.api.inputs import Paths, open_all
from discrimen.api.model import model_of
from discrimen.errors import require_module
from discrimen.formats.base import ReadOptions
from discrimen.inference.load import Model

if TYPE_CHECKING:
    from discrimen.api.options import ReaderOptions
    from discrimen.reconstruction.quality.reference import QualityReference
    from discrimen.reconstruction.quality.result import RunQuality


def learn_quality(
    model: Model | Path | str,
    paths: Paths,
    output: Path | str | None = None,
    *,
    options: ReadOptions | None = None,
    window: int = 1000,
    seed: int = 0,
    **reader: Unpack[ReaderOptions],
) -> QualityReference:
    """Learn what the signals of each channel are like from runs in which all was well.

    Parameters
    ----------
    model : Model, Path or str
        An auto-encoder of one channel.
    paths : Path, str or sequence of them
        Run files of any readable format, in the order of time.
    output : Path or str, optional
        Where to keep the reference (``.json``).
    options : ReadOptions, optional
        What the files do not say.
    window : int
        Pulses of a window.
    seed : int
        Of the faults that are planted to learn what they do.
    **reader
        The same by name; see :func:`discrimen.api.inputs.inputs_of`.

    Raises
    ------
    DataError, SettingsError
        If pulses and model do not fit, or there are too few.
    """
    model = model_of(model)
    from discrimen.reconstruction.quality.run import learn_quality as learn

    reference = learn(open_all(paths, options, **reader), model, window=window, seed=seed)
    if output is not None:
        reference.write(Path(output))
    return reference


def quality(
    model: Model | Path | str,
    reference: QualityReference | Path | str,
    paths: Paths,
    *,
    folder: Path | str | None = None,
    options: ReadOptions | None = None,
    false_alarm_rate: float = 1e-5,
    **reader: Unpack[ReaderOptions],
) -> list[RunQuality]:
    """Watch the signals of each channel: scores without labels, alarms, and the most likely fault behind each.

    Parameters
    ----------
    model : Model, Path or str
        The auto-encoder of the reference.
    reference : QualityReference, Path or str
        From :func:`learn_quality`, or the file that it wrote.
    paths : Path, str or sequence of them
        Run files of any readable format; they are never modified.
    folder : Path or str, optional
        Where to write ``quality.html``, ``quality.json`` and the pictures.
    options : ReadOptions, optional
        What the files do not say.
    false_alarm_rate : float
        False alarms of a channel in so many pulses as a window has, at most.
    **reader
        The same by name; see :func:`discrimen.api.inputs.inputs_of`.

    Raises
    ------
    DataError, SettingsError
        If pulses, model and reference do not fit each other.
    """
    model = model_of(model)
    from discrimen.reconstruction.quality.reference import QualityReference
    from discrimen.reconstruction.quality.report import write_quality
    from discrimen.reconstruction.quality.run import watch_quality

    require_module("scipy.special", extra="analysis")
    known = reference if isinstance(reference, QualityReference) else QualityReference.read(Path(reference))
    runs = [
        watch_quality(each, model, known, false_alarm_rate=false_alarm_rate)
        for each in open_all(paths, options, **reader)
    ]
    if folder is not None:
        write_quality(runs, known, Path(folder), false_alarm_rate=false_alarm_rate)
    return runs
