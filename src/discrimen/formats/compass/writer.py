"""What the writers of CoMPASS files share: fields of the events, checked, and a settings file beside the run."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, OutputError
from discrimen.formats.compass.binary_layout import (
    MAX_BOARD,
    MAX_CHANNEL,
    MAX_FLAGS,
    MAX_SAMPLES,
    MAX_TIMESTAMP,
    EventContent,
)
from discrimen.formats.compass.settings_xml import WrittenBoard, settings_xml
from discrimen.formats.staged_writer import StagedWriter
from discrimen.output.files import complete_or_absent, write_files
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings

KEPT = ("entry", "timestamp_ps", "board", "channel", "flags", "energy", "energy_short")
"""Columns of pulses that a CoMPASS file has a place for; `entry` is the order of the events."""

_LIMITS = {
    "board": MAX_BOARD,
    "channel": MAX_CHANNEL,
    "timestamp": MAX_TIMESTAMP,
    "flags": MAX_FLAGS,
    "energy": 0xFFFF,
    "energy_short": 0xFFFF,
}


class CompassWriter(StagedWriter):
    """Writer of one CoMPASS file and of ``<stem>_settings.xml`` beside it.

    Kept are samples, timestamp, board, channel, flags and both energies; the format has no place for the other columns.
    Board, channel, timestamp and flags are 0 where a column is absent: the format cannot leave them out.

    Parameters
    ----------
    path : Path
        The final name.
    settings : DetectorSettings
        Polarity, pre-trigger, ADC bits and gates for the settings file; its sampling period serves where the pulses
        have none.
    content : EventContent, optional
        What each event holds. Without it the first pulses decide: waveforms, the energies that are there, `energy`
        as channels if all its values are whole numbers up to 65535, else as calibrated energy.
    grows : bool
        See :class:`~discrimen.formats.staged_writer.StagedWriter`; the settings file is there before the first event
        then, as CoMPASS writes it, and knows the boards of the first pulses.
    """

    def __init__(
        self,
        path: Path,
        settings: DetectorSettings,
        *,
        content: EventContent | None = None,
        grows: bool = False,
    ) -> None:
        super().__init__(path, grows=grows)
        self._settings = settings
        self._content = content
        self._stream: BinaryIO | None = None
        self._settings_part: Path | None = None
        self._boards: dict[int, WrittenBoard] = {}
        self._begun = False

    @property
    def _companion(self) -> Path:
        """The settings file of the run."""
        return self._path.with_name(f"{self._path.stem}_settings.xml")

    @abstractmethod
    def _head(self, content: EventContent) -> bytes:
        """Return how the file begins."""

    @abstractmethod
    def _write_events(self, stream: BinaryIO, fields: dict[str, NDArray[Any]], samples: NDArray[Any]) -> None:
        """Append events."""

    def _open(self, stack: ExitStack) -> None:
        companion = self._companion
        if companion.exists() and not self._path.exists():
            raise OutputError(f"{companion}: the settings of another run file are here; choose another output name")
        if not self._grows:
            self._settings_part = stack.enter_context(complete_or_absent(companion))
        # Inside, so that an error while writing pulses names the run file.
        self._stream = self._open_run_file(stack)

    def write(self, pulses: Pulses) -> None:
        """Append pulses.

        Raises
        ------
        DataError
            If samples, timestamps, boards or energies do not fit the fields of the format, or a board's sampling
            period changes.
        """
        stream = self._open_stream()
        _check_samples(pulses.samples)
        content = self._content if self._content is not None else _default_content(pulses)
        fields = _fields(pulses, content)
        self._note_boards(pulses, fields["board"])
        self._begin(stream, content)
        with_waveforms = EventContent.WAVEFORM in content
        self._write_events(stream, fields, pulses.samples if with_waveforms else pulses.samples[:, :0])

    def _begin(self, stream: BinaryIO, content: EventContent) -> None:
        if not self._begun:
            if self._grows:
                write_files(self._path.parent, {self._companion.name: settings_xml(self._boards, self._settings)})
            self._content = content
            stream.write(self._head(content))
            self._begun = True

    def _open_stream(self) -> BinaryIO:
        if self._stream is None:
            raise OutputError(f"{self._path}: open the writer with a with-block before writing")
        return self._stream

    def _finish(self) -> None:
        """Write the head of a run without pulses, and the settings."""
        self._begin(self._open_stream(), self._content if self._content is not None else EventContent.WAVEFORM)
        if self._settings_part is not None:
            self._settings_part.write_text(settings_xml(self._boards, self._settings), encoding="utf-8")

    def _note_boards(self, pulses: Pulses, board: NDArray[Any]) -> None:
        period_ns = pulses.sample_period_ns or self._settings.sample_period_ns
        for number in np.unique(board):
            known = self._boards.get(int(number))
            if known is not None and known.sample_period_ns != period_ns:
                raise DataError(
                    f"{self._path}: board {number} was sampled every {known.sample_period_ns} ns before and every "
                    f"{period_ns} ns now; a CoMPASS board has one sampling period, write another file"
                )
            n_samples = max(pulses.n_samples, known.n_samples if known is not None else 0)
            self._boards[int(number)] = WrittenBoard(period_ns, n_samples)


def _default_content(pulses: Pulses) -> EventContent:
    content = EventContent.WAVEFORM
    if pulses.energy is not None:
        whole = bool(np.all((pulses.energy >= 0) & (pulses.energy <= 0xFFFF) & (pulses.energy % 1 == 0)))
        content |= EventContent.ENERGY if whole else EventContent.CALIBRATED_ENERGY
    if pulses.energy_short is not None:
        content |= EventContent.ENERGY_SHORT
    return content


def _check_samples(samples: NDArray[Any]) -> None:
    if samples.dtype.kind not in "iu":
        raise DataError(f"CoMPASS stores samples as whole numbers 0..65535, got {samples.dtype}; write another format")
    if samples.shape[1] > MAX_SAMPLES:
        raise DataError(f"CoMPASS waveforms have at most {MAX_SAMPLES} samples, got {samples.shape[1]}")
    if samples.dtype != np.uint16 and samples.size:
        lowest, highest = int(samples.min()), int(samples.max())
        if lowest < 0 or highest > 0xFFFF:
            raise DataError(f"CoMPASS stores samples 0..65535, got {lowest}..{highest}; shift the baseline up first")


def _fields(pulses: Pulses, content: EventContent) -> dict[str, NDArray[Any]]:
    """Return the fields of the events, checked, by their names in the layout."""
    absent = np.zeros(len(pulses), np.int64)
    fields: dict[str, NDArray[Any]] = {
        "board": pulses.board if pulses.board is not None else absent,
        "channel": pulses.channel if pulses.channel is not None else absent,
        "timestamp": pulses.timestamp_ps if pulses.timestamp_ps is not None else absent,
        "flags": pulses.flags if pulses.flags is not None else absent,
    }
    if EventContent.ENERGY in content:
        fields["energy"] = pulses.column("energy")
    if EventContent.CALIBRATED_ENERGY in content:
        fields["calibrated_energy"] = pulses.column("energy")
    if EventContent.ENERGY_SHORT in content:
        fields["energy_short"] = pulses.column("energy_short")
    for name, highest in _LIMITS.items():
        if name in fields:
            _check_field(name, fields[name], highest)
    return fields


def _check_field(name: str, values: NDArray[Any], highest: int) -> None:
    bad = np.flatnonzero(~((values >= 0) & (values <= highest) & (values % 1 == 0)))
    if len(bad):
        raise DataError(
            f"a CoMPASS event stores {name} as a whole number 0..{highest}; pulse {bad[0]} has {values[bad[0]]}"
        )
