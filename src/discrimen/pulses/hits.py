"""Hits: pulses of several channels that belong together, for example the 37 traces of a segmented crystal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.output.summary import Summarised
from discrimen.output.tabular import Tabular, rows_at
from discrimen.pulses.waveforms import COLUMNS, Pulses

COORDINATES = ("x", "y", "z")
"""Of a position, in the coordinates of the detector."""


SEGMENT_NAMES = tuple(f"{sector}{ring}" for ring in range(1, 7) for sector in "ABCDEF")
"""Of a crystal of 6 sectors and 6 rings, in the order of its segments: letter of the sector, then number of the ring
from the front on."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class Hits(Summarised, Tabular):
    """Pulses of one or several channels, those of a hit side by side.

    Parameters
    ----------
    samples : ndarray of integers or float32, shape (hit, channel, sample)
        As digitised, in ADC counts; zeros where a channel is absent.
    sample_period_ns : float, sequence of float, or None
        Time between samples in ns, of all channels or of each; they must agree. None where it is not known.
    present : ndarray of bool, shape (hit, channel), optional
        Which channels are there; by default all.
    columns : mapping of str to ndarray, shape (hit,)
        What is known of each hit, by the names of :data:`discrimen.pulses.COLUMNS`, for example `label` or `x_mm`.
    channels : tuple of str
        Names of the channels, in their order; none where nobody named them.
    info : Pulses
        The columns as pulses; their samples say nothing.

    Raises
    ------
    DataError
        If a shape or a column does not fit.
    SettingsError
        If the channels differ in their sampling.
    """

    samples: NDArray[Any]
    sample_period_ns: float | Sequence[float] | None
    present: NDArray[np.bool_] | None = None
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    channels: tuple[str, ...] = ()
    info: Pulses = field(init=False)

    def __post_init__(self) -> None:
        samples = np.asarray(self.samples)
        if samples.ndim != 3:
            raise DataError(f"samples must have shape (pulse, channel, sample), got {samples.shape}")
        if not (samples.dtype.kind in "iu" and samples.dtype.itemsize <= 4) and samples.dtype != np.float32:
            raise DataError(f"samples must be integers of up to 32 bits or float32, got {samples.dtype}")
        if self.present is not None and self.present.shape != samples.shape[:2]:
            raise DataError(f"expected which channels are there as {samples.shape[:2]}, got {self.present.shape}")
        if self.channels and len(self.channels) != samples.shape[1]:
            raise DataError(f"expected names of {samples.shape[1]} channels, got {len(self.channels)}")
        period_ns = _one_period(self.sample_period_ns, samples.shape[1])
        object.__setattr__(self, "sample_period_ns", period_ns)
        nothing = np.zeros((len(samples), 1), dtype=np.int16)
        info = Pulses(samples=nothing, sample_period_ns=period_ns, **self.columns)
        object.__setattr__(self, "info", info)
        object.__setattr__(self, "columns", info.columns())

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int | slice | NDArray[Any] | Sequence[int]) -> Hits:
        """Select hits by a slice, a boolean mask or an array of positions; a single position gives one hit."""
        index = rows_at(index, len(self))
        return Hits(
            samples=self.samples[index],
            sample_period_ns=self.sample_period_ns,
            present=None if self.present is None else self.present[index],
            columns={name: column[index] for name, column in self.columns.items()},
            channels=self.channels,
        )

    @property
    def n_channels(self) -> int:
        """Number of channels of each hit."""
        return int(self.samples.shape[1])

    @property
    def n_samples(self) -> int:
        """Number of samples of each channel."""
        return int(self.samples.shape[2])

    def with_samples(self, samples: NDArray[Any], *, columns: Mapping[str, NDArray[Any]] | None = None) -> Hits:
        """Return the same hits with other samples, of shape (hit, channel, sample), and other columns if wished."""
        return Hits(
            samples=samples,
            sample_period_ns=self.sample_period_ns,
            present=self.present,
            columns=self.columns if columns is None else columns,
            channels=self.channels,
        )

    def summary(self) -> dict[str, str]:
        """Return shape, type and sampling, channels and columns, for people."""
        return {
            "hits": str(len(self)),
            "samples": f"{self.n_channels} channels x {self.n_samples} of {self.samples.dtype}",
            "sampled": "unknown" if self.sample_period_ns is None else f"every {self.sample_period_ns:g} ns",
            "channels": _few(self.channels) if self.channels else "not named",
            "columns": ", ".join(self.columns) or "none",
        }

    def table_columns(self) -> dict[str, NDArray[Any]]:
        """Return the columns that are present, which channels are there, and the samples."""
        there = {} if self.present is None else {"present": self.present}
        return {**self.columns, **there, "samples": self.samples}

    def table_remarks(self) -> dict[str, str]:
        """Return sampling period and names of the channels, where they are known."""
        return {**self.info.table_remarks(), **({"channels": ", ".join(self.channels)} if self.channels else {})}

    def column(self, name: str) -> NDArray[Any]:
        """Return a column that must be present.

        Raises
        ------
        DataError
            If it is absent.
        """
        return self.info.column(name)


