"""A generator from simulated pulses to new ones: its records, what it learns, what is frozen of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.training.test_resume import KillAfter, Killed

from discrimen.errors import DataError, FormatError, SettingsError
from discrimen.freezing.freeze import freeze
from discrimen.keras_jax import load_keras
from discrimen.models.conditional import build_conditional, taught_part
from discrimen.network.frozen_file import read_frozen
from discrimen.network.generator import unpack_generator
from discrimen.network.preparation import Alignment, Preparation
from discrimen.network.prepare import choose_preparation
from discrimen.pulses import Pulses, concatenate
from discrimen.pulses.detector import DetectorSettings
from discrimen.reconstruction.generate import PulseGenerator
from discrimen.reconstruction.generation_options import GenerationOptions
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.settings import detector_settings
from discrimen.simulation.simulate import simulate
from discrimen.training import Generation, TrainingConfig, TrainingResult, resume, train
from discrimen.training.generator_records import generator_records
from discrimen.training.tasks import task_from_dict

SIMULATED = SimulationConfig(n_pulses=3000, energy_min_kevee=80, energy_max_kevee=160, seed=3)
CONFIG = TrainingConfig(
    task=Generation(),
    architecture="dense_autoencoder",
    options={"code": 4, "hidden": (24,)},
    epochs=40,
    learning_rate=0.005,
    learning_rate_decay="cosine",
)
CLASSES = ("gamma", "neutron")


def settings() -> DetectorSettings:
    return detector_settings(SIMULATED)


def preparation() -> Preparation:
    return choose_preparation(settings(), n_samples=75)


@pytest.fixture(scope="module")
def pulses() -> Pulses:
    return simulate(SIMULATED)


@pytest.fixture(scope="module")
def result(pulses: Pulses, tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    folder = tmp_path_factory.mktemp("generation") / "model"
    return train(pulses, preparation(), CONFIG, folder=folder, settings=settings())


@pytest.fixture(scope="module")
def frozen(result: TrainingResult) -> Path:
    return freeze(result.folder, result.folder.with_name("generator.discrimen")).path


def test_noise_and_growth_of_the_spread_are_learned(pulses: Pulses) -> None:
    records = generator_records(pulses, preparation(), CONFIG.task, adc_bits=14)
    assert records.stabilisation.noise_adc == pytest.approx(np.hypot(3, np.sqrt(1 / 12)), rel=0.02)
    label, light = pulses.column("label"), pulses.column("energy_kevee")
    for number in (0, 1):
        inside = np.flatnonzero(label == number)
        ordered = records.pulses.samples[inside[np.argsort(light[inside])], 22:75]
        # Behind the peak two pulses of one class and light differ by their photons and the noise alone.
        assert np.std(np.diff(ordered, axis=0)) / np.sqrt(2) == pytest.approx(1, abs=0.08)


def test_class_and_light_stand_behind_the_waveform(pulses: Pulses) -> None:
    records = generator_records(pulses, preparation(), CONFIG.task, adc_bits=14)
    assert records.preparation.shape == (1, 78)
    condition = records.pulses.samples[:, 75:]
    np.testing.assert_array_equal(condition[:, 1], pulses.column("label") == 1)
    assert condition[:, 2].mean() == pytest.approx(0, abs=1e-3)
    assert condition[:, 2].std() == pytest.approx(1, abs=1e-3)


def test_pulses_that_cannot_teach_are_left_out_and_counted(pulses: Pulses) -> None:
    light, samples = pulses.column("energy_kevee").copy(), pulses.samples.copy()
    light[:5], samples[5:9, 20] = [np.nan, 0, -1, np.inf, np.nan], 0
    records = generator_records(
        pulses.replace(energy_kevee=light, samples=samples), preparation(), CONFIG.task, adc_bits=14
    )
    assert records.left_out == {"without light (energy_kevee)": 5, "saturated": 4}
    assert (records.pulses.column("label")[:9] == -1).all()
    assert (records.pulses.column("label")[9:] == pulses.column("label")[9:]).all()


def test_data_without_light_class_or_noise_are_refused(pulses: Pulses) -> None:
    def refuse(given: Pulses, said: str, *, prepared: Preparation | None = None) -> None:
        with pytest.raises((DataError, SettingsError), match=said):
            generator_records(given, prepared or preparation(), CONFIG.task, adc_bits=14)

    refuse(pulses.replace(energy_kevee=None), "no column 'energy_kevee'")
    refuse(pulses.replace(label=None), "no column 'label'")
    refuse(pulses[pulses.column("label") == 0], "at least 200 pulses of each class, got 0 of neutron")
    smooth = np.broadcast_to(pulses.samples[:1], pulses.samples.shape).copy()
    smooth[:, :13] = 8000
    refuse(pulses.replace(samples=smooth), "the noise as it was recorded")
    aligned = replace(preparation(), alignment=Alignment(fraction=0.3, position=10))
    refuse(pulses, "whole records: train without --align", prepared=aligned)
    refuse(pulses, "whole records", prepared=choose_preparation(settings(), n_samples=75, window_length=40))


BY_HEIGHT = Generation((), size="height_adc")


def test_pulses_without_classes_and_light_are_told_by_their_height(pulses: Pulses) -> None:
    bare = pulses.replace(label=None, energy_kevee=None)
    records = generator_records(bare, preparation(), BY_HEIGHT, adc_bits=14)
    assert records.preparation.shape == (1, 76)
    used = records.pulses.column("label") == 0
    quiet = pulses.samples[:, :13].mean(axis=1)
    assert (records.size - np.abs(pulses.samples - quiet[:, np.newaxis]).max(axis=1))[used] == pytest.approx(0, abs=1)
    assert records.pulses.samples[used, 75].std() == pytest.approx(1, abs=1e-3)


def test_piled_up_records_are_no_pulses_of_a_height(pulses: Pulses) -> None:
    late = np.roll(pulses.samples[:60].astype(np.int64) - 15_000, 35, axis=1) // 2
    late[:, :40] = 0
    samples = pulses.samples.copy()
    samples[:60] = (samples[:60] + late).astype(samples.dtype)
    records = generator_records(pulses.replace(samples=samples), preparation(), BY_HEIGHT, adc_bits=14)
    label = records.pulses.column("label")
    assert records.left_out["piled up"] == np.count_nonzero(label == -1)
    assert (label[:60] == -1).mean() > 0.9
    assert (label[60:] == -1).mean() < 0.02


def test_pulses_that_do_not_come_at_one_time_fluctuate_no_more(pulses: Pulses) -> None:
    by = np.random.default_rng(2).integers(0, 15, len(pulses))
    moved = np.stack([np.roll(each, n) for each, n in zip(pulses.samples, by, strict=True)])
    spread = [
        generator_records(pulses.replace(samples=each), preparation(), BY_HEIGHT, adc_bits=14).stabilisation.photon_adc
        for each in (pulses.samples, moved)
    ]
    assert spread[1] == pytest.approx(spread[0], rel=0.15)


def test_fewer_pulses_are_taken_if_asked_and_refused_with_numbers(pulses: Pulses) -> None:
    few = pulses[:120]
    with pytest.raises(DataError, match=r"at least 200 pulses, got 120; --fewest N takes fewer, 50 at least"):
        generator_records(few, preparation(), BY_HEIGHT, adc_bits=14)
    assert len(generator_records(few, preparation(), replace(BY_HEIGHT, fewest=100), adc_bits=14).size) == 120
    with pytest.raises(DataError, match="at least 200 pulses, got 40") as refused:
        generator_records(pulses[:40], preparation(), BY_HEIGHT, adc_bits=14)
    assert "takes fewer" not in str(refused.value)
    with pytest.raises(SettingsError, match="at least 50 pulses of each class, 20 were to do"):
        replace(BY_HEIGHT, fewest=20)


@pytest.mark.slow
def test_a_generator_of_unlabelled_pulses_is_trained_and_frozen(pulses: Pulses, tmp_path: Path) -> None:
    bare = pulses[:300].replace(label=None, energy_kevee=None)
    config = replace(CONFIG, task=BY_HEIGHT, epochs=1)
    done = train(bare, preparation(), config, folder=tmp_path / "m", settings=settings())
    assert done.description.provenance["left_out"]["piled up"] == 300 - done.n_training - len(done.validation_index)
    generator = read_frozen(freeze(done.folder, tmp_path / "g.discrimen").path).generator
    assert generator is not None
    assert generator.n_training == (done.n_training,)
    made = concatenate(PulseGenerator(tmp_path / "g.discrimen").blocks(GenerationOptions(n_pulses=50)))
    assert made.label is None


def test_the_network_gives_waveform_code_and_its_variance(result: TrainingResult) -> None:
    described = [(each.name, each.kind, each.shape) for each in result.description.outputs]
    assert described == [
        ("reconstruction", "waveform", (1, 75)),
        ("code", "code", (7,)),
        ("log_variance", "code", (4,)),
    ]
    assert "val_divergence" in (result.folder / "history.csv").read_text()
    assert result.history[-1].val_loss < 0.7 * result.history[0].val_loss


def test_the_library_holds_training_pulses_alone(result: TrainingResult, pulses: Pulses, frozen: Path) -> None:
    generator = read_frozen(frozen).generator
    assert generator is not None
    assert sum(generator.n_training) == result.n_training
    light = pulses.column("energy_kevee")
    assert not np.isin(light[result.validation_index], generator.library.size).any()
    assert np.isin(generator.library.size, light).all()
    # Before the pulse the network knows nothing of the record: all of the noise is left.
    noise_adc = generator.stabilisation.noise_adc * np.sqrt(12 / 13)  # less what the baseline took
    noise = generator.stabilisation.to_units(np.random.default_rng(1).normal(0, noise_adc, 50_000))
    assert generator.library.residual[:, :12].astype(np.float32).std() == pytest.approx(noise.std(), rel=0.03)


def test_generated_pulses_are_like_those_of_the_training(pulses: Pulses, frozen: Path) -> None:
    made = concatenate(PulseGenerator(frozen).blocks(GenerationOptions(n_pulses=6000)))
    assert made.samples.dtype == pulses.samples.dtype
    for number in (0, 1):
        own, given = (each.samples[each.column("label") == number].astype(np.float64) for each in (made, pulses))
        mean_error = np.abs(own.mean(axis=0) - given.mean(axis=0))
        statistical = np.hypot(own.std(axis=0) / np.sqrt(len(own)), given.std(axis=0) / np.sqrt(len(given)))
        assert (mean_error < 0.03 * np.ptp(given.mean(axis=0)) + 4 * statistical).all()
        np.testing.assert_allclose(own.std(axis=0), given.std(axis=0), rtol=0.15)


def test_a_training_that_is_not_over_cannot_be_frozen(result: TrainingResult, tmp_path: Path) -> None:
    library = result.folder / "generator.bin"
    content = library.read_bytes()
    library.unlink()
    with pytest.raises(FormatError, match="freeze the folder of a finished training"):
        freeze(result.folder, tmp_path / "x.discrimen")
    library.write_bytes(content[:-5])
    with pytest.raises(FormatError, match="this is no library of a generator"):
        freeze(result.folder, tmp_path / "x.discrimen")
    library.write_bytes(content)
    assert not (tmp_path / "x.discrimen").exists()


@pytest.mark.slow
def test_a_training_that_was_broken_off_goes_on_with_the_same_noise(pulses: Pulses, tmp_path: Path) -> None:
    few, config = pulses[:900], replace(CONFIG, epochs=4)
    how = {"settings": settings()}
    whole = train(few, preparation(), config, folder=tmp_path / "whole", **how)
    with pytest.raises(Killed):
        train(few, preparation(), config, folder=tmp_path / "broken", progress=KillAfter(2), **how)
    assert not (tmp_path / "broken" / "generator.bin").exists()
    resumed = resume(few, tmp_path / "broken")
    assert [each.loss for each in resumed.history] == pytest.approx([each.loss for each in whole.history], rel=1e-4)
    libraries = [unpack_generator((tmp_path / name / "generator.bin").read_bytes()) for name in ("whole", "broken")]
    np.testing.assert_array_equal(*(each.library.size for each in libraries))
    assert libraries[0].as_dict() == libraries[1].as_dict()


def test_what_a_generator_does_not_know_is_refused() -> None:
    with pytest.raises(SettingsError, match="beta must be positive"):
        Generation(beta=0)
    with pytest.raises(SettingsError, match="balance weighs classes, the task is generation"):
        replace(CONFIG, balance="class")
    with pytest.raises(SettingsError, match="needs an auto-encoder"):
        replace(CONFIG, architecture="mlp", options={}).outputs(preparation())
    keras = load_keras("cpu").keras
    with pytest.raises(SettingsError, match=r"dense_autoencoder, conv_autoencoder.*, got the architecture 'mlp'"):
        build_conditional(keras, "mlp", {}, shape=(1, 78), n_conditions=3)


def test_a_task_comes_back_from_its_dictionary() -> None:
    for task in (Generation(beta=0.5), Generation((), size="height_adc", fewest=90)):
        assert task_from_dict(task.as_dict()) == task
    # Of a training that knew classes and light alone.
    assert task_from_dict({"name": "generation", "classes": ["gamma", "neutron"], "beta": 0.5}) == Generation(beta=0.5)


@pytest.mark.slow
def test_a_convolutional_generator_decodes_by_its_code_alone() -> None:
    keras = load_keras("cpu").keras
    model = build_conditional(keras, "conv_autoencoder", {"code": 3}, shape=(1, 78), n_conditions=3, input_spread=5)
    records = np.random.default_rng(0).normal(size=(20, 1, 78)).astype(np.float32)
    waveform, code, log_variance = (np.asarray(each) for each in model(records))
    assert (waveform.shape, code.shape, log_variance.shape) == ((20, 1, 75), (20, 6), (20, 3))
    np.testing.assert_allclose(code[:, 3:], records[:, 0, 75:], rtol=1e-6)
    np.testing.assert_allclose(model.get_layer("decoder")(code), waveform[:, 0], atol=1e-5)
    taught = taught_part(keras, model, n_conditions=3)
    drawn = np.asarray(taught(records, training=True))
    assert not np.allclose(drawn[:, :75], waveform[:, 0], atol=1e-3)
    np.testing.assert_allclose(np.asarray(taught(records))[:, :75], waveform[:, 0], atol=1e-5)
