"""Positions of all hits of files, in constant memory: what a model cannot know gets none, and is counted."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.inference.positions import Locator
from discrimen.network.hits_domain import FLAG_WORDS
from discrimen.network.located import Located, SecondInteraction
from discrimen.output.files import refuse_inputs
from discrimen.output.provenance import command_line, software_versions, utc_now
from discrimen.output.summary import Summarised
from discrimen.pulses.hits import COORDINATES, Hits
from discrimen.runs.hits_crystal import crystal_of_hits, other_crystal
from discrimen.runs.hits_file import hits_chunks, hits_info
from discrimen.scoring.positions_file import PositionWriter, open_position_writer, unit_of
from discrimen.simulation.germanium.crystal import Crystal

KEPT = ("timestamp_ps", "board", "channel", "run", "crystal", "segment", "energy_kev")
"""Columns of the hits that are written beside the positions, where there are such."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedFile:
    """What came of one file.

    Parameters
    ----------
    path : Path
        The file.
    n_hits, n_located : int
        Its hits, and those that have a position.
    flagged : mapping of str to int
        Hits by what is the matter with them; a hit may be in several.
    """

    path: Path
    n_hits: int
    n_located: int
    flagged: dict[str, int]

    def told(self) -> str:
        """Return it in a line."""
        why = ", ".join(f"{count} {words}" for words, count in self.flagged.items() if count)
        return f"{self.path}: {self.n_located} of {self.n_hits} hits located{f'; {why}' if why else ''}"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Locating(Summarised):
    """What was done.

    Parameters
    ----------
    output : Path
        The file of positions.
    files : tuple of LocatedFile
        In their order.
    seconds : float
        Wall time, reading and writing included.
    compute_seconds : float
        Of it in the model.
    warnings : tuple of str
        What a reader must know.
    """

    output: Path
    files: tuple[LocatedFile, ...]
    seconds: float
    compute_seconds: float
    warnings: tuple[str, ...] = ()

    @property
    def n_hits(self) -> int:
        """All hits."""
        return sum(file.n_hits for file in self.files)

    def lines(self) -> list[str]:
        """Return it in lines."""
        return [
            *(file.told() for file in self.files),
            f"written to {self.output} in {self.seconds:.2f} s: {self.n_hits / self.seconds:.0f} hits/s "
            f"({self.n_hits / self.compute_seconds:.0f} hits/s without reading and writing)",
        ]

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "output": str(self.output),
            "files": [
                {
                    "path": str(file.path),
                    "n_hits": file.n_hits,
                    "n_located": file.n_located,
                    "flagged": dict(file.flagged),
                }
                for file in self.files
            ],
            "n_hits": self.n_hits,
            "seconds": self.seconds,
            "hits_per_s": self.n_hits / self.seconds if self.seconds else 0.0,
            "compute_hits_per_s": self.n_hits / self.compute_seconds if self.compute_seconds else 0.0,
            "warnings": list(self.warnings),
        }


def locate_files(
    paths: Sequence[Path],
    locator: Locator,
    output: Path,
    *,
    model_sha256: str,
    crystals: Sequence[Crystal | None] = (),
    on_progress: Callable[[int], None] = lambda _: None,
) -> Locating:
    """Write the positions of all hits of files into one file.

    Parameters
    ----------
    paths : sequence of Path
        Files of hits; their channels may be in any order.
    locator : Locator
        A model, or a grid search.
    output : Path
        ``.h5``, ``.parquet`` or ``.root``; complete or absent.
    model_sha256 : str
        Of the file of the model or the basis, stored with the positions.
    crystals : sequence of Crystal or None
        Of the hits of the training, or of the basis, where known: hits that were simulated for one whose segments lie
        elsewhere are refused.
    on_progress : callable
        Called with the number of hits of each piece.

    Raises
    ------
    FormatError
        If a file holds no hits, or is damaged.
    DataError
        If hits do not fit the model, are of another crystal, or differ in what is known of them.
    SettingsError
        If the suffix is none of a file of positions.
    OutputError
        If the output is one of the inputs, or cannot be written.
    """
    refuse_inputs(output, list(paths))
    kept, warnings = _kept_columns(paths), _of_other_crystals(paths, crystals)
    begun, stage = time.perf_counter(), _Stage(locator, kept)
    attributes = {
        "model_sha256": model_sha256,
        "files": json.dumps([path.name for path in paths]),
        "flags": json.dumps({words: int(bit) for bit, words in FLAG_WORDS.items()}),
        "warnings": json.dumps(warnings),
        "versions": json.dumps(software_versions("numpy")),
        "created_utc": utc_now(),
        "command_line": command_line(),
    }
    with open_position_writer(output, attributes=attributes) as writer:
        files = tuple(stage.one(number, path, writer, on_progress) for number, path in enumerate(paths))
        if not any(file.n_hits for file in files):
            raise DataError(f"{', '.join(map(str, paths))}: no hits")
    return Locating(
        output=output,
        files=files,
        seconds=time.perf_counter() - begun,
        compute_seconds=stage.compute_seconds,
        warnings=warnings,
    )


