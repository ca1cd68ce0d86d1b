"""Gates from mixed runs without labels: better than those of before, and none without two species."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from discrimen.errors import DataError
from discrimen.formats.table import open_reader, open_writer
from discrimen.labelling.gate_search import FEWEST_PULSES, choose_gates, read_places
from discrimen.metrics.figure_of_merit import two_gaussians
from discrimen.pulses import PulseFlag, Pulses
from discrimen.pulses.detector import DetectorSettings, GatesNs
from discrimen.pulses.places import Place
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.settings import detector_settings
from discrimen.simulation.simulate import simulate

POOR = GatesNs(gate_start_ns=-20, short_gate_end_ns=120, long_gate_end_ns=500)


def run(*, neutron_fraction: float, seed: int = 2) -> tuple[Pulses, DetectorSettings]:
    config = SimulationConfig(n_pulses=6000, neutron_fraction=neutron_fraction, energy_min_kevee=100, seed=seed)
    return simulate(config), detector_settings(config).merged(gates=POOR)


@pytest.fixture(scope="module")
def mixed() -> tuple[Pulses, DetectorSettings]:
    return run(neutron_fraction=0.4)


def test_gates_are_better_than_poor_ones_on_pulses_on_which_they_were_not_chosen(
    mixed: tuple[Pulses, DetectorSettings],
) -> None:
    pulses, settings = mixed
    found = choose_gates(pulses, settings, rng=np.random.default_rng(1))
    assert found.before is not None
    assert found.reached.figure_of_merit is not None
    assert found.reached.figure_of_merit > (found.before.figure_of_merit or 0) + 0.2
    assert found.reached.evidence is not None
    assert found.gates.gate_start_ns <= -10
    assert found.as_dict()["gates"] == found.gates.model_dump()


def test_gammas_alone_get_no_gates() -> None:
    pulses, settings = run(neutron_fraction=0.0)
    with pytest.raises(DataError, match="no gates show two species; with the best ones"):
        choose_gates(pulses, settings, rng=np.random.default_rng(1))


def test_few_pulses_get_no_gates(mixed: tuple[Pulses, DetectorSettings]) -> None:
    pulses, settings = mixed
    with pytest.raises(DataError, match=f"{FEWEST_PULSES} are needed"):
        choose_gates(pulses[:500], settings, rng=np.random.default_rng(1))


def test_the_first_pulses_of_each_channel_are_read_without_those_that_are_cut_off(
    mixed: tuple[Pulses, DetectorSettings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("discrimen.labelling.gate_search.MOST_PULSES", 100)
    pulses, settings = mixed
    some = pulses[:250].replace(channel=(np.arange(250) % 2).astype(np.int32), flags=np.zeros(250, np.uint32))
    some.column("flags")[:10] = PulseFlag.SATURATED_INPUT
    with open_writer(tmp_path / "run.lh5", settings) as writer:
        writer.write(some)
    found = read_places([open_reader(tmp_path / "run.lh5")])
    assert {place: len(each) for place, each in found.items()} == {Place(0, 0): 100, Place(0, 1): 100}
    np.testing.assert_array_equal(found[Place(0, 0)].samples, some.samples[10:210:2])


def test_two_gaussians_are_as_far_apart_as_they_are() -> None:
    rng = np.random.default_rng(1)
    psd = np.concatenate([rng.normal(0.1, 0.01, 3000), rng.normal(0.2, 0.02, 3000), [np.nan]])
    assert two_gaussians(psd) == pytest.approx(0.1 / (2.355 * 0.03), rel=0.03)
    assert two_gaussians(rng.normal(0, 1, 3000)) < 0.6
    assert np.isnan(two_gaussians(np.full(100, 0.3)))
    assert np.isnan(two_gaussians(np.full(100, np.nan)))
