"""Records put together from single pulses: what they are the sum of, which pulses take part, what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import discrimen
from discrimen.errors import DataError, OutputError, SettingsError
from discrimen.formats.table import open_reader, open_writer
from discrimen.pulses import Label, PulseFlag, Pulses, concatenate
from discrimen.runs.components import read_components
from discrimen.runs.dataset import Dataset
from discrimen.runs.overlay import OverlayOptions, overlaid
from discrimen.runs.single_pulses import Singles, single_pulses
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.settings import detector_settings
from discrimen.simulation.simulate import simulate_blocks_with_truth

CONFIG = SimulationConfig(n_pulses=600, energy_min_kevee=100, energy_max_kevee=800, pileup_fraction=0.2, seed=4)


@pytest.fixture(scope="module")
def simulated() -> tuple[Dataset, np.ndarray, np.ndarray]:
    """Return a run, its records without noise, and which of them hold two pulses well apart."""
    blocks = list(simulate_blocks_with_truth(CONFIG))
    (block,) = blocks
    apart = block.pile_up.pulse[(block.pile_up.delay_ns > 120) & (block.pile_up.energy_kevee > 100)]
    dataset = Dataset(pulses=block.pulses, settings=detector_settings(CONFIG), files=(), n_unlabelled=0)
    return dataset, block.clean_adc, apart


@pytest.fixture(scope="module")
def singles(simulated: tuple[Dataset, Any, Any]) -> Singles:
    return single_pulses(simulated[0])


def made(singles: Singles, **options: Any) -> tuple[Pulses, Pulses]:
    parts = list(overlaid(singles, OverlayOptions(**options)))
    return concatenate([each for each, _ in parts]), concatenate([each for _, each in parts])


def test_piled_up_records_are_left_out(simulated: tuple[Dataset, Any, Any], singles: Singles) -> None:
    entries = simulated[0].pulses.column("entry")[simulated[2]]
    assert len(entries) > 40
    assert np.isin(entries, singles.pulses.column("entry")).mean() < 0.12
    assert singles.counts.n_piled_up < 0.2 * 600
    counts = singles.counts
    assert counts.n_single == 600 - counts.n_piled_up - counts.n_saturated - counts.n_without_edge


def test_clean_pulses_have_less_noise_than_their_records(simulated: tuple[Dataset, Any, Any], singles: Singles) -> None:
    dataset, clean_adc, _ = simulated
    at = np.searchsorted(dataset.pulses.column("entry"), singles.pulses.column("entry"))
    alone = singles.shapes.placed(np.arange(len(at)), np.zeros(len(at), np.int64))
    # The simulation's own, above the baseline that was found in the record.
    truth = -(clean_adc[at] - singles.baseline_adc[:, np.newaxis])
    noise = -(singles.pulses.samples - singles.baseline_adc[:, np.newaxis]) - truth
    # What photons differ in behind the edge is larger than the noise, and stays; before it all is noise.
    before = slice(0, 13)
    assert (alone - truth)[:, before].std() < 0.5 * noise[:, before].std()
    assert (alone - truth).std() < 0.9 * noise.std()
    assert singles.counts.n_shapes < 40


def test_a_record_is_a_recorded_pulse_and_a_clean_one(singles: Singles) -> None:
    records, parts = made(singles, n_records=500, pileup_fraction=0.6, seed=3)
    first, second = parts[parts.column("part") == 0], parts[parts.column("part") == 1]
    np.testing.assert_array_equal(first.column("entry"), np.arange(500))
    assert len(second) == pytest.approx(300, abs=40)
    above = second.samples - singles.baseline_adc.mean()
    assert above.mean() < -5
    for at in (0, 7):
        entry = int(second.column("entry")[at])
        baseline = first.samples[entry, :5].mean()
        rest = records.samples[entry].astype(float) - (first.samples[entry] + second.samples[at] - baseline)
        assert np.abs(rest).std() < 12
    alone = np.setdiff1d(records.column("entry"), second.column("entry"))
    kept = {each.tobytes() for each in singles.pulses.samples}
    assert all(records.samples[entry].tobytes() in kept for entry in alone)
    assert not any(records.samples[entry].tobytes() in kept for entry in second.column("entry")[:20])


def test_delays_and_gains_are_those_asked_for(singles: Singles) -> None:
    _, parts = made(singles, n_records=800, delay_min_ns=-60, delay_max_ns=200, gain_min=0.3)
    second = parts.column("part") == 1
    delay = parts.column("time_offset_ns")[second]
    assert delay.min() == -20  # not in the baseline window
    assert 180 < delay.max() <= 210
    height = np.abs(parts.samples - parts.samples[:, :5].mean(axis=1, keepdims=True)).max(axis=1)
    crossing = np.abs(parts.samples[second].argmin(axis=1) - np.repeat(parts.samples[~second].argmin(axis=1), 1))
    np.testing.assert_allclose(crossing * 10, np.abs(delay), atol=41)
    assert np.median(height[second]) / np.median(height[~second]) == pytest.approx(0.55, abs=0.12)
    light = parts.column("energy_kevee")
    assert np.median(light[second]) / np.median(light[~second]) == pytest.approx(0.55, abs=0.12)


def test_records_of_different_stretches_have_no_pulse_in_common(singles: Singles) -> None:
    records, parts = made(singles, n_records=3000)
    light = parts.column("energy_kevee")
    runs = parts.column("run")
    of_run = [set(light[runs == number].tolist()) for number in range(10)]
    assert len(set.union(*of_run)) == sum(map(len, of_run))
    assert set(records.column("run")) == set(range(10))
    first, second = (light[parts.column("part") == number] for number in (0, 1))
    assert not (first == second).any()


def test_shares_of_a_run_have_no_pulse_in_common(simulated: tuple[Dataset, Any, Any]) -> None:
    entries = [single_pulses(simulated[0], share).pulses.column("entry") for share in ((0.0, 0.7), (0.7, 1.0))]
    assert entries[0].max() < 420 <= entries[1].min()


def test_records_end_at_the_rails_and_say_so(simulated: tuple[Dataset, Any, Any]) -> None:
    dataset = simulated[0]
    low = dataset.pulses.samples - np.uint16(13_000)
    few = replace(dataset, pulses=dataset.pulses.replace(samples=np.maximum(low, 1)))
    records, _ = made(single_pulses(few), n_records=500)
    saturated = records.column("flags") != 0
    assert 0 < saturated.sum() < 500
    assert (records.samples[saturated].min(axis=1) == 0).all()


def test_runs_that_hold_too_few_single_pulses_are_refused(simulated: tuple[Dataset, Any, Any]) -> None:
    dataset = simulated[0]

    def refuse(pulses: Pulses, said: str) -> None:
        with pytest.raises((DataError, SettingsError), match=said):
            single_pulses(replace(dataset, pulses=pulses))

    refuse(dataset.pulses[:30], "30 records are too few")
    channel = np.arange(600, dtype=np.int32) % 2
    refuse(dataset.pulses.replace(channel=channel), r"of one channel, these are of 2: choose one \(--channel\)")
    flags = np.where(np.arange(600) < 560, PulseFlag.SATURATED_INPUT, 0).astype(np.uint32)
    refuse(dataset.pulses.replace(flags=flags), r"3\d of 600 records hold one pulse alone .*saturated.*50 must")
    late = np.roll(dataset.pulses.samples[:400], 35, axis=1)
    late[:, :40] = 15_000
    low = dataset.pulses.samples.astype(np.int64)
    low[:400] = np.maximum(low[:400] + late.astype(np.int64) - 15_000, 1)
    refuse(dataset.pulses.replace(samples=low.astype(np.uint16)), "hold a second pulse: at most 50% may")


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"n_records": 0}, "at least one record"),
        ({"pileup_fraction": 1.5}, "between 0 and 1, got 1.5"),
        ({"share": (0.7, 0.3)}, "from a share to a larger one"),
        ({"delay_min_ns": 50.0, "delay_max_ns": 20.0}, "got 50 to 20 ns"),
        ({"gain_min": 0.0}, "least factor"),
    ],
)
def test_impossible_wishes_are_refused(wishes: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        OverlayOptions(**wishes)


def test_files_of_records_and_components_go_together(simulated: tuple[Dataset, Any, Any], tmp_path: Path) -> None:
    run, records, parts = (tmp_path / f"{name}.lh5" for name in ("run", "records", "parts"))
    bare = simulated[0].pulses.replace(label=None, energy_kevee=None)
    with open_writer(run, simulated[0].settings) as writer:
        writer.write(bare)
    done = discrimen.overlay(run, records, parts, n_records=300)
    assert done.as_dict()["input"]["n_records"] == 600
    found = read_components(open_reader(parts), concatenate(open_reader(records).chunks()))
    assert (found.label, found.energy_kevee) == (None, None)
    assert found.singles.all()
    with pytest.raises(OutputError, match="need a file each"):
        discrimen.overlay(run, records, records)
    with pytest.raises(OutputError, match="need a native file"):
        discrimen.overlay(run, tmp_path / "records.BIN", parts)
    before = run.read_bytes()
    with pytest.raises(OutputError):
        discrimen.overlay(run, run, parts)
    assert run.read_bytes() == before


def test_labels_of_the_pulses_are_kept(singles: Singles) -> None:
    _, parts = made(singles, n_records=200)
    assert set(parts.column("label")) == {Label.GAMMA, Label.NEUTRON}
