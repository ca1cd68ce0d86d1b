"""Separated runs: each pulse on its own, with time, light and score; what cannot be separated is counted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.reconstruction.copying_model import write_copying_model
from tests.reconstruction.separator_model import FIRST_AT, LENGTH, SECOND_AT, piled_up, write_separator
from tests.scoring.small_model import write_small_model
from tests.training.toy_pulses import PREPARATION

from discrimen.errors import DataError, OutputError, SettingsError
from discrimen.formats.table import open_reader, open_writer
from discrimen.inference.native import NativePredictor
from discrimen.network.part_template import PartTemplate
from discrimen.network.preparation import Alignment
from discrimen.pulse_shape.template import Template
from discrimen.pulses import PulseFlag, Pulses, concatenate
from discrimen.pulses.detector import DetectorSettings, LightCalibration
from discrimen.reconstruction.parts import part_records
from discrimen.reconstruction.separate import SeparationOptions, separate_runs
from discrimen.reconstruction.separated_runs import SeparatedRuns
from discrimen.runs.components import Components

SETTINGS = DetectorSettings(
    polarity="negative",
    adc_bits=14,
    calibration=LightCalibration(quantity="peak_adc", gain_kevee_per_unit=0.1),
)


def written(path: Path, pulses: Pulses) -> Path:
    with open_writer(path, SETTINGS) as writer:
        writer.write(pulses)
    return path


def read(path: Path) -> Pulses:
    return concatenate(open_reader(path).chunks())


def separated(
    folder: Path,
    *runs: Pulses,
    components: list[Components] | None = None,
    classifier: bool = False,
    model: dict[str, Any] | None = None,
    **options: Any,
) -> SeparatedRuns:
    paths = [written(folder / f"run{number}.lh5", run) for number, run in enumerate(runs)]
    predictor = NativePredictor(write_separator(folder / "part.discrimen", **(model or {})), threads=1)
    scorer = NativePredictor(write_small_model(folder / "small.discrimen"), threads=1) if classifier else None
    return separate_runs(
        [open_reader(path) for path in paths],
        predictor,
        folder / "out.lh5",
        classifier=scorer,
        components=components,
        options=SeparationOptions(**{"most_outside": 1.0, **options}),
    )


def test_both_pulses_of_a_record_are_written(tmp_path: Path) -> None:
    pulses, truth = piled_up(20)
    (run,) = separated(tmp_path, pulses, in_place=True).runs
    assert (run.counts["n_separated"], run.counts["n_single"], run.n_written) == (20, 0, 40)
    back = read(tmp_path / "out.lh5")
    np.testing.assert_array_equal(back.column("entry"), np.repeat(np.arange(20), 2))
    np.testing.assert_array_equal(back.column("part"), np.tile([0, 1], 20))
    np.testing.assert_allclose(back.samples.reshape(20, 2, LENGTH), truth.records, atol=2.5)
    assert back.samples.dtype == pulses.samples.dtype


def test_time_light_and_flags_of_the_parts(tmp_path: Path) -> None:
    pulses, truth = piled_up(20)
    separated(tmp_path, pulses)
    back = read(tmp_path / "out.lh5")
    late_ns = back.column("time_offset_ns").reshape(20, 2)
    np.testing.assert_allclose(late_ns[:, 1] - late_ns[:, 0], 10.0 * (SECOND_AT - FIRST_AT), atol=0.2)
    assert (late_ns[:, 0] == 0).all()
    stamps = back.column("timestamp_ps").reshape(20, 2)
    np.testing.assert_array_equal(stamps[:, 0], pulses.column("timestamp_ps"))
    np.testing.assert_allclose(stamps[:, 1] - stamps[:, 0], 1000 * late_ns[:, 1], atol=1)
    height = 8000 - truth.records.min(axis=2)
    np.testing.assert_allclose(back.column("energy_kevee").reshape(20, 2), 0.1 * height, rtol=0.01)
    assert (back.column("flags") & PulseFlag.PILE_UP).all()
    assert "energy" not in back.columns()


def test_second_pulses_are_moved_to_where_first_ones_lie(tmp_path: Path) -> None:
    separated(tmp_path, piled_up(10)[0])
    lowest = read(tmp_path / "out.lh5").samples.argmin(axis=1)
    assert set(lowest.tolist()) == {FIRST_AT}


def test_single_pulses_are_written_as_they_are(tmp_path: Path) -> None:
    pulses, _ = piled_up(10, n_in_each=1)
    (run,) = separated(tmp_path, pulses).runs
    assert (run.counts["n_single"], run.n_piled_up, run.n_written) == (10, 0, 10)
    back = read(tmp_path / "out.lh5")
    np.testing.assert_array_equal(back.samples, pulses.samples)
    assert not (back.column("flags") & PulseFlag.PILE_UP).any()
    (run,) = separated(tmp_path, pulses, threshold=1.0).runs
    assert run.counts["n_single"] == 0


def test_what_cannot_be_separated_is_left_out_and_counted(tmp_path: Path) -> None:
    three, _ = piled_up(4, n_in_each=3)
    two, _ = piled_up(4)
    samples = np.concatenate([three.samples, two.samples])
    samples[4] = 8000
    samples[5, FIRST_AT] = 0
    number = np.arange(8)
    odd = Pulses(samples=samples, sample_period_ns=10.0, entry=number)
    (run,) = separated(tmp_path, odd).runs
    counts = run.counts
    assert (counts["n_more"], counts["n_unprepared"], counts["n_saturated"], counts["n_separated"]) == (4, 1, 1, 2)
    assert (counts["n_refused"], run.n_piled_up) == (6, 6)
    assert set(read(tmp_path / "out.lh5").column("entry").tolist()) == {6, 7}


def test_a_classifier_scores_every_part(tmp_path: Path) -> None:
    (run,) = separated(tmp_path, piled_up(10)[0], classifier=True).runs
    back = read(tmp_path / "out.lh5")
    scorer = NativePredictor(tmp_path / "small.discrimen", threads=1)
    np.testing.assert_allclose(back.column("neutron_score"), scorer.predict(back.samples)[:, 1], atol=1e-6)
    assert run.n_unlike_classifier == 0


def test_parts_are_held_against_the_truth(tmp_path: Path) -> None:
    pulses, truth = piled_up(60)
    turned = truth.records.copy()
    turned[::2] = turned[::2, ::-1]
    label = truth.label
    assert label is not None
    label = label.copy()
    label[::2] = label[::2, ::-1]
    (run,) = separated(tmp_path, pulses, components=[replace(truth, records=turned, label=label)]).runs
    judged = run.judged
    assert judged is not None
    assert judged.singles.n_records == judged.n_two == judged.n_found == 60
    assert judged.singles.nrmse is not None
    assert judged.singles.nrmse < 0.01
    (row,) = judged.by_distance
    assert (row.low_ns, row.high_ns) == (100.0, 300.0)
    np.testing.assert_array_equal(read(tmp_path / "out.lh5").column("label").reshape(60, 2), truth.label)


def test_wrong_parts_are_told(tmp_path: Path) -> None:
    pulses, truth = piled_up(60)
    other = replace(truth, records=np.roll(truth.records, 1, axis=0))
    (run,) = separated(tmp_path, pulses, components=[other]).runs
    assert run.judged is not None
    assert run.judged.singles.nrmse is not None
    assert run.judged.singles.nrmse > 0.1
    with pytest.raises(DataError, match="60 records, but clean components of 50"):
        separated(tmp_path, pulses, components=[truth[:50]])


def test_false_alarms_are_counted(tmp_path: Path) -> None:
    pulses, truth = piled_up(30, n_in_each=1)
    (run,) = separated(tmp_path, pulses, components=[truth], threshold=1.0).runs
    assert run.judged is not None
    assert (run.judged.n_alone, run.judged.n_false_alarms) == (30, 30)


def test_a_fit_of_templates_stands_beside(tmp_path: Path) -> None:
    pulses, truth = piled_up(300)
    (run,) = separated(tmp_path, pulses, components=[replace(truth, label=None)], n_fitted=20).runs
    judged = run.judged
    assert judged is not None
    assert judged.fit is not None
    assert judged.fit.nrmse is not None
    assert judged.fit.n_records == judged.network.n_records == 20
    assert judged.fit.nrmse < 0.1
    (run,) = separated(tmp_path, pulses, components=[truth], n_fitted=0).runs
    assert run.judged is not None
    assert run.judged.fit is None


def test_pulses_that_lie_apart_are_fitted(tmp_path: Path) -> None:
    late = np.arange(LENGTH) - (np.array([14.0, 34.5]) + np.random.default_rng(1).random((40, 1)))[:, :, np.newaxis]
    waves = 900 * np.where(late > 0, np.exp(-late / 9) - np.exp(-late / 1.5), 0)
    samples = (8000 - waves.sum(axis=1)).round().astype(np.uint16)
    template = tuple(Template.aligned(waves.reshape(-1, LENGTH).astype(np.float32)).values.tolist())
    errors = []
    for least in (10.0, 30.0):
        fitted = PartTemplate(values=template, least_distance=least)
        model = write_separator(tmp_path / f"{least}.discrimen", template=fitted, share=0.9)
        parted = part_records(NativePredictor(model, threads=1), samples)
        np.testing.assert_allclose(parted.waves_adc.sum(axis=1), 8000.0 - samples, atol=2)
        errors.append(np.sqrt(np.square(parted.waves_adc - waves).sum() / np.square(waves).sum()))
    assert errors[0] < 0.03
    assert errors[1] > 0.1  # the network cuts the tail of the first off


def test_several_runs_are_told_apart(tmp_path: Path) -> None:
    separated(tmp_path, piled_up(5)[0], piled_up(5, seed=4)[0])
    assert read(tmp_path / "out.lh5").column("run").tolist() == [0] * 10 + [1] * 10


def test_a_run_unlike_the_training_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="20 of 20 pulses"):
        separated(tmp_path, piled_up(20)[0], model={"domain": True}, most_outside=0.01)
    (run,) = separated(tmp_path, piled_up(20)[0], model={"domain": True}).runs
    assert (run.n_outside, run.counts["n_separated"]) == (20, 20)


def test_records_of_another_length_are_refused(tmp_path: Path) -> None:
    pulses, _ = piled_up(5)
    longer = pulses.replace(samples=np.pad(pulses.samples, ((0, 0), (0, 5)), mode="edge"))
    with pytest.raises(DataError, match="records of 80 samples, but the model gives 75"):
        separated(tmp_path, longer)
    with pytest.raises(DataError, match="records of 70 samples"):
        separated(tmp_path, pulses.replace(samples=pulses.samples[:, :70]))


def test_other_models_are_refused(tmp_path: Path) -> None:
    reader = open_reader(written(tmp_path / "run.lh5", piled_up(5)[0]))
    for write in (write_copying_model, write_small_model):
        predictor = NativePredictor(write(tmp_path / "other.discrimen"), threads=1)
        with pytest.raises(SettingsError, match="does not separate pulses"):
            separate_runs([reader], predictor)
    aligned = replace(PREPARATION, alignment=Alignment(fraction=0.3, position=10))
    with pytest.raises(SettingsError, match="train without --align"):
        separated(tmp_path, piled_up(5)[0], model={"preparation": aligned})


def test_only_native_files_hold_parts(tmp_path: Path) -> None:
    reader = open_reader(written(tmp_path / "run.lh5", piled_up(5)[0]))
    predictor = NativePredictor(write_separator(tmp_path / "part.discrimen"), threads=1)
    with pytest.raises(OutputError, match="only the native format"):
        separate_runs([reader], predictor, tmp_path / "out.BIN")
    assert separate_runs([reader], predictor, options=SeparationOptions(most_outside=1.0)).output is None
