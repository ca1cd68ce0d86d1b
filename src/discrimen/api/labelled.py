"""Run files read with labels: by the bands of charge comparison, by the source, by time of flight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from discrimen.api.inputs import Paths, open_all, parted
from discrimen.api.options import BandLabelOptions, FlightLabelOptions, SourceLabelOptions
from discrimen.errors import SettingsError
from discrimen.formats.base import ListModeReader, Reader, ReadOptions
from discrimen.output.progress import seen_progress
from discrimen.runs.dataset import Dataset, load_dataset

if TYPE_CHECKING:
    from discrimen.api.options import BandLabelsOfFiles, FlightLabelsOfFiles, SourceLabelsOfFiles
    from discrimen.labelling.band_run import RunBands
    from discrimen.labelling.flight_run import RunFlight
    from discrimen.labelling.in_order import InOrder
    from discrimen.labelling.source import SourceLabels


def label_by_band(
    paths: Paths,
    *,
    options: ReadOptions | None = None,
    seed: int = 0,
    **given: Unpack[BandLabelsOfFiles],
) -> tuple[Dataset, RunBands]:
    """Read run files and label their pulses by the two bands that charge comparison shows, each channel by its own.

    Parameters
    ----------
    paths : Path, str or sequence of them
        Runs with both classes, of any readable format with waveforms.
    options : ReadOptions, optional
        What the files do not say, for example the gates.
    seed : int
        Of the draws behind the intervals.
    **given
        Fields of :class:`~discrimen.labelling.band.BandOptions`, and what the files do not say by name; see
        :func:`discrimen.api.inputs.inputs_of`.

    Returns
    -------
    Dataset
        The pulses that were labelled; the others are left out.
    RunBands
        The bands, with the purity of the labels.

    Raises
    ------
    DataError
        If no channel shows two bands.
    SettingsError
        If the gates are unknown.
    """
    from discrimen.labelling.band import BandOptions
    from discrimen.labelling.band_run import find_run_bands, read_plane
    from discrimen.labelling.in_order import InOrder

    wishes, reader = parted(given, BandLabelOptions)
    readers = open_all(paths, options, **reader)
    planes = [read_plane(each) for each in readers]
    bands = find_run_bands(planes, options=BandOptions(**wishes), rng=np.random.default_rng(seed))
    transforms = [InOrder(bands.labels(plane), plane.light()) for plane in planes]
    return _labelled(readers, transforms), bands


def label_by_source(
    gamma: Paths,
    mixed: Paths,
    *,
    seed: int = 0,
    **given: Unpack[SourceLabelsOfFiles],
) -> tuple[Dataset, SourceLabels]:
    """Read runs of a pure gamma source and of a mixed source, and label their pulses by the source alone.

    Every pulse of the mixed runs is labelled neutron, although many of them are gammas: how many is estimated, stands
    in the data set, and :func:`train` corrects its loss for it. No model can be judged by such labels.

    Parameters
    ----------
    gamma : Path, str or sequence of them
        Runs of a pure gamma source, of any readable format with waveforms.
    mixed : Path, str or sequence of them
        Runs of a source of neutrons and gammas.
    seed : int
        Of the draws behind the intervals, and of the pulses that are thinned out.
    **given
        Fields of :class:`~discrimen.labelling.source.SourceOptions`, and what the files do not say by name; see
        :func:`discrimen.api.inputs.inputs_of`.

    Returns
    -------
    Dataset
        The pulses that were labelled; those thinned out are left out.
    SourceLabels
        The share of neutrons in the mixed runs, by energy, and the share of the labels neutron that are wrong.

    Raises
    ------
    DataError
        If the classes part at no energy, or the mixed runs may hold no neutrons.
    SettingsError
        If a file is in list mode, or a setting is not known.
    """
    from discrimen.labelling.source import SourceOptions
    from discrimen.labelling.source_run import find_run_sources

    wishes, reader = parted(given, SourceLabelOptions)
    of_gamma, of_mixed = open_all(gamma, **reader), open_all(mixed, **reader)
    _require_waveforms([*of_gamma, *of_mixed])
    options, rng = SourceOptions(**wishes), np.random.default_rng(seed)
    with seen_progress("reading the shapes of the pulses", total=None) as tick:
        found, transforms = find_run_sources(of_gamma, of_mixed, options=options, rng=rng, on_progress=tick)
    dataset = _labelled([*of_gamma, *of_mixed], transforms)
    return replace(dataset, contamination={"gamma": 0.0, "neutron": found.contamination}), found


def label_by_flight(
    paths: Paths,
    *,
    start_channel: int | None = None,
    start_board: int | None = None,
    start_window_ns: tuple[float, float] | None = None,
    seed: int = 0,
    **given: Unpack[FlightLabelsOfFiles],
) -> tuple[Dataset, RunFlight]:
    """Read run files and label their pulses by time of flight.

    Parameters
    ----------
    paths : Path, str or sequence of them
        Runs with both classes and times of flight, or with the pulses of a start detector.
    start_channel, start_board, start_window_ns
        The start detector; without one the files have a column `tof_ns`.
    seed : int
        Of the draws behind the intervals.
    **given
        Fields of :class:`~discrimen.labelling.time_of_flight.FlightOptions`, and what the files do not say by name; see
        :func:`discrimen.api.inputs.inputs_of`.

    Returns
    -------
    Dataset
        The pulses that were labelled; the others are left out.
    RunFlight
        Flash and windows, with how many of the labels are wrong.

    Raises
    ------
    DataError
        If no channel shows a flash.
    SettingsError
        If the options do not fit, or a file is in list mode.
    """
    from discrimen.labelling.coincidence import StartDetector
    from discrimen.labelling.flight_read import read_times
    from discrimen.labelling.flight_run import find_run_flight
    from discrimen.labelling.in_order import InOrder
    from discrimen.labelling.places import joined
    from discrimen.labelling.time_of_flight import FlightOptions

    window: dict[str, Any] = {} if start_window_ns is None else {"window_ns": start_window_ns}
    if start_channel is None and (window or start_board is not None):
        raise SettingsError("start_board and start_window_ns are of a start detector: give start_channel too")
    start = None if start_channel is None else StartDetector(channel=start_channel, board=start_board, **window)
    wishes, reader = parted(given, FlightLabelOptions)
    readers = open_all(paths, **reader)
    _require_waveforms(readers)
    runs = [read_times(each, start=start) for each in readers]
    options, rng = FlightOptions(**wishes), np.random.default_rng(seed)
    flight = find_run_flight(joined([run.times for run in runs]), options=options, rng=rng)
    transforms = [InOrder(flight.labels(run.times), run.columns()) for run in runs]
    return _labelled(readers, transforms), flight


def _labelled(readers: Sequence[Reader], transforms: Sequence[InOrder]) -> Dataset:
    """Read the runs once more, with their labels."""
    with seen_progress("labelling", total=None) as tick:
        return load_dataset(readers, transforms=transforms, on_progress=tick)


def _require_waveforms(readers: Sequence[Reader]) -> None:
    if any(isinstance(each, ListModeReader) for each in readers):
        raise SettingsError("these files hold no waveforms: 'discrimen label' writes a table of such labels")
