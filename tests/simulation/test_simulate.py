from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from discrimen.pulses import Label, PulseFlag, Pulses
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.digitizer import DIGITIZERS
from discrimen.simulation.pulse_model import MeanPulseShape, build_pulse_model
from discrimen.simulation.scintillator import DETECTORS
from discrimen.simulation.settings import detector_settings
from discrimen.simulation.simulate import BLOCK_PULSES, simulate, simulate_blocks, simulate_blocks_with_truth


def upright(pulses: Pulses, config: SimulationConfig) -> np.ndarray:
    """Above the baseline, positive, in ADC counts."""
    digitizer = config.digitizer_as_run
    return digitizer.sign * (pulses.samples.astype(np.float64) - digitizer.baseline_adc)


def auc(score: np.ndarray, label: np.ndarray) -> float:
    ranks = score.argsort().argsort()
    n_neutron, n_gamma = (label == 1).sum(), (label == 0).sum()
    return float((ranks[label == 1].sum() - n_neutron * (n_neutron - 1) / 2) / (n_neutron * n_gamma))


def crossing_of_the_mean_pulse(config: SimulationConfig, light_kevee: float, label: Label) -> float:
    """When the trigger fires on it, in ns after the onset of light."""
    model, detector = build_pulse_model(config), config.scintillator
    shares = detector.neutron_shares(np.array([light_kevee]))[0] if label else detector.gamma_shares()
    cells = model.photons.neutron_cells if label else model.photons.gamma_cells
    charges = (detector.photoelectrons_per_kev * light_kevee * shares @ cells).astype(np.float32)
    return float(model.crossing_ns(charges[None, :], np.ones(1, np.float32))[0])


def same(one: Pulses, other: Pulses) -> bool:
    equal = [np.array_equal(one.column(name), other.column(name)) for name in one.columns()]
    return np.array_equal(one.samples, other.samples) and all(equal)


def test_every_column_is_there() -> None:
    pulses = simulate(SimulationConfig(n_pulses=100))
    assert set(pulses.columns()) == {
        "entry", "timestamp_ps", "board", "channel", "flags", "energy", "energy_short", "energy_kevee", "label",
        "photon_llr",
    }  # fmt: skip
    assert pulses.samples.dtype == np.uint16
    np.testing.assert_array_equal(pulses.column("entry"), np.arange(100))


def test_the_same_seed_gives_the_same_pulses() -> None:
    config = SimulationConfig(n_pulses=300, pileup_fraction=0.2, gain_spread=0.1)
    assert same(simulate(config), simulate(config))
    assert not same(simulate(config), simulate(dataclasses.replace(config, seed=1)))


def test_the_benchmark_stays_what_it_is() -> None:
    # Of the first release; pulses may differ by rounding where another processor sums in another order.
    pulses = simulate(SimulationConfig(n_pulses=6))
    light = [309.25583, 40.234165, 421.28082, 87.86028, 535.74365, 30.821608]
    np.testing.assert_allclose(pulses.column("energy_kevee"), light, rtol=1e-6)
    assert pulses.column("label").tolist() == [0, 1, 1, 1, 0, 0]
    assert pulses.column("timestamp_ps")[[0, 5]].tolist() == [2868606111, 6136082560]
    sums = [1123130, 1124210, 1122278, 1124696, 1121734, 1124765]
    np.testing.assert_allclose(pulses.samples.sum(axis=1), sums, atol=3)
    np.testing.assert_allclose(pulses.samples[:, 17], [14340, 14930, 14667, 14939, 14463, 14984], atol=1)


def test_blocks_are_the_same_however_the_run_is_iterated() -> None:
    config = SimulationConfig(n_pulses=2 * BLOCK_PULSES + 500, energy_max_kevee=50)
    blocks = list(simulate_blocks(config))
    assert [len(block) for block in blocks] == [BLOCK_PULSES, BLOCK_PULSES, 500]
    assert same(next(simulate_blocks(dataclasses.replace(config, n_pulses=BLOCK_PULSES))), blocks[0])
    whole = simulate(config)
    assert same(whole[2 * BLOCK_PULSES :], blocks[2])
    assert not np.array_equal(blocks[0].column("energy_kevee"), blocks[1].column("energy_kevee"))
    assert (np.diff(whole.column("timestamp_ps")) > 0).all()