def as_hits(pulses: Pulses | Hits) -> Hits:
    """Return pulses of one channel as hits of one channel, without a copy."""
    if isinstance(pulses, Hits):
        return pulses
    return Hits(
        samples=pulses.samples[:, np.newaxis, :], sample_period_ns=pulses.sample_period_ns, columns=pulses.columns()
    )


def in_order_of(hits: Hits, channels: Sequence[str]) -> Hits:
    """Return hits with their channels in another order; a channel that they do not have is absent from all.

    Parameters
    ----------
    hits : Hits
        With names of their channels.
    channels : sequence of str
        Names, in the order that is wanted.

    Raises
    ------
    DataError
        If the hits do not name their channels, or have one that is not wanted.
    """
    wanted = tuple(channels)
    if hits.channels == wanted:
        return hits
    if not hits.channels:
        raise DataError(f"the hits do not name their {hits.n_channels} channels; expected {_few(wanted)}")
    strange = [name for name in hits.channels if name not in wanted]
    if strange:
        raise DataError(f"the hits have the channels {_few(strange)}, which are not among {_few(wanted)}")
    place = {name: number for number, name in enumerate(hits.channels)}
    there = [number for number, name in enumerate(wanted) if name in place]
    source = [place[wanted[number]] for number in there]
    samples = np.zeros((len(hits), len(wanted), hits.n_samples), hits.samples.dtype)
    samples[:, there] = hits.samples[:, source]
    present = np.zeros(samples.shape[:2], dtype=np.bool_)
    present[:, there] = True if hits.present is None else hits.present[:, source]
    return Hits(
        samples=samples,
        sample_period_ns=hits.sample_period_ns,
        present=None if present.all() else present,
        columns=hits.columns,
        channels=wanted,
    )


def cut_records(hits: Hits, start: int, stop: int) -> Hits:
    """Return hits with some samples of their records alone, half open.

    Raises
    ------
    DataError
        If the records do not have them.
    """
    if not 0 <= start < stop <= hits.n_samples:
        raise DataError(f"expected samples within the records, 0:{hits.n_samples}, got {start}:{stop}")
    return hits.with_samples(hits.samples[:, :, start:stop])


def _few(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 6 else f"{', '.join(names[:3])}, ... {names[-1]} ({len(names)})"


def join_hits(parts: Iterable[Hits]) -> Hits:
    """Join hits of the same channels, length, type and sampling period; a column survives if every part has it.

    Raises
    ------
    DataError
        If there is nothing to join, or the parts differ.
    """
    chunks = list(parts)
    if not chunks:
        raise DataError("no hits: nothing to join")
    first = chunks[0]
    for what in ("n_channels", "channels", "n_samples", "sample_period_ns"):
        values = {getattr(chunk, what) for chunk in chunks}
        if len(values) > 1:
            raise DataError(f"cannot join hits of different {what}: {', '.join(sorted(map(str, values)))}")
    dtypes = {chunk.samples.dtype for chunk in chunks}
    if len(dtypes) > 1:
        raise DataError(f"cannot join hits of different sample types: {', '.join(sorted(map(str, dtypes)))}")
    shared = set.intersection(*(set(chunk.columns) for chunk in chunks))
    masks = [np.ones(c.samples.shape[:2], bool) if c.present is None else c.present for c in chunks]
    return Hits(
        samples=np.concatenate([chunk.samples for chunk in chunks]),
        sample_period_ns=first.sample_period_ns,
        present=None if all(chunk.present is None for chunk in chunks) else np.concatenate(masks),
        columns={n: np.concatenate([chunk.columns[n] for chunk in chunks]) for n in COLUMNS if n in shared},
        channels=first.channels,
    )


def _one_period(period_ns: float | Sequence[float] | None, n_channels: int) -> float | None:
    if period_ns is None or isinstance(period_ns, int | float):
        return period_ns
    each = [float(one) for one in period_ns]
    if len(each) != n_channels:
        raise SettingsError(f"expected {n_channels} sampling periods, one a channel, got {len(each)}")
    for number, one in enumerate(each):
        if not np.isclose(one, each[0], rtol=1e-6):
            raise SettingsError(
                f"channel {number} has a sample every {one:g} ns, channel 0 every {each[0]:g} ns: a network takes "
                "channels of one sampling; resample one of them, or train a network for each"
            )
    return each[0]
