"""What every file format offers: a Reader that streams a run in chunks and, where it makes sense, a Writer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from io import BufferedReader
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, runtime_checkable

from discrimen.errors import DataError, FormatError
from discrimen.output.summary import Summarised
from discrimen.pulses import COLUMNS, Pulses
from discrimen.pulses.detector import DetectorSettings
from discrimen.pulses.list_mode import ListModeEvents

DEFAULT_CHUNK_BYTES = 16 * 2**20


class Growth(Protocol):
    """What knows whether a run file still grows."""

    def wait(self, size: int) -> int | None:
        """Wait until the file has more bytes than these, and return how many; None if it will not grow any more.

        Raises
        ------
        FormatError
            If it is shorter than it was, or not the same file any more.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """How to read a file; what is not given is taken from the file or its companions, and never guessed.

    Parameters
    ----------
    settings : DetectorSettings
        Sampling period, polarity, pre-trigger and ADC bits; they win over what the file says.
    chunk_bytes : int
        About how much of the file to hold in memory at a time.
    branches : mapping of str to str
        For generic ROOT trees and `.npz`: the name in the file of each field of :class:`~discrimen.pulses.Pulses`,
        for example ``{"samples": "wave", "timestamp_ps": "ts"}``.
    tree : str, optional
        For ROOT files: which tree.
    companion : Path, optional
        File of digitizer settings (CoMPASS settings.xml); searched beside the run file if not given.
    sample_bytes : int, optional
        WaveDump only: 1, 2 or 4 bytes a sample, where the file's structure leaves it open.
    growth : Growth, optional
        For files that are still written: the reader hands out whole events as they come, until this says that no more
        will.
    tick_ps : float, optional
        ABCD only: the unit of its time stamps in ps, instead of ABCD's own default.
    board_bit : int, optional
        MFM only: from which bit of NEDA's location on the board is counted, 5 by default.
    """

    settings: DetectorSettings = field(default_factory=DetectorSettings)
    chunk_bytes: int = DEFAULT_CHUNK_BYTES
    branches: Mapping[str, str] = field(default_factory=dict)
    tree: str | None = None
    companion: Path | None = None
    sample_bytes: int | None = None
    growth: Growth | None = None
    tick_ps: float | None = None
    board_bit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class RunInfo(Summarised):
    """What is known of a run file before its pulses are read.

    Parameters
    ----------
    path : Path
        The file.
    format : str
        Name of the format, as in the table of formats.
    layout : str
        One line for people: what kind of file of that format this is.
    settings : DetectorSettings
        Sampling period, polarity and so on: the options' values first, then the file's; None where neither knows.
    settings_source : mapping of str to str
        For each known setting, where it comes from ("command line", "settings.xml", "file").
    n_entries : int or None
        Number of events in the file, damaged and fake ones included, where it is known without reading it all.
    """

    path: Path
    format: str
    layout: str
    settings: DetectorSettings
    settings_source: Mapping[str, str] = field(default_factory=dict)
    n_entries: int | None = None


