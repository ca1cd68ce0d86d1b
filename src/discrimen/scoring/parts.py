"""A run file that is scored in parts, perhaps on several machines, and put together to what one machine writes.

A part leaves two files in a folder: the scores, and what was counted, which appears last. The parts hold whole chunks
of the reader, so that every call of a model sees the same pulses as in one go: its scores are the same to the last bit.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import FormatError
from discrimen.formats.base import ListModeReader, PartedReader, Reader
from discrimen.output.files import complete_or_absent
from discrimen.scoring.classification import Classification
from discrimen.scoring.discriminator import Discriminators
from discrimen.scoring.run_scoring import RunScoring, ScoringWish
from discrimen.scoring.scores_hdf5 import hdf5_score_slices

_PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Part:
    """What lies between two seams of a run file.

    Parameters
    ----------
    number : int
        Of the part, from 0.
    start, stop : int
        The seams.
    is_last : bool
        Whether the file ends with it: only there damage can be told as it is.
    """

    number: int
    start: int
    stop: int
    is_last: bool

    def scores(self, folder: Path) -> Path:
        """Return where its scores are."""
        return folder / f"part-{self.number:05}.h5"

    def counts(self, folder: Path) -> Path:
        """Return where its counts are; they are there when the part is done."""
        return folder / f"part-{self.number:05}.npz"


def cut_run(reader: Reader, part_bytes: int) -> list[Part]:
    """Cut a run file at its seams into parts of about so many bytes; none where it is smaller or cannot be cut."""
    size = reader.info.path.stat().st_size
    n_parts = size // part_bytes
    if n_parts < 2 or isinstance(reader, ListModeReader) or not isinstance(reader, PartedReader):
        return []
    seams = reader.seams()
    wanted = np.linspace(0, len(seams) - 1, n_parts + 1).round().astype(int)
    cuts = [seams[at] for at in np.unique(wanted).tolist()]
    if len(cuts) < 3:
        return []
    last = len(cuts) - 2
    return [Part(at, cuts[at], cuts[at + 1], at == last) for at in range(last + 1)]


def score_part(
    reader: PartedReader, discriminators: Discriminators, part: Part, folder: Path, *, wish: ScoringWish
) -> int:
    """Score one part into a folder and return how many pulses were read.

    Raises
    ------
    FormatError
        If the part is damaged: what is lost, only the whole file tells.
    DataError, OutputError
        As for the whole file.
    """
    begin_s = perf_counter()
    scoring = RunScoring(reader, discriminators, wish)
    with scoring.writer(part.scores(folder)) as writer:
        for rows in scoring.rows(reader.chunks_between(part.start, part.stop)):
            writer.write(rows)
    if scoring.report.n_damaged and not part.is_last:
        raise FormatError(f"damaged events between {part.start} and {part.stop}", reader.info.path)
    plain = {
        "report": scoring.report.as_dict(),
        "n_left_out": scoring.sieve.n_left_out,
        "met": {name: sorted(numbers) for name, numbers in scoring.sieve.met.items()},
        "tally": scoring.tally.as_dict(),
        "without_psd": scoring.without_psd,
        "polarity": [each.as_list() for each in scoring.judge.polarity_checks],
        "seconds": perf_counter() - begin_s,
    }
    arrays: dict[str, NDArray[Any]] = {_PLAIN: np.array(json.dumps(plain))}
    for number, tally in enumerate(scoring.judge.outside.values()):
        arrays |= {f"{number}/{name}": values for name, values in tally.as_arrays().items()}
    with complete_or_absent(part.counts(folder)) as unfinished, unfinished.open("wb") as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type]
    return scoring.report.n_read


def join_parts(
    reader: Reader,
    discriminators: Discriminators,
    parts: Sequence[Part],
    folder: Path,
    output: Path,
    *,
    wish: ScoringWish,
    compress: bool = False,
) -> Classification:
    """Put the parts of a run together into one file of scores.

    Raises
    ------
    DataError
        If only the whole file tells what one machine would say; or as for the whole file.
    FormatError, OutputError
        If a part cannot be read, or the result cannot be written.
    """
    scoring = RunScoring(reader, discriminators, wish)
    seconds = sum(_add_counts(scoring, part.counts(folder)) for part in parts)
    scoring.require_sound()
    with scoring.writer(output, compress=compress) as writer:
        for part in parts:
            for rows in hdf5_score_slices(part.scores(folder)):
                writer.write(rows)
    return scoring.result(output, seconds=seconds)


def _add_counts(scoring: RunScoring, path: Path) -> float:
    """Add what a part counted; return the seconds that it took."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = dict(stored)
    except (OSError, ValueError) as error:
        raise FormatError(f"the counts of a part cannot be read: {error}", path) from error
    plain = json.loads(str(arrays.pop(_PLAIN)))
    scoring.report.add(plain["report"])
    scoring.sieve.n_left_out += plain["n_left_out"]
    for name, numbers in plain["met"].items():
        scoring.sieve.met[name].update(numbers)
    scoring.tally.add_dict(plain["tally"])
    for number, tally in enumerate(scoring.judge.outside.values()):
        own = f"{number}/"
        tally.add_arrays({name.removeprefix(own): each for name, each in arrays.items() if name.startswith(own)})
    for check, counts in zip(scoring.judge.polarity_checks, plain["polarity"], strict=True):
        check.add_list(counts)
    scoring.without_psd = scoring.without_psd or plain["without_psd"]
    return float(plain["seconds"])
