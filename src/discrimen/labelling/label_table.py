"""Labels of list-mode events as an HDF5 table: one data set a column, joined to the input by file and entry."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, OutputError
from discrimen.formats.base import ListModeReader
from discrimen.labelling.in_order import InOrder
from discrimen.output.files import complete_or_absent, refuse_inputs
from discrimen.output.hdf5 import Hdf5Output, hdf5_output

SUFFIXES = (".h5", ".hdf5")


def write_label_table(
    readers: Sequence[ListModeReader],
    output: Path,
    *,
    found: Sequence[InOrder],
    attributes: Mapping[str, Any],
    on_progress: Callable[[int], None] = lambda _: None,
) -> None:
    """Write run (number of the file), entry, what the list holds of each event, its PSD and its label.

    Parameters
    ----------
    readers : sequence of ListModeReader
        Open inputs.
    output : Path
        Named ``.h5`` or ``.hdf5``.
    found : sequence of InOrder
        The labels of each.
    attributes : mapping
        Kept as JSON texts in attributes of the root group.
    on_progress : callable
        Called with the number of events of each chunk.

    Raises
    ------
    OutputError
        If the suffix is another, or the file system refuses.
    """
    if output.suffix.lower() not in SUFFIXES:
        raise OutputError(f"{output}: labels of list mode are written as HDF5; choose a name that ends in .h5")
    refuse_inputs(output, [reader.info.path for reader in readers])
    n_events = 0
    with complete_or_absent(output) as part, hdf5_output(part, libver=("v108", "latest")) as opened:
        for name, value in attributes.items():
            opened.file.attrs[name] = json.dumps(value)
        for number, (reader, labels) in enumerate(zip(readers, found, strict=True)):
            for events in reader.event_chunks():
                psd = {} if events.psd is None else {"psd": events.psd}
                known = {name: values for name, values in events.columns().items() if name != "given_psd"}
                run = np.full(len(events), number, np.int32)
                _append(opened, {"run": run, **known, **psd, **labels.take(len(events))})
                n_events += len(events)
                on_progress(len(events))
        if not n_events:
            raise DataError("no pulses to label")


def _append(opened: Hdf5Output, columns: Mapping[str, NDArray[Any]]) -> None:
    for name, values in columns.items():
        if name not in opened.file:
            opened.file.create_dataset(name, shape=(0,), maxshape=(None,), dtype=values.dtype, chunks=(65_536,))
        data = opened.file[name]
        data.resize(len(data) + len(values), axis=0)
        data[len(data) - len(values) :] = values
    opened.check()
