"""FASTER files without waveforms: the charges of QDC frames and the amplitudes of spectroscopy frames, as a list.

A QDC frame holds one to four charges, each i31 with a bit of saturation, and perhaps i32 of a time to digital converter
in steps of 2/256 ns. A spectroscopy frame is two words of bits: a time of 16 bits from bit 10 on, then the amplitude
(22), the range (3), five bits unused, saturation and pile-up. Facts: the headers of the library fasterac of LPC Caen.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.formats.base import ReadOptions, ReadReport, RunInfo, WithoutWaveforms
from discrimen.formats.faster.frames import Frames, FrameWalk, read_pieces
from discrimen.formats.faster.kinds import CHARGE_NAMES, LISTED, SPECTROSCOPY
from discrimen.formats.faster.survey import Survey
from discrimen.formats.faster.waveforms import NAME, pass_over
from discrimen.pulses import PulseFlag
from discrimen.pulses.list_mode import ListModeEvents

_SATURATED, _PILE_UP = np.uint32(PulseFlag.SATURATED_INPUT), np.uint32(PulseFlag.PILE_UP)
_TDC_PS = 2000 / 256


class FasterListReader(WithoutWaveforms):
    """Reader of a file without waveforms; a :class:`~discrimen.formats.base.ListModeReader`.

    Charges are in the units of FASTER. Which of several gates is the long one does not stand in the file: `branches`
    names the charges, as ``{"energy": "q1", "energy_short": "q2"}``. The only charge of a file needs no name.

    Parameters
    ----------
    path : Path
    options : ReadOptions
    found : Survey
        Of the beginning of the file.

    Raises
    ------
    SettingsError
        If a branch is no charge of this file.
    """

    def __init__(self, path: Path, options: ReadOptions, found: Survey) -> None:
        there = tuple(name for name in CHARGE_NAMES if any(name in LISTED[kind].names for kind in found.listed))
        self._named = _named_charges(options, there, path)
        known = options.settings.model_dump(exclude_none=True)
        self.report = ReadReport()
        self.info = RunInfo(
            path=path,
            format=NAME,
            layout="FASTER without waveforms (no oscilloscope or sampler frames), "
            f"{found}; {_told(self._named, there)}",
            settings=options.settings,
            settings_source=MappingProxyType(dict.fromkeys(known, "command line")),
            n_entries=sum(found.n_frames[kind] for kind in LISTED) if found.is_whole else None,
        )

    def event_chunks(self) -> Iterator[ListModeEvents]:
        """Read the file once, from its start, and yield its events.

        Raises
        ------
        FormatError
            If the operating system reports a read error.
        """
        self.report = ReadReport()
        first = 0
        for frames in FrameWalk(self.report).pieces(read_pieces(self.info.path)):
            kind = frames.kind
            is_event = np.isin(kind, list(LISTED))
            entry = first + np.cumsum(is_event) - 1
            first += int(is_event.sum())
            pass_over(kind[frames.is_sound & ~is_event], self.report)
            events = self._events(frames, kind, entry)
            if events is not None:
                self.report.n_read += len(events)
                yield events

    def _events(self, frames: Frames, kind: NDArray[np.uint8], entry: NDArray[np.int64]) -> ListModeEvents | None:
        """Return the events among some frames, in their order."""
        wanted = {name: np.full(len(kind), np.nan) for name in self._named}
        flags, fine_ps = np.zeros(len(kind), np.uint32), np.zeros(len(kind), np.int64)
        n_bytes, is_read = frames.load_bytes, np.zeros(len(kind), np.bool_)
        for number, charges in LISTED.items():
            of_kind = (kind == number) & frames.is_sound
            wrong = np.flatnonzero(of_kind & (n_bytes != charges.n_bytes))
            if len(wrong):
                at = frames.offset + int(frames.at[wrong[0]])
                self.report.add_damage("event of another size than its kind has", offset=at, count=len(wrong))
            which = np.flatnonzero(of_kind & (n_bytes == charges.n_bytes))
            if not len(which):
                continue
            words = np.ascontiguousarray(frames.loads(which, charges.n_bytes)).view("<i4")
            values, flags[which] = _spectroscopy(words) if number == SPECTROSCOPY else _qdc(words, len(charges.names))
            for name, charge in self._named.items():
                if charge in charges.names:
                    wanted[name][which] = values[charges.names.index(charge)]
            if charges.tdc_at is not None:
                fine_ps[which] = np.rint(words[:, charges.tdc_at // 4] * _TDC_PS).astype(np.int64)
            is_read[which] = True
        if not is_read.any():
            return None
        kept = np.flatnonzero(is_read)
        return ListModeEvents(
            entry=entry[kept],
            channel=frames.label[kept],
            timestamp_ps=frames.time_ps[kept] + fine_ps[kept],
            flags=flags[kept],
            **{name: charge[kept] for name, charge in wanted.items()},
        )


def _spectroscopy(words: NDArray[np.int32]) -> tuple[list[NDArray[np.int32]], NDArray[np.uint32]]:
    """Return the amplitude and the flags of spectroscopy frames."""
    bits = words[:, 1].view(np.uint32)
    flags = np.asarray((bits >> 30 & 1) * _SATURATED + (bits >> 31) * _PILE_UP, np.uint32)
    return [words[:, 1] << 10 >> 10], flags


def _qdc(words: NDArray[np.int32], n_charges: int) -> tuple[list[NDArray[np.int32]], NDArray[np.uint32]]:
    """Return the charges and the flags of QDC frames."""
    charges = words[:, :n_charges]
    flags = np.asarray((charges < 0).any(axis=1) * _SATURATED, np.uint32)
    return [charges[:, number] << 1 >> 1 for number in range(n_charges)], flags


def _named_charges(options: ReadOptions, there: tuple[str, ...], path: Path) -> dict[str, str]:
    """Return which charge is the long one and which the short one, by the names of the columns."""
    columns = {"energy": "long_charge", "energy_short": "short_charge"}
    for field, charge in options.branches.items():
        if field not in columns or charge not in there:
            raise SettingsError(
                f"{path}: --branch {field}={charge}: name energy or energy_short, as one of {', '.join(there)}"
            )
    if not options.branches and len(there) == 1:
        return {"long_charge": there[0]}
    return {columns[field]: charge for field, charge in options.branches.items()}


def _told(named: dict[str, str], there: tuple[str, ...]) -> str:
    if named:
        return ", ".join(f"{column.replace('_', ' ')} is {charge}" for column, charge in named.items())
    gates = [name for name in there if name != CHARGE_NAMES[0]]
    example = " ".join(
        f"--branch {field}={name}" for field, name in zip(("energy", "energy_short"), gates, strict=False)
    )
    return (
        f"charges {', '.join(there)}: which gate is the long one does not stand in the file, say it, for example, with "
        f"{example}"
    )
