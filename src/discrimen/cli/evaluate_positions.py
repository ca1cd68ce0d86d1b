"""``discrimen evaluate`` of positions: those of a model, or of a grid search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from discrimen.cli import common
from discrimen.cli.grid_search import grid_search
from discrimen.cli.judged_report import write_and_tell
from discrimen.cli.train_hits import read_hits_files
from discrimen.errors import DataError
from discrimen.evaluation.positions import (
    Judged,
    evaluate_positions,
    judge_positions,
    position_text,
    write_position_report,
)
from discrimen.formats.inputs import InputOptions
from discrimen.inference.load import Model
from discrimen.runs.hits_crystal import crystals_of_files, other_crystal, walls_of_hits
from discrimen.runs.hits_dataset import HitsDataset, are_hits_files
from discrimen.simulation.germanium.crystal import Crystal, read_crystal
from discrimen.training.seen_pulses import seen_in_training


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionWish:
    """What to judge positions on, and how.

    Parameters
    ----------
    files : sequence of Path
        Files of hits.
    detector : str or None
        The crystal of those whose files do not say it: a built-in one, or a YAML file.
    confidence : float
        Of every interval.
    seed : int
        Of the draws behind intervals.
    """

    files: Sequence[Path]
    detector: str | None
    confidence: float
    seed: int


def report_positions(loaded: Model, wish: PositionWish, output: Path, inputs: InputOptions, *, json: bool) -> None:
    """Judge the positions of a model, write the report, and tell.

    Raises
    ------
    DataError
        If the files hold no hits, or those of another crystal.
    """
    dataset = _read(wish.files, inputs, channels=loaded.description.preparation.channel_names)
    crystals = _crystals(wish, dataset)
    trained = crystals_of_files(loaded.description.provenance.get("files", []))
    warnings = [*seen_hits(loaded, dataset), *_of_other_crystals(dataset, crystals, trained, whose="the training")]
    report = evaluate_positions(
        loaded.predictor,
        dataset.hits,
        wall_mm=_walls(dataset, crystals),
        confidence=wish.confidence,
        seed=wish.seed,
        files=dataset.files,
        notes=warnings,
    )
    write_and_tell(report, output, write=write_position_report, text=position_text, warnings=warnings, json=json)


def report_grid_search(
    basis: Path, wish: PositionWish, output: Path, inputs: InputOptions, *, posterior: bool, json: bool
) -> None:
    """Judge the positions that a full grid search of a basis, or the mean of the posterior, gives, and tell.

    Raises
    ------
    DataError
        If the files hold no hits, or those of another crystal.
    """
    method, told, of_basis = grid_search(basis, posterior=posterior)
    dataset = _read(wish.files, inputs, channels=method.basis.channels)
    crystals = _crystals(wish, dataset)
    warnings = _of_other_crystals(dataset, crystals, [of_basis], whose="the basis")
    with common.progress("searching", total=None):
        found = method.locate(dataset.hits)
    report = judge_positions(
        found,
        Judged.of_hits(dataset.hits, wall_mm=_walls(dataset, crystals)),
        model=told,
        confidence=wish.confidence,
        seed=wish.seed,
        files=dataset.files,
        notes=warnings,
    )
    write_and_tell(report, output, write=write_position_report, text=position_text, warnings=warnings, json=json)


def _read(files: Sequence[Path], inputs: InputOptions, *, channels: tuple[str, ...]) -> HitsDataset:
    if not are_hits_files(files):
        raise DataError(f"{files[0]}: positions are judged on files of hits; 'discrimen hits' makes them")
    return read_hits_files(files, inputs, channels=channels)


def _crystals(wish: PositionWish, dataset: HitsDataset) -> list[Crystal | None]:
    """Return the crystal of each file, as it says or as was told."""
    of_files = crystals_of_files(dataset.files)
    if wish.detector is None:
        return of_files
    told = read_crystal(wish.detector)
    for file, crystal in zip(dataset.files, of_files, strict=True):
        if crystal is not None and crystal.digest() != told.digest():
            raise DataError(
                f"{file['name']}: was simulated for the crystal {crystal.name}, which is not the one of --detector "
                f"{wish.detector}: leave the option out"
            )
    return [told] * len(of_files)


def _walls(dataset: HitsDataset, crystals: Sequence[Crystal | None]) -> NDArray[np.float64] | None:
    return walls_of_hits(dataset.hits, crystals, [file["n_pulses"] for file in dataset.files])


def _of_other_crystals(
    dataset: HitsDataset, crystals: Sequence[Crystal | None], known: Sequence[Crystal | None], *, whose: str
) -> list[str]:
    told = [
        other_crystal(crystal, known, whose=whose, where=str(file["name"]))
        for file, crystal in zip(dataset.files, crystals, strict=True)
    ]
    return [each for each in told if each is not None]


def seen_hits(loaded: Model, dataset: HitsDataset) -> list[str]:
    """Say what makes the figures look better than they are."""
    provenance = loaded.description.provenance
    known = {file["sha256"] for file in provenance.get("files", [])}
    again = [str(file["name"]) for file in dataset.files if file["sha256"] in known]
    if again:
        return [f"the model was trained on {', '.join(again)}: these figures are too good"]
    samples = dataset.hits.samples
    share = seen_in_training(provenance, samples.reshape(len(samples), -1))
    if share is not None and share.n_counted:
        return [f"{share.value:.1%} of the hits that the model was trained on are among these: figures are too good"]
    return []
