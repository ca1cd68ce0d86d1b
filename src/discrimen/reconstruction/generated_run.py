"""Generated pulses as a run file, with what they were asked for by beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from time import perf_counter
from types import MappingProxyType
from typing import Any

import numpy as np

from discrimen.errors import OutputError
from discrimen.formats.table import find_writable, open_writer
from discrimen.output.summary import Summarised
from discrimen.pulses import Label, Pulses
from discrimen.pulses.detector import DetectorSettings
from discrimen.reconstruction.generate import PulseGenerator
from discrimen.reconstruction.generation_options import GenerationOptions
from discrimen.simulation.truth import PILE_UP_COLUMNS, TruthWriter, require_free_truth, truth_path

_NO_PILE_UP = MappingProxyType({name: np.empty(0) for name in PILE_UP_COLUMNS})


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class GeneratedRun(Summarised):
    """Where generated pulses lie, and what they are.

    Parameters
    ----------
    run, truth : Path
        The run file, and class and size of its pulses beside it.
    settings : DetectorSettings
        Of the detector that the generator was trained for.
    counts : mapping of str to int
        Pulses of each class; `pulse` where there are none.
    asked : str
        By what the pulses were asked for, as a phrase.
    n_training : int
        Pulses that the generator was trained on.
    seconds : float
        For generating and writing, in s.
    """

    run: Path
    truth: Path
    settings: DetectorSettings
    counts: dict[str, int]
    asked: str
    n_training: int
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "output": str(self.run),
            "truth": str(self.truth),
            **{f"n_{name}": count for name, count in self.counts.items()},
            "n_training": self.n_training,
            "settings": self.settings.model_dump(exclude_none=True),
            "seconds": self.seconds,
        }


def generate_run(
    path: Path | str,
    output: Path,
    *,
    options: GenerationOptions | None = None,
    format_name: str | None = None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> GeneratedRun:
    """Generate pulses into a run file, and their class and size into a file next to it.

    Parameters
    ----------
    path : Path
        The frozen generator.
    output : Path
        The run file.
    options : GenerationOptions, optional
        What to generate.
    format_name : str, optional
        Format of the run file; by default its suffix decides.
    on_progress : callable
        Called with the number of pulses of each block.

    Raises
    ------
    FormatError, SettingsError
        If the model is no frozen generator, or is asked for what it was not trained for.
    OutputError
        If the format cannot be written, or a file that was neither simulated nor generated has the name.
    """
    begin_s, options = perf_counter(), options or GenerationOptions()
    maker = PulseGenerator(path)
    if output.exists() and output.samefile(path):
        raise OutputError(f"{output}: this is the generator itself; choose another output")
    find_writable(output, format_name)
    require_free_truth(output)
    truth, condition = TruthWriter(), maker.generator.condition
    counts = np.zeros(len(condition.groups), np.int64)
    made = maker.blocks_with_size(options)
    first = next(made)  # what cannot be generated is refused before a file is begun
    with open_writer(output, maker.settings, format_name=format_name) as writer:
        for pulses, size in chain([first], made):
            writer.write(pulses)
            known = _with_unknown(pulses)
            truth.add(known, pile_up=_NO_PILE_UP, height_adc=None if maker.knows_light else size)
            counts += np.bincount(np.maximum(known.column("label"), 0), minlength=len(counts))
            on_progress(len(pulses))
    truth.write(truth_path(output), run=output.name)
    return GeneratedRun(
        run=output,
        truth=truth_path(output),
        settings=maker.settings,
        counts=dict(zip(condition.groups, counts.tolist(), strict=True)),
        asked=" and ".join([*(["class"] if condition.classes else []), condition.size.word]),
        n_training=sum(maker.generator.n_training),
        seconds=perf_counter() - begin_s,
    )


def _with_unknown(pulses: Pulses) -> Pulses:
    """Say of generated pulses what is not known of them, as a truth has it."""
    n_pulses = len(pulses)
    label = np.full(n_pulses, Label.UNKNOWN, np.int8) if pulses.label is None else pulses.label
    light = np.full(n_pulses, np.nan, np.float32) if pulses.energy_kevee is None else pulses.energy_kevee
    return pulses.replace(label=label, energy_kevee=light)
