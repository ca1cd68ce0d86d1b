"""settings.xml of CoMPASS: what is read from it, and which one belongs to a run file."""

from __future__ import annotations

from pathlib import Path

import pytest

from discrimen.errors import SettingsError
from discrimen.formats.compass.files import earlier_files, run_name
from discrimen.formats.compass.settings import find_compass_settings, read_compass_settings, with_companion
from discrimen.formats.compass.settings_xml import MAX_BYTES, WrittenBoard, settings_xml
from discrimen.pulses.detector import DetectorSettings, GatesNs

NOTHING = DetectorSettings()
FULL = DetectorSettings(
    polarity="negative",
    pretrigger_ns=96.0,
    adc_bits=14,
    gates=GatesNs(gate_start_ns=-50.0, short_gate_end_ns=30.0, long_gate_end_ns=250.0),
)


def write_settings(path: Path, settings: DetectorSettings = FULL, **period_ns: float) -> Path:
    boards = {int(name[1:]): WrittenBoard(period, 100) for name, period in period_ns.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(settings_xml(boards or {0: WrittenBoard(2.0, 100)}, settings))
    return path


def board_xml(*, parameters: str = "", channels: str = "", period_ps: str = "2000") -> str:
    return (
        f"<configuration><board><serialNumber>7</serialNumber><sampleTime>{period_ps}</sampleTime>"
        f"<parameters>{parameters}</parameters>{channels}</board></configuration>"
    )


def entry(key: str, value: str, *, wrapped: bool = True) -> str:
    inner = f"<value><value>{value}</value></value>" if wrapped else f"<value>{value}</value>"
    return f"<entry><key>{key}</key>{inner}</entry>"


def test_what_was_written_is_read(tmp_path: Path) -> None:
    settings = read_compass_settings(write_settings(tmp_path / "settings.xml", b0=2.0, b1=4.0))
    assert settings.sample_periods_ns() == (2.0, 4.0)
    assert settings.of(1, 3) == FULL.merged(sample_period_ns=4.0)
    assert settings.boards[0].record_length_ns == 200.0


def test_a_channel_overrides_its_board(tmp_path: Path) -> None:
    own = entry("SRV_PARAM_CH_POLARITY", "POLARITY_NEGATIVE", wrapped=False)
    off = entry("SRV_PARAM_CH_ENABLED", "false", wrapped=False)
    path = tmp_path / "settings.xml"
    path.write_text(
        board_xml(
            parameters=entry("SRV_PARAM_CH_POLARITY", "POLARITY_POSITIVE") + entry("SRV_PARAM_CH_PRETRG", "40.0"),
            channels=f"<channel><index>0</index><values>{own}</values></channel>"
            f"<channel><index>1</index><values>{off}</values></channel><channel><index>2</index><values/></channel>",
        )
    )
    settings = read_compass_settings(path)
    assert [settings.of(0, channel).polarity for channel in (0, 1, 2, 9)] == ["negative", *3 * ["positive"]]
    assert settings.of(0, 0).pretrigger_ns == 40.0
    assert settings.of(5, 0) == NOTHING
    # Channels 0 and 2 take data and differ in polarity; a file of channel 2 alone is positive.
    assert settings.common(Path("run.BIN")).polarity is None
    assert settings.common(Path("run.BIN")).sample_period_ns == 2.0
    assert settings.common(Path("DataR_CH2@DT5730_7_run.BIN")).polarity == "positive"


@pytest.mark.parametrize(
    ("value", "period_ns"), [("", 2.0), ("DOWNSAMPLING_1", 2.0), ("DOWNSAMPLING_4", 8.0), ("OFF", 2.0), ("?", None)]
)
def test_downsampled_waveforms_have_a_longer_period(tmp_path: Path, value: str, period_ns: float | None) -> None:
    path = tmp_path / "settings.xml"
    path.write_text(board_xml(parameters=entry("SRV_PARAM_WAVEFORM_DOWNSAMPLING", value)))
    assert read_compass_settings(path).sample_periods_ns() == (period_ns,)


@pytest.mark.parametrize("period_ps", ["", "abc", "0", "-5", "nan", "inf"])
def test_a_senseless_sampling_period_is_unknown(tmp_path: Path, period_ps: str) -> None:
    path = tmp_path / "settings.xml"
    path.write_text(board_xml(period_ps=period_ps))
    assert read_compass_settings(path).sample_periods_ns() == (None,)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('<!DOCTYPE a [<!ENTITY b "c">]><configuration><board>&b;</board></configuration>', "document type"),
        ("<configuration><board>", "well-formed"),
        ("", "well-formed"),
        ("<settings/>", "configuration/board"),
        ("<configuration/>", "configuration/board"),
    ],
)
def test_hostile_or_broken_xml_is_refused(tmp_path: Path, content: str, problem: str) -> None:
    path = tmp_path / "settings.xml"
    path.write_text(content)
    with pytest.raises(SettingsError, match=problem):
        read_compass_settings(path)


def test_a_document_type_is_refused_in_any_encoding(tmp_path: Path) -> None:
    path = tmp_path / "settings.xml"
    path.write_bytes('<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a><a/>'.encode("utf-16"))
    with pytest.raises(SettingsError, match="document type"):
        read_compass_settings(path)


def test_an_enormous_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "settings.xml"
    with path.open("wb") as stream:
        stream.truncate(MAX_BYTES + 1)
    with pytest.raises(SettingsError, match="larger than"):
        read_compass_settings(path)


