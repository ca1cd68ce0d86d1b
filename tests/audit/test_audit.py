from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from tests.audit.data_sets import N_PULSES, change_neutrons, checks, clean_pulses, data_set, severities

from discrimen.audit import Severity, audit_dataset, require_sound
from discrimen.audit.blocks import Block
from discrimen.audit.class_order import check_class_order, order_of
from discrimen.errors import DataError
from discrimen.formats.table import open_reader
from discrimen.labelling import label_all
from discrimen.output.plain import plain
from discrimen.pulses import Label, PulseFlag, Pulses, concatenate
from discrimen.runs.dataset import load_dataset


@pytest.fixture(scope="module")
def clean() -> Pulses:
    return clean_pulses(101)


def by_class(pulses: Pulses) -> tuple[Pulses, Pulses]:
    label = pulses.column("label")
    return pulses[label == Label.GAMMA], pulses[label == Label.NEUTRON]


@pytest.mark.parametrize("seed", range(5))
def test_a_clean_set_raises_nothing(seed: int) -> None:
    audit = audit_dataset(data_set(clean_pulses(seed)), seed=seed)
    assert severities(audit) == {}
    assert not any(test.gives_away for test in audit.give_away_tests)
    require_sound(audit)


@pytest.mark.parametrize("n_pulses", [10, 60, 300])
def test_a_small_clean_set_raises_nothing(clean: Pulses, n_pulses: int) -> None:
    assert checks(clean[:n_pulses]) == {}


