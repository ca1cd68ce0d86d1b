"""Reports of the tools as figures, comparisons as counts, and the page that shows them."""

import json
from pathlib import Path

import numpy as np
import pytest

from discrimen.errors import DataError
from discrimen.fpga.build_report import draw_utilisation, margin_line, report_lines, report_tables, totals
from discrimen.fpga.front_end import FrontEnd
from discrimen.fpga.front_end_timing import timing_of
from discrimen.fpga.project import require_no_mismatch
from discrimen.fpga.rtl_verification import LATE, NETLIST, NETLIST_XC7, RTL, Stimuli, verify_netlists
from discrimen.fpga.synthesis import Cells, Placed, cells_of, placed_of
from discrimen.fpga.tools import ToolError
from discrimen.fpga.verification import Comparison, compare
from discrimen.fpga.verilog import Design, mutated, rtl_text


@pytest.fixture
def design(tmp_path):
    source = tmp_path / "front_end.v"
    source.write_text("a <= 1;\nb <= 1;\n")
    return Design(
        folder=tmp_path,
        sources=(source,),
        network_sources=(),
        front_end=FrontEnd(),
        timing=timing_of(FrontEnd(), 1),
        logit_bits=12,
        logit_fraction=6,
        network_latency=7,
        margin=3,
    )


PLACED = Placed(fmax_mhz=(150.0, 180.0, 160.0), utilisation={"TRELLIS_FF": (100, 24288)}, bitstream=Path("top.bit"))


def test_cells_are_counted_by_kind():
    counts = {"LUT2": 4, "LUT6": 1, "INV": 2, "SRL16E": 3, "SRLC32E": 1, "FDRE": 9, "FDSE": 1, "CARRY4": 5, "BUFG": 1}
    text = json.dumps({"design": {"num_cells_by_type": counts}})
    assert cells_of(text) == Cells(lut=7, shift_lut=4, ff=10, carry4=5, dsp=0, bram=0)
    with pytest.raises(ToolError, match="hold no cells"):
        cells_of("{}")


def test_clock_and_utilisation_come_from_the_report():
    report = {
        "fmax": {"slow": {"achieved": 155.5}, "fast": {"achieved": 400.0}},
        "utilization": {"TRELLIS_FF": {"used": 10, "available": 24288}, "EBR": {"used": 0, "available": 56}},
    }
    assert placed_of(json.dumps(report)) == (155.5, {"TRELLIS_FF": (10, 24288)})
    with pytest.raises(ToolError, match="no clock"):
        placed_of(json.dumps({**report, "fmax": {}}))
    with pytest.raises(ToolError, match="not what it should be"):
        placed_of("[]")


def test_missing_different_late_and_surplus_decisions_all_count():
    expected = np.array([[0, 10, 1, 5, 9], [0, 90, 0, 7, 2], [1, 20, 1, 0, 4]])
    (same, _) = compare("step", expected, expected, ["a", "b"])
    assert (same.n_windows, same.n_mismatches) == (2, 0)
    late, wrong = expected.copy(), expected.copy()
    late[0, 1] += 1
    wrong[0, 4] = 8
    assert compare("step", expected, late, ["a", "b"])[0].n_mismatches == 2
    assert compare("step", expected, wrong, ["a", "b"])[0].n_mismatches == 1
    assert compare("step", expected, expected[1:], ["a", "b"])[0].n_mismatches == 1
    surplus = np.concatenate([expected, [[1, 55, 0, 0, 0]]])
    assert [each.n_mismatches for each in compare("step", expected, surplus, ["a", "b"])] == [0, 1]


def test_the_median_clock_gives_the_latency(design):
    comparisons = [
        Comparison(step="s", stimulus=name, n_windows=4, n_mismatches=count) for name, count in (("a", 0), ("b", 2))
    ]
    assert totals(comparisons) == {"s": (8, 2)}
    lines = report_lines(design, comparisons, {}, PLACED)
    assert lines[0] == "s: 2 mismatches in 8 windows"
    assert "160.0 MHz (median of 3 placements), 9 clocks = 56.2 ns" in lines[1]
    assert report_tables(comparisons, {}, PLACED)[1].rows.lines[0].cells[2].value == "0.4%"


def test_the_report_says_how_many_decisions_hang_on_the_last_bit():
    assert margin_line({"margin": 8, "margin - 1": 3}).endswith("8 of margin, 3 of margin - 1")
    assert "> and >= were not distinguished" in margin_line({"margin": 0, "margin - 1": 3})


def test_the_picture_shows_the_share(design):
    (axes,) = draw_utilisation(PLACED).axes
    assert axes.patches[-1].get_width() == pytest.approx(100 * 100 / 24288)


def test_a_fault_goes_into_one_file_alone(design, tmp_path):
    (changed,) = mutated(design, name="front_end.v", old="b <= 1;", new="b <= 2;", folder=tmp_path / "fault")
    assert changed.read_text() == "a <= 1;\nb <= 2;\n"
    with pytest.raises(ValueError, match="found it 2 times"):
        mutated(design, name="front_end.v", old="<= 1;", new="", folder=tmp_path / "fault")


def test_reset_fills_the_longest_delay_lines():
    assert timing_of(FrontEnd(before=15, gap=16), 1).reset_clocks == 19 + 16 + 8
    assert timing_of(FrontEnd(before=0, n_mean_log2=6, gap=5), 1).reset_clocks == 64 + 5 + 8


def test_the_front_end_names_its_shortest_window():
    text = rtl_text("front_end.v")
    assert "2 * BEFORE + PEAK_SAMPLES + 9" in text
    assert text.count("count <= REMAINING - 2;") == 1


def test_a_mismatch_is_an_error_but_for_the_fault_on_purpose(tmp_path):
    fine = Comparison(step=RTL, stimulus="pulses", n_windows=5, n_mismatches=0)
    fault = Comparison(step=LATE.step, stimulus="pulses", n_windows=5, n_mismatches=5)
    require_no_mismatch([fine, fault], tmp_path)
    wrong = Comparison(step=NETLIST, stimulus="random", n_windows=9, n_mismatches=2)
    with pytest.raises(DataError, match=r"netlist .*random: 2 mismatches in 9 windows"):
        require_no_mismatch([fine, wrong], tmp_path)


def test_the_netlist_of_the_7_series_is_compared_only_where_it_is_given(design, tmp_path, monkeypatch):
    decided = np.array([[0, 10, 1, 5, 9]])
    monkeypatch.setattr("discrimen.fpga.rtl_verification.read_decisions", lambda *_: decided)
    monkeypatch.setattr("discrimen.fpga.rtl_verification.simulated_decisions", lambda *_, **__: decided)
    monkeypatch.setattr("discrimen.fpga.rtl_verification.yosys_share", lambda: tmp_path)
    stimuli = Stimuli(streams={"pulses": decided}, path=tmp_path, expected=decided)
    for xc7, steps in ((None, [NETLIST]), (tmp_path / "xc7.v", [NETLIST, NETLIST_XC7])):
        found = verify_netlists(tmp_path / "ecp5.v", xc7, design, stimuli, tmp_path, log=lambda _: None)
        assert [(each.step, each.n_mismatches) for each in found] == [(step, 0) for step in steps]