@dataclass(slots=True)
class ReadReport:
    """What one pass over a file met; filled while the chunks are read, complete when they end.

    Attributes
    ----------
    n_read : int
        Pulses handed out.
    n_fake : int
        Fake events dropped (see :data:`discrimen.pulses.FAKE_FLAGS`).
    n_empty : int
        Events without a waveform, dropped.
    damaged : dict of str to Damage
        Events that could not be read, by kind.
    n_other_channels : int
        Pulses of boards and channels that were not asked for.
    absent : tuple of str
        Boards and channels that were asked for, but are not in the run.
    passed_over : dict of str to int
        What is whole but holds no pulse, or is not read, by kind: counters, frames of other detectors.
    remarks : dict of str to int
        What else a person should know and is no damage, and how many times it was met.
    """

    n_read: int = 0
    n_fake: int = 0
    n_empty: int = 0
    damaged: dict[str, Damage] = field(default_factory=dict)
    n_other_channels: int = 0
    absent: tuple[str, ...] = ()
    passed_over: dict[str, int] = field(default_factory=dict)
    remarks: dict[str, int] = field(default_factory=dict)

    def pass_over(self, kind: str, *, count: int) -> None:
        """Count what is whole, and not read."""
        self.passed_over[kind] = self.passed_over.get(kind, 0) + count

    def add_remark(self, what: str, *, count: int) -> None:
        """Count something that a person should know and that is no damage."""
        self.remarks[what] = self.remarks.get(what, 0) + count

    def add_damage(self, kind: str, *, offset: int | None, count: int = 1) -> None:
        """Count damaged events of one kind; the first one's offset in the file (bytes, or line) is kept."""
        known = self.damaged.get(kind)
        self.damaged[kind] = Damage(count, offset) if known is None else Damage(known.count + count, known.first_offset)

    @property
    def n_damaged(self) -> int:
        """Number of damaged events of all kinds."""
        return sum(damage.count for damage in self.damaged.values())

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "n_pulses": self.n_read,
            "n_fake_dropped": self.n_fake,
            "n_without_waveform": self.n_empty,
            "n_other_channels": self.n_other_channels,
            "n_passed_over": dict(self.passed_over),
            "n_damaged": self.n_damaged,
            "damaged": {kind: asdict(found) for kind, found in self.damaged.items()},
            "remarks": dict(self.remarks),
        }

    def add(self, part: Mapping[str, Any]) -> None:
        """Add what a later part of the file met, as :meth:`as_dict` returned it."""
        self.n_read += part["n_pulses"]
        self.n_fake += part["n_fake_dropped"]
        self.n_empty += part["n_without_waveform"]
        self.n_other_channels += part["n_other_channels"]
        for kind, count in part["n_passed_over"].items():
            self.pass_over(kind, count=count)
        for what, count in part["remarks"].items():
            self.add_remark(what, count=count)
        for kind, found in part["damaged"].items():
            self.add_damage(kind, offset=found["first_offset"], count=found["count"])

    def left_out(self) -> list[str]:
        """Return one line for people for each reason why events were left out."""
        counts = ((self.n_fake, "fake event(s) dropped"), (self.n_empty, "event(s) without waveform dropped"))
        lines = [f"{count} {what}" for count, what in counts if count]
        lines += [f"{count} of {what} passed over" for what, count in self.passed_over.items()]
        lines += [f"no pulse of {what}" for what in self.absent]
        lines += [f"{count} {what}" for what, count in self.remarks.items()]
        for kind, found in self.damaged.items():
            where = f", the first at byte {found.first_offset}" if found.first_offset is not None else ""
            lines.append(f"{found.count} damaged event(s) left out: {kind}{where}")
        return lines


@dataclass(frozen=True, slots=True)
class Damage:
    """How many events are damaged in one way, and where in the file the first one lies."""

    count: int
    first_offset: int | None


class Reader(Protocol):
    """One run file, open for reading.

    Opening checks the beginning of the file and raises :class:`~discrimen.errors.FormatError` if it is not of the
    format. Memory stays constant whatever the size of the file.
    """

    @property
    def info(self) -> RunInfo:
        """What is known before reading."""

    @property
    def report(self) -> ReadReport:
        """What the latest pass met."""

    def chunks(self) -> Iterator[Pulses]:
        """Read the file once, from its start, and yield its pulses.

        Every chunk holds at least one pulse and has the column `entry`. Chunks come in file order, except that a
        block of the file with waveforms of different lengths or sampling periods gives one chunk for each kind.
        Each call starts a new pass and a new report.
        """


@runtime_checkable
class ListModeReader(Reader, Protocol):
    """A reader of a file without waveforms, of charges, pulse shape parameters or times; `chunks` raises."""

    def event_chunks(self) -> Iterator[ListModeEvents]:
        """Read the file once, from its start, and yield its events; every chunk holds at least one."""


