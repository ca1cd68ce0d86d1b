"""What the methods of ``discrimen label`` that estimate have in common: how labels are counted, written and told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.cli import common
from discrimen.cli.label_result import with_provenance, write_beside
from discrimen.errors import SettingsError
from discrimen.formats.base import ListModeReader, Reader
from discrimen.labelling.in_order import InOrder
from discrimen.labelling.label_table import write_label_table
from discrimen.output.files import complete_or_absent
from discrimen.pulses import Label
from discrimen.runs.conversion import convert_runs


def lists_of(readers: Sequence[Reader]) -> list[ListModeReader]:
    """Return the readers as such of lists, none where they hold waveforms.

    Raises
    ------
    SettingsError
        If some of the files hold one and some the other.
    """
    listed = [reader for reader in readers if isinstance(reader, ListModeReader)]
    if listed and len(listed) < len(readers):
        raise SettingsError("some of the files hold waveforms and some list mode: label them in two runs")
    return listed


def summary(method: str, output: Path | None, labels: Sequence[NDArray[np.int8]], *, seed: int) -> dict[str, Any]:
    """Return how a result begins: method, output, and how many pulses have which label."""
    everything = np.concatenate(labels)
    counts = {f"n_{label.name.lower()}": int((everything == label).sum()) for label in Label}
    return {"output": None if output is None else str(output), "method": method, "seed": seed, **counts}


def write_labels(
    readers: Sequence[Reader],
    output: Path | None,
    found: Sequence[InOrder],
    *,
    result: Mapping[str, Any],
    inputs: Sequence[Reader] = (),
) -> None:
    """Read the runs once more and write their pulses with labels: a data set, or a table where they are lists.

    Parameters
    ----------
    readers : sequence of Reader
        The runs that get labels.
    output : Path or None
        Without one nothing is written.
    found : sequence of InOrder
        One for each reader.
    result : mapping
        The estimates: written beside the output as JSON, with provenance.
    inputs : sequence of Reader
        Further runs that were used.
    """
    everything = [*readers, *inputs]
    if output is not None:
        whole = with_provenance(result, everything)
        with common.progress("labelling", total=common.total_entries(readers)) as tick:
            if listed := lists_of(readers):
                write_label_table(listed, output, found=found, attributes=whole, on_progress=tick)
            else:
                convert_runs(readers, output, transforms=list(found), format_name="lh5", on_progress=tick)
        write_beside(output, whole)
    for reader in everything:
        common.log_left_out(reader.info.path, reader.report)


def title_of(readers: Sequence[Reader]) -> str:
    """Return the names of the runs for a picture."""
    first = readers[0].info.path.name
    return first if len(readers) == 1 else f"{first} and {len(readers) - 1} more"


def drawn(path: Path, draw: Callable[[Path], None]) -> str:
    """Draw a picture that appears when it is complete, and return its path."""
    with complete_or_absent(path) as part:
        draw(part)
    return str(path)


def where_written(result: Mapping[str, Any]) -> str:
    """Return the end of a line that says where labels and pictures went."""
    labels = "" if result["output"] is None else f" written to {result['output']}"
    pictures = ", ".join(map(str, result.get("plots") or ()))
    return f"{labels}; drawn: {pictures}" if pictures else labels


def print_lines(lines: Sequence[str]) -> None:
    """Print lines to standard output as they are."""
    console = common.stdout_console()
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)
