"""Pulses whose decision hangs on the last bit: they are found, and they find a comparison that is one step off."""

from dataclasses import replace

import numpy as np
import pytest

from discrimen.errors import DataError
from discrimen.fpga.front_end import FrontEnd
from discrimen.fpga.margin_stimuli import gives_itself, margin_stream, stream_of_windows
from discrimen.fpga.rtl_verification import LATE, STRICT, Stimuli, faults_to_find, require_found
from discrimen.fpga.verification import compare, expected_decisions, simulated_decisions, write_streams
from discrimen.fpga.verilog import mutated, write_design

pytestmark = [pytest.mark.fpga, pytest.mark.filterwarnings("ignore")]

CHIP = FrontEnd(length=47)


@pytest.fixture(scope="module")
def logic():
    trace = pytest.importorskip("alkaid.trace")
    ones = np.ones(CHIP.length, int)
    array = trace.FVArray.from_kif(ones, 4 * ones, 10 * ones)
    weight = np.random.default_rng(3).integers(-3, 4, (CHIP.length, 2)) * (np.arange(CHIP.length) % 8 == 0)[:, None]
    return trace.trace(array, array @ weight)


@pytest.fixture(scope="module")
def design(logic, tmp_path_factory):
    return write_design(logic, CHIP, tmp_path_factory.mktemp("rtl"), threshold=0.25, axi=False)


def pulses(front_end):
    rng = np.random.default_rng(1)
    after = np.maximum(np.arange(front_end.length) - front_end.before + 1, 0)
    made = rng.uniform(300, 9000, (200, 1)) * np.exp(-after / 8) * (after > 0) + rng.normal(0, 2, (200, len(after)))
    return np.rint(made).astype(np.int32)


@pytest.fixture(scope="module")
def stream(logic, design):
    return margin_stream(logic, design, pulses(CHIP), seed=7)


def test_half_of_the_pulses_are_on_the_margin_and_half_a_step_below(logic, design, stream):
    expected = expected_decisions(logic, design, {"margin": stream})
    difference = (expected[:, 4] - expected[:, 3]).tolist()
    assert difference == [design.margin] * 8 + [design.margin - 1] * 8
    assert expected[:, 2].tolist() == [1] * 8 + [0] * 8
    values = CHIP.windows(stream).values
    assert len(np.unique(values, axis=0)) == 16


def test_a_stream_gives_back_the_windows_it_is_made_of_and_says_which_it_does_not():
    for polarity in ("negative", "positive"):
        front_end = replace(CHIP, polarity=polarity)
        windows = pulses(front_end)[:20]
        windows[3] = 0  # nothing triggers
        windows[5] = np.roll(windows[5], 4)  # triggers elsewhere
        assert gives_itself(windows, front_end).tolist() == [i for i in range(20) if i not in (3, 5)]
        found = front_end.windows(stream_of_windows(windows[6:], front_end))
        np.testing.assert_array_equal(found.values, windows[6:])


def test_a_margin_out_of_reach_gives_no_pulse_and_no_fault_to_be_found(logic, design, tmp_path):
    beyond = replace(design, margin=2**design.logit_bits - 1)
    found = margin_stream(logic, beyond, pulses(CHIP)[:50], seed=7)
    expected = expected_decisions(logic, beyond, {"margin": found})
    stimuli = Stimuli(streams={"margin": found}, path=tmp_path, expected=expected)
    assert len(expected) == 0
    assert stimuli.on_margin(beyond.margin) == {"margin": 0, "margin - 1": 0}
    assert faults_to_find(stimuli, beyond) == (LATE,)


def test_a_margin_one_step_too_low_is_found(logic, design, stream, tmp_path):
    write_streams(tmp_path / "streams.bin", design, {"margin": stream})
    expected = expected_decisions(logic, design, {"margin": stream})
    low = mutated(design, name=STRICT.name, old=STRICT.old, new="difference >= MARGIN - 1", folder=tmp_path)
    got = simulated_decisions(low, design, tmp_path / "streams.bin", folder=tmp_path)
    (faulty,) = compare("margin - 1", expected, got, ["margin"])
    assert (faulty.n_windows, faulty.n_mismatches) == (16, 8)


def test_a_fault_that_is_not_found_is_an_error(logic, design, stream):
    expected = expected_decisions(logic, design, {"margin": stream})
    with pytest.raises(DataError, match=r"> instead of >=: the same 16 decisions"):
        require_found(STRICT, compare(STRICT.step, expected, expected, ["margin"]))