@pytest.mark.parametrize("digitizer", DIGITIZERS)
@pytest.mark.parametrize("label", list(Label)[1:])
def test_the_mean_pulse_is_the_analytic_one(digitizer: str, label: Label) -> None:
    n_pulses, light = 3000, 400.0
    config = SimulationConfig(
        n_pulses=n_pulses, digitizer=digitizer, spectrum="flat", energy_min_kevee=light, energy_max_kevee=light + 1,
        neutron_fraction=float(label), baseline_spread_adc=0, photoelectrons_per_kev=100,
    )  # fmt: skip
    run = config.digitizer_as_run
    mean = upright(simulate(config), config).mean(axis=0)
    crossing = crossing_of_the_mean_pulse(config, light, label)
    phases = (np.arange(40) + 0.5) / 40 * run.sample_period_ns
    onset = run.pretrigger_ns + phases - crossing
    samples_ns = np.arange(run.n_samples) * run.sample_period_ns
    shape = MeanPulseShape.of(
        config.scintillator, config.photosensor, run, (samples_ns[:, None] - onset[None, :]).ravel()
    )
    analytic = shape.neutron(np.array([light]))[0] if label else shape.gamma()
    expected = analytic.reshape(run.n_samples, 40).mean(axis=1)
    expected *= run.gain_adc_per_kevee * (light + 0.5) / MeanPulseShape.of(
        config.scintillator, config.photosensor, run
    ).gamma().max()  # fmt: skip
    assert np.abs(mean - expected).max() < 0.02 * expected.max()
    assert np.sqrt(((mean - expected) ** 2).mean()) < 0.004 * expected.max()


def test_the_gain_is_the_peak_of_a_gamma() -> None:
    config = SimulationConfig(
        n_pulses=500, digitizer="DT5751", spectrum="flat", energy_min_kevee=1000, energy_max_kevee=1001,
        neutron_fraction=0, photoelectrons_per_kev=100,
    )  # fmt: skip
    peak = upright(simulate(config), config).max(axis=1).mean()
    assert peak == pytest.approx(0.35 * 1000, rel=0.01)


def test_noise_and_baseline_are_those_asked_for() -> None:
    config = SimulationConfig(
        n_pulses=4000, energy_max_kevee=40, noise_adc=5.0, baseline_adc=9000, baseline_spread_adc=20
    )
    before = simulate(config).samples[:, :10].astype(np.float64)
    assert before.std(axis=1, ddof=1).mean() == pytest.approx(5.0, rel=0.05)
    assert before.mean() == pytest.approx(9000, abs=2)
    assert before.mean(axis=1).std() == pytest.approx(np.hypot(20, 5 / np.sqrt(10)), rel=0.05)


def test_noise_below_its_corner_is_slow_and_as_strong() -> None:
    def noise(corner_mhz: float | None) -> np.ndarray:
        config = SimulationConfig(n_pulses=3000, pretrigger_ns=600.0, n_samples=100, noise_corner_mhz=corner_mhz)
        return simulate(config).samples[:, :50].astype(float)

    white, slow = noise(None), noise(10.0)
    assert np.diff(slow, axis=1).std() < 0.85 * np.diff(white, axis=1).std()
    assert slow.std() == pytest.approx(white.std(), rel=0.03)


def test_a_rising_gamma_tail_shows_below_300_kevee_alone_and_in_the_likelihood_ratio() -> None:
    def mean_llr(light: float, rise: float) -> float:
        config = SimulationConfig(
            n_pulses=3000,
            neutron_fraction=0.0,
            spectrum="flat",
            energy_min_kevee=light,
            energy_max_kevee=light + 1,
            gamma_tail_rise=rise,
        )
        return float(simulate(config).column("photon_llr").mean())

    assert mean_llr(50.0, 0.2) > 0.8 * mean_llr(50.0, 0.0)
    assert mean_llr(400.0, 0.2) == mean_llr(400.0, 0.0)


def test_another_pulse_model_takes_the_place_of_the_configurations() -> None:
    config = SimulationConfig(n_pulses=10, seed=2)
    other = build_pulse_model(dataclasses.replace(config, photoelectrons_per_kev=0.5))
    np.testing.assert_array_equal(simulate(config, model=build_pulse_model(config)).samples, simulate(config).samples)
    assert (simulate(config, model=other).samples != simulate(config).samples).any()


