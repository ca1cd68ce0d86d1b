"""``discrimen train --clean`` and ``--components``: the clean records that a network learns to give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from discrimen.formats.inputs import InputOptions
from discrimen.formats.pile_up_text.reader import parts_beside
from discrimen.output.provenance import sha256_of_file
from discrimen.pulses import Pulses
from discrimen.runs.clean_records import clean_samples
from discrimen.runs.components import components_beside, joined_components, read_components
from discrimen.runs.dataset import Dataset, load_dataset
from discrimen.training import Separation
from discrimen.training.tasks import Task
from discrimen.training.tasks.reconstruction import CLEAN
from discrimen.training.tasks.separation import COMPONENTS, N_PULSES

CleanOption = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE",
        help="With --task reconstruction: clean records of the same pulses, a file for each data set in their order, "
        "as simulate --clean writes them; repeatable. docs/denoise.md. With other tasks of hits: the noise of each hit "
        "is drawn again in every epoch. docs/positions.md",
        show_default=False,
    ),
]
JudgingCleanOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--clean",
        metavar="FILE",
        help="Of a model that gives a waveform: clean records to compare with, a file for each data set in their "
        "order; repeatable.",
        show_default=False,
    ),
]


ComponentsOption = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE",
        help="With --task separation: each pulse of the same records on its own, a file for each data set in their "
        "order, as simulate --components writes them; repeatable. docs/separate.md",
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanFiles:
    """What a network learns beside the records: clean records, or the pulses of each record on their own.

    Parameters
    ----------
    clean, components : sequence of Path
        A file for each data set, or none.
    """

    clean: Sequence[Path] = ()
    components: Sequence[Path] = ()

    def targets(
        self, datasets: Sequence[Path], dataset: Dataset, inputs: InputOptions, task: Task
    ) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Read them; returns targets and provenance, see :func:`clean_targets`."""
        if isinstance(task, Separation):
            return component_targets(self.components, datasets, dataset, inputs)
        return clean_targets(self.clean, datasets, dataset, inputs)


def component_targets(
    components: Sequence[Path], datasets: Sequence[Path], dataset: Dataset, inputs: InputOptions
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Read the pulses of each record of a data set on their own: from files, or from beside traces of text.

    Raises
    ------
    typer.BadParameter
        If there is not one file for each data set.
    DataError
        If there is none, or they are of other records.
    """
    readers = [inputs.open(path) for path in datasets]
    if components:
        if len(components) != len(datasets):
            raise typer.BadParameter(
                f"--components: {len(components)} files for {len(datasets)} data sets; give one for each"
            )
        parts = _split_by_file(dataset)
        found = [read_components(inputs.open(path), part) for path, part in zip(components, parts, strict=True)]
        files = components
    else:
        beside = components_beside(readers, inputs.open)
        if beside is None:
            return {}, {}
        found, files = beside, [label for path in datasets for label in parts_beside(path) or ()]
    records, n_pulses = joined_components(found)
    return {COMPONENTS: records, N_PULSES: n_pulses}, {
        "component_files": [{"name": path.name, "sha256": sha256_of_file(path)} for path in files]
    }


def _split_by_file(dataset: Dataset) -> list[Pulses]:
    ends = np.cumsum([0, *(int(file["n_pulses"]) for file in dataset.files)])
    return [dataset.pulses[slice(int(begin), int(end))] for begin, end in pairwise(ends)]


def clean_targets(
    clean: Sequence[Path], datasets: Sequence[Path], dataset: Dataset, inputs: InputOptions
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Read the clean records of the pulses of a data set.

    Returns
    -------
    targets : dict of str to ndarray, shape (pulse, sample)
        Empty without such files.
    provenance : dict
        Name, SHA-256 and number of pulses of each file.

    Raises
    ------
    typer.BadParameter
        If there is not one file for each data set.
    DataError
        If the records are not of the same pulses.
    """
    if not clean:
        return {}, {}
    require_one_each(clean, datasets)
    found = load_dataset([inputs.open(path) for path in clean], labelled=False)
    return {CLEAN: clean_samples(dataset, found)}, {"clean_files": list(found.files)}


def require_one_each(clean: Sequence[Path], datasets: Sequence[Path]) -> None:
    """Refuse clean files that are not one for each data set.

    Raises
    ------
    typer.BadParameter
        If they are more or fewer.
    """
    if len(clean) != len(datasets):
        raise typer.BadParameter(f"--clean: {len(clean)} files for {len(datasets)} data sets; give one for each")
