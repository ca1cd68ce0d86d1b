"""The Verilog in Verilator against the emulators, and with faults; the whole flow of a small network."""

import re
from pathlib import Path

import numpy as np
import pytest

from discrimen.errors import SettingsError
from discrimen.fpga.front_end import FrontEnd
from discrimen.fpga.front_end_timing import timing_of
from discrimen.fpga.rtl_verification import LATE_WIDE
from discrimen.fpga.simulator import build_simulation, run_simulation
from discrimen.fpga.verification import compare, expected_decisions, simulated_decisions, write_streams
from discrimen.fpga.verilog import AXI_TOP, mutated, write_design

pytestmark = [pytest.mark.fpga, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def logic():
    """A network of two logits that hold some samples each, so that any misplaced sample or baseline shows."""
    trace = pytest.importorskip("alkaid.trace")
    return small_logic(trace, FrontEnd())


def small_logic(trace, front_end):
    ones = np.ones(front_end.length, int)
    array = trace.FVArray.from_kif(ones, (front_end.adc_bits - 10) * ones, 10 * ones)
    weight = np.random.default_rng(3).integers(-3, 4, (front_end.length, 2))
    return trace.trace(array, array @ weight)


def streams(front_end):
    rng = np.random.default_rng(5)
    high = front_end.highest_adc
    level = 0.9 * high if front_end.polarity == "negative" else 0.1 * high
    sign = -1 if front_end.polarity == "negative" else 1
    pulses = np.full(30_000, level) + rng.normal(0, 2, 30_000)
    shape = np.exp(-np.arange(120) / 9) * (1 - np.exp(-np.arange(120) / 1.5))
    for at in rng.integers(200, 29_000, 250).tolist():
        pulses[at : at + 120] += sign * rng.uniform(20, high) * shape
    made = {"pulses": np.clip(np.rint(pulses), 0, high).astype(np.int32), "random": rng.integers(0, high + 1, 20_000)}
    return {name: np.concatenate([row, np.full(400, row[-1])]) for name, row in made.items()}


def differences(design, logic, sources, folder, **how):
    made = streams(design.front_end)
    write_streams(folder / "streams.bin", design, made)
    expected = expected_decisions(logic, design, made)
    assert len(expected) > 300
    got = simulated_decisions(sources, design, folder / "streams.bin", folder=folder, **how)
    return sum(each.n_mismatches for each in compare("test", expected, got, list(made)))


SHORTEST = {"n_mean_log2": 5, "gap": 2, "fraction_16": 16, "before": 3, "peak_samples": 20}


@pytest.mark.parametrize(
    ("samples_per_clock", "settings"),
    [
        (1, {}),
        (
            1,
            {
                "polarity": "positive",
                "adc_bits": 10,
                "gap": 1,
                "n_mean_log2": 0,
                "peak_samples": 1,
                "before": 0,
                "length": 10,
            },
        ),
        (1, {**SHORTEST, "length": 35}),
        (2, {}),
        (4, {}),
        (
            4,
            {
                "polarity": "positive",
                "adc_bits": 10,
                "gap": 1,
                "n_mean_log2": 0,
                "peak_samples": 1,
                "before": 0,
                "length": 37,
            },
        ),
        (2, {**SHORTEST, "length": 40}),
    ],
)
def test_rtl_decides_as_the_emulators_at_the_same_clocks(samples_per_clock, settings, tmp_path):
    trace = pytest.importorskip("alkaid.trace")
    front_end = FrontEnd(**settings)
    logic = small_logic(trace, front_end)
    design = write_design(
        logic, front_end, tmp_path / "rtl", threshold=0.25, axi=False, samples_per_clock=samples_per_clock
    )
    assert differences(design, logic, design.sources, tmp_path / "sim") == 0


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("front_end.v", "count <= REMAINING - 2;", "count <= REMAINING - 1;"),
        ("front_end.v", "baseline <= means[GAP*ADC_BITS", "baseline <= means[(GAP-1)*ADC_BITS"),
        ("discrimen_top.v", ".GAP(GAP)", ".GAP(GAP + 1)"),
        ("discrimen_top.v", "mark[NETWORK_LATENCY-1] && !rst", "window_valid && !rst"),
    ],
)
def test_a_fault_in_the_verilog_is_found(name, old, new, logic, tmp_path):
    design = write_design(logic, FrontEnd(), tmp_path / "rtl", threshold=0.0, axi=False)
    sources = mutated(design, name=name, old=old, new=new, folder=tmp_path / "fault")
    assert differences(design, logic, sources, tmp_path / "sim") > 0


def test_a_window_one_sample_late_is_found_with_several_a_clock(logic, tmp_path):
    design = write_design(logic, FrontEnd(), tmp_path / "rtl", threshold=0.0, axi=False, samples_per_clock=4)
    late = {"name": LATE_WIDE.name, "old": LATE_WIDE.old, "new": LATE_WIDE.new}
    sources = mutated(design, folder=tmp_path / "fault", **late)
    assert differences(design, logic, sources, tmp_path / "sim") > 0


def test_axi_stream_decides_as_the_emulators_with_several_samples_a_clock(logic, tmp_path):
    design = write_design(logic, FrontEnd(), tmp_path / "rtl", threshold=0.0, axi=True, samples_per_clock=2)
    assert differences(design, logic, design.sources, tmp_path / "sim", top=AXI_TOP) == 0


@pytest.mark.parametrize("samples_per_clock", [0, 3, 8])
def test_other_numbers_of_samples_a_clock_are_refused(samples_per_clock):
    with pytest.raises(SettingsError, match="expected 1, 2 or 4"):
        timing_of(FrontEnd(), samples_per_clock)


def test_a_weight_of_the_other_sign_is_found(logic, tmp_path):
    design = write_design(logic, FrontEnd(), tmp_path / "rtl", threshold=0.0, axi=False)
    (path,) = (each for each in design.network_sources if each.name == "logic0.v")
    line = next(line for line in path.read_text().splitlines() if "shift_adder #(" in line)
    found = re.fullmatch(r"(.*shift_adder #\([^)]*,)([01])(\).*)", line)
    assert found
    head, difference, tail = found.groups()
    other = f"{head}{1 - int(difference)}{tail}"
    sources = mutated(design, name="logic0.v", old=line, new=other, folder=tmp_path / "fault")
    assert differences(design, logic, sources, tmp_path / "sim") > 0


@pytest.mark.parametrize(("receiver", "loses"), [(4, False), (2000, True)])
def test_axi_stream_gives_the_same_decisions_through_gaps_and_a_slow_receiver(receiver, loses, logic, tmp_path):
    design = write_design(logic, FrontEnd(), tmp_path / "rtl", threshold=0.0, axi=True)
    made = {"pulses": streams(design.front_end)["pulses"]}
    write_streams(tmp_path / "streams.bin", design, made)
    bench, build = Path(__file__).with_name("axi_bench.cpp"), tmp_path / "build"
    program = build_simulation(design.sources, bench, top=AXI_TOP, folder=build, constants={"RECEIVER": receiver})
    run_simulation(program, tmp_path / "streams.bin", tmp_path / "words.bin")
    *words, lost = np.fromfile(tmp_path / "words.bin", np.uint64).tolist()
    came = [(word >> 63, _signed(word & (2**30 - 1)), _signed(word >> 32 & (2**30 - 1))) for word in words]
    expected = [tuple(row[2:]) for row in expected_decisions(logic, design, made).tolist()]
    assert bool(lost) == loses
    assert (came == expected) != loses
    assert set(came) <= set(expected)


def _signed(bits):
    return bits - 2**30 if bits >> 29 else bits