def test_the_light_has_the_width_of_its_photoelectrons() -> None:
    config = SimulationConfig(
        n_pulses=3000, digitizer="DT5730", spectrum="flat", energy_min_kevee=300, energy_max_kevee=300.1,
        neutron_fraction=0, noise_adc=0, baseline_spread_adc=0,
    )  # fmt: skip
    charge = upright(simulate(config), config).sum(axis=1)
    # A Poisson number of photoelectrons with a gamma-distributed charge each; the record holds nearly all the light.
    assert charge.std() / charge.mean() == pytest.approx(np.sqrt(1.16 / (1.7 * 300)), rel=0.06)


def test_saturated_pulses_are_clipped_at_the_rail_and_flagged() -> None:
    config = SimulationConfig(
        n_pulses=400,
        digitizer="DT5751",
        spectrum="flat",
        energy_min_kevee=100,
        energy_max_kevee=6000,
        neutron_fraction=0,
    )
    pulses = simulate(config)
    flagged = (pulses.column("flags") & PulseFlag.SATURATED_INPUT) != 0
    at_rail = pulses.samples.min(axis=1) == 0
    assert flagged.any()
    assert at_rail[flagged].all()
    assert (pulses.column("energy_kevee")[flagged] > 2000).all()
    assert flagged[pulses.column("energy_kevee") > 3500].all()


def test_positive_pulses_clip_at_the_upper_rail() -> None:
    config = SimulationConfig(
        n_pulses=50,
        polarity="positive",
        baseline_adc=1000,
        spectrum="flat",
        energy_min_kevee=8000,
        energy_max_kevee=9000,
    )
    pulses = simulate(config)
    assert (pulses.samples.max(axis=1) == 2**14 - 1).all()
    assert ((pulses.column("flags") & PulseFlag.SATURATED_INPUT) != 0).all()


def test_the_trigger_phase_is_uniform() -> None:
    config = SimulationConfig(
        n_pulses=2000,
        spectrum="flat",
        energy_min_kevee=1900,
        neutron_fraction=0,
        noise_adc=0,
        photoelectrons_per_kev=100,
    )
    pulses = upright(simulate(config), config)
    mean_time = (pulses[:, 12:25] * np.arange(12, 25)).sum(axis=1) / pulses[:, 12:25].sum(axis=1)
    # The centroid of 10 ns samples is not quite linear in the phase: the pulse is about as wide as a sample.
    assert set(np.unique(pulses.argmax(axis=1))) == {16, 17}
    assert np.ptp(mean_time) == pytest.approx(1.0, abs=0.1)
    assert mean_time.std() == pytest.approx(1 / np.sqrt(12), rel=0.15)


def test_trigger_jitter_moves_the_pulse() -> None:
    still = SimulationConfig(
        n_pulses=800, digitizer="DT5730", spectrum="flat", energy_min_kevee=1500, energy_max_kevee=1501, noise_adc=0
    )
    widths = []
    for config in (still, dataclasses.replace(still, trigger_jitter_ns=8.0)):
        widths.append(2.0 * upright(simulate(config), config).argmax(axis=1).std())
    assert np.sqrt(widths[1] ** 2 - widths[0] ** 2) == pytest.approx(8.0, rel=0.12)


def test_a_leading_edge_walks_and_a_constant_fraction_does_not() -> None:
    edge, fraction = (
        [crossing_of_the_mean_pulse(SimulationConfig(n_pulses=1, digitizer=name), light, Label.GAMMA) for light in pair]
        for name, pair in (("DT5751", (100.0, 1500.0)), ("NUMEXO2", (100.0, 1500.0)))
    )
    assert edge[0] > edge[1] + 1
    assert fraction[0] == pytest.approx(fraction[1], abs=1e-4)


