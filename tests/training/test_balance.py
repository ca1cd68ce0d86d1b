from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from tests.training.toy_pulses import PREPARATION, toy_pulses

from discrimen.errors import SettingsError
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings, GatesNs, LightCalibration
from discrimen.training import TrainingConfig
from discrimen.training.balance import Balance, PulsePlane, balance_pulses, equal_cells, shared_out
from discrimen.training.balance_picture import write_balance_picture

GATES = GatesNs(gate_start_ns=-20, short_gate_end_ns=60, long_gate_end_ns=400)


def balanced(pulses: Pulses, *, settings: DetectorSettings | None = None, **changes: Any) -> Balance:
    wanted: dict[str, Any] = {"name": "shape", "by": "weights", "cap": 10.0} | changes
    labels = pulses.column("label").astype(np.int32)
    settings = DetectorSettings(gates=GATES) if settings is None else settings
    rng = np.random.default_rng(0)
    return balance_pulses(pulses, labels, preparation=PREPARATION, settings=settings, rng=rng, **wanted)


def lopsided() -> Pulses:
    """400 gammas and 100 neutrons; one in twenty has ten times the light, two gammas have the shape of a neutron."""
    pulses = toy_pulses(400, seed=5)[:500]
    light = np.random.default_rng(1).uniform(40, 60, 500)
    light[::20] *= 10
    labels = pulses.column("label").copy()
    labels[[400, 401]] = 0
    return pulses.replace(label=labels, energy_kevee=light.astype(np.float32))


def shared(cells: Any, *, cap: float) -> Any:
    array = np.asarray(cells)
    return equal_cells(np.zeros(len(array), int), array, np.ones(len(array)), cap=cap)


def test_cells_get_the_same_share_where_the_cap_allows() -> None:
    cells = np.repeat([3, 7, 9], [90, 9, 1])
    weights = shared(cells, cap=100)
    assert_allclose([weights[cells == cell].sum() for cell in (3, 7, 9)], 100 / 3)


def test_the_cap_holds_and_the_others_share_what_is_left() -> None:
    weights = shared(np.repeat([0, 1, 2], [80, 15, 5]), cap=2.5)
    # 5 pulses of 2.5 are 12.5; the 15 would need 2.9 each and are capped too, at 37.5; 50 are left for the 80.
    assert_allclose([weights[0], weights[80], weights[95]], [50 / 80, 2.5, 2.5])


@given(
    cells=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6)), min_size=1, max_size=200), cap=st.floats(1.001, 50)
)
def test_weights_have_the_mean_1_and_stay_below_the_cap(cells: list[tuple[int, int]], cap: float) -> None:
    groups, inner = np.array(cells).T
    first = shared(groups, cap=cap)
    second = equal_cells(groups, inner, first, cap=cap)
    for weights in (first, second):
        assert weights.mean() == pytest.approx(1)
        assert weights.max() <= cap * (1 + 1e-9)
    for group in np.unique(groups):
        assert second[groups == group].sum() == pytest.approx(first[groups == group].sum())


def test_a_cap_of_1_changes_nothing() -> None:
    assert_allclose(shared([0, 0, 0, 1], cap=1.0), 1.0)


def test_levels_are_balanced_one_within_the_other() -> None:
    # One class lies in one range of energy, the other in two: the classes still count the same.
    label = np.repeat([0, 1], [60, 40])
    energy = np.concatenate([np.zeros(60, int), np.repeat([0, 1], [30, 10])])
    weights = equal_cells(label, energy, shared(label, cap=100), cap=100)
    assert_allclose([weights[label == 0].sum(), weights[label == 1].sum()], 50)
    assert_allclose([weights[(label == 1) & (energy == cell)].sum() for cell in (0, 1)], 25)


def handmade(n_gamma: Any, n_neutron: Any) -> tuple[PulsePlane, Any]:
    """Make a plane of two energies and three shapes from the numbers of pulses in [energy][shape]."""
    rows = [
        (energy, psd, label, count)
        for label, counts in ((0, n_gamma), (1, n_neutron))
        for energy, by_shape in zip((100.0, 1000.0), counts, strict=True)
        for psd, count in zip((0.1, 0.2, 0.3), by_shape, strict=True)
    ]
    energies, psds, labels = (np.repeat([row[at] for row in rows], [row[3] for row in rows]) for at in range(3))
    plane = PulsePlane(energy=energies, psd=psds, energy_unit="keVee", gates=GATES, gates_from="settings")
    return plane, labels.astype(np.int32)


N_GAMMA, N_NEUTRON = ((700, 90, 4), (60, 8, 0)), ((20, 300, 6), (4, 50, 10))


def test_shapes_count_the_same_within_each_energy() -> None:
    plane, labels = handmade(N_GAMMA, N_NEUTRON)
    weights, n_cells = shared_out(plane, labels, name="shape", cap=1000.0)
    assert n_cells == 11
    for energy in (100.0, 1000.0):
        inside = plane.energy == energy
        shares = [weights[inside & (plane.psd == psd)].sum() / weights[inside].sum() for psd in (0.1, 0.2, 0.3)]
        assert_allclose(shares, 1 / 3)


