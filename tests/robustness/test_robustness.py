"""A predictor that looks at the height alone: what distortions do to it follows from a few lines of arithmetic."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.evaluation import NotComputed
from discrimen.metrics import EnergyBin, Leakage
from discrimen.network.model_description import ModelDescription
from discrimen.network.preparation import one_channel
from discrimen.network.prepare import subtract_baseline
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings, LightCalibration
from discrimen.robustness import Robustness, default_sizes, robustness, robustness_text, write_robustness

PREPARATION = one_channel(sample_period_ns=10.0, polarity=-1, baseline_start=0, baseline_stop=10, window_length=40)
SETTINGS = DetectorSettings(
    sample_period_ns=10.0,
    polarity="negative",
    adc_bits=14,
    calibration=LightCalibration(quantity="peak_adc", gain_kevee_per_unit=0.1),
)
N_EACH = 500


@dataclass(frozen=True)
class HeightPredictor:
    """Score: the height of sample 15 over the range of the ADC; none below `lowest_adc`."""

    lowest_adc: float = 0.0
    description: ModelDescription = field(
        default_factory=lambda: ModelDescription(preparation=PREPARATION, settings=SETTINGS)
    )
    backend: str = "toy"

    def predict(self, samples: NDArray[Any]) -> NDArray[np.float32]:
        above, _ = subtract_baseline(samples, start=0, stop=10, polarity=-1)
        height = above[:, 15]
        score = np.where(height < self.lowest_adc, np.nan, np.clip(height / 16384, 0, 1))
        return np.stack([1 - score, score], axis=1).astype(np.float32)


def pulses() -> Pulses:
    """Heights of gammas 501 to 1500, of neutrons 1001 to 2000, even steps: all shares can be counted by hand."""
    height = np.concatenate([500 + 2.0 * np.arange(1, N_EACH + 1), 1000 + 2.0 * np.arange(1, N_EACH + 1)])
    samples = np.full((2 * N_EACH, 40), 8000.0)
    samples[:, 15] -= height
    # Alternating counts before the pulse: a noise that is known, with the baseline kept at 8000.
    samples[:, 1:10:4] += 2
    samples[:, 3:10:4] -= 2
    samples[:, 9] = 8000
    labels = np.repeat([0, 1], N_EACH).astype(np.int8)
    return Pulses(samples=samples.astype(np.uint16), sample_period_ns=10.0, label=labels)


def judged(sizes: dict[str, tuple[float, ...]], **changes: Any) -> Robustness:
    return robustness({"height": HeightPredictor()}, pulses(), sizes=sizes, **changes)


@pytest.fixture(scope="module")
def result() -> Robustness:
    sizes = {"gain": (-0.2, 0.2), "time": (-10.0, 10.0), "baseline": (-50.0, 50.0), "noise": (20.0, 200.0)}
    return robustness({"height": HeightPredictor(), "again": HeightPredictor()}, pulses(), sizes=sizes)


def test_the_threshold_is_fixed_on_the_undistorted_pulses(result: Robustness) -> None:
    # 475 of 500 neutrons are higher than 1050.
    assert 1050 / 16384 < result.thresholds["height"] <= 1052 / 16384
    point = result.curve("height", "gain").undistorted
    assert point.efficiency.value == 0.95
    assert point.leakage.n_counted == 225


def test_a_gain_drift_moves_shares_as_counted_by_hand(result: Robustness) -> None:
    low, undistorted, high = result.curve("height", "gain").points
    assert (low.size, undistorted.size, high.size) == (-0.2, 0.0, 0.2)
    # 0.8 h > 1050 from 1313 on, 1.2 h > 1050 from 876 on.
    assert low.efficiency.n_counted == pytest.approx(344, abs=1)
    assert low.leakage.n_counted == pytest.approx(94, abs=1)
    assert high.efficiency.n_counted == 500
    assert high.leakage.n_counted == pytest.approx(312, abs=1)


def test_retuning_undoes_what_keeps_the_order_of_the_scores(result: Robustness) -> None:
    low, undistorted, high = result.curve("height", "gain").points
    for point in (low, high):
        assert isinstance(point.retuned, Leakage)
        assert point.retuned.leakage == pytest.approx(0.45, abs=0.005)
        assert point.auc.value == pytest.approx(undistorted.auc.value, abs=0.002)


def test_a_predictor_that_subtracts_the_baseline_does_not_see_its_shift(result: Robustness) -> None:
    low, undistorted, high = result.curve("height", "baseline").points
    for point in (low, high):
        assert (point.leakage, point.efficiency) == (undistorted.leakage, undistorted.efficiency)


def test_a_pulse_that_moves_out_of_place_is_lost(result: Robustness) -> None:
    early, _, late = result.curve("height", "time").points
    assert early.efficiency.value == late.efficiency.value == 0


def test_noise_is_measured_before_the_pulse(result: Robustness) -> None:
    assert result.noise_adc == pytest.approx(np.std([0, 2, 0, -2, 0, 2, 0, -2, 0, 0], ddof=1))


def test_all_models_see_the_same_pulses(result: Robustness) -> None:
    for distortion in result.distortions:
        first, second = (result.curve(name, distortion).points for name in ("height", "again"))
        assert first == second


def test_a_seed_gives_the_same_again() -> None:
    first, again, other = (judged({"noise": (200.0,)}, seed=seed).curves for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_scores_that_vanish_are_counted_and_cannot_be_retuned() -> None:
    predictor = HeightPredictor(lowest_adc=1000.0)
    point = robustness({"some": predictor}, pulses(), sizes={"gain": (-0.4,)}).curves[0].points[0]
    # 0.6 h < 1000 up to 1666: all gammas and 333 neutrons.
    assert point.n_unclassified == pytest.approx(833, abs=1)
    assert isinstance(point.retuned, NotComputed)
    assert "no score" in point.retuned.not_computed


def test_distorted_samples_are_clipped_at_the_rail() -> None:
    """A shift down by 6500 leaves 1500 counts above the lower rail of the ADC, where all higher pulses end."""
    point = judged({"baseline": (-6500.0,)}).curves[0].points[0]
    assert isinstance(point.retuned, Leakage)
    assert point.auc.value < judged({"baseline": (-1000.0,)}).curves[0].points[0].auc.value
    assert judged({"baseline": (1.0,)}).adc_range == "0 to 16383"
    bare = robustness({"height": HeightPredictor()}, pulses(), settings=DetectorSettings(), sizes={"baseline": (1.0,)})
    assert "not known" in bare.adc_range


def test_pulses_of_a_range_of_light_are_chosen_by_the_calibration() -> None:
    found = judged({"gain": (0.1,)}, energy=EnergyBin(100.0, 150.0))
    assert (found.n_gamma, found.n_neutron) == (250, 249)
    assert found.energy_kevee == "100-150 keVee"


def test_a_range_of_light_needs_light() -> None:
    bare = HeightPredictor(description=ModelDescription(preparation=PREPARATION))
    with pytest.raises(SettingsError, match="cannot choose pulses of 10-20 keVee"):
        robustness({"height": bare}, pulses(), energy=EnergyBin(10.0, 20.0))


def test_no_more_pulses_than_wished_are_drawn() -> None:
    found = judged({"gain": (0.1,)}, n_pulses=300)
    assert found.n_gamma + found.n_neutron == 300
    assert "300 of 1000 pulses were drawn at random" in found.notes


def test_unknown_labels_are_left_out_and_a_single_class_is_refused() -> None:
    labels = pulses().column("label").copy()
    labels[:10] = -1
    found = robustness({"height": HeightPredictor()}, pulses().replace(label=labels), sizes={"gain": (0.1,)})
    assert found.n_gamma == N_EACH - 10
    with pytest.raises(DataError, match="0 gammas and 500 neutrons"):
        robustness({"height": HeightPredictor()}, pulses()[500:])


def test_what_cannot_be_judged_is_refused() -> None:
    with pytest.raises(SettingsError, match="no model"):
        robustness({}, pulses())
    with pytest.raises(SettingsError, match="unknown distortion 'tilt'"):
        judged({"tilt": (1.0,)})
    with pytest.raises(SettingsError, match="no distortion"):
        judged({})
    with pytest.raises(DataError, match="sampled every 2 ns"):
        robustness({"height": HeightPredictor()}, pulses().replace(sample_period_ns=2.0))


def test_default_sizes_reach_what_was_promised() -> None:
    sizes = default_sizes(noise_adc=3.0, sample_period_ns=10.0, n_samples=75)
    assert sizes["time"] == (-20, -10, 0, 10, 20)
    assert (sizes["gain"][0], sizes["gain"][-1]) == (-0.2, 0.2)
    assert sizes["noise"] == (0, 1.5, 3, 6, 9)
    assert sizes["jitter"] == (0, 0.1, 0.2, 0.5, 1)
    assert all(0.0 in values and list(values) == sorted(values) for values in sizes.values())


def test_default_sizes_fit_a_short_record_without_noise() -> None:
    sizes = default_sizes(noise_adc=0.0, sample_period_ns=1.0, n_samples=30)
    assert sizes["time"] == (-10, -5, 0, 5, 10)
    assert sizes["noise"][-1] > 0


@pytest.mark.parametrize(
    ("period_ns", "positive"), [(1.0, (5, 10, 15, 20)), (4.0, (4, 8, 16, 20)), (16.0, (16,)), (50.0, (5, 10, 15, 20))]
)
def test_default_shifts_are_whole_samples_where_there_are_any(period_ns: float, positive: tuple[float, ...]) -> None:
    shifts = default_sizes(noise_adc=3.0, sample_period_ns=period_ns, n_samples=200)["time"]
    assert tuple(shift for shift in shifts if shift > 0) == positive


def test_every_distortion_is_looked_at_if_nobody_chooses() -> None:
    found = robustness({"height": HeightPredictor()}, pulses())
    assert found.distortions == ("gain", "time", "jitter", "baseline", "slope", "noise")


def test_progress_hears_of_every_step() -> None:
    steps: list[int] = []
    judged({"gain": (-0.1, 0.1), "noise": (1.0,)}, on_progress=steps.append)
    assert_array_equal(steps, np.ones(5))


def test_files_hold_all_that_was_found(result: Robustness, tmp_path: Path) -> None:
    data, picture = write_robustness(result, tmp_path / "out")
    values = json.loads(data.read_text())
    assert values.pop("command_line")
    assert values == json.loads(json.dumps(result.as_dict()))
    assert json.loads(data.read_text())["unit"] == {
        "gain": "share", "time": "ns", "baseline": "ADC counts", "noise": "ADC counts"
    }  # fmt: skip
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["robustness.json", "robustness.png"]


def test_the_text_fits_a_terminal(result: Robustness) -> None:
    text = robustness_text(result, width=80)
    assert max(map(len, text.splitlines())) <= 80
    assert "gain -20 %" in text
    assert "noise 200 ADC" in text
