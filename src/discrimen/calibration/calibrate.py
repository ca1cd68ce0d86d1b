"""Calibrate the channels of runs with gamma sources: the stage behind ``discrimen calibrate``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from discrimen.calibration.amplitudes import Amplitudes, choose_quantity, read_amplitudes
from discrimen.calibration.edge_fit import EdgeFit, fit_edges
from discrimen.calibration.edge_search import find_edges
from discrimen.calibration.gamma_sources import GammaSource
from discrimen.calibration.light_line import LightLine, light_line, light_resolution
from discrimen.calibration.spectrum import FEWEST_PULSES, Spectrum, spectrum_of
from discrimen.errors import DataError, SettingsError
from discrimen.formats.base import Reader
from discrimen.output.summary import Summarised
from discrimen.pulses.detector import LightQuantity, LightResolution
from discrimen.pulses.places import Place

_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationOptions:
    """How to calibrate.

    Parameters
    ----------
    quantity : LightQuantity or None
        What to calibrate; by default what the detector's settings have.
    limits : tuple of float or None
        In its unit: an edge of every source lies here; by default it is looked for everywhere.
    through_zero : bool
        Whether no charge is no light.
    seed : int
        For spreading whole numbers over their unit.
    """

    quantity: LightQuantity | None = None
    limits: tuple[float, float] | None = None
    through_zero: bool = False
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SourceEdge:
    """One edge of one source."""

    source: str
    fit: EdgeFit


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CalibratedChannel:
    """What was found of one channel.

    Parameters
    ----------
    edges : tuple of SourceEdge
        At least one.
    line : LightLine
        Through them.
    resolution : LightResolution
        Through theirs.
    notes : tuple of str
        Edges of its sources that are not used, and why.
    """

    edges: tuple[SourceEdge, ...]
    line: LightLine
    resolution: LightResolution
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class Calibrated(Summarised):
    """The calibration of runs.

    Parameters
    ----------
    quantity : LightQuantity
        What is calibrated.
    channels : mapping of Place to CalibratedChannel
        By board and channel.
    problems : mapping of Place to str
        Channels that are not calibrated, and why.
    """

    quantity: LightQuantity
    channels: Mapping[Place, CalibratedChannel]
    problems: Mapping[Place, str]


def calibrate_runs(
    runs: Sequence[tuple[Reader, GammaSource]],
    *,
    options: CalibrationOptions,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Calibrated:
    """Calibrate every channel of runs by the Compton edges of their sources.

    Parameters
    ----------
    runs : sequence of (Reader, GammaSource)
        Open files, each with its source; runs of one source are taken together.
    options : CalibrationOptions
        The same for every channel.
    on_progress : callable
        Called with the number of pulses of each chunk.

    Raises
    ------
    SettingsError, DataError, FormatError
        If a run cannot be read or contradicts the settings, or no channel can be calibrated.
    """
    quantities = {choose_quantity(reader, options.quantity) for reader, _ in runs}
    if len(quantities) > 1:
        raise SettingsError(f"some of the runs hold {' and some '.join(sorted(quantities))}: calibrate them apart")
    quantity = quantities.pop()
    spectra = _spectra(runs, quantity, options, on_progress)
    channels, problems = {}, {}
    for place, by_source in sorted(spectra.items()):
        try:
            channels[place] = _calibrated(by_source, through_zero=options.through_zero)
        except DataError as error:
            problems[place] = str(error)
    if not channels:
        told = [f"{place}: {problem}" for place, problem in list(problems.items())[:_SHOWN]]
        more = [f"and {len(problems) - _SHOWN} more channels"] if len(problems) > _SHOWN else []
        raise DataError("; ".join(told + more))
    return Calibrated(quantity=quantity, channels=channels, problems=problems)


def _spectra(
    runs: Sequence[tuple[Reader, GammaSource]],
    quantity: LightQuantity,
    options: CalibrationOptions,
    on_progress: Callable[[int], None],
) -> Mapping[Place, Mapping[GammaSource, Spectrum]]:
    parts: dict[Place, dict[GammaSource, list[Amplitudes]]] = {}
    for reader, source in runs:
        for place, found in read_amplitudes(reader, quantity, on_progress=on_progress).items():
            parts.setdefault(place, {}).setdefault(source, []).extend(found)
    rng = np.random.default_rng(options.seed)
    return {
        place: {
            source: spectrum_of(
                [each.value for each in found], [each.saturated for each in found], limits=options.limits, rng=rng
            )
            for source, found in parts[place].items()
        }
        for place in sorted(parts)
    }


def _calibrated(by_source: Mapping[GammaSource, Spectrum], *, through_zero: bool) -> CalibratedChannel:
    """Calibrate one channel; a source that shows no edge is a note as long as another one does."""
    edges: list[SourceEdge] = []
    notes: list[str] = []
    for source, spectrum in by_source.items():
        try:
            fits = _edges(spectrum, source)
        except DataError as error:
            notes.append(str(error))
            continue
        edges += [SourceEdge(source=source.name, fit=fit) for fit in fits]
        notes += [
            f"{source.name}: the edge of {group.name} lies where the spectrum is not whole"
            for group in source.groups
            if all(fit.group is not group for fit in fits)
        ]
    if not edges:
        raise DataError("; ".join(notes))
    edges.sort(key=lambda edge: edge.fit.group.edge_kev)
    fits_of_all = [edge.fit for edge in edges]
    return CalibratedChannel(
        edges=tuple(edges),
        line=light_line(fits_of_all, through_zero=through_zero),
        resolution=light_resolution(fits_of_all),
        notes=tuple(notes),
    )


def _edges(spectrum: Spectrum, source: GammaSource) -> tuple[EdgeFit, ...]:
    if len(spectrum) < FEWEST_PULSES:
        raise DataError(
            f"{source.name}: {len(spectrum)} usable pulses of {len(spectrum) + spectrum.n_left_out} (the others are "
            f"saturated or have no charge), at least {FEWEST_PULSES} are needed: take a longer run"
        )
    fits = fit_edges(spectrum, find_edges(spectrum, source))
    for fit in fits:
        if fit.rival is not None:
            raise DataError(
                f"{source.name}: the edge of {fit.group.name} may lie at {fit.position:.5g} or at {fit.rival:.5g}, "
                "both fit the spectrum: say where with --range LOW:HIGH, or give a longer run or another source"
            )
    return fits


def as_dict(found: Calibrated) -> dict[str, Any]:
    """Return plain data, ready for JSON: without the bins of the fits."""
    return {
        "quantity": found.quantity,
        "channels": [{**place._asdict(), **_channel(one)} for place, one in found.channels.items()],
        "channels_without_calibration": [
            {**place._asdict(), "reason": reason} for place, reason in found.problems.items()
        ],
    }


def _channel(one: CalibratedChannel) -> dict[str, Any]:
    return {
        "line": one.line,
        "resolution": one.resolution,
        "edges": [_edge(edge) for edge in one.edges],
        "notes": list(one.notes),
    }


def _edge(edge: SourceEdge) -> dict[str, Any]:
    fit = edge.fit
    return {
        "source": edge.source,
        "lines_kev": fit.group.lines_kev,
        "edge_kevee": fit.group.edge_kev,
        "position": fit.position,
        "statistical_error": fit.statistical,
        "systematic_error": fit.systematic,
        "rival_position": fit.rival,
        "resolution": fit.shape.resolution,
        "resolution_error": fit.resolution_error,
        "depth": fit.shape.depth,
        "chi2": fit.deviance,
        "freedom": fit.freedom,
        "window": [fit.edges[0], fit.edges[-1]],
        "n_pulses_in_window": fit.counts.sum(),
    }