@pytest.mark.parametrize("light", [60.0, 500.0])
def test_the_trigger_follows_the_pulse_and_not_its_class(light: float) -> None:
    config = SimulationConfig(
        n_pulses=1500, digitizer="DT5751", spectrum="flat", energy_min_kevee=light, energy_max_kevee=light + 1,
        noise_adc=0, baseline_spread_adc=0, baseline_adc=1000,
    )  # fmt: skip
    waves = upright(simulate(config), config)
    digitizer = config.digitizer_as_run
    threshold = np.minimum(digitizer.threshold_adc, 0.5 * waves.max(axis=1))
    fired = (waves >= threshold[:, None]).argmax(axis=1)
    rows = np.arange(len(waves))
    below, above = waves[rows, fired - 1], waves[rows, fired]
    fired_ns = fired - 1 + (threshold - below) / (above - below) - digitizer.pretrigger_ns
    # One sampling period of 1 ns; samples are rounded to whole ADC counts of pulses as low as 20.
    assert (fired_ns > -0.3).all()
    assert (fired_ns < 1.3).all()


def test_the_neutron_tail_is_larger_in_the_record() -> None:
    config = SimulationConfig(n_pulses=2000, spectrum="flat", energy_min_kevee=300, energy_max_kevee=1000)
    pulses = simulate(config)
    waves = upright(pulses, config)
    tail = waves[:, 19:40].sum(axis=1) / waves.sum(axis=1)
    gamma, neutron = (tail[pulses.column("label") == label] for label in (Label.GAMMA, Label.NEUTRON))
    assert neutron.mean() > 1.7 * gamma.mean()


def test_nothing_simple_beats_the_likelihood_ratio() -> None:
    config = SimulationConfig(
        n_pulses=6000, spectrum="flat", energy_min_kevee=30, energy_max_kevee=50, baseline_spread_adc=0
    )
    pulses = simulate(config)
    waves, label = upright(pulses, config), pulses.column("label")
    bound = auc(pulses.column("photon_llr"), label)
    rivals = {
        "tail fraction": waves[:, 18:30].sum(axis=1) / waves[:, 13:30].sum(axis=1),
        "late tail": waves[:, 20:60].sum(axis=1) / waves.max(axis=1),
        "digitizer": 1 - pulses.column("energy_short") / pulses.column("energy"),
        "inverse peak": 1 / waves.max(axis=1),
    }
    for name, score in rivals.items():
        rival = auc(score, label)
        assert 0.52 < rival < bound, name


@pytest.mark.parametrize("detector", DETECTORS)
@pytest.mark.parametrize("digitizer", DIGITIZERS)
def test_every_detector_runs_with_every_digitizer(detector: str, digitizer: str) -> None:
    config = SimulationConfig(n_pulses=40, detector=detector, digitizer=digitizer)
    pulses = simulate(config)
    assert pulses.n_samples == DIGITIZERS[digitizer].n_samples
    start = int(DIGITIZERS[digitizer].pretrigger_ns / pulses.require_sample_period_ns())
    assert (np.abs(upright(pulses, config).argmax(axis=1) - start) < 60).all()


@pytest.mark.parametrize("spectrum", ["Cf-252", "AmBe", "Co-60", "Cs-137"])
def test_every_source_runs(spectrum: str) -> None:
    pulses = simulate(SimulationConfig(n_pulses=200, spectrum=spectrum))
    has_neutrons = (pulses.column("label") == Label.NEUTRON).any()
    assert has_neutrons == (spectrum in ("Cf-252", "AmBe"))


def test_the_neutron_fraction_is_kept() -> None:
    label = simulate(SimulationConfig(n_pulses=8000, neutron_fraction=0.2, energy_max_kevee=50)).column("label")
    assert label.mean() == pytest.approx(0.2, abs=5 * np.sqrt(0.16 / 8000))


def test_timestamps_follow_the_rate_and_the_dead_time() -> None:
    config = SimulationConfig(n_pulses=5000, rate_hz=1e6, energy_max_kevee=40)
    gaps_ns = np.diff(simulate(config).column("timestamp_ps")) / 1000
    assert gaps_ns.min() >= 750
    assert gaps_ns.mean() == pytest.approx(750 + 1000, rel=0.06)


def test_energies_are_whole_numbers_and_follow_the_light() -> None:
    config = SimulationConfig(n_pulses=1000, spectrum="flat", energy_min_kevee=200, neutron_fraction=0)
    pulses = simulate(config)
    energy = pulses.column("energy")
    assert (energy == np.floor(energy)).all()
    assert np.corrcoef(energy, pulses.column("energy_kevee"))[0, 1] > 0.99
    calibration = detector_settings(config).calibration
    assert calibration is not None
    ratio = np.median(energy * 10.0 * calibration.gain_kevee_per_unit / pulses.column("energy_kevee"))
    assert ratio == pytest.approx(1.0, abs=0.03)


