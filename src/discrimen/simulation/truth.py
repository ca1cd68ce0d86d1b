"""The truth of a simulated run: what the simulator knows of each pulse and a digitizer's file cannot hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from discrimen.errors import FormatError, OutputError
from discrimen.output.files import complete_or_absent
from discrimen.output.hdf5 import hdf5_output
from discrimen.pulses import Pulses

TRUTH_COLUMNS = ("label", "energy_kevee")
OPTIONAL_COLUMNS = ("photon_llr", "record_llr", "tof_ns", "run")
"""Kept where there is such: bounds, which only a simulator knows, and what not every format has a place for."""
HEIGHT = "height_adc"
"""Kept where it is what generated pulses were asked for by."""
PILE_UP_COLUMNS = ("entry", "delay_ns", "energy_kevee", "label")
_KEYS = ("entry", "timestamp_ps", "channel")
_ATTRIBUTE = "discrimen_truth"
_RUN = "run_file"
_PILE_UP, _FLIGHT = "pile_up", "flight"


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What the simulator knows of each pulse and the digitizer's file cannot hold.

    Parameters
    ----------
    columns : dict of str to ndarray, shape (pulse,)
        `entry`, `timestamp_ps`, `channel`, `label` and `energy_kevee`, in the order of `entry`; also `photon_llr`,
        `record_llr`, `tof_ns` and `run` where the run has them. Of generated pulses of no class the label is -1; of
        those without light `energy_kevee` is NaN, and `height_adc` is the height that was asked for.
    pile_up : dict of str to ndarray, shape (second pulse,)
        `entry` of the pulse that each second one lies on, `delay_ns` between the two, `energy_kevee` and `label` of
        the second.
    flight : dict of str to ndarray, shape (pulse,)
        `neutron_energy_mev` (kinetic; NaN for gammas) and `is_accidental`, in the same order as `columns`; empty where
        no time of flight was simulated.
    """

    columns: dict[str, NDArray[Any]]
    pile_up: dict[str, NDArray[Any]]
    flight: dict[str, NDArray[Any]]


class TruthWriter:
    """Collect the truth of a run, chunk by chunk, and write it to one HDF5 file."""

    def __init__(self) -> None:
        self._parts: list[dict[str, NDArray[Any]]] = []
        self._pile_up: list[Mapping[str, NDArray[Any]]] = []
        self._flight: list[Mapping[str, NDArray[Any]]] = []

    def add(
        self,
        pulses: Pulses,
        *,
        pile_up: Mapping[str, NDArray[Any]],
        flight: Mapping[str, NDArray[Any]] = MappingProxyType({}),
        height_adc: NDArray[Any] | None = None,
    ) -> None:
        """Add the truth of some pulses, of the second pulses on top of them, and of their flight (see :class:`Truth`).

        Every call must bring the same columns.
        """
        optional = [name for name in OPTIONAL_COLUMNS if getattr(pulses, name) is not None]
        columns = {name: pulses.column(name) for name in (*_KEYS, *TRUTH_COLUMNS, *optional)}
        self._parts.append(columns if height_adc is None else columns | {HEIGHT: height_adc})
        self._pile_up.append(pile_up)
        self._flight.append(flight)

    def write(self, path: Path | str, *, run: str = "") -> None:
        """Write what was added, and the name of the run file that it belongs to."""
        with complete_or_absent(path) as part, hdf5_output(part) as output:
            file = output.file
            file.attrs[_ATTRIBUTE] = 1
            file.attrs[_RUN] = run
            for name in self._parts[0]:
                joined = np.concatenate([columns[name] for columns in self._parts])
                file.create_dataset(name, data=joined, compression="lzf", shuffle=True)
            for group, parts in ((_PILE_UP, self._pile_up), (_FLIGHT, self._flight)):
                for name in parts[0]:
                    file.create_dataset(f"{group}/{name}", data=np.concatenate([part[name] for part in parts]))


def truth_path(run: Path | str) -> Path:
    """Return where the truth of a simulated run file lies: beside it."""
    path = Path(run)
    return path.with_name(f"{path.stem}.truth.h5")


def run_of_truth(path: Path | str) -> str:
    """Return the name of the run file that a truth belongs to, empty where it does not say."""
    try:
        with h5py.File(path) as file:
            return str(file.attrs.get(_RUN, ""))
    except OSError:
        return ""


def require_free_truth(output: Path) -> None:
    """Refuse the name of a run whose truth, or which itself, would take the place of what is no such run.

    ``a.lh5`` and ``a.BIN`` share one truth.

    Raises
    ------
    OutputError
        If a file that was neither simulated nor generated has the name, or the truth is of another run.
    """
    truth = truth_path(output)
    if output.exists() and not truth.exists():
        raise OutputError(
            f"{output}: there is a file that was not simulated or generated, it is not replaced; choose another output"
        )
    other = run_of_truth(truth) if truth.exists() else ""
    if other and other != output.name and output.with_name(other).exists():
        raise OutputError(
            f"{output}: its truth would replace that of {output.with_name(other)} ({truth.name}); choose another name"
        )


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
            optional = [name for name in (*OPTIONAL_COLUMNS, HEIGHT) if name in file]
            columns = {name: file[name][:] for name in (*_KEYS, *TRUTH_COLUMNS, *optional)}
            pile_up = {name: file[f"{_PILE_UP}/{name}"][:] for name in PILE_UP_COLUMNS}
            flight = {name: values[:] for name, values in file.get(_FLIGHT, {}).items()}
    except (OSError, KeyError) as error:
        raise FormatError(f"cannot read the truth of a simulated run: {error}", path) from error
    order = np.argsort(columns["entry"])
    return Truth(
        columns={name: values[order] for name, values in columns.items()},
        pile_up=pile_up,
        flight={name: values[order] for name, values in flight.items()},
    )
