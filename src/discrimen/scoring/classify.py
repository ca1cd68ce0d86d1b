"""Score every pulse of a run file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from discrimen.formats.base import Reader
from discrimen.scoring.classification import Classification
from discrimen.scoring.discriminator import Discriminators
from discrimen.scoring.run_sample import RunSample
from discrimen.scoring.run_scoring import RunScoring, ScoringWish


def classify_run(
    reader: Reader,
    discriminators: Discriminators,
    output: Path,
    *,
    wish: ScoringWish | None = None,
    sample: RunSample | None = None,
    compress: bool = False,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Classification:
    """Score the pulses of one run file, chunk by chunk, into a file of scores.

    Parameters
    ----------
    reader : Reader
        The open run file.
    discriminators : Discriminators
        The model with its threshold, or one for each channel. The scores themselves are stored, and the height where a
        threshold follows it.
    output : Path
        File of scores; its suffix tells its format (.h5, .parquet, .root, .csv, .mfm). It appears when it is complete.
    wish : ScoringWish, optional
        What is wanted: channels, the share that may be unlike the training, pile-up, PSD.
    sample : RunSample, optional
        Filled with pulses of the run, for a picture.
    compress : bool
        Of an HDF5 file: see :func:`~discrimen.scoring.scores.open_score_writer`.
    on_progress : callable
        Called with the number of pulses of each chunk.

    Raises
    ------
    DataError
        If the file holds no pulses, or none of the chosen channels, or the model was not trained for them; if surely
        more of them than wished are unlike those that the model has seen.
    OutputError, FormatError
        If reading or writing fails.
    """
    scoring = RunScoring(reader, discriminators, wish or ScoringWish())
    with scoring.writer(output, compress=compress) as writer:
        begin_s = perf_counter()
        for rows in scoring.rows(reader.chunks(), sample=sample, on_progress=on_progress):
            writer.write(rows)
        scoring.require_sound()
    return scoring.result(output, seconds=perf_counter() - begin_s)
