"""The hardware veto on neutrons and gammas: what it lets through, and when."""

from pathlib import Path

import numpy as np
import pytest

from discrimen.fpga.front_end import FrontEnd
from discrimen.fpga.verification import expected_decisions, simulated_decisions, write_streams
from discrimen.fpga.verilog import VETO, write_design

pytestmark = [pytest.mark.fpga, pytest.mark.filterwarnings("ignore")]

CHIP = FrontEnd()
JITTER = 2
PULSE_SAMPLES = 220


def tail_minus_peak(trace):
    """Logits whose difference is positive where much of the pulse lies in its tail."""
    ones = np.ones(CHIP.length, int)
    array = trace.FVArray.from_kif(ones, 4 * ones, 10 * ones)
    after = np.arange(CHIP.length) - CHIP.before
    weight = np.column_stack([(after >= 0) & (after < 12), 4 * (after >= 12)]).astype(int)
    return trace.trace(array, array @ weight)


def pulses(is_neutron, rng):
    """Fall from the pedestal at sample 100 of each stretch of PULSE_SAMPLES; neutrons have the longer tail."""
    after = np.arange(PULSE_SAMPLES) - 100
    share = np.where(is_neutron, 0.25, 0.05)[:, None]
    shape = (after >= 0) * ((1 - share) * np.exp(-after / 4) + share * np.exp(-after / 30))
    height = rng.uniform(500, 8000, (len(is_neutron), 1))
    return np.rint(15000 - height * shape + rng.normal(0, 2, shape.shape)).astype(np.int32).reshape(-1)


def test_the_veto_lets_the_neutrons_through_after_its_delay_and_nothing_else(tmp_path):
    trace = pytest.importorskip("alkaid.trace")
    rng = np.random.default_rng(8)
    is_neutron = rng.random(300) < 0.4
    stream = np.concatenate([pulses(is_neutron, rng), np.full(300, 15000, np.int32)])
    logic = tail_minus_peak(trace)
    design = write_design(logic, CHIP, tmp_path / "rtl", threshold=0.0, axi=False)
    found = CHIP.windows(stream)
    decided = expected_decisions(logic, design, {"pulses": stream})[:, 2].astype(bool)
    assert decided.tolist() == is_neutron.tolist()

    off = rng.integers(-JITTER - 1, JITTER + 2, len(found.trigger))
    triggers = found.trigger + off
    stream[triggers] |= 1 << CHIP.adc_bits
    write_streams(tmp_path / "streams.bin", design, {"pulses": stream})
    top = tmp_path / "veto_top.v"
    text = Path(__file__).with_name("veto_top.v").read_text()
    top.write_text(f"`define LOGIT_BITS {design.logit_bits}\n{text}")
    sources = [top, design.folder / VETO, *design.sources]
    came = simulated_decisions(sources, design, tmp_path / "streams.bin", folder=tmp_path / "sim", top="veto_top")

    delay = CHIP.length - CHIP.before - 1 + design.latency + 1 + JITTER
    on_time = np.abs(off) <= JITTER
    assert 0 < (is_neutron & ~on_time).sum() < is_neutron.sum()
    assert came[:, 1].tolist() == (triggers + delay)[is_neutron & on_time].tolist()
