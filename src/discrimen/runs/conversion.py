"""Any readable format to any format that can be written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from discrimen.errors import DataError
from discrimen.formats.base import Reader, ReadReport
from discrimen.formats.settings_merge import common_settings
from discrimen.formats.table import find_writable, open_writer
from discrimen.output.files import refuse_inputs
from discrimen.output.summary import Summarised
from discrimen.pulses import Pulses
from discrimen.runs.polarity import upright_chunks


@dataclass(frozen=True, slots=True, repr=False)
class Conversion(Summarised):
    """What was met in each input, and which columns the output has no place for."""

    reports: list[ReadReport]
    columns_left_out: tuple[str, ...]


def convert_runs(
    readers: Sequence[Reader],
    output: Path,
    *,
    transforms: Sequence[Callable[[Pulses], Pulses]] | None = None,
    format_name: str | None = None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Conversion:
    """Copy the pulses of run files into one file, chunk by chunk.

    Pulses of the second and further inputs get the column `run` = 1, 2, ... (0 for the first), unless the input has
    that column already.

    Parameters
    ----------
    readers : sequence of Reader
        Open inputs; they must agree on what their settings say.
    output : Path
        The file to write.
    transforms : sequence of callable, optional
        What to do to each chunk of each input on the way, for example give it labels.
    format_name : str, optional
        Format of the output; by default its suffix decides.
    on_progress : callable
        Called with the number of pulses of each chunk.

    Returns
    -------
    Conversion

    Raises
    ------
    SettingsError
        If the inputs contradict each other.
    DataError
        If there is no pulse in them, or one mixes records of several lengths or holds pulses against the polarity.
    OutputError, FormatError
        If the output is one of the inputs, or reading or writing fails.
    """
    refuse_inputs(output, [reader.info.path for reader in readers])
    settings = common_settings(readers)
    transforms = transforms or [lambda pulses: pulses] * len(readers)
    keeps = find_writable(output, format_name).keeps
    left_out: dict[str, None] = {}
    reports = []
    with open_writer(output, settings, format_name=format_name) as writer:
        for number, (reader, transform) in enumerate(zip(readers, transforms, strict=True)):
            for pulses in _of_one_kind(reader):
                if len(readers) > 1 and pulses.run is None:
                    pulses = pulses.replace(run=np.full(len(pulses), number, np.int32))
                pulses = transform(pulses)
                if not len(pulses):
                    continue
                left_out |= dict.fromkeys(name for name in pulses.columns() if name not in keeps)
                writer.write(pulses)
                on_progress(len(pulses))
            reports.append(reader.report)
        if not sum(report.n_read for report in reports):
            raise DataError(f"{', '.join(str(reader.info.path) for reader in readers)}: no pulses to convert")
    return Conversion(reports, tuple(left_out))


def _of_one_kind(reader: Reader) -> Iterator[Pulses]:
    """Refuse pulses against the polarity, and a channel of several lengths: they would be written out of order."""
    lengths: dict[tuple[int, int], int] = {}
    for pulses in upright_chunks(reader):
        zeros = np.zeros(len(pulses), np.int32)
        board, channel = (zeros if column is None else column for column in (pulses.board, pulses.channel))
        for place in np.unique(np.stack([board, channel]), axis=1).T.tolist():
            before = lengths.setdefault((place[0], place[1]), pulses.n_samples)
            if before != pulses.n_samples:
                shorter, longer = sorted((before, pulses.n_samples))
                choice = f"{shorter} (longer ones are cut) or {longer} (shorter ones are left out)"
                raise DataError(
                    f"{reader.info.path}: channel {place[1]} holds records of {shorter} and of {longer} samples; "
                    f"choose with --record-samples {choice}"
                )
        yield pulses
