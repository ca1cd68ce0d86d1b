"""Records put together from the single pulses of a run, as a run file with the components beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from discrimen.errors import OutputError
from discrimen.formats.base import Reader
from discrimen.formats.lh5 import reader as lh5
from discrimen.formats.table import open_writer
from discrimen.output.files import refuse_inputs
from discrimen.output.summary import Summarised
from discrimen.runs.dataset import load_dataset
from discrimen.runs.overlay import OverlayOptions, overlaid
from discrimen.runs.single_pulses import SingleCounts, single_pulses


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class OverlaidRun(Summarised):
    """Where the records lie, and what they were made of.

    Parameters
    ----------
    run, components : Path
        The records, and each of their pulses on its own.
    n_records, n_piled_up : int
        Records made, and those of two pulses.
    singles : SingleCounts
        What was found in the run.
    """

    run: Path
    components: Path
    n_records: int
    n_piled_up: int
    singles: SingleCounts

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "output": str(self.run),
            "components": str(self.components),
            "n_records": self.n_records,
            "n_piled_up": self.n_piled_up,
            "input": asdict(self.singles),
        }


def overlay_run(
    readers: Sequence[Reader],
    output: Path,
    components: Path,
    *,
    options: OverlayOptions | None = None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> OverlaidRun:
    """Write records put together from the single pulses of a run, and their components.

    Parameters
    ----------
    readers : sequence of Reader
        The run, of one channel; of several files one stretch after the other.
    output, components : Path
        Native files (``.lh5``).
    options : OverlayOptions, optional
        What to make.
    on_progress : callable
        Called with the number of records of each block.

    Raises
    ------
    DataError, SettingsError
        If the run has too few single pulses, or several channels; see :mod:`discrimen.runs.single_pulses`.
    OutputError
        If a name does not fit, or the file system refuses.
    """
    options = options or OverlayOptions()
    for path in (output, components):
        if path.suffix.lower() not in lh5.FORMAT.suffixes:
            raise OutputError(f"{path}: records and components need a native file, {lh5.FORMAT.suffixes[0]}")
    if output.resolve() == components.resolve():
        raise OutputError(f"{output}: records and components need a file each")
    for path in (output, components):
        refuse_inputs(path, [reader.info.path for reader in readers])
    dataset = load_dataset(readers, labelled=False)
    singles = single_pulses(dataset, options.share)
    n_piled_up = 0
    with open_writer(output, dataset.settings) as writer, open_writer(components, dataset.settings) as beside:
        for records, parts in overlaid(singles, options):
            writer.write(records)
            beside.write(parts)
            n_piled_up += len(parts) - len(records)
            on_progress(len(records))
    return OverlaidRun(
        run=output, components=components, n_records=options.n_records, n_piled_up=n_piled_up, singles=singles.counts
    )
