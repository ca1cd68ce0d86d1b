"""``discrimen evaluate`` of a model that gives a waveform."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from discrimen.cli import common
from discrimen.cli.input_options import parse_numbers
from discrimen.cli.judged_report import write_and_tell
from discrimen.cli.train_clean import clean_targets
from discrimen.evaluation.waveforms import evaluate_waveforms, waveform_text, write_waveform_report
from discrimen.formats.inputs import InputOptions
from discrimen.inference.compatible import require_compatible
from discrimen.inference.load import Model
from discrimen.runs.dataset import load_dataset
from discrimen.training.seen_pulses import seen_of
from discrimen.training.tasks.reconstruction import CLEAN


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveformWish:
    """The options that are of use for waveforms."""

    datasets: Sequence[Path]
    clean: Sequence[Path]
    energy_edges_kevee: str
    confidence: float
    seed: int


def report_waveforms(loaded: Model, wish: WaveformWish, output: Path, inputs: InputOptions, *, json: bool) -> None:
    """Judge the waveforms of a model, write the report, and tell."""
    readers = [inputs.open(path) for path in wish.datasets]
    with common.progress("reading", total=common.total_entries(readers)) as tick:
        dataset = load_dataset(readers, labelled=False, on_progress=tick)
    for reader in readers:
        common.log_left_out(reader.info.path, reader.report)
    names = ", ".join(str(path) for path in wish.datasets)
    require_compatible(loaded.description, dataset.pulses, dataset.settings, where=names)
    targets, _ = clean_targets(wish.clean, wish.datasets, dataset, inputs)
    seen = seen_of(loaded.description.provenance, dataset)
    report = evaluate_waveforms(
        loaded.predictor,
        dataset.pulses,
        clean=targets.get(CLEAN),
        gates=dataset.settings.gates,
        energy_edges_kevee=parse_numbers(wish.energy_edges_kevee, "--energy-edges-kevee"),
        confidence=wish.confidence,
        seed=wish.seed,
        files=dataset.files,
        notes=seen.warnings(),
    )
    common.log_unknown_domain(loaded.path, loaded.description)
    again = seen.training_pulses
    write_and_tell(
        report,
        output,
        write=write_waveform_report,
        text=waveform_text,
        warnings=seen.warnings(),
        json=json,
        besides={"seen_in_training": seen.in_training, "training_pulses_seen": again and asdict(again)},
    )
