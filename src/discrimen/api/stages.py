"""Run files looked at, copied, calibrated, gated and labelled by time of flight: stages that need no network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Unpack
from warnings import warn

import numpy as np

from discrimen.api.inputs import Paths, open_all
from discrimen.errors import DataError
from discrimen.formats.base import ListModeReader
from discrimen.output.progress import seen_progress
from discrimen.pulses.detector import DetectorSettings

if TYPE_CHECKING:
    from discrimen.api.options import ReaderOptions
    from discrimen.calibration.calibrate import Calibrated
    from discrimen.labelling.gate_search import GateChoice
    from discrimen.pulses.detector import LightQuantity
    from discrimen.pulses.places import Place
    from discrimen.runs.conversion import Conversion
    from discrimen.runs.inspection import Inspection
    from discrimen.runs.inspection.listed import ListInspection


def inspect(path: Path | str, **reader: Unpack[ReaderOptions]) -> Inspection | ListInspection:
    """Say what is in a run file: channels, rates, heights, baselines, what is odd; in constant memory.

    Parameters
    ----------
    path : Path or str
        Of any readable format.
    **reader
        What the file does not say; see :func:`discrimen.api.inputs.inputs_of`.
    """
    from discrimen.runs.inspection import inspect_run
    from discrimen.runs.inspection.listed import inspect_list

    (opened,) = open_all(path, **reader)
    with seen_progress("reading", total=opened.info.n_entries) as tick:
        if isinstance(opened, ListModeReader):
            return inspect_list(opened, on_progress=tick)
        return inspect_run(opened, on_progress=tick)


def convert(paths: Paths, output: Path | str, **reader: Unpack[ReaderOptions]) -> Conversion:
    """Copy the pulses of run files into one file of another format, in constant memory.

    Parameters
    ----------
    paths : Path, str or sequence of them
        Of any readable format; they are never modified.
    output : Path or str
        The file to write; its suffix tells the format.
    **reader
        What the files do not say; see :func:`discrimen.api.inputs.inputs_of`.
    """
    from discrimen.runs.conversion import convert_runs

    with seen_progress("converting", total=None) as tick:
        return convert_runs(open_all(paths, **reader), Path(output), on_progress=tick)


def calibrate(
    runs: dict[Path | str, str],
    *,
    quantity: LightQuantity | None = None,
    limits: tuple[float, float] | None = None,
    through_zero: bool = False,
    seed: int = 0,
    **reader: Unpack[ReaderOptions],
) -> tuple[DetectorSettings, Calibrated]:
    """Calibrate the light in keVee by the Compton edges of gamma sources.

    Parameters
    ----------
    runs : dict of Path or str to str
        The source of each run file, for example ``{"cs137.BIN": "Cs-137"}``.
    quantity, limits, through_zero, seed
        See :class:`~discrimen.calibration.calibrate.CalibrationOptions`.
    **reader
        What the files do not say; see :func:`discrimen.api.inputs.inputs_of`.

    Returns
    -------
    DetectorSettings
        Of the detector, with the calibration: for ``read(..., settings=...)``.
    Calibrated
        Edges, gains and their errors.

    Raises
    ------
    DataError
        If no channel can be calibrated.
    """
    from discrimen.calibration.calibrate import CalibrationOptions, calibrate_runs
    from discrimen.calibration.detector_file import calibrated_settings
    from discrimen.calibration.gamma_sources import source_named
    from discrimen.formats.settings_merge import common_settings

    sources = [source_named(name) for name in runs.values()]
    readers = open_all(list(runs), **reader)
    options = CalibrationOptions(quantity=quantity, limits=limits, through_zero=through_zero, seed=seed)
    with seen_progress("reading", total=None) as tick:
        found = calibrate_runs(list(zip(readers, sources, strict=True)), options=options, on_progress=tick)
    return calibrated_settings(found, common_settings(readers))[0], found


def find_gates(
    paths: Paths, *, seed: int = 0, **reader: Unpack[ReaderOptions]
) -> tuple[DetectorSettings, dict[Place, GateChoice]]:
    """Find the gates of charge comparison that part the two species of a mixed run best, without labels.

    Parameters
    ----------
    paths : Path, str or sequence of them
        Runs with neutrons and gammas.
    seed : int
        Draws the halves on which the gates are chosen and judged.
    **reader
        What the files do not say; see :func:`discrimen.api.inputs.inputs_of`.

    Returns
    -------
    DetectorSettings
        With the gates, for ``read(..., settings=...)``. A calibration of charges over other gates is left out, which a
        warning says.
    dict of Place to GateChoice
        What the gates of each channel reach.

    Raises
    ------
    DataError
        If some channel does not show two species.
    """
    from discrimen.formats.settings_merge import common_settings
    from discrimen.labelling.gate_search import choose_gates, read_places
    from discrimen.pulses.array import with_gates

    readers = open_all(paths, **reader)
    with seen_progress("reading", total=None) as tick:
        pulses = read_places(readers, on_progress=tick)
    settings = common_settings(readers)
    rng = np.random.default_rng(seed)
    found = {}
    for place, some in pulses.items():
        try:
            found[place] = choose_gates(some, settings.of(*place), rng=rng)
        except DataError as error:
            raise DataError(f"{place}: {error}") from error
    written, stale = with_gates(settings, {place: choice.gates for place, choice in found.items()}, of=tuple(pulses))
    if stale:
        warn("the calibration was of charges over other gates and is left out: calibrate with these", stacklevel=2)
    return written, found
