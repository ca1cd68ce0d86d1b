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
from discrimen.labelling.places import Place, by_place, joined, no_place, reasons
from discrimen.labelling.plane import Plane, plane_of_events, plane_of_pulses
from discrimen.output.summary import Summarised
from discrimen.pulse_shape.charge import PSD_DEFINITION
from discrimen.pulses import Label
from discrimen.runs.polarity import upright_chunks


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class RunBands(Summarised):
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
        for place, chosen in by_place(plane).items():
            if place in self.channels:
                labels[chosen] = self.channels[place].labels(plane.energy[chosen], plane.psd[chosen])
        return labels

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "energy_unit": self.energy_unit,
            "psd_definition": PSD_DEFINITION,
            "channels": [{**place._asdict(), **bands.as_dict()} for place, bands in self.channels.items()],
            "channels_without_bands": reasons(self.problems),
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
        for charges in reader.event_chunks():
            parts.append(plane_of_events(charges, settings))
            on_progress(len(charges))
    else:
        for pulses in upright_chunks(reader):
            parts.append(plane_of_pulses(pulses, settings))
            on_progress(len(pulses))
    if not parts:
        raise DataError(f"{reader.info.path}: no pulses to label")
    return joined(parts)


def find_run_bands(
    planes: Sequence[Plane],
    *,
    options: BandOptions,
    rng: np.random.Generator,
    gamma_planes: Sequence[Plane] = (),
) -> RunBands:
    """Find the bands of each channel in the pulses of all files together.

    Parameters
    ----------
    planes : sequence of Plane
        One for each file.
    options : BandOptions
        The same for every channel.
    rng : numpy.random.Generator
        For the bootstrap.
    gamma_planes : sequence of Plane
        Of runs without neutrons, as a control.

    Raises
    ------
    DataError
        If no channel shows two bands, with the reasons of the first three, or energies have different units.
    """
    plane = joined(planes)
    control = joined([*gamma_planes]) if gamma_planes else None
    if control is not None and control.energy_unit != plane.energy_unit:
        raise DataError(
            f"cannot compare energies in {control.energy_unit} (gamma runs) and {plane.energy_unit}: give all runs the "
            "same --settings"
        )
    of_control = {} if control is None else by_place(control)
    channels, problems = {}, {}
    for place, chosen in by_place(plane).items():
        gamma_run = None
        if control is not None:
            there = of_control.get(place, np.empty(0, np.intp))
            gamma_run = control.energy[there], control.psd[there]
        try:
            channels[place] = find_bands(
                plane.energy[chosen],
                plane.psd[chosen],
                psd_step=plane.psd_step[chosen],
                gamma_run=gamma_run,
                options=options,
                rng=rng,
            )
        except DataError as error:
            problems[place] = str(error)
    if not channels:
        raise no_place(problems)
    return RunBands(channels=channels, problems=problems, energy_unit=plane.energy_unit)