def test_the_shape_is_balanced_for_both_classes_together() -> None:
    """At each place of the plane the ratio of the classes is the one that class and energy alone would give."""
    plane, labels = handmade(N_GAMMA, N_NEUTRON)
    over_shape, over_energy = (shared_out(plane, labels, name=name, cap=1000.0)[0] for name in ("shape", "energy"))
    factor = over_shape / over_energy
    for energy in (100.0, 1000.0):
        for psd in (0.1, 0.2, 0.3):
            assert np.ptp(factor[(plane.energy == energy) & (plane.psd == psd)]) < 1e-9


def test_energies_count_the_same_within_each_class() -> None:
    plane, labels = handmade(N_GAMMA, N_NEUTRON)
    weights, n_cells = shared_out(plane, labels, name="energy", cap=1000.0)
    assert n_cells == 4
    for label in (0, 1):
        for energy in (100.0, 1000.0):
            assert weights[(labels == label) & (plane.energy == energy)].sum() == pytest.approx(len(labels) / 4)


def test_the_cap_holds_through_all_levels() -> None:
    plane, labels = handmade(N_GAMMA, N_NEUTRON)
    weights, _ = shared_out(plane, labels, name="shape", cap=3.0)
    assert weights.max() == pytest.approx(3.0)
    assert weights.mean() == pytest.approx(1.0)


def test_classes_count_the_same() -> None:
    pulses = lopsided()
    result = balanced(pulses, name="class")
    neutron = pulses.column("label") == 1
    assert result.weights[neutron].sum() == pytest.approx(250)
    assert len(np.unique(result.weights.round(9))) == 2


def test_rare_energies_count_more() -> None:
    pulses = lopsided()
    result = balanced(pulses, name="energy")
    high = pulses.column("energy_kevee") > 300
    assert result.weights[high].mean() > 3 * result.weights[~high].mean()
    assert result.weights[high].sum() / 500 > 2 * high.mean()


def test_odd_shapes_count_more_than_common_ones() -> None:
    pulses = lopsided()
    samples = pulses.samples.copy()
    samples[7, 22:50] -= 1500  # a long tail that neither class has
    result = balanced(pulses.replace(samples=samples), name="shape")
    assert result.weights[7] > 4 * np.median(result.weights[pulses.column("energy_kevee") < 100])
    assert result.weights.max() <= 10 * (1 + 1e-9)


def test_a_balance_of_shape_needs_no_gates_in_the_settings() -> None:
    result = balanced(lopsided(), settings=DetectorSettings())
    assert result.plane.gates_from == "search"
    psd, labels = result.plane.psd, result.labels
    assert np.median(psd[labels == 1]) > np.median(psd[labels == 0]) + 0.05


def test_without_light_the_energy_is_the_calibrated_or_the_long_charge() -> None:
    pulses = lopsided().replace(energy_kevee=None)
    assert balanced(pulses).plane.energy_unit == "ADC ns"
    calibration = LightCalibration(quantity="long_charge_adc_ns", gain_kevee_per_unit=0.01)
    calibrated = balanced(pulses, settings=DetectorSettings(gates=GATES, calibration=calibration)).plane
    assert calibrated.energy_unit == "keVee"
    assert_allclose(calibrated.energy, 0.01 * balanced(pulses).plane.energy, rtol=1e-6)


def test_a_pulse_without_a_crossing_has_a_cell_of_its_own() -> None:
    pulses = lopsided()
    samples = pulses.samples.copy()
    samples[7] = 8000 - 100 * (np.arange(75) < 20)  # highest at the very start: no leading edge
    result = balanced(pulses.replace(samples=samples))
    assert np.isnan(result.plane.psd[7])
    assert np.isfinite(result.weights).all()
    assert result.weights[7] > np.median(result.weights)


def test_the_record_says_what_was_done() -> None:
    record = balanced(lopsided(), by="resampling", cap=4.0).record()
    json.dumps(record, allow_nan=False)
    assert (record["over"], record["by"], record["cap"]) == ("shape", "resampling", 4.0)
    assert record["neutron_share_before"] == pytest.approx(98 / 500)
    assert 0.2 < record["neutron_share_after"] < 0.6
    assert record["highest_weight"] <= 4.0 + 1e-9
    assert 0 < record["share_at_cap"] < 1
    assert record["n_effective"] < 500


def test_the_effective_number_is_that_of_kish() -> None:
    result = balanced(lopsided())
    weights = result.weights
    assert result.n_effective == pytest.approx(weights.sum() ** 2 / (weights**2).sum())


@pytest.mark.parametrize("light", [True, False])
def test_the_picture_is_a_png(tmp_path: Path, light: bool) -> None:
    pulses = lopsided() if light else lopsided().replace(energy_kevee=None)
    write_balance_picture(balanced(pulses), tmp_path / "balance.png")
    assert (tmp_path / "balance.png").read_bytes().startswith(b"\x89PNG")


def test_pulses_of_one_energy_and_shape_can_be_drawn(tmp_path: Path) -> None:
    pulses = lopsided()[np.zeros(20, int)]
    result = balanced(pulses)
    assert_array_equal(result.weights, np.ones(20))
    write_balance_picture(result, tmp_path / "balance.png")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"balance": "everything"}, "none, class, energy, shape"),
        ({"balance_by": "hand"}, "weights or resampling"),
        ({"balance_cap": 0.5}, "1 or more, got 0.5"),
        ({"balance_cap": float("nan")}, "1 or more"),
        ({"balance": "class", "contamination": {"gamma": 0.1, "neutron": 0.0}}, "cannot be balanced"),
    ],
)
def test_what_cannot_be_balanced_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        TrainingConfig(**change)
