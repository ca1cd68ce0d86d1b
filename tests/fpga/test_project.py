"""The whole flow on a small untrained network: every step agrees, every tool ran, the report has it all."""

import json

import numpy as np
import pytest

from discrimen.errors import SettingsError
from discrimen.fpga.checks import require_mappable
from discrimen.fpga.chip_model import ChipModel, write_chip_model
from discrimen.fpga.front_end import FrontEnd
from discrimen.fpga.project import HLS_STEP, KERAS, BuildOptions, build_project
from discrimen.fpga.quantised_network import quantised_model, trace
from discrimen.fpga.rtl_verification import AXI, LATE, NETLIST, NETLIST_XC7, RTL, STRICT
from discrimen.keras_jax import load_keras

pytestmark = [pytest.mark.fpga, pytest.mark.filterwarnings("ignore")]

FRONT_END = FrontEnd(length=48)


@pytest.fixture(scope="module")
def chip_folder(tmp_path_factory):
    session = load_keras()
    pytest.importorskip("hgq")
    session.keras.utils.set_random_seed(1)
    model = quantised_model(session, length=FRONT_END.length, hidden=(3,))
    low, high = FRONT_END.value_range
    values = np.random.default_rng(2).integers(low, high + 1, (500, FRONT_END.length), dtype=np.int32)
    trace(model, values)
    chip = ChipModel(model=model, front_end=FRONT_END, threshold=0.0, efficiency=0.95, provenance={})
    folder = tmp_path_factory.mktemp("chip")
    write_chip_model(chip, folder, golden=values[:20])
    return folder


def test_the_whole_flow_agrees_at_every_step(chip_folder, tmp_path):
    options = BuildOptions(n_pulses=300, n_placements=1, axi=True, hls=True, xc7_netlist=True)
    built = build_project(chip_folder, tmp_path, options=options)
    values = json.loads((tmp_path / "fpga.json").read_text())
    counts = values["n_mismatches"]
    assert counts.pop(LATE.step) > 0
    assert counts.pop(STRICT.step) == values["n_decisions_on_margin"]["margin"] > 0
    assert counts == {KERAS: 0, RTL: 0, AXI: 0, NETLIST: 0, NETLIST_XC7: 0, HLS_STEP: 0}
    assert all(
        sum(each["n_windows"] for each in values["comparisons"] if each["step"] == step) > 300 for step in counts
    )
    assert (tmp_path / "synthesis/discrimen_top.bit").stat().st_size > 100_000
    assert values["yosys_xc7"]["whole"]["lut"] > values["yosys_xc7"]["network"]["lut"] > 0
    assert values["yosys_xc7"]["whole"]["dsp"] == values["yosys_xc7"]["whole"]["bram"] == 0
    placed = values["nextpnr_ecp5"]
    assert placed["latency_ns"] == pytest.approx(1e3 * values["latency_clocks"] / placed["median_fmax_mhz"])
    assert "not Vivado" in (tmp_path / "fpga.md").read_text()
    assert "Power" in (tmp_path / "fpga.html").read_text()
    assert any("MHz" in line for line in built.lines)


def test_a_plain_layer_is_refused_by_name(chip_folder):
    keras = load_keras().keras
    given = keras.Input((FRONT_END.length,))
    hidden = keras.layers.LSTM(2, name="memory")(keras.layers.Reshape((FRONT_END.length, 1))(given))
    with pytest.raises(SettingsError, match=r"layer 'memory' \(LSTM\) cannot be made of adders.*hgq\.layers"):
        require_mappable(keras.Model(given, hidden), FRONT_END)


def test_a_network_of_another_window_is_refused(chip_folder):
    model = quantised_model(load_keras(), length=50, hidden=(2,))
    with pytest.raises(SettingsError, match=r"takes \(50,\), the front end gives 48 samples"):
        require_mappable(model, FRONT_END)


def test_an_adc_of_another_width_is_refused_before_anything_is_written(chip_folder, tmp_path):
    with pytest.raises(SettingsError, match="12 bits, the network was trained on samples of 14"):
        build_project(chip_folder, tmp_path / "project", options=BuildOptions(adc_bits=12))
    assert not (tmp_path / "project").exists()
