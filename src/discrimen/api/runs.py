"""Run files: simulated, read, labelled, audited."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Unpack

from discrimen.api.inputs import Paths, open_all, parted, paths_of
from discrimen.api.options import OverlayWishes
from discrimen.errors import DataError, SettingsError
from discrimen.formats.base import Reader, ReadOptions
from discrimen.output.progress import seen_progress
from discrimen.pulses import Label, Pulses
from discrimen.runs.dataset import Dataset, load_dataset

if TYPE_CHECKING:
    from discrimen.api.options import OverlayOfFiles, ReaderOptions, SimulationOptions
    from discrimen.audit import Audit
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
    """Simulate a run into a file, its truth next to it.

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
    paths: Paths,
    path: Path | str,
    components: Path | str,
    *,
    options: ReadOptions | None = None,
    **given: Unpack[OverlayOfFiles],
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
    **given
        Fields of :class:`~discrimen.runs.overlay.OverlayOptions`,
        and what the files do not say by name; see :func:`discrimen.api.inputs.inputs_of`.
    """
    wishes, reader = parted(given, OverlayWishes)
    from discrimen.runs.overlaid_run import overlay_run
    from discrimen.runs.overlay import OverlayOptions

    return overlay_run(
        open_all(paths, options, **reader), Path(path), Path(components), options=OverlayOptions(**wishes)
    )


def read(
    paths: Paths,
    *,
    label_by: LabelBy | Sequence[LabelBy] = "file",
    options: ReadOptions | None = None,
    **reader: Unpack[ReaderOptions],
) -> Dataset:
    """Read run files into memory; what is larger than that is streamed with :func:`discrimen.api.inputs.open_all`.

    Parameters
    ----------
    paths : Path, str or sequence of them
        Of any readable format.
    label_by : {"file", "truth", "gamma", "neutron"}, or one of them for each file
        Take the labels that the file holds (if any), those of the truth next to a simulated run, or give every pulse
        the same.
    options : ReadOptions, optional
        What the files do not say.
    **reader
        The same by name, for example ``sample_period_ns=2, polarity="negative"``; see
        :func:`discrimen.api.inputs.inputs_of`.

    Raises
    ------
    FormatError, SettingsError
        If a file cannot be read, or the files contradict each other.
    DataError
        If some of the files have labels and some have none.
    """
    files = paths_of(paths)
    ways = [label_by] * len(files) if isinstance(label_by, str) else list(label_by)
    if len(ways) != len(files):
        raise SettingsError(f"label_by: {len(ways)} ways for {len(files)} files: give one, or one for each")
    readers = open_all(files, options, **reader)
    own = set(ways) == {"file"}
    transforms = [_require_alike(files)] * len(files) if own else list(map(_labeller, ways, files))
    with seen_progress("reading", total=_entries(readers)) as tick:
        dataset = load_dataset(readers, transforms=transforms, labelled=not own, on_progress=tick)
    labelled = [path for way, path in zip(ways, files, strict=True) if way == "file"]
    return dataset if dataset.pulses.label is None else replace(dataset, labels_from=tuple(labelled))


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


def _entries(readers: Sequence[Reader]) -> int | None:
    counts = [reader.info.n_entries for reader in readers]
    return None if None in counts else sum(count for count in counts if count is not None)


def _require_alike(files: Sequence[Path]) -> Callable[[Pulses], Pulses]:
    """Return what refuses pulses without labels after some with, and the other way round."""
    labelled: list[bool] = []

    def looked_at(pulses: Pulses) -> Pulses:
        labelled.append(pulses.label is not None)
        if labelled[-1] != labelled[0]:
            names = ", ".join(path.name for path in files)
            raise DataError(f"of {names} some have labels and some have none: give label_by, one for each file")
        return pulses

    return looked_at


def _labeller(label_by: LabelBy, path: Path) -> Callable[[Pulses], Pulses]:
    from discrimen.labelling import label_all, label_by_truth
    from discrimen.simulation.truth import read_truth, truth_path

    if label_by == "file":
        return lambda pulses: pulses
    if label_by == "truth":
        return partial(label_by_truth, truth=read_truth(truth_path(path)))
    return partial(label_all, label=Label[label_by.upper()])
