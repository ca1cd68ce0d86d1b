"""A generator is judged: its own pulses are not told from themselves, and those of a wrong one are."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.reconstruction.small_generator import CONDITION, heights_alone, small_generator, write_small_generator

from discrimen.errors import DataError, SettingsError
from discrimen.pulses import Pulses, concatenate
from discrimen.pulses.detector import DetectorSettings, GatesNs
from discrimen.reconstruction.generate import PulseGenerator
from discrimen.reconstruction.generated_page import write_judgement
from discrimen.reconstruction.generation_options import GenerationOptions
from discrimen.reconstruction.judge_generated import JudgingOptions, judge_generator
from discrimen.reconstruction.two_samples import QUANTITIES, two_sample_tests

SETTINGS = DetectorSettings(
    sample_period_ns=10.0, polarity="negative", adc_bits=14, gates=GatesNs(short_gate_end_ns=40, long_gate_end_ns=250)
)
OPTIONS = JudgingOptions(epochs=6, edges_kevee=(30.0, 100.0, 300.0))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_generator(tmp_path_factory.mktemp("judged") / "g.discrimen")


@pytest.fixture(scope="module")
def real(path: Path) -> Pulses:
    """What the generator itself would make stands for a detector that it is right about."""
    return concatenate(PulseGenerator(path).blocks(GenerationOptions(n_pulses=4000, seed=9)))


@pytest.mark.slow
def test_pulses_of_the_same_kind_are_not_told_apart(path: Path, real: Pulses, tmp_path: Path) -> None:
    light = real.column("energy_kevee").copy()
    light[:200] = 500
    judged = judge_generator(path, real.replace(energy_kevee=light), SETTINGS, options=OPTIONS)
    assert (judged.n_real, judged.n_left_out) == (3800, 200)
    assert len(judged.told_apart) == len(judged.real_apart) == 2
    for area in (*judged.told_apart.values(), *judged.real_apart.values()):
        assert area.low - 0.03 < 0.5 < area.high + 0.03
    assert {test.quantity for test in judged.tests} == set(QUANTITIES)
    # Residuals and baselines come from 300 pulses of a class, again and again.
    assert max(test.distance for test in judged.tests if test.n_real > 500) < 0.15
    files = write_judgement(judged, tmp_path / "page", model=path, real="run.lh5", settings=SETTINGS)
    assert {"generate.html", "generate.json", "generated_pulses.png", "generated_quantities.png"} <= {
        each.name for each in files
    }
    text = (tmp_path / "page" / "generate.html").read_text()
    assert "real against generated" in text
    assert "3800 real pulses of run.lh5" in text
    kept = json.loads((tmp_path / "page" / "generate.json").read_text())
    assert len(kept["two_sample_tests"]) == len(judged.tests)


@pytest.mark.slow
def test_a_generator_without_noise_is_told_at_once(real: Pulses, tmp_path: Path) -> None:
    generator = small_generator()
    quiet = replace(generator.library, residual=np.zeros_like(generator.library.residual))
    path = write_small_generator(tmp_path / "q.discrimen", generator=replace(generator, library=quiet))
    judged = judge_generator(path, real, SETTINGS, options=OPTIONS)
    assert max(area.low for area in judged.told_apart.values()) > 0.7
    noise = [test for test in judged.tests if test.quantity == "noise before the pulse"]
    assert all(test.p_value < 1e-6 and test.distance > 0.9 for test in noise)


def test_pulses_like_others_have_their_class_and_light(path: Path, real: Pulses) -> None:
    made = PulseGenerator(path).like(real)
    for name in ("label", "energy_kevee"):
        np.testing.assert_array_equal(made.column(name), real.column(name))
    heights = [8000 - each.samples.min(axis=1).astype(float) for each in (made, real)]
    for number in (0, 1):
        own = [each[real.column("label") == number] for each in heights]
        assert own[0].mean() == pytest.approx(own[1].mean(), rel=0.03)


@pytest.mark.slow
def test_a_generator_without_classes_is_judged_by_heights(tmp_path: Path) -> None:
    path = write_small_generator(tmp_path / "g.discrimen", generator=heights_alone(size_range=((1.0, 6000.0),)))
    made = PulseGenerator(path).blocks(GenerationOptions(n_pulses=4000, height_min_adc=40, height_max_adc=300, seed=5))
    judged = judge_generator(path, concatenate(made), SETTINGS, options=OPTIONS)
    assert {test.class_name for test in judged.tests} == {"pulse"}
    assert "range_adc" in judged.tests[0].as_dict()
    pages = write_judgement(judged, tmp_path / "page", model=path, real="run", settings=SETTINGS)
    text = next(each for each in pages if each.suffix == ".html").read_text()
    assert "keVee" not in text
    assert "height (ADC counts)" in text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"energy_kevee": np.full(4000, 900)}, "0 of 4000 real pulses are of a class and a light"),
        ({"sample_period_ns": 5.0}, "40 samples of 5 ns, the generator makes 40 of 10 ns"),
        ({"label": None}, "no column 'label'"),
    ],
)
def test_pulses_that_cannot_judge_are_refused(path: Path, real: Pulses, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError, match=said):
        judge_generator(path, real.replace(**changes), SETTINGS, options=OPTIONS)


def test_gates_are_asked_for(path: Path, real: Pulses) -> None:
    with pytest.raises(SettingsError, match="the gates are not known"):
        judge_generator(path, real, SETTINGS.model_copy(update={"gates": None}), options=OPTIONS)


def test_two_normal_distributions_are_told_by_their_distance() -> None:
    rng = np.random.default_rng(1)
    values = [{"height": rng.normal(mean, 1, 4000)} for mean in (0.0, 1.0)]
    labels, light = np.zeros(4000, np.int8), np.full(4000, 60.0)
    (test,) = two_sample_tests(
        *values,
        labels=(labels, labels),
        sizes=(light, light),
        condition=CONDITION,
        edges=(50, 100, 200),
    )
    # The cumulative distributions of two normal ones, a standard deviation apart, differ by 0.383 at most.
    assert test.distance == pytest.approx(0.383, abs=0.02)
    assert test.p_value < 1e-50
    assert (test.n_real, test.class_name, test.as_dict()["range_kevee"]) == (4000, "gamma", [50.0, 100.0])