def test_channels_are_all_used() -> None:
    channel = simulate(SimulationConfig(n_pulses=300, n_channels=4)).column("channel")
    assert set(channel) == {0, 1, 2, 3}


def test_gain_spread_widens_the_pulses() -> None:
    common = {"n_pulses": 1500, "spectrum": "flat", "energy_min_kevee": 1000, "energy_max_kevee": 1001}
    charges = []
    for gain_spread in (0.0, 0.1):
        config = SimulationConfig(**common, gain_spread=gain_spread, neutron_fraction=0)
        charges.append(upright(simulate(config), config).sum(axis=1))
    relative = [charge.std() / charge.mean() for charge in charges]
    assert np.sqrt(relative[1] ** 2 - relative[0] ** 2) == pytest.approx(0.1, rel=0.1)


def test_pile_up_is_the_sum_of_its_two_pulses() -> None:
    config = SimulationConfig(n_pulses=500, pileup_fraction=0.5, noise_adc=0, baseline_spread_adc=0, gain_spread=0.05)
    (block,) = simulate_blocks_with_truth(config)
    truth = block.pile_up
    assert 180 < len(truth.pulse) < 320
    waves = upright(block.pulses, config)[truth.pulse]
    inside = (block.pulses.column("flags")[truth.pulse] & PulseFlag.SATURATED_INPUT) == 0
    np.testing.assert_allclose(waves[inside], (truth.first_adc + truth.second_adc)[inside], atol=0.51)


def test_both_pulses_of_a_pile_up_have_the_gain_of_their_record() -> None:
    still = SimulationConfig(n_pulses=100, pileup_fraction=1.0)
    (before,) = simulate_blocks_with_truth(still)
    (after,) = simulate_blocks_with_truth(dataclasses.replace(still, gain_spread=0.2))
    gains = after.pile_up.first_adc.max(axis=1) / before.pile_up.first_adc.max(axis=1)
    assert gains.std() > 0.1
    np.testing.assert_allclose(
        after.pile_up.second_adc, gains[:, None] * before.pile_up.second_adc, rtol=1e-4, atol=1e-3
    )


def test_the_second_pulse_lies_at_its_delay() -> None:
    config = SimulationConfig(
        n_pulses=400, digitizer="DT5730", pileup_fraction=1.0, spectrum="flat", energy_min_kevee=1000
    )
    (block,) = simulate_blocks_with_truth(config)
    truth = block.pile_up
    early = truth.delay_ns < 500
    apart_ns = 2.0 * (truth.second_adc.argmax(axis=1) - truth.first_adc.argmax(axis=1))
    assert np.abs(apart_ns - truth.delay_ns)[early].max() < 8


def test_the_digitizer_flags_only_the_pile_up_that_it_resolves() -> None:
    config = SimulationConfig(n_pulses=2000, pileup_fraction=0.3, energy_max_kevee=100)
    (block,) = simulate_blocks_with_truth(config)
    flagged = np.flatnonzero(block.pulses.column("flags") & PulseFlag.PILE_UP)
    resolved = block.pile_up.pulse[block.pile_up.delay_ns >= DIGITIZERS["NUMEXO2"].pile_up_resolving_ns]
    np.testing.assert_array_equal(flagged, resolved)
    assert len(resolved) < len(block.pile_up.pulse)


def test_pile_up_follows_the_rate() -> None:
    config = SimulationConfig(n_pulses=4000, pileup_fraction=None, rate_hz=2e5, energy_max_kevee=50)
    (block,) = simulate_blocks_with_truth(config)
    assert len(block.pile_up.pulse) / 4000 == pytest.approx(2e5 * 600e-9, rel=0.2)


def test_without_pile_up_its_truth_is_empty() -> None:
    (block,) = simulate_blocks_with_truth(SimulationConfig(n_pulses=100))
    assert len(block.pile_up.pulse) == 0
    assert not (block.pulses.column("flags") & PulseFlag.PILE_UP).any()


def test_pretrigger_may_be_zero() -> None:
    config = SimulationConfig(n_pulses=100, pretrigger_ns=0.0, spectrum="flat", energy_min_kevee=500)
    waves = upright(simulate(config), config)
    assert (waves.argmax(axis=1) <= 3).all()
