"""The networks of the table: the float one and that of few bits have one form, and the hardware gives its bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from discrimen.fpga.architectures import CHIP_ARCHITECTURES
from discrimen.fpga.checks import require_mappable
from discrimen.fpga.emulator import combinational, compare_with_keras
from discrimen.fpga.float_network import float_model, logits_of
from discrimen.fpga.front_end import FrontEnd
from discrimen.fpga.quantised_network import quantised_model, trace, warm_start
from discrimen.fpga.stimuli import stress_windows
from discrimen.fpga.verification import compare, expected_decisions, simulated_decisions, write_streams
from discrimen.fpga.verilog import write_design
from discrimen.keras_jax import load_keras

pytestmark = [pytest.mark.fpga, pytest.mark.filterwarnings("ignore")]

FRONT_END = FrontEnd(length=48)
SMALL = {"mlp": {"hidden": "3"}, "patches": {"filters": 1, "hidden": "2"}, "cnn": {"filters": 1, "kernel": 3}}


def random_windows(count: int = 300) -> np.ndarray:
    low, high = FRONT_END.value_range
    return np.random.default_rng(2).integers(low, high + 1, (count, FRONT_END.length), dtype=np.int32)


@pytest.fixture(scope="module", params=CHIP_ARCHITECTURES)
def networks(request):
    """The float network and that of few bits that starts from it."""
    session = load_keras()
    pytest.importorskip("hgq")
    session.keras.utils.set_random_seed(1)
    wish = {"length": FRONT_END.length, "architecture": request.param, **SMALL[request.param]}
    floating, few_bits = float_model(session, **wish), quantised_model(session, **wish)
    warm_start(few_bits, floating)
    trace(few_bits, random_windows())
    return floating, few_bits


def test_twice_the_pulse_gives_twice_the_logits(networks):
    values = 2 * (random_windows() // 2)
    np.testing.assert_allclose(
        logits_of(networks[0], values), 2 * logits_of(networks[0], values // 2), rtol=1e-3, atol=1e-4
    )
    assert not logits_of(networks[0], np.zeros((1, FRONT_END.length), int)).any()


def test_few_bits_start_as_a_copy_of_the_float_network(networks):
    by_float, by_bits = (logits_of(each, random_windows()) for each in networks)
    assert np.corrcoef(by_bits.ravel(), by_float.ravel())[0, 1] > 0.99


def test_emulator_gives_the_bits_of_keras(networks):
    require_mappable(networks[1], FRONT_END)
    logic = combinational(networks[1], FRONT_END)
    found = compare_with_keras(logic, networks[1], stress_windows(random_windows(), FRONT_END))
    assert [each.n_mismatches for each in found] == [0] * 6
    assert found[3].n_windows == 2000


def test_verilog_gives_the_bits_of_the_emulator(networks, tmp_path: Path):
    if len(networks[1].input_shape) == 2:
        pytest.skip("dense layers alone: test_rtl.py and test_project.py")
    logic = combinational(networks[1], FRONT_END)
    design = write_design(logic, FRONT_END, tmp_path / "rtl", threshold=0.0, axi=False)
    streams = {"random": np.random.default_rng(3).integers(0, FRONT_END.highest_adc + 1, 20_000)}
    write_streams(tmp_path / "streams.bin", design, streams)
    expected = expected_decisions(logic, design, streams)
    got = simulated_decisions(design.sources, design, tmp_path / "streams.bin", folder=tmp_path / "sim")
    (found,) = compare("test", expected, got, list(streams))
    assert found.n_windows > 100
    assert found.n_mismatches == 0
