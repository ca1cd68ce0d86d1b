"""Labels of list-mode pulses as an HDF5 table: one data set a column, joined to the input by file and entry."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, OutputError
from discrimen.formats.base import ListModeReader
from discrimen.labelling.band_run import RunBands
from discrimen.labelling.plane import plane_of_events
from discrimen.output.files import complete_or_absent, refuse_inputs
from discrimen.output.hdf5 import Hdf5Output, hdf5_output
from discrimen.pulses import Label

SUFFIXES = (".h5", ".hdf5")


def write_label_table(
    readers: Sequence[ListModeReader],
    output: Path,
    *,
    bands: RunBands,
    attributes: Mapping[str, Any],
    on_progress: Callable[[int], None] = lambda _: None,
) -> dict[Label, int]:
    """Label every pulse of list-mode files and write run (number of the file), entry, charges, PSD and label.

    Parameters
    ----------
    readers : sequence of ListModeReader
        Open inputs.
    output : Path
        Named ``.h5`` or ``.hdf5``.
    bands : RunBands
        Found in these files.
    attributes : mapping
        Kept as JSON texts in attributes of the root group.
    on_progress : callable
        Called with the number of pulses of each chunk.

    Returns
    -------
    dict of Label to int
        How many pulses have each label.

    Raises
    ------
    OutputError
        If the suffix is another, or the file system refuses.
    """
    if output.suffix.lower() not in SUFFIXES:
        raise OutputError(f"{output}: labels of list mode are written as HDF5; choose a name that ends in .h5")
    refuse_inputs(output, [reader.info.path for reader in readers])
    counts = dict.fromkeys(Label, 0)
    with complete_or_absent(output) as part, hdf5_output(part, libver=("v108", "latest")) as opened:
        for name, value in attributes.items():
            opened.file.attrs[name] = json.dumps(value)
        for number, reader in enumerate(readers):
            for charges in reader.event_chunks():
                plane = plane_of_events(charges, reader.info.settings)
                labels = bands.labels(plane)
                run = np.full(len(labels), number, np.int32)
                _append(opened, {"run": run, **charges.columns(), "psd": plane.psd, "label": labels})
                for label in Label:
                    counts[label] += int((labels == label).sum())
                on_progress(len(labels))
        if not sum(counts.values()):
            raise DataError("no pulses to label")
    return counts


def _append(opened: Hdf5Output, columns: Mapping[str, NDArray[Any]]) -> None:
    for name, values in columns.items():
        if name not in opened.file:
            opened.file.create_dataset(name, shape=(0,), maxshape=(None,), dtype=values.dtype, chunks=(65_536,))
        data = opened.file[name]
        data.resize(len(data) + len(values), axis=0)
        data[len(data) - len(values) :] = values
    opened.check()