def test_an_absent_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot read"):
        find_compass_settings(tmp_path / "run.BIN", given=tmp_path / "none.xml", known=NOTHING)


@pytest.mark.parametrize(
    "place", ["run/RAW/run_settings.xml", "run/RAW/settings.xml", "run/settings.xml", "run/RAW/my_Settings_1.xml"]
)
@pytest.mark.parametrize("name", ["run.BIN", "run_2.BIN"])
def test_settings_are_found_beside_the_run_and_above(tmp_path: Path, place: str, name: str) -> None:
    expected = write_settings(tmp_path / place)
    (tmp_path / "run/RAW").mkdir(exist_ok=True)
    found = find_compass_settings(tmp_path / "run/RAW" / name, given=None, known=NOTHING)
    assert found is not None
    assert found.path == expected


@pytest.mark.parametrize(("folder", "found"), [("RAW", True), ("FILTERED", True), ("elsewhere", False)])
def test_any_name_counts_above_the_folders_of_compass_only(tmp_path: Path, folder: str, found: bool) -> None:
    write_settings(tmp_path / "run_7_settings.xml")
    (tmp_path / folder).mkdir()
    assert (find_compass_settings(tmp_path / folder / "x.BIN", given=None, known=NOTHING) is not None) == found


def test_settings_named_after_another_run_speak_for_that_run_only(tmp_path: Path) -> None:
    write_settings(tmp_path / "sim_settings.xml")
    assert find_compass_settings(tmp_path / "run7.BIN", given=None, known=NOTHING) is None
    assert find_compass_settings(tmp_path / "sim.BIN", given=None, known=NOTHING) is not None


def test_a_foreign_settings_file_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "settings.xml").write_text("<settings><mirror/></settings>")
    assert find_compass_settings(tmp_path / "run.BIN", given=None, known=NOTHING) is None


def test_the_file_with_the_name_of_the_run_wins(tmp_path: Path) -> None:
    own = write_settings(tmp_path / "run_settings.xml", b0=4.0)
    write_settings(tmp_path / "settings.xml", b0=2.0)
    found = find_compass_settings(tmp_path / "run.BIN", given=None, known=NOTHING)
    assert found is not None
    assert found.path == own


def test_settings_that_contradict_each_other_are_not_guessed(tmp_path: Path) -> None:
    write_settings(tmp_path / "run/settings.xml", b0=2.0)
    write_settings(tmp_path / "run/RAW/settings.xml", b0=4.0)
    run = tmp_path / "run/RAW/run.BIN"
    with pytest.raises(SettingsError, match=r"sample_period_ns.*--companion"):
        find_compass_settings(run, given=None, known=NOTHING)
    assert find_compass_settings(run, given=None, known=DetectorSettings(sample_period_ns=2.0)) is not None
    assert find_compass_settings(run, given=tmp_path / "run/settings.xml", known=NOTHING) is not None


def test_the_command_line_wins_over_the_file(tmp_path: Path) -> None:
    companion = read_compass_settings(write_settings(tmp_path / "settings.xml"))
    merged, source = with_companion(tmp_path / "run.BIN", DetectorSettings(polarity="positive"), companion)
    assert (merged.polarity, merged.sample_period_ns) == ("positive", 2.0)
    assert (source["polarity"], source["sample_period_ns"]) == ("command line", "settings.xml")


def test_the_run_of_a_continuation_file_is_known_by_name(tmp_path: Path) -> None:
    for name in ("run.BIN", "run_1.BIN", "run_2.BIN"):
        (tmp_path / name).touch()
    assert run_name(tmp_path / "run_2.BIN") == "run"
    assert [path.name for path in earlier_files(tmp_path / "run_2.BIN")] == ["run.BIN", "run_1.BIN"]
    assert earlier_files(tmp_path / "run.BIN") == []


@pytest.mark.real_data
def test_the_settings_of_a_real_run_are_found(real_data: Path) -> None:
    found = find_compass_settings(real_data / "compass/compass_test_data.BIN", given=None, known=NOTHING)
    assert found is not None
    assert found.boards[0].enabled == (0, 1)
    assert found.boards[0].record_length_ns == 2000.0
    assert found.of(0, 1) == DetectorSettings(
        sample_period_ns=2.0,
        polarity="positive",
        pretrigger_ns=96.0,
        adc_bits=14,
        gates=GatesNs(gate_start_ns=-50.0, short_gate_end_ns=30.0, long_gate_end_ns=250.0),
    )


def test_a_linked_run_file_finds_the_settings_of_the_file_behind_it(tmp_path: Path) -> None:
    run = tmp_path / "DAQ" / "run_1" / "RAW" / "DataR_CH0@DT5730_7_run_1.BIN"
    write_settings(tmp_path / "DAQ" / "run_1" / "settings.xml", b0=4.0)
    run.parent.mkdir()
    run.write_bytes(b"")
    link = tmp_path / "elsewhere" / "run.BIN"
    link.parent.mkdir()
    link.symlink_to(run)
    found = find_compass_settings(link, given=None, known=NOTHING)
    assert found is not None
    assert found.sample_periods_ns() == (4.0,)
    write_settings(link.with_name("settings.xml"), b0=2.0)
    nearer = find_compass_settings(link, given=None, known=NOTHING)
    assert nearer is not None
    assert nearer.sample_periods_ns() == (2.0,)
