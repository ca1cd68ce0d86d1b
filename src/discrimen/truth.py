"""The truth of a simulated run: what the simulator knows of each pulse and a digitizer's file cannot hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from discrimen.errors import FormatError
from discrimen.hdf5_output import hdf5_output
from discrimen.output import complete_or_absent
from discrimen.pulses import Pulses

TRUTH_COLUMNS = ("label", "energy_kevee", "photon_llr")
PILE_UP_COLUMNS = ("entry", "delay_ns", "energy_kevee", "label")
_KEYS = ("entry", "timestamp_ps", "channel")
_ATTRIBUTE = "discrimen_truth"
_PILE_UP = "pile_up"


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What the simulator knows of each pulse and the digitizer's file cannot hold.

    Parameters
    ----------
    columns : dict of str to ndarray, shape (pulse,)
        `entry`, `timestamp_ps`, `channel`, `label`, `energy_kevee` and `photon_llr`, in the order of `entry`.
    pile_up : dict of str to ndarray, shape (second pulse,)
        `entry` of the pulse that each second one lies on, `delay_ns` between the two, `energy_kevee` and `label` of
        the second.
    """

    columns: dict[str, NDArray[Any]]
    pile_up: dict[str, NDArray[Any]]


class TruthWriter:
    """Collect the truth of a run, chunk by chunk, and write it to one HDF5 file."""

    def __init__(self) -> None:
        self._parts: list[dict[str, NDArray[Any]]] = []
        self._pile_up: list[Mapping[str, NDArray[Any]]] = []

    def add(self, pulses: Pulses, *, pile_up: Mapping[str, NDArray[Any]]) -> None:
        """Add the truth of some pulses, and of the second pulses on top of them (see :class:`Truth`)."""
        self._parts.append({name: pulses.column(name) for name in (*_KEYS, *TRUTH_COLUMNS)})
        self._pile_up.append(pile_up)

    def write(self, path: Path | str) -> None:
        """Write what was added."""
        with complete_or_absent(path) as part, hdf5_output(part) as output:
            file = output.file
            file.attrs[_ATTRIBUTE] = 1
            for name in (*_KEYS, *TRUTH_COLUMNS):
                joined = np.concatenate([columns[name] for columns in self._parts])
                file.create_dataset(name, data=joined, compression="lzf", shuffle=True)
            for name in PILE_UP_COLUMNS:
                joined = np.concatenate([second[name] for second in self._pile_up])
                file.create_dataset(f"{_PILE_UP}/{name}", data=joined)


def truth_path(run: Path | str) -> Path:
    """Return where the truth of a simulated run file lies: beside it."""
    path = Path(run)
    return path.with_name(f"{path.stem}.truth.h5")


def read_truth(path: Path | str) -> Truth:
    """Read the truth of a simulated run.

    Raises
    ------
    FormatError
        If the file is not there or holds no truth.
    """
    try:
        with h5py.File(path, "r") as file:
            if _ATTRIBUTE not in file.attrs:
                raise FormatError("this file holds no truth of a simulated run", path)
            columns = {name: file[name][:] for name in (*_KEYS, *TRUTH_COLUMNS)}
            pile_up = {name: file[f"{_PILE_UP}/{name}"][:] for name in PILE_UP_COLUMNS}
    except (OSError, KeyError) as error:
        raise FormatError(f"cannot read the truth of a simulated run: {error}", path) from error
    order = np.argsort(columns["entry"])
    return Truth({name: values[order] for name, values in columns.items()}, pile_up)
