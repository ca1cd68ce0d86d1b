"""Generated pulses: class, light, spread and noise are those of the library; what was not trained is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from tests.reconstruction.copying_model import write_copying_model
from tests.reconstruction.small_generator import (
    BASELINE_ADC,
    LIGHT_KEVEE,
    N_ROWS,
    STABILISATION,
    heights_alone,
    mean_units,
    small_generator,
    write_small_generator,
)

from discrimen.errors import FormatError, OutputError, SettingsError
from discrimen.formats.table import open_reader
from discrimen.inference.native import NativePredictor
from discrimen.pulses import Label, PulseFlag, Pulses, concatenate
from discrimen.reconstruction.generate import BLOCK_PULSES, PulseGenerator
from discrimen.reconstruction.generated_run import generate_run
from discrimen.reconstruction.generation_options import GenerationOptions
from discrimen.simulation.truth import read_truth


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_generator(tmp_path_factory.mktemp("generator") / "g.discrimen")


def made(path: Path, **options: Any) -> Pulses:
    return concatenate(PulseGenerator(path).blocks(GenerationOptions(**options)))


def test_class_and_light_are_those_asked_for(path: Path) -> None:
    pulses = made(path, n_pulses=10_000)
    assert (pulses.column("label") == Label.NEUTRON).mean() == pytest.approx(0.75, abs=0.02)  # as in the training
    light = pulses.column("energy_kevee")
    library = small_generator().library.size
    assert stats.ks_2samp(light, library).pvalue > 1e-3
    assert LIGHT_KEVEE[0] <= light.min() < light.max() <= LIGHT_KEVEE[1]
    np.testing.assert_array_equal(pulses.column("entry"), np.arange(10_000))
    assert (np.diff(pulses.column("timestamp_ps")) >= 0).all()
    only = made(path, n_pulses=500, class_name="gamma", energy_min_kevee=100, energy_max_kevee=120)
    assert set(only.column("label")) == {Label.GAMMA}
    assert 100 <= only.column("energy_kevee").min() < only.column("energy_kevee").max() <= 120
    assert (made(path, n_pulses=4000, neutron_share=0.1).column("label") == 1).mean() == pytest.approx(0.1, abs=0.02)
    np.testing.assert_allclose(made(path, n_pulses=50, energy_kevee=77).column("energy_kevee"), 77)


@pytest.mark.parametrize("prior", ["posterior", "normal"])
@pytest.mark.parametrize("label", [0, 1])
def test_a_record_is_baseline_decoded_waveform_and_noise(path: Path, prior: str, label: int) -> None:
    name = ("gamma", "neutron")[label]
    pulses = made(path, n_pulses=6000, class_name=name, prior=prior)
    units = STABILISATION.to_units(BASELINE_ADC - pulses.samples.astype(np.float32))
    log_light = (np.log(pulses.column("energy_kevee")) - 4) / 0.5
    units -= np.array([mean_units(label, each) for each in log_light], np.float32)
    # The library has 300 pulses of a class: their codes and residuals have means of their own.
    assert np.abs(units.mean(axis=0)).max() < 0.3
    quiet = units[:, :9]
    assert quiet.std() == pytest.approx(1, abs=0.05)  # rounded once, not twice
    if prior == "normal":
        assert units[:, 9].std() == pytest.approx(np.hypot(1, 0.3), rel=0.1)


def test_noise_of_neighbours_in_light_is_taken_and_no_other(tmp_path: Path) -> None:
    generator = small_generator()
    library = generator.library
    loud = np.where(library.size[:, np.newaxis] > 200, 4.0, 0.5) * library.residual
    noisy = replace(generator, library=replace(library, residual=loud.astype(np.float16)))
    path = write_small_generator(tmp_path / "g.discrimen", generator=noisy)
    for light, spread in ((100, 0.5), (260, 4.0)):
        quiet = made(path, n_pulses=2000, energy_kevee=light).samples[:, :9].astype(np.float32)
        assert STABILISATION.to_units(BASELINE_ADC - quiet).std() == pytest.approx(spread, rel=0.15)


def test_the_same_seed_gives_the_same_pulses_however_many_follow(path: Path) -> None:
    long, short = made(path, n_pulses=BLOCK_PULSES + 50, seed=3), made(path, n_pulses=BLOCK_PULSES, seed=3)
    np.testing.assert_array_equal(long.samples[:BLOCK_PULSES], short.samples)
    assert not np.array_equal(made(path, n_pulses=50, seed=4).samples, long.samples[:50])


def test_records_end_at_the_rails_and_say_so(tmp_path: Path) -> None:
    low = small_generator()
    library = replace(low.library, baseline_adc=np.full(2 * N_ROWS, 150, np.float32))
    path = write_small_generator(tmp_path / "g.discrimen", generator=replace(low, library=library))
    pulses = made(path, n_pulses=2000)
    flagged = pulses.column("flags") == PulseFlag.SATURATED_INPUT
    assert 0 < flagged.sum() < 2000
    np.testing.assert_array_equal(pulses.samples[flagged].min(axis=1), 0)
    assert (pulses.samples[~flagged].max(axis=1) < 2**14).all()


def test_float_records_are_not_rounded(tmp_path: Path) -> None:
    path = write_small_generator(tmp_path / "g.discrimen", generator=small_generator(sample_type="float32"))
    samples = made(path, n_pulses=20).samples
    assert samples.dtype == np.float32
    assert (samples != np.rint(samples)).mean() > 0.9


@pytest.mark.parametrize("suffix", [".lh5", ".BIN", ".root"])
def test_a_run_has_its_truth_beside_it(path: Path, tmp_path: Path, suffix: str) -> None:
    output = tmp_path / f"run{suffix}"
    done = generate_run(path, output, options=GenerationOptions(n_pulses=300, seed=2))
    expected = made(path, n_pulses=300, seed=2)
    back = concatenate(open_reader(output).chunks())
    np.testing.assert_array_equal(back.samples, expected.samples)
    truth = read_truth(done.truth)
    np.testing.assert_array_equal(truth.columns["label"], expected.column("label"))
    np.testing.assert_array_equal(truth.columns["energy_kevee"], expected.column("energy_kevee"))
    assert "photon_llr" not in truth.columns
    assert done.as_dict()["n_gamma"] == (expected.column("label") == 0).sum()
    assert done.settings.polarity == "negative"


@pytest.fixture(scope="module")
def by_height(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_generator(tmp_path_factory.mktemp("heights") / "g.discrimen", generator=heights_alone())


def test_pulses_without_class_and_light_are_made_by_their_height(by_height: Path, tmp_path: Path) -> None:
    options = GenerationOptions(n_pulses=500, height_min_adc=100, height_max_adc=120)
    done = generate_run(by_height, tmp_path / "run.lh5", options=options)
    assert (done.counts, done.asked, done.n_training) == ({"pulse": 500}, "height", 1000)
    back = concatenate(open_reader(done.run).chunks())
    assert (back.label, back.energy_kevee) == (None, None)
    truth = read_truth(done.truth).columns
    assert set(truth["label"]) == {Label.UNKNOWN}
    assert np.isnan(truth["energy_kevee"]).all()
    assert 100 <= truth["height_adc"].min() < truth["height_adc"].max() <= 120
    decoded = STABILISATION.to_adc(mean_units(0, (np.log(110) - 4) / 0.5).astype(np.float32))
    assert BASELINE_ADC - back.samples.mean(axis=0).min() == pytest.approx(decoded.max(), rel=0.1)


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"class_name": "gamma"}, "class_name asks for a class, but this generator was trained on pulses without"),
        ({"neutron_share": 0.2}, "neutron_share asks for a class"),
        ({"energy_kevee": 100.0}, "energy_kevee asks for light in keVee, but .* by the height in ADC counts"),
        ({"height_adc": 20.0}, "trained with pulses of 30 to 300 ADC counts, asked for are 20 to 20"),
        ({"height_adc": 50.0, "height_max_adc": 60.0}, "height_adc is the height of all pulses"),
    ],
)
def test_a_generator_by_height_knows_no_class_and_no_light(
    by_height: Path, tmp_path: Path, wish: dict[str, Any], said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        generate_run(by_height, tmp_path / "run.lh5", options=GenerationOptions(n_pulses=10, **wish))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"class_name": "alpha"}, "trained for gamma, neutron, not for the class 'alpha'"),
        ({"energy_kevee": 20.0}, "trained with gammas of 30 to 300 keVee, asked for are 20 to 20"),
        ({"energy_max_kevee": 400.0, "class_name": "neutron"}, "trained with neutrons of 30 to 300"),
        ({"energy_min_kevee": 200.0, "energy_max_kevee": 100.0}, "from less to more"),
        ({"energy_min_kevee": float("nan")}, "from less to more"),
        ({"energy_kevee": 50.0, "energy_min_kevee": 40.0}, "energy_kevee is the light of all"),
        ({"neutron_share": 1.5}, "between 0 and 1"),
        ({"neutron_share": 0.5, "class_name": "gamma"}, "neutron_share does nothing"),
        (
            {"height_adc": 100.0},
            "height_adc asks for height in ADC counts, but this generator was trained by the",
        ),
    ],
)
def test_what_was_not_trained_is_refused_before_anything_is_written(
    path: Path, tmp_path: Path, wish: dict[str, Any], said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        generate_run(path, tmp_path / "run.lh5", options=GenerationOptions(n_pulses=10, **wish))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("wish", "said"), [({"n_pulses": 0}, "n_pulses"), ({"rate_hz": 0.0}, "rate_hz"), ({"seed": -1}, "seed")]
)
def test_impossible_options_are_refused(wish: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        GenerationOptions(**wish)


def test_a_model_that_is_no_generator_is_refused(path: Path, tmp_path: Path) -> None:
    copy = write_copying_model(tmp_path / "copy.discrimen")
    with pytest.raises(SettingsError, match=r"it gives reconstruction \(waveform\): train a generator"):
        PulseGenerator(copy)
    with pytest.raises(FormatError, match=r"expected a frozen model \(\*.discrimen\)"):
        PulseGenerator(tmp_path / "model.keras")
    before = path.read_bytes()
    with pytest.raises(OutputError, match="this is the generator itself"):
        generate_run(path, path)
    assert path.read_bytes() == before


def test_a_file_that_was_not_generated_is_not_replaced(path: Path, tmp_path: Path) -> None:
    (tmp_path / "run.lh5").write_bytes(b"measured")
    with pytest.raises(OutputError, match="not simulated or generated"):
        generate_run(path, tmp_path / "run.lh5")
    assert (tmp_path / "run.lh5").read_bytes() == b"measured"


def test_the_decoder_is_a_frozen_model_like_any_other(path: Path) -> None:
    code = np.array([[0, 0, 1, 0, 0]], np.float32)
    np.testing.assert_allclose(NativePredictor(path).run(code)[0][0], mean_units(0) + 1e-3, atol=1e-5)
