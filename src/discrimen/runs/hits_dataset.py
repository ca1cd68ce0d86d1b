"""Hits in memory, from one or several files, with what must be known of them later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.output.plain import plain
from discrimen.output.provenance import sha256_of_file
from discrimen.output.summary import Summarised
from discrimen.output.tabular import Tabular, rows_at
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings
from discrimen.pulses.hits import Hits, in_order_of, join_hits
from discrimen.runs.dataset import files_in_words, files_of_rows
from discrimen.runs.hits_crystal import crystal_of_hits
from discrimen.runs.hits_file import hits_info, is_hits_file, read_hits


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class HitsDataset(Summarised, Tabular):
    """Hits of detectors of one kind.

    Parameters
    ----------
    hits : Hits
        Of all files, in their order.
    settings : DetectorSettings
        What is known of detector and digitizer.
    files : tuple of dict
        Name, SHA-256 and number of hits of each file, and the crystal that it was simulated for, where it says so.
    n_unlabelled : int
        Always 0: hits need no labels.
    """

    hits: Hits
    settings: DetectorSettings
    files: tuple[dict[str, Any], ...]
    n_unlabelled: int = 0

    def __len__(self) -> int:
        return len(self.hits)

    def __getitem__(self, index: int | slice | NDArray[Any] | Sequence[int]) -> HitsDataset:
        """Select hits by a slice, a boolean mask or an array of positions that ascend from file to file.

        Raises
        ------
        DataError
            If the positions change the order of the files.
        """
        rows = rows_at(index, len(self))
        return replace(self, hits=self.hits[rows], files=files_of_rows(self.files, rows))

    def table_columns(self) -> dict[str, NDArray[Any]]:
        """Return the columns of the hits, and their samples."""
        return self.hits.table_columns()

    def table_remarks(self) -> dict[str, str]:
        """Return what is known of all hits."""
        return {**self.hits.table_remarks(), "files": ", ".join(str(file["name"]) for file in self.files)}

    def summary(self) -> dict[str, str]:
        """Return what the hits say of themselves, and the files, for people."""
        return {**self.hits.summary(), "files": files_in_words(self.files)}

    @property
    def pulses(self) -> Pulses:
        """The columns of the hits; their samples say nothing."""
        return self.hits.info


def are_hits_files(paths: Sequence[Path]) -> bool:
    """Return whether files hold hits.

    Raises
    ------
    DataError
        If some do and some do not.
    """
    kinds = [is_hits_file(path) for path in paths]
    if any(kinds) and not all(kinds):
        raise DataError(f"{paths[kinds.index(False)]}: is no file of hits, as {paths[kinds.index(True)]} is")
    return bool(kinds) and all(kinds)


def load_hits(
    paths: Sequence[Path],
    settings: DetectorSettings | None = None,
    *,
    channels: Sequence[str] = (),
    on_progress: Callable[[int], None] = lambda _: None,
) -> HitsDataset:
    """Read files of hits into memory; channels in another order are put into that of the first file.

    Parameters
    ----------
    paths : sequence of Path
        Files of hits.
    settings : DetectorSettings, optional
        What is known; the sampling period of the files is added.
    channels : sequence of str
        Names in the order that is wanted; by default that of the first file.
    on_progress : callable
        Called with the number of hits of each piece.

    Raises
    ------
    FormatError
        If a file holds no hits, or is damaged.
    DataError
        If the files do not go together.
    SettingsError
        If the sampling period is other than what was told.
    """
    settings = settings or DetectorSettings()
    wanted = tuple(channels) or hits_info(paths[0]).channels
    parts: list[Hits] = []
    files: list[dict[str, Any]] = []
    for path in paths:
        info = hits_info(path)
        if info.n_hits:
            parts.append(_in_order(read_hits(path, on_progress=on_progress), wanted, path))
        crystal = crystal_of_hits(info)
        told = {} if crystal is None else {"crystal": plain(crystal.model_dump())}
        files.append({"name": path.name, "sha256": sha256_of_file(path), "n_pulses": info.n_hits, **told})
        settings = with_period(settings, info.sample_period_ns, path)
    if not parts:
        raise DataError(f"{', '.join(map(str, paths))}: no hits")
    if any(part.present is not None for part in parts):
        parts = [part if part.present is not None else _all_there(part) for part in parts]
    return HitsDataset(hits=parts[0] if len(parts) == 1 else join_hits(parts), settings=settings, files=tuple(files))


def with_period(settings: DetectorSettings, period_ns: float | None, path: Path) -> DetectorSettings:
    """Return settings with the sampling period of a file.

    Raises
    ------
    SettingsError
        If another one was told.
    """
    told = settings.sample_period_ns
    if told is not None and period_ns is not None and not np.isclose(told, period_ns, rtol=1e-6):
        raise SettingsError(f"{path}: sampled every {period_ns:g} ns, but {told:g} ns were expected")
    return settings if period_ns is None else settings.merged(sample_period_ns=period_ns)


def _in_order(hits: Hits, channels: tuple[str, ...], path: Path) -> Hits:
    try:
        return in_order_of(hits, channels)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


def _all_there(hits: Hits) -> Hits:
    return replace(hits, present=np.ones(hits.samples.shape[:2], dtype=np.bool_))
