"""The two halves of an auto-encoder give together what the whole gives, in every engine."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from tests.network.models import FLAT, STEPS, Built, convolutional_autoencoder, two_classes
from tests.network.pulses import FALLING, LENGTH, frozen, raw_pulses
from tests.network.weights import Graph, Weights

from discrimen.errors import SettingsError
from discrimen.inference.native import NativePredictor
from discrimen.inference.reference_predictor import ReferencePredictor
from discrimen.network import layers
from discrimen.network.frozen_file import read_frozen, write_frozen
from discrimen.network.model_description import ModelDescription
from discrimen.network.outputs import PREPARED, Output
from discrimen.network.parts import decoder_of, encoder_of, write_part
from discrimen.network.prepare import prepare
from discrimen.output.provenance import sha256_of_file

RELATIVE = 1e-5
WAVEFORM = Output(name="reconstruction", kind="waveform", shape=(1, LENGTH), unit=PREPARED)


def convolutional() -> Built:
    network, described = convolutional_autoencoder()
    code = replace(described.outputs[1], activation="linear")
    return network, replace(described, outputs=(described.outputs[0], code))


def with_steps_in_its_code() -> Built:
    """A code of two axes, which a decoder gets as one row."""
    w, g = Weights(3), Graph()
    code = g.through((STEPS, w.conv(4, 1, 2, stride=4, padding="same", activation="tanh")))
    waveform = g(layers.Permute(), g.through((w.transpose(4, 1, 2, stride=4, padding="same"),), code))
    outputs = (WAVEFORM, Output(name="code", kind="code", shape=(5, 2), unit="1"))
    return g.network(waveform, code), ModelDescription(preparation=FALLING, outputs=outputs)


MODELS = {"convolutional": convolutional, "with steps in its code": with_steps_in_its_code}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("engine", [NativePredictor, ReferencePredictor])
def test_the_halves_give_what_the_whole_gives(
    tmp_path: Path, name: str, engine: type[NativePredictor | ReferencePredictor]
) -> None:
    whole = frozen(*MODELS[name]())
    paths = {part: tmp_path / f"{part}.discrimen" for part in ("whole", "encoder", "decoder")}
    write_frozen(whole, paths["whole"])
    write_part(paths["whole"], "encoder", paths["encoder"])
    write_part(paths["whole"], "decoder", paths["decoder"])
    samples = raw_pulses(FALLING, 200, seed=9)
    waveform, code = engine(paths["whole"]).run(samples)
    (code_alone,) = engine(paths["encoder"]).run(samples)
    records = np.asarray(code_alone, np.float32).reshape(len(samples), 1, -1)
    (waveform_alone,) = engine(paths["decoder"]).run(records)
    assert np.abs(waveform).max() > 0.1
    assert_allclose(code_alone, code, rtol=0, atol=RELATIVE * np.abs(code).max())
    assert_allclose(waveform_alone, waveform, rtol=0, atol=RELATIVE * np.abs(waveform).max())


def test_a_half_says_what_it_is_a_half_of(tmp_path: Path) -> None:
    write_frozen(frozen(*convolutional()), tmp_path / "whole.discrimen")
    write_part(tmp_path / "whole.discrimen", "decoder", tmp_path / "decoder.discrimen")
    described = read_frozen(tmp_path / "decoder.discrimen").description
    told = described.provenance["part"]
    assert told["name"] == "decoder"
    assert told["of_sha256"] == sha256_of_file(tmp_path / "whole.discrimen")
    assert told["preparation"] == FALLING.as_dict()
    assert [output.name for output in described.outputs] == ["reconstructed"]


def test_a_decoder_takes_codes_as_they_are() -> None:
    decoder = decoder_of(frozen(*convolutional()))
    codes = np.array([[[0.25, -3.0, 1e-3]], [[0.0, 0.0, 0.0]]], np.float32)
    prepared = prepare(codes, decoder.description.preparation)
    assert prepared.valid.all()
    assert np.array_equal(prepared.waveforms, codes)


def test_a_half_has_only_its_own_layers() -> None:
    whole = frozen(*convolutional())
    encoder, decoder = encoder_of(whole), decoder_of(whole)
    # A layer that gives the record the shape of the code stands before the decoder's.
    assert len(encoder.network.nodes) + len(decoder.network.nodes) == len(whole.network.nodes) + 1


def past_its_code() -> Built:
    w, g = Weights(), Graph()
    code = g.through((FLAT, w.dense(LENGTH, 3)))
    beside = g.through((FLAT, w.dense(LENGTH, 3)))
    joined = g(layers.Concatenate(), code, beside)
    waveform = g.through((w.dense(6, LENGTH), layers.Reshape(steps=1, channels=LENGTH)), joined)
    outputs = (WAVEFORM, Output(name="code", kind="code", shape=(3,), unit="1"))
    return g.network(waveform, code), ModelDescription(preparation=FALLING, outputs=outputs)


@pytest.mark.parametrize(
    ("built", "message"),
    [
        (two_classes, "models that give the code of an auto-encoder; this one gives scores"),
        (convolutional_autoencoder, "passes through tanh behind its network"),
        (past_its_code, "made of the pulse itself"),
    ],
)
def test_what_has_no_two_halves_is_refused(built: Callable[[], Built], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        decoder_of(frozen(*built()))


def command(arguments: Sequence[str | Path], monkeypatch: pytest.MonkeyPatch) -> int:
    from discrimen.cli.main import main

    monkeypatch.setattr(sys, "argv", ["discrimen", "freeze", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_the_command_writes_the_halves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, encoder, decoder = (tmp_path / f"{name}.discrimen" for name in ("whole", "encoder", "decoder"))
    write_frozen(frozen(*convolutional()), whole)
    assert command([whole, "--encoder", encoder, "--decoder", decoder, "--json"], monkeypatch) == 0
    assert json.loads(capsys.readouterr().out)["decoder"] == str(decoder)
    assert read_frozen(encoder).description.outputs[0].kind == "code"
    assert read_frozen(decoder).description.preparation.window_length == 3
    assert command([whole, "--encoder", whole], monkeypatch) == 2
    assert "a name of its own" in capsys.readouterr().err