@runtime_checkable
class PartedReader(Reader, Protocol):
    """A reader of a file that can be read in parts, which together give the same chunks as the whole file.

    Parts meet at seams: rows, bytes or numbers of chunks, as suits the format.
    """

    def seams(self) -> Sequence[int]:
        """Return where one chunk ends and the next begins, from the start of the first to the end of the last."""

    def chunks_between(self, start: int, stop: int) -> Iterator[Pulses]:
        """Read what lies between two seams, as :meth:`chunks` does, with a report of its own.

        A format whose seams are worked out from the first event takes them for granted: where the file is not as even
        as that, this raises, or the report tells of damage, and the file must be read as a whole.

        Raises
        ------
        FormatError
            If events are not as the first one.
        """


@runtime_checkable
class OrderedReader(Reader, Protocol):
    """A reader of a file that stores channel after channel, and can give the pulses in the order of their entries."""

    def chunks_in_order(self) -> Iterator[Pulses]:
        """Read the file once, as :meth:`chunks` does, in the order of the column `entry`."""


class Writer(Protocol):
    """One run file, open for writing; the final name appears when the `with` block ends well."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def write(self, pulses: Pulses) -> None:
        """Append pulses.

        Raises
        ------
        DataError
            If the format cannot hold them.
        """


def no_waveforms(info: RunInfo) -> DataError:
    """Return the error that a list of events was asked for its waveforms."""
    count = "" if info.n_entries is None else f"{info.n_entries} "
    return DataError(
        f"{info.path}: holds {count}events without waveforms (list mode: charges only); 'discrimen inspect' and "
        "'discrimen label --method band' or 'tof' read them, pulse shapes need the option to save waveforms"
    )


class WithoutWaveforms:
    """What readers of lists have in common: asked for waveforms, they refuse."""

    info: RunInfo
    report: ReadReport

    def chunks(self) -> Iterator[Pulses]:
        """Refuse: there are no waveforms in list mode.

        Raises
        ------
        DataError
            Always.
        """
        self.report = ReadReport()
        raise no_waveforms(self.info)


@contextmanager
def opened_to_read(path: Path) -> Iterator[BufferedReader]:
    """Open a run file; what the operating system refuses in the block is an error of the format.

    Raises
    ------
    FormatError
        If the file cannot be opened or read.
    """
    try:
        with path.open("rb") as stream:
            yield stream
    except OSError as error:
        raise FormatError(f"cannot be read: {error.strerror or error}; check its name and permissions", path) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One row of the table of formats.

    Parameters
    ----------
    name : str
        As given to ``--format``.
    description : str
        One line for people.
    suffixes : tuple of str
        Lower-case endings of file names.
    recognises : callable
        ``recognises(path, head)``: whether a file with these first bytes (up to 4096) is of this format.
    open_reader : callable
        ``open_reader(path, options)``.
    open_writer : callable or None
        ``open_writer(path, settings)``: settings are stored where the format has a place for them.
    open_growing_writer : callable or None
        ``open_growing_writer(path, settings)``: for a file that is there from the start, and grows under its name.
    takes : tuple of str
        Which of the options ``branches``, ``tree``, ``companion``, ``sample_bytes``, ``growth``, ``tick_ps`` and
        ``board_bit`` mean something to its reader.
    keeps : tuple of str
        Columns of pulses that its writer has a place for.
    keeps_provenance : bool
        Whether its writer has a place for where the pulses come from: ``open_writer(path, settings, provenance)``.
    """

    name: str
    description: str
    suffixes: tuple[str, ...]
    recognises: Callable[[Path, bytes], bool]
    open_reader: Callable[[Path, ReadOptions], Reader]
    open_writer: Callable[..., Writer] | None = None
    open_growing_writer: Callable[[Path, DetectorSettings], Writer] | None = None
    takes: tuple[str, ...] = ()
    keeps: tuple[str, ...] = tuple(COLUMNS)
    keeps_provenance: bool = False
