"""Run files: simulated, read, labelled, audited."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Unpack

import numpy as np

from discrimen.formats.base import Reader, ReadOptions
from discrimen.formats.table import open_reader
from discrimen.pulses import Label, Pulses
from discrimen.runs.dataset import Dataset, load_dataset

if TYPE_CHECKING:
    from discrimen.api.options import BandLabelOptions, OverlayWishes, SimulationOptions
    from discrimen.audit import Audit
    from discrimen.labelling.band_run import RunBands
    from discrimen.runs.overlaid_run import OverlaidRun
    from discrimen.runs.simulated import SimulatedRun

LabelBy = Literal["file", "truth", "gamma", "neutron"]


def simulate(
    path: Path | str,
    n_pulses: int,
    *,
    clean: Path | str | None = None,
    components: Path | str | None = None,
    **config: Unpack[SimulationOptions],
) -> SimulatedRun:
    """Simulate a run into a file, its truth beside it.

    Parameters
    ----------
    path : Path or str
        The run file; its suffix tells the format.
    n_pulses : int
        How many.
    clean : Path or str, optional
        Where to write the same run without the noise of the electronics (``.lh5``).
    components : Path or str, optional
        Where to write each pulse of every record on its own, clean (``.lh5``).
    **config
        Further fields of :class:`~discrimen.simulation.config.SimulationConfig`.
    """
    from discrimen.runs.simulated import simulate_run
    from discrimen.simulation.config import SimulationConfig

    return simulate_run(
        SimulationConfig(n_pulses=n_pulses, **config),
        Path(path),
        clean=clean if clean is None else Path(clean),
        components=components if components is None else Path(components),
    )


def overlay(
    paths: Path | str | Sequence[Path | str],
    path: Path | str,
    components: Path | str,
    *,
    options: ReadOptions | None = None,
    **wishes: Unpack[OverlayWishes],
) -> OverlaidRun:
    """Lay the single pulses of a run over each other: piled-up records of which the parts are known.

    Parameters
    ----------
    paths : Path, str or sequence of them
        Run files of one channel; they are never modified.
    path : Path or str
        The native file of records to write.
    components : Path or str
        The native file with each pulse of the records on its own, clean.
    options : ReadOptions, optional
        What the files do not say.
    **wishes
        Fields of :class:`~discrimen.runs.overlay.OverlayOptions`.
    """
    from discrimen.runs.overlaid_run import overlay_run
    from discrimen.runs.overlay import OverlayOptions

    return overlay_run(open_all(paths, options), Path(path), Path(components), options=OverlayOptions(**wishes))


def read(path: Path | str, *, label_by: LabelBy = "file", options: ReadOptions | None = None) -> Dataset:
    """Read a run file into memory; for files larger than that, stream with :func:`discrimen.formats.table.open_reader`.

    Parameters
    ----------
    path : Path or str
        Of any readable format.
    label_by : {"file", "truth", "gamma", "neutron"}
        Take the labels that the file holds (if any), those of the truth beside a simulated run, or give every pulse
        the same.
    options : ReadOptions, optional
        What the file does not say.
    """
    reader = open_reader(path, options)
    if label_by == "file":
        dataset = load_dataset([reader], labelled=False)
        return dataset if dataset.pulses.label is None else replace(dataset, labels_from=(Path(path),))
    return load_dataset([reader], transforms=[_labeller(label_by, Path(path))])


def label_by_band(
    paths: Path | str | Sequence[Path | str],
    *,
    options: ReadOptions | None = None,
    seed: int = 0,
    **wishes: Unpack[BandLabelOptions],
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
    **wishes
        Fields of :class:`~discrimen.labelling.band.BandOptions`.

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

    readers = open_all(paths, options)
    planes = [read_plane(reader) for reader in readers]
    bands = find_run_bands(planes, options=BandOptions(**wishes), rng=np.random.default_rng(seed))
    transforms = [InOrder(bands.labels(plane), plane.light()) for plane in planes]
    return load_dataset(readers, transforms=transforms), bands


def audit_dataset(
    dataset: Dataset, *, against: Dataset | None = None, folder: Path | str | None = None, seed: int = 0
) -> Audit:
    """Look for whatever would let a network learn something else than the shape of the pulses.

    :func:`train` does the same for what it is given, its split into training and validation included.

    Parameters
    ----------
    dataset : Dataset
        Labelled.
    against : Dataset, optional
        Other pulses, for example to judge by, that must hold none of these.
    folder : Path or str, optional
        Where to write audit.html and audit.json.
    seed : int
        Chooses among many pulses, draws halves and permutations.
    """
    from discrimen.audit import audit_dataset as audit_pulses
    from discrimen.audit import write_audit

    found = audit_pulses(dataset, seed=seed, against=against)
    if folder is not None:
        write_audit(found, folder)
    return found


def open_all(paths: Path | str | Sequence[Path | str], options: ReadOptions | None) -> list[Reader]:
    """Open one or several run files."""
    several = [paths] if isinstance(paths, Path | str) else paths
    return [open_reader(path, options) for path in several]


def _labeller(label_by: LabelBy, path: Path) -> Callable[[Pulses], Pulses]:
    from discrimen.labelling import label_all, label_by_truth
    from discrimen.simulation.truth import read_truth, truth_path

    if label_by == "truth":
        return partial(label_by_truth, truth=read_truth(truth_path(path)))
    return partial(label_all, label=Label[label_by.upper()])