@pytest.mark.slow
@pytest.mark.parametrize(("n_pulses", "digitizer"), [(6000, "NUMEXO2"), (3000, "DT5751"), (200, "NUMEXO2")])
def test_false_alarms_on_fifty_clean_sets_are_rare(
    n_pulses: int, digitizer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    alarms = {}
    for seed in range(1000, 1050):
        pulses = clean_pulses(seed, n_pulses=n_pulses, digitizer=digitizer)
        found = checks(pulses, digitizer=digitizer, seed=seed)
        if found:
            alarms[seed] = found
    with capsys.disabled():
        print(f"\n{digitizer}, {n_pulses} pulses: {len(alarms)} of 50 clean sets raise something: {alarms}")
    assert len(alarms) <= 2


def test_ordered_classes_in_a_file_are_an_error(clean: Pulses) -> None:
    found = checks(concatenate(by_class(clean)))
    assert found["class-order"] == "error"
    assert found["class-balance-of-parts"] == "error"


def test_a_stretch_of_one_class_is_found(clean: Pulses) -> None:
    gammas, neutrons = by_class(clean)
    mixed = concatenate([gammas, neutrons[:-60]])
    mixed = mixed[np.random.default_rng(1).permutation(len(mixed))]
    audit = audit_dataset(data_set(concatenate([mixed[:700], neutrons[-60:], mixed[700:]])))
    assert severities(audit) == {"class-order": "warning"}
    (finding,) = audit.findings
    assert finding.numbers["longest_run"] >= 60
    assert 640 < finding.numbers["longest_run_start"] <= 700


def test_a_stretch_of_a_rare_class_is_found(clean: Pulses) -> None:
    gammas, neutrons = by_class(clean)
    few = concatenate([gammas, neutrons[:130]])
    few = few[np.random.default_rng(1).permutation(len(few))]
    audit = audit_dataset(data_set(concatenate([few[:700], neutrons[130:145], few[700:]])))
    (finding,) = (finding for finding in audit.findings if finding.check == "class-order")
    assert finding.numbers["longest_run"] >= 15
    assert "neutrons" in finding.where


def test_slightly_clumped_classes_of_a_large_set_are_a_note() -> None:
    rng = np.random.default_rng(4)
    is_neutron = rng.random(100_000) < 0.5
    again = np.flatnonzero(rng.random(99_999) < 0.05) + 1
    is_neutron[again] = is_neutron[again - 1]
    block = Block(name="run", pulse=np.arange(100_000), is_neutron=is_neutron)
    assert [(finding.check, finding.severity) for finding in check_class_order((block,))] == [
        ("class-order", Severity.NOTE)
    ]


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_random_orders_raise_no_more_alarms_than_allowed(share: float) -> None:
    rng = np.random.default_rng(5)
    sorted_classes = np.arange(200) < 200 * share
    p_values = [order_of(rng.permutation(sorted_classes)).p_value for _ in range(1000)]
    assert np.mean(np.array(p_values) < 0.05) < 0.07


def test_three_quarters_gammas_and_then_neutrons_only_is_an_error(clean: Pulses) -> None:
    gammas, neutrons = by_class(clean)
    first = concatenate([gammas[:1125], neutrons[:375]])
    first = first[np.random.default_rng(2).permutation(len(first))]
    found = checks(concatenate([first, neutrons[375:1200]]))
    assert found["class-balance-of-parts"] == "error"
    assert found["class-order"] == "error"


def test_one_file_for_each_class_is_a_warning(clean: Pulses) -> None:
    audit = audit_dataset(data_set(*by_class(clean)))
    assert severities(audit) == {"one-class-runs": "warning"}
    require_sound(audit)


def test_runs_of_different_balance_are_a_warning(clean: Pulses) -> None:
    gammas, neutrons = by_class(clean)
    rng = np.random.default_rng(3)
    halves = [concatenate([gammas[:1000], neutrons[:400]]), concatenate([gammas[1000:1300], neutrons[400:1300]])]
    assert checks(*(half[rng.permutation(len(half))] for half in halves)) == {"class-balance-of-runs": "warning"}


def test_a_single_class_is_an_error(clean: Pulses) -> None:
    found = checks(by_class(clean)[0])
    assert found["one-class"] == "error"


def test_a_rare_class_is_a_warning(clean: Pulses) -> None:
    gammas, neutrons = by_class(clean)
    few = concatenate([gammas, neutrons[:40]])
    assert checks(few[np.random.default_rng(4).permutation(len(few))]) == {"class-balance": "warning"}


def test_a_baseline_that_gives_the_class_away_is_an_error(clean: Pulses) -> None:
    found = checks(change_neutrons(clean, lambda samples: samples - 2))
    assert found == {"give-away-baseline": "error", "give-away-pre-trigger": "error"}


def test_a_give_away_says_what_is_typical_of_each_class(clean: Pulses) -> None:
    audit = audit_dataset(data_set(change_neutrons(clean, lambda samples: samples - 20)))
    (finding,) = (finding for finding in audit.findings if finding.check == "give-away-baseline")
    gamma, neutron = finding.numbers["quartiles_gamma"], finding.numbers["quartiles_neutron"]
    assert gamma[1] - neutron[1] == pytest.approx(20, abs=0.5)
    assert f"gammas {gamma[1]:.6g}" in finding.how_many
    assert "ADC counts" in finding.how_many


def test_a_small_give_away_of_many_pulses_is_a_warning() -> None:
    many = clean_pulses(105, n_pulses=16_000)
    rng = np.random.default_rng(1)
    shifted = change_neutrons(many, lambda samples: samples - (rng.random((len(samples), 1)) < 0.07) * 20)
    audit = audit_dataset(data_set(shifted))
    assert severities(audit)["give-away-baseline"] == "warning"
    assert not audit.errors


def test_a_baseline_that_gives_the_class_away_by_its_spread_is_an_error(clean: Pulses) -> None:
    rng = np.random.default_rng(5)
    shifted = change_neutrons(clean, lambda samples: samples + rng.choice([-8, 8], (len(samples), 1)))
    assert checks(shifted)["give-away-baseline"] == "error"


def test_a_amplitude_that_gives_the_class_away_is_a_warning(clean: Pulses) -> None:
    lower = clean.samples.astype(np.int64)
    neutron = clean.column("label") == Label.NEUTRON
    baseline = lower[:, :12].mean(axis=1, keepdims=True)
    noise = lower[:, :12].std()
    scaled = baseline + 0.6 * (lower - baseline) + np.random.default_rng(6).normal(0, 0.8 * noise, lower.shape)
    lower[neutron] = np.rint(scaled)[neutron]
    found = checks(clean.replace(samples=lower.astype(np.uint16)))
    assert found["give-away-amplitude"] == "warning"


def test_a_adc_step_that_gives_the_class_away_is_an_error(clean: Pulses) -> None:
    found = checks(change_neutrons(clean, lambda samples: samples // 4 * 4 + 2))
    assert found["give-away-adc-step"] == "error"


def test_an_adc_step_of_two_is_an_error_on_its_own(clean: Pulses) -> None:
    rng = np.random.default_rng(7)
    coarse = change_neutrons(clean, lambda samples: (samples + rng.integers(2, size=samples.shape)) // 2 * 2)
    assert checks(coarse)["give-away-adc-step"] == "error"


def test_a_trigger_position_that_gives_the_class_away_is_an_error(clean: Pulses) -> None:
    late = clean_pulses(102, pretrigger_ns=160.0)
    both = concatenate([by_class(clean)[0], by_class(late)[1]])
    assert checks(both[np.random.default_rng(11).permutation(len(both))]) == {"give-away-trigger-position": "error"}


def test_time_walk_of_a_leading_edge_is_no_give_away() -> None:
    pulses = clean_pulses(103, n_pulses=6000, digitizer="DT5751")
    light, neutron = pulses.column("energy_kevee"), pulses.column("label") == Label.NEUTRON
    soft = pulses[~neutron | (light < np.random.default_rng(12).uniform(50, 1000, len(pulses)))]
    found = checks(soft, digitizer="DT5751")
    assert found["give-away-amplitude"] == "warning"
    assert "give-away-trigger-position" not in found


def test_a_channel_that_gives_the_class_away_is_an_error(clean: Pulses) -> None:
    channel = np.where(clean.column("label") == Label.NEUTRON, np.arange(N_PULSES) % 3, np.arange(N_PULSES) % 2)
    assert checks(clean.replace(channel=channel)) == {"give-away-channel": "error"}


def test_telling_noise_is_an_error(clean: Pulses) -> None:
    rng = np.random.default_rng(8)
    noisy = change_neutrons(clean, lambda samples: samples + np.rint(rng.normal(0, 2, samples.shape)).astype(int))
    assert {"give-away-pre-trigger", "give-away-pre-trigger-noise"} <= checks(noisy).keys()


def test_telling_pick_up_of_the_same_rms_is_an_error(clean: Pulses) -> None:
    def sort_noise(samples: np.ndarray) -> np.ndarray:
        return np.concatenate([np.sort(samples[:, :12]), samples[:, 12:]], axis=1)

    assert checks(change_neutrons(clean, sort_noise))["give-away-pre-trigger-noise"] == "error"


@pytest.mark.parametrize("n_pulses", [40, 300])
def test_few_pulses_suffice_for_a_large_give_away(clean: Pulses, n_pulses: int) -> None:
    shifted = change_neutrons(clean, lambda samples: samples - 30)[:n_pulses]
    found = checks(shifted)
    assert found["give-away-baseline"] == "error"
    assert "give-away-trigger-position" not in found


def test_duplicates_within_a_file_are_an_error(clean: Pulses) -> None:
    again = concatenate([clean, clean[10:60]])
    audit = audit_dataset(data_set(again[np.random.default_rng(9).permutation(len(again))]))
    assert severities(audit) == {"duplicates-within": "error"}
    assert audit.findings[0].numbers["n_copies"] == 50


def test_a_single_copy_is_a_warning(clean: Pulses) -> None:
    assert checks(concatenate([clean, clean[10:11]])) == {"duplicates-within": "warning"}


def test_duplicates_in_two_files_are_an_error(clean: Pulses) -> None:
    audit = audit_dataset(data_set(clean[:2000], concatenate([clean[2000:], clean[100:107]])))
    assert severities(audit) == {"duplicates-across": "error"}
    numbers = audit.findings[0].numbers
    assert numbers["pairs"] == [{"files": ["run0", "run1"], "n_copies": 7}]


def test_copies_on_both_sides_of_the_split_are_an_error(clean: Pulses) -> None:
    again = concatenate([clean, clean[:20]])
    judges = np.arange(len(again)) >= N_PULSES
    audit = audit_dataset(data_set(again), validation=judges)
    assert severities(audit)["duplicates-across-split"] == "error"
    (finding,) = (finding for finding in audit.findings if finding.check == "duplicates-across-split")
    assert finding.numbers == {"n_copies": 20, "n_validation": 20}
    judges[:20] = True
    assert "duplicates-across-split" not in severities(audit_dataset(data_set(again), validation=judges))


def test_the_split_is_looked_at_among_labelled_pulses_only(clean: Pulses) -> None:
    label = clean.column("label").copy()
    label[:100] = Label.UNKNOWN
    again = concatenate([clean.replace(label=label), clean[200:220]])
    audit = audit_dataset(data_set(again), validation=np.arange(len(again)) >= N_PULSES)
    (finding,) = (finding for finding in audit.findings if finding.check == "duplicates-across-split")
    assert finding.numbers["n_copies"] == 20


def test_pulses_of_another_data_set_are_found(clean: Pulses) -> None:
    other = clean_pulses(104, n_pulses=500)
    assert severities(audit_dataset(data_set(clean), against=data_set(other))) == {}
    against = data_set(other, concatenate([other[:10], clean[90:100]]))
    audit = audit_dataset(data_set(clean), against=against)
    assert severities(audit) == {"duplicates-against": "error"}
    assert audit.findings[0].numbers["n_copies"] == 10
    assert "90 and 510" in audit.findings[0].where


def test_a_single_pulse_of_another_data_set_is_a_warning(clean: Pulses) -> None:
    against = data_set(concatenate([clean_pulses(104, n_pulses=1500), clean[:1]]))
    assert severities(audit_dataset(data_set(clean), against=against)) == {"duplicates-against": "warning"}


def test_another_data_set_with_records_of_other_length_cannot_be_compared(clean: Pulses) -> None:
    against = data_set(clean_pulses(104, n_pulses=50, n_samples=60))
    assert severities(audit_dataset(data_set(clean), against=against)) == {"records-of-other-length": "warning"}


def test_contradicting_labels_are_an_error(clean: Pulses) -> None:
    copy = clean[5:25]
    found = checks(concatenate([clean, copy.replace(label=1 - copy.column("label"))]))
    assert found["duplicates-contradict"] == "error"


def test_saturated_pulses_are_counted_by_class(clean: Pulses) -> None:
    samples = clean.samples.copy()
    samples[:100, 17:22] = 0
    audit = audit_dataset(data_set(clean.replace(samples=samples)))
    (finding,) = (finding for finding in audit.findings if finding.check == "saturation")
    assert finding.severity == Severity.WARNING
    assert finding.numbers["n_gamma"] + finding.numbers["n_neutron"] == 100


def test_pile_up_flags_are_counted(clean: Pulses) -> None:
    flags = clean.column("flags").copy()
    flags[[3, 5]] |= np.uint32(PulseFlag.PILE_UP)
    assert checks(clean.replace(flags=flags)) == {"pile-up": "note"}


def test_a_saturated_gate_is_not_taken_for_a_saturated_input(clean: Pulses) -> None:
    flags = clean.column("flags").copy()
    flags[:5] |= np.uint32(PulseFlag.SATURATED_GATE)
    assert checks(clean.replace(flags=flags)) == {"saturated-gate": "note"}
    flags[:5] |= np.uint32(PulseFlag.SATURATED_INPUT)
    assert checks(clean.replace(flags=flags)) == {"saturated-gate": "note", "saturation": "note"}


def test_unsteady_baselines_are_found(clean: Pulses) -> None:
    samples = clean.samples.copy()
    samples[::50, :12] -= np.linspace(100, 0, 12).astype(np.uint16)
    audit = audit_dataset(data_set(clean.replace(samples=samples)))
    (finding,) = (finding for finding in audit.findings if finding.check == "unsteady-baseline")
    assert finding.numbers["n_gamma"] + finding.numbers["n_neutron"] == 60


def test_a_drifting_baseline_is_found(clean: Pulses) -> None:
    drift = np.linspace(0, 60, N_PULSES).astype(np.uint16)[:, np.newaxis]
    assert checks(clean.replace(samples=clean.samples - drift)) == {"baseline-drift": "warning"}


def test_constant_and_dead_channels_are_named(clean: Pulses) -> None:
    samples, channel = clean.samples.copy(), clean.column("channel")
    samples[channel == 1] = 15000
    samples[channel == 2] = np.random.default_rng(10).normal(15000, 3, samples[channel == 2].shape).astype(np.uint16)
    audit = audit_dataset(data_set(clean.replace(samples=samples)))
    told = {finding.check: finding.where for finding in audit.findings}
    assert "channel 1" in told["constant"]
    assert "channel 2" in told["dead-channel"]
    assert "duplicates-within" not in told


def test_an_energy_range_of_one_class_is_found(clean: Pulses) -> None:
    low = (clean.column("energy_kevee") < 80) & (clean.column("label") == Label.NEUTRON)
    found = checks(clean[~low])
    assert found["energy-range-of-one-class"] == "warning"


def test_unlabelled_pulses_are_left_out(clean: Pulses) -> None:
    label = clean.column("label").copy()
    label[:100] = Label.UNKNOWN
    audit = audit_dataset(data_set(clean.replace(label=label)))
    assert audit.n_gamma + audit.n_neutron == N_PULSES - 100
    with pytest.raises(DataError, match="column 'label'"):
        audit_dataset(data_set(clean.replace(label=None)))
    with pytest.raises(DataError, match="label them"):
        audit_dataset(data_set(clean.replace(label=np.full(N_PULSES, Label.UNKNOWN, np.int8))))


def test_errors_are_told_in_one_line(clean: Pulses) -> None:
    with pytest.raises(DataError, match=r"give-away-baseline.*--accept") as told:
        require_sound(audit_dataset(data_set(change_neutrons(clean, lambda samples: samples - 20))))
    assert "\n" not in str(told.value)


def test_the_same_seed_says_the_same(clean: Pulses) -> None:
    first, second = (json.dumps(audit_dataset(data_set(clean), seed=3).as_dict()) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("order", [1, -1])
def test_every_finding_says_what_how_many_where_and_what_to_do(clean: Pulses, order: int) -> None:
    audit = audit_dataset(data_set(*by_class(change_neutrons(clean, lambda samples: samples - 20))[::order]))
    assert [finding.severity for finding in audit.findings][:2] == [Severity.ERROR] * 2
    for finding in audit.findings:
        assert all((finding.what, finding.how_many, finding.where, finding.mend))
        json.dumps(plain(finding), allow_nan=False)


@pytest.mark.real_data
def test_baseline_and_adc_step_of_the_real_bc501a_files_are_found(real_data: Path) -> None:
    kinds = (Label.GAMMA, Label.NEUTRON)
    dataset = load_dataset(
        [open_reader(real_data / "bc501a" / f"bc501a_{kind.name.lower()}_first5.csv") for kind in kinds],
        transforms=[partial(label_all, label=kind) for kind in kinds],
    )
    audit = audit_dataset(dataset)
    found = severities(audit)
    assert found["give-away-baseline"] == found["give-away-adc-step"] == "error"
    assert not {"give-away-amplitude", "give-away-trigger-position"} & found.keys()
    assert found["one-class-runs"] == "warning"
    # Of all 252 arrangements only the true one and its opposite are as extreme.
    p_values = {test.name: test.p_value for test in audit.give_away_tests}
    assert p_values["baseline"] == p_values["ADC step"] == pytest.approx(2 / 252)
