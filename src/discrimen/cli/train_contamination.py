"""``discrimen train``: for which contamination of the labels the loss is corrected."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import typer

from discrimen.cli import common
from discrimen.cli.input_options import parse_pairs
from discrimen.errors import DataError, SettingsError
from discrimen.formats.base import Reader
from discrimen.labelling.contamination import (
    NAMES,
    LabelNoise,
    check_contamination,
    labels_path,
    pooled_contamination,
    read_label_noise,
)
from discrimen.labelling.known_contamination import n_labelled
from discrimen.pulses import Pulses
from discrimen.runs.dataset import Dataset

_PURE = LabelNoise(method="unknown", contamination=dict.fromkeys(NAMES, 0.0), correctable=True)


def chosen_contamination(
    option: str | None, paths: Sequence[Path], dataset: Dataset, *, soft: bool
) -> dict[str, float] | None:
    """Return the contamination to correct for, None if there is none, and say so on standard error.

    Parameters
    ----------
    option : str, optional
        ``gamma=0.05,neutron=0.1``, or ``none``. By default what `discrimen label` left beside the data sets counts,
        where it can be corrected for.
    paths : sequence of Path
        The data sets, in the order of `dataset.files`.
    dataset : Dataset
        What was read from them.
    soft : bool
        Whether soft labels are learned where there are any; they know already how sure each label is.

    Raises
    ------
    typer.BadParameter
        If the option cannot be understood.
    SettingsError, FormatError
        If a file beside a data set cannot be understood.
    """
    by_soft_labels = soft and dataset.pulses.neutron_probability is not None
    if option == "none" or (option is None and by_soft_labels):
        return None
    if option is not None:
        given = _given(option)
        _log(given, "as given")
        return given
    found = [read_label_noise(path) for path in paths]
    for path, noise in zip(paths, found, strict=True):
        if noise is not None and not noise.correctable and any(noise.contamination.values()):
            common.log(
                f"{path}: {_told(noise.contamination)}, by {labels_path(path).name}; the loss is not corrected for it: "
                f"{noise.reason}. --contamination corrects"
            )
    used = [noise if noise is not None and noise.correctable else _PURE for noise in found]
    pooled = pooled_contamination([noise.contamination for noise in used], n_labelled(dataset))
    if not any(pooled.values()):
        return None
    checked = check_contamination(pooled)
    _log(checked, ", ".join(labels_path(path).name for path, noise in zip(paths, found, strict=True) if noise in used))
    return checked


def _given(option: str) -> dict[str, float]:
    pairs = parse_pairs(option.split(","), example="--contamination gamma=0.05,neutron=0.1")
    try:
        return check_contamination(pairs)
    except SettingsError as error:
        raise typer.BadParameter(str(error)) from error


def soft_labels_of_all(readers: Sequence[Reader], *, wanted: bool) -> list[Callable[[Pulses], Pulses]]:
    """Return what checks, as the data sets are read, that all of them have soft labels or none.

    Joined with one that has none, soft labels would be lost without a word.

    Parameters
    ----------
    readers : sequence of Reader
        The data sets.
    wanted : bool
        Whether soft labels are learned; if not, nothing is checked.
    """
    seen: dict[bool, Path] = {}

    def checked(pulses: Pulses, path: Path) -> Pulses:
        seen.setdefault(pulses.neutron_probability is not None, path)
        if len(seen) == 2:
            raise DataError(
                f"{seen[True]} has soft labels (column neutron_probability), {seen[False]} has none: give all data "
                "sets the column, or learn the labels (--hard-labels)"
            )
        return pulses

    return [partial(checked, path=reader.info.path) if wanted else lambda pulses: pulses for reader in readers]


def _told(contamination: Mapping[str, float]) -> str:
    return ", ".join(f"{share:.2%} of the labels {name} are wrong" for name, share in contamination.items() if share)


def _log(contamination: Mapping[str, float], source: str) -> None:
    if any(contamination.values()):
        common.log(f"{_told(contamination)} ({source}): the loss is corrected for that")
