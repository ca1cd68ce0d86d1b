"""Band labels of whole runs: every channel has bands of its own, found in a first pass over all files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.formats.base import ListModeReader, Reader
from discrimen.labelling.band import BandLabels, BandOptions, find_bands
from discrimen.labelling.plane import Plane, join_planes, plane_of_charges, plane_of_pulses
from discrimen.pulse_shape.charge import PSD_DEFINITION
from discrimen.pulses import Label, Pulses


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a pulse was digitised."""

    board: int
    channel: int

    def __str__(self) -> str:
        return f"board {self.board} channel {self.channel}"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RunBands:
    """The bands of each channel.

    Parameters
    ----------
    channels : mapping of Place to BandLabels
        By board and channel.
    problems : mapping of Place to str
        Channels whose pulses all stay unknown, and why.
    energy_unit : str
        Of all energies.
    """

    channels: Mapping[Place, BandLabels]
    problems: Mapping[Place, str]
    energy_unit: str

    def labels(self, plane: Plane) -> NDArray[np.int8]:
        """Label pulses by the bands of their channel; a channel without bands stays unknown."""
        labels = np.full(len(plane), Label.UNKNOWN, np.int8)
        for place, chosen in _by_place(plane).items():
            if place in self.channels:
                labels[chosen] = self.channels[place].labels(plane.energy[chosen], plane.psd[chosen])
        return labels

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "energy_unit": self.energy_unit,
            "psd_definition": PSD_DEFINITION,
            "channels": [
                {"board": place.board, "channel": place.channel, **bands.as_dict()}
                for place, bands in self.channels.items()
            ],
            "channels_without_bands": [
                {"board": place.board, "channel": place.channel, "reason": reason}
                for place, reason in self.problems.items()
            ],
        }


def read_plane(reader: Reader, *, on_progress: Callable[[int], None] = lambda _: None) -> Plane:
    """Read a whole run into the charge-comparison plane, from its waveforms or, in list mode, its charges.

    Raises
    ------
    SettingsError, DataError, FormatError
        As :func:`~discrimen.labelling.plane.plane_of_pulses` and the reader do.
    """
    settings = reader.info.settings
    parts = []
    if isinstance(reader, ListModeReader):
        for charges in reader.charge_chunks():
            parts.append(plane_of_charges(charges, settings))
            on_progress(len(charges))
    else:
        for pulses in reader.chunks():
            parts.append(plane_of_pulses(pulses, settings))
            on_progress(len(pulses))
    if not parts:
        raise DataError(f"{reader.info.path}: no pulses to label")
    return join_planes(parts)


def find_run_bands(planes: Sequence[Plane], *, options: BandOptions, rng: np.random.Generator) -> RunBands:
    """Find the bands of each channel in the pulses of all files together.

    Parameters
    ----------
    planes : sequence of Plane
        One for each file.
    options : BandOptions
        The same for every channel.
    rng : numpy.random.Generator
        For the bootstrap.

    Raises
    ------
    DataError
        If no channel shows two bands, with the reasons of the first three.
    """
    plane = join_planes(planes)
    channels, problems = {}, {}
    for place, chosen in sorted(_by_place(plane).items()):
        try:
            channels[place] = find_bands(plane.energy[chosen], plane.psd[chosen], options=options, rng=rng)
        except DataError as error:
            problems[place] = str(error)
    if not channels:
        shown = [f"{place}: {reason}" for place, reason in list(problems.items())[:3]]
        more = [f"and {len(problems) - 3} more channels"] if len(problems) > 3 else []
        raise DataError("; ".join(shown + more))
    return RunBands(channels=channels, problems=problems, energy_unit=plane.energy_unit)


def label_by_band(pulses: Pulses, *, bands: RunBands, reader: Reader) -> Pulses:
    """Give pulses of a run the labels of its bands, and their light in keVee where the detector is calibrated.

    Parameters
    ----------
    pulses : Pulses
        A chunk of the run.
    bands : RunBands
        From :func:`find_run_bands`.
    reader : Reader
        Whose settings know the gates.
    """
    plane = plane_of_pulses(pulses, reader.info.settings)
    light = {"energy_kevee": plane.energy.astype(np.float32)} if plane.energy_unit == "keVee" else {}
    return pulses.replace(label=bands.labels(plane), **light)


def _by_place(plane: Plane) -> dict[Place, NDArray[np.int64]]:
    both = np.stack([plane.board, plane.channel])
    found, number = np.unique(both, axis=1, return_inverse=True)
    return {
        Place(int(board), int(channel)): np.flatnonzero(number == index)
        for index, (board, channel) in enumerate(found.T)
    }