class _Stage:
    """Locates file after file."""

    def __init__(self, locator: Locator, kept: Sequence[str]) -> None:
        self._locator, self._kept = locator, kept
        self.compute_seconds = 0.0

    def one(self, number: int, path: Path, writer: PositionWriter, on_progress: Callable[[int], None]) -> LocatedFile:
        n_hits, n_located = 0, 0
        flagged = dict.fromkeys(FLAG_WORDS.values(), 0)
        for hits in hits_chunks(path):
            begun = time.perf_counter()
            try:
                located = self._locator.locate(hits)
            except DataError as error:
                raise DataError(f"{path}: {error}") from error
            self.compute_seconds += time.perf_counter() - begun
            writer.write(position_rows(hits, located, kept=self._kept, number=number, first=n_hits))
            n_hits += len(hits)
            n_located += int(np.count_nonzero(located.flags == 0))
            for words, count in located.counts().items():
                flagged[words] += count
            on_progress(len(hits))
        return LocatedFile(path=path, n_hits=n_hits, n_located=n_located, flagged=flagged)


def position_rows(
    hits: Hits, located: Located, *, kept: Sequence[str], number: int, first: int
) -> dict[str, NDArray[Any]]:
    """Return the rows of a file of positions.

    Parameters
    ----------
    hits : Hits
        That were located.
    located : Located
        Where.
    kept : sequence of str
        Their columns that are written, too.
    number, first : int
        Of their file, and of the first of them in it, where they have no `entry`.
    """
    entry = hits.columns.get("entry", np.arange(first, first + len(hits), dtype=np.int64))
    rows: dict[str, NDArray[Any]] = {"file": np.full(len(hits), number, np.int32), "entry": entry}
    rows |= {name: hits.columns[name] for name in kept}
    for axis, values in zip(COORDINATES, located.position_mm.T, strict=True):
        rows[f"{axis}_mm"] = values.astype(np.float32)
    if located.deviation_mm is not None:
        for axis, values in zip(COORDINATES, located.deviation_mm.T, strict=True):
            rows[f"{axis}_error_mm"] = values.astype(np.float32)
    rows |= _second_columns(located.second, len(hits))
    for name, column in _further_columns(located.further).items():
        rows[f"found_{name}" if name in rows else name] = column
    return rows | {"flags": located.flags}


def _of_other_crystals(paths: Sequence[Path], crystals: Sequence[Crystal | None]) -> tuple[str, ...]:
    told = [
        other_crystal(crystal_of_hits(hits_info(path)), crystals, whose="the model or basis", where=str(path))
        for path in paths
    ]
    return tuple(each for each in told if each is not None)


def _second_columns(second: SecondInteraction | None, n_hits: int) -> dict[str, NDArray[Any]]:
    """Return what is told of a second interaction; its probability is NaN where the method knows one only."""
    if second is None:
        return {"two_probability": np.full(n_hits, np.nan, np.float32)}
    rows: dict[str, NDArray[Any]] = {"two_probability": second.probability.astype(np.float32)}
    for suffix, values in (("mm", second.position_mm), ("error_mm", second.deviation_mm)):
        for axis, column in zip(COORDINATES, values.T, strict=True):
            rows[f"{axis}_2_{suffix}"] = column.astype(np.float32)
    rows["energy_share"] = second.share.astype(np.float32)
    rows["energy_share_error"] = second.share_deviation.astype(np.float32)
    return rows


def _further_columns(further: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[Any]]:
    """Return the other quantities of the model and their errors, which are named by the same unit."""
    rows: dict[str, NDArray[Any]] = {}
    for name, values in further.items():
        unit = unit_of(name) and f"_{name.rsplit('_', 1)[-1]}"
        names = (name, f"{name.removesuffix(unit)}_error{unit}")
        rows |= {each: column.astype(np.float32) for each, column in zip(names, values.T, strict=False)}
    return rows


def _kept_columns(paths: Sequence[Path]) -> tuple[str, ...]:
    """Return what is known of the hits of all files."""
    known = [set(hits_info(path).columns) for path in paths]
    return tuple(name for name in KEPT if all(name in each for each in known))
