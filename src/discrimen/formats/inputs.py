"""How the inputs of a command are opened: the same way wherever the work is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from discrimen.errors import FormatError, SettingsError
from discrimen.formats.base import Reader, ReadOptions
from discrimen.formats.channel_selection import ALL_CHANNELS, ChannelSelection, select_channels
from discrimen.formats.record_length import RecordLengthReader
from discrimen.formats.table import find_format, open_reader
from discrimen.pulses.detector import DetectorSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class InputOptions:
    """How to read the inputs of a command.

    Parameters
    ----------
    read : ReadOptions
        Settings and the rest of what a reader is told.
    format_name : str or None
        Format, where it is told.
    record_samples : int or None
        Length to which records are cut.
    selection : ChannelSelection
        Boards and channels to read.
    settings_file : Path or None
        The detector file.
    refused : tuple of str
        Settings in which what is given must not contradict the run: those that only the detector file says.
    read_elsewhere : callable, optional
        Gives the reader of a file that other machines have read, None for a file that is to be opened here.
    """

    read: ReadOptions
    format_name: str | None
    record_samples: int | None = None
    selection: ChannelSelection = ALL_CHANNELS
    settings_file: Path | None = None
    refused: tuple[str, ...] = ()
    read_elsewhere: Callable[[Path], Reader | None] | None = None

    def all_take(self, paths: Sequence[Path], option: str) -> bool:
        """Whether an option means something to the formats of all these files."""
        try:
            return all(option in find_format(path, self.format_name).takes for path in paths)
        except FormatError:
            return False  # opening says why, or unpacks the file first

    def open(self, path: Path) -> Reader:
        """Open one run file for its chosen channels."""
        if self.read_elsewhere is not None and (reader := self.read_elsewhere(path)) is not None:
            return reader
        return self._of_length(select_channels(self._open(path), self.selection))

    def open_whole(self, path: Path) -> Reader:
        """Open one run file with all its channels, for what does the choosing itself."""
        return self._of_length(self._open(path))

    def _open(self, path: Path) -> Reader:
        reader = open_reader(path, self.read, format_name=self.format_name)
        if self.refused:
            self._refuse_contradiction(path)
        return reader

    def _refuse_contradiction(self, path: Path) -> None:
        """Refuse a detector file that says other than the run itself: it is another detector's, most likely."""
        bare = replace(self.read, settings=DetectorSettings())
        own = open_reader(path, bare, format_name=self.format_name).info.settings
        for name in self.refused:
            told, known = getattr(self.read.settings, name), getattr(own, name)
            if told is not None and known is not None and told != known:
                raise SettingsError(
                    f"{path}: {name} is {known} in the file, but {told} in {self.settings_file or 'its option'}: this "
                    "is another detector's file, or correct yours; where the run itself is wrong, an option like "
                    "--polarity wins over it"
                )

    def _of_length(self, reader: Reader) -> Reader:
        return reader if self.record_samples is None else RecordLengthReader(reader, self.record_samples)
