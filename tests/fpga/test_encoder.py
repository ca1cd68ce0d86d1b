"""The encoder of an auto-encoder on chip: fixed words, the same bits everywhere, nearly the float reconstruction."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from discrimen.cli.main import app
from discrimen.errors import FormatError, SettingsError
from discrimen.fpga.chip_model import DESCRIPTION, GOLDEN
from discrimen.fpga.emulator import combinational, compare_with_keras
from discrimen.fpga.encoder_model import (
    DECODER,
    ChipEncoder,
    is_encoder_folder,
    read_chip_encoder,
    write_chip_encoder,
)
from discrimen.fpga.encoder_network import (
    WORDS,
    ChipEncoderOptions,
    check_encoder_options,
    train_encoder,
    train_float_autoencoder,
    weights_of,
)
from discrimen.fpga.encoder_run import EncoderConfig, missed_by
from discrimen.fpga.encoder_verilog import expected_codes, simulated_codes, write_encoder_design
from discrimen.fpga.float_network import logits_of
from discrimen.fpga.front_end import FrontEnd
from discrimen.fpga.quantised_network import FewBits, ebops_of
from discrimen.fpga.stimuli import at_the_rail, stress_windows
from discrimen.fpga.verification import compare, write_streams
from discrimen.fpga.verilog import mutated
from discrimen.keras_jax import load_keras

pytestmark = pytest.mark.filterwarnings("ignore")
FRONT_END = FrontEnd(length=48)
OPTIONS = ChipEncoderOptions(hidden=(6,), code=5, word_bits=14)


def pulses(count: int, seed: int) -> np.ndarray:
    """Pulses of two decay times with noise of 3 counts."""
    rng = np.random.default_rng(seed)
    time = np.maximum(np.arange(FRONT_END.length) - 15, 0)
    slow = rng.uniform(0.05, 0.4, (count, 1))
    shape = (time > 0) * ((1 - slow) * np.exp(-time / 4) + slow * np.exp(-time / 20))
    return np.rint(rng.uniform(200, 5000, (count, 1)) * shape + rng.normal(0, 3, shape.shape)).astype(np.int32)


@pytest.fixture(scope="module")
def trained():
    """A float auto-encoder and one of few bits."""
    session = load_keras()
    pytest.importorskip("hgq")
    values = pulses(3000, 1)
    given = {"options": OPTIONS, "worst": at_the_rail(values, high=15000), "integer_bits": 4}
    start = train_float_autoencoder(session, values, epochs=20, batch_size=50, seed=2, **given)
    how = FewBits(beta=1e-5, epochs=20, batch_size=50)
    return start, train_encoder(session, start, values, how=how, **given)


@pytest.fixture
def chip(trained):
    return ChipEncoder(autoencoder=trained[1], front_end=FRONT_END, word_bits=14, integer_bits=4, provenance={})


@pytest.mark.fpga
def test_few_bits_miss_little_more_than_the_float_network(trained):
    values = pulses(1000, 2)
    start, few_bits = (missed_by(each, values) for each in trained)
    nothing = np.sqrt(np.mean(values.astype(float) ** 2))
    assert start.rms_adc < 0.1 * nothing
    assert few_bits.rms_adc < 2 * start.rms_adc
    assert few_bits.low < few_bits.rms_adc < few_bits.high
    assert 0 < ebops_of(trained[1].encoder) < 20_000


@pytest.mark.fpga
def test_float_code_just_fills_its_words(trained):
    code = logits_of(trained[0].encoder, at_the_rail(pulses(3000, 1), high=15000))
    np.testing.assert_allclose(np.abs(code).max(axis=0), 16, rtol=1e-3)


@pytest.mark.fpga
def test_words_have_their_bits_and_saturate(trained):
    values = pulses(500, 3)
    code = logits_of(trained[1].encoder, np.concatenate([values, 20 * values])).astype(float)
    steps = code * 2**9
    np.testing.assert_array_equal(steps, np.rint(steps))
    assert (steps.min() >= -(2**13), steps.max() <= 2**13 - 1) == (True, True)
    assert np.isin(steps, (-(2**13), 2**13 - 1)).any()
    assert len(np.unique(steps[:, 0])) > 100
    assert trained[1].encoder.layers[-1].name == WORDS


@pytest.mark.fpga
def test_folder_is_read_again_and_gives_its_golden_code(chip, tmp_path: Path):
    values = pulses(100, 4)
    write_chip_encoder(chip, tmp_path, golden=values)
    session = load_keras()
    again, golden = read_chip_encoder(session, tmp_path), np.load(tmp_path / GOLDEN)
    assert is_encoder_folder(tmp_path)
    assert (again.front_end, again.code_bits, again.n_words) == (FRONT_END, 70, 5)
    assert again.compression == pytest.approx(48 * 14 / 70)
    np.testing.assert_array_equal(logits_of(again.autoencoder.encoder, values), golden["code"])
    np.testing.assert_array_equal(again.autoencoder.reconstructed(values), chip.autoencoder.reconstructed(values))
    logic = combinational(again.autoencoder.encoder, FRONT_END)
    found = compare_with_keras(logic, again.autoencoder.encoder, stress_windows(values, FRONT_END))
    assert [each.n_mismatches for each in found] == [0] * 6
    with (tmp_path / DECODER).open("ab") as stream:
        stream.write(b" ")
    with pytest.raises(FormatError, match="not the network that"):
        read_chip_encoder(session, tmp_path)


@pytest.mark.fpga
@pytest.mark.parametrize(("old", "new", "same"), [(None, None, True), ("code <= words", "code <= ~words", False)])
def test_verilog_gives_the_words_of_the_emulator(old, new, same, tmp_path: Path):
    """A code of 3 words of all bits that the sum of some samples needs: more than 32 bits, fewer than 64."""
    trace = pytest.importorskip("alkaid.trace")
    ones = np.ones(FRONT_END.length, int)
    array = trace.FVArray.from_kif(ones, 4 * ones, 10 * ones)
    weight = (
        np.random.default_rng(3).integers(-3, 4, (FRONT_END.length, 3))
        * (np.arange(FRONT_END.length) % 6 == 5)[:, None]
    )
    logic = trace.trace(array, array @ weight)
    design = write_encoder_design(logic, FRONT_END, tmp_path / "rtl", n_words=3)
    stream = np.random.default_rng(5).integers(0, FRONT_END.highest_adc + 1, 20_000)
    write_streams(tmp_path / "streams.bin", design, {"random": stream})
    expected = expected_codes(logic, design, {"random": stream})
    sources = design.sources
    if old is not None:
        sources = mutated(design, name="discrimen_encoder_top.v", old=old, new=new, folder=tmp_path / "fault")
    got = simulated_codes(sources, design, tmp_path / "streams.bin", folder=tmp_path / "sim")
    (found,) = compare("test", expected, got, ["random"])
    assert found.n_windows > 100
    assert (found.n_mismatches == 0) == same


@pytest.mark.fpga
def test_the_command_trains_and_builds(tmp_path: Path):
    runs = [str(tmp_path / f"{seed}.lh5") for seed in (1, 2)]
    for seed, path in enumerate(runs):
        given = ["simulate", "--digitizer", "NUMEXO2-NEDA", "-n", "800", "--seed", str(seed), "-o", path]
        assert CliRunner().invoke(app, given).exit_code == 0
    few = (
        "--float-trainings 1 --float-epochs 5 --bit-trainings 1 --epochs 5 --batch-size 50 --option code=3 --beta 1e-3"
    )
    train = ["fpga", "train", runs[0], "--task", "encode", "--validation", runs[1], "-o", str(tmp_path / "chip")]
    told = CliRunner().invoke(app, [*train, *few.split()])
    assert told.exit_code == 0, told.output
    assert "3 words of 14 bits, 25.0 times fewer" in told.output
    figures = json.loads((tmp_path / "chip/training.json").read_text())
    assert figures["compression"] == 25
    assert [each["n_mismatches"] for each in figures["agreement"]] == [0] * 7
    assert (tmp_path / "chip/reconstruction.png").stat().st_size > 10_000
    build = ["fpga", "build", str(tmp_path / "chip"), "-o", str(tmp_path / "project"), "--n-pulses", "100"]
    told = CliRunner().invoke(app, [*build, "--no-implement"])
    assert told.exit_code == 0, told.output
    counts = json.loads((tmp_path / "project/fpga.json").read_text())["n_mismatches"]
    assert [count == 0 for count in counts.values()] == [True, True, False]
    refused = CliRunner().invoke(app, [*train, "--architecture", "cnn"])
    assert refused.exit_code != 0


def test_weights_are_one_over_the_height():
    values = np.array([[0, 10], [20, 5], [-3, -1]])
    np.testing.assert_allclose(weights_of(values), np.array([0.1, 0.05, 1.0]) / (1.15 / 3), rtol=1e-6)


def test_missed_is_the_root_mean_square():
    class Half:
        def reconstructed(self, values):
            return values / 2

    found = missed_by(Half(), np.array([[6, 8], [6, 8]]))
    assert (found.low, found.rms_adc, found.high) == pytest.approx((12.5**0.5,) * 3)
    assert missed_by(Half(), np.array([[6, 8], [0, 0]])).high > 12.5**0.5 / 2**0.5


def test_what_cannot_be_is_refused(tmp_path: Path):
    with pytest.raises(SettingsError, match=r"options of the encoder \(hidden, code, word_bits\): codes: Extra"):
        check_encoder_options({"codes": "3"})
    with pytest.raises(SettingsError, match="words of 5 bits are too short for the ADC: expected at least 6"):
        EncoderConfig(front_end=FRONT_END, options={"word_bits": "5"})
    (tmp_path / DESCRIPTION).write_text('{"kind": "discrimen chip model"}')
    assert not is_encoder_folder(tmp_path)
    with pytest.raises(FormatError, match="expected a discrimen chip encoder of version 1"):
        read_chip_encoder(None, tmp_path)
