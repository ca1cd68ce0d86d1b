"""Training for a chip from labelled runs to networks of few bits: the stage behind ``discrimen fpga train``."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.fpga.chip_model import ChipModel
from discrimen.fpga.emulator import Agreement, combinational, compare_with_keras
from discrimen.fpga.float_network import FloatTraining, Labelled, best_of, logits_of, neutron_score
from discrimen.fpga.front_end import FrontEnd
from discrimen.fpga.judged import Judged, Target, judge, threshold_of
from discrimen.fpga.quantised_network import FewBits, ebops_of, train_quantised
from discrimen.fpga.stimuli import at_the_rail, stress_windows
from discrimen.fpga.streams import windows_of_pulses
from discrimen.fpga.synthesis import map_network
from discrimen.fpga.training_config import ChipTrainingConfig
from discrimen.fpga.training_result import Candidate, ChipTraining, Run
from discrimen.fpga.verilog import write_network
from discrimen.keras_jax import KerasSession
from discrimen.pulses import Pulses
from discrimen.runs.dataset import Dataset

MOVED_PEDESTALS_ADC = (-100, 100)


def run_through(name: str, dataset: Dataset, front_end: FrontEnd) -> Run:
    """Send a labelled run through the front end.

    Raises
    ------
    DataError
        If its ADC is not that of the front end, nothing triggers, or the records are too short.
    """
    settings, pulses = dataset.settings, dataset.pulses
    if settings.adc_bits is not None and settings.adc_bits != front_end.adc_bits:
        raise DataError(
            f"{name}: the run has {settings.adc_bits} bits, the front end {front_end.adc_bits}: give --adc-bits "
            f"{settings.adc_bits}, or the right run"
        )
    if settings.polarity is not None and settings.polarity != front_end.polarity:
        raise DataError(f"{name}: the pulses are {settings.polarity}, the front end takes {front_end.polarity} ones")
    windows = windows_of_pulses(pulses, front_end)
    label = pulses.column("label")[windows.pulse]
    if len(np.unique(label)) < 2:
        raise DataError(
            f"{name}: {len(windows)} of {len(pulses)} pulses trigger, expected both classes among them; is the "
            f"threshold of {front_end.threshold_adc} counts too high?"
        )
    light = None if pulses.energy_kevee is None else pulses.energy_kevee[windows.pulse]
    return Run(
        name=name,
        pulses=pulses,
        windows=windows,
        labelled=Labelled(values=windows.values, label=label, light_kevee=light),
    )


def train_for_chip(
    session: KerasSession,
    config: ChipTrainingConfig,
    *,
    training: Dataset,
    validation: Dataset,
    test: Dataset | None = None,
    provenance: Mapping[str, Any] | None = None,
    log: Callable[[str], None] = lambda _: None,
) -> ChipTraining:
    """Train float networks, then a network of few bits for each cost, and choose one.

    Parameters
    ----------
    session : KerasSession
        Keras.
    config : ChipTrainingConfig
        How.
    training, validation, test : Dataset
        Runs that teach, that choose, and that judge alone.
    provenance : mapping, optional
        Plain data for the description of the chip model.
    log : callable
        Called with one line for each step.

    Raises
    ------
    DataError, SettingsError
        If a run does not fit the front end, or no network is small enough.
    """
    named = [("training", training), ("validation", validation), *([("test", test)] if test is not None else [])]
    runs = tuple(run_through(name, dataset, config.front_end) for name, dataset in named)
    for run in runs:
        log(run.in_words)
    labelled = [run.labelled for run in runs]
    taught, chooses, judges = labelled[0], labelled[1], labelled[2] if test is not None else None
    with session.on_device():
        floats = _floats(session, config, taught, chooses, log)
        worst = at_the_rail(taught.values, high=highest_value(runs[0], config.front_end))
        candidates = []
        for how in _trainings(config):
            model = train_quantised(
                session,
                floats[0].model,
                taught,
                architecture=config.architecture,
                options=config.options,
                worst=worst,
                how=how,
            )
            candidates.append(one := _candidate(model, how, config, chooses, judges))
            log(f"beta {how.beta:g}, seed {how.seed}: {one.size}, validation {one.validation.in_words}")
        chosen = choose(candidates, most_ebops=config.most_ebops, most_luts=config.most_luts)
        log(f"chosen: beta {chosen.beta:g}, {chosen.size}")
        last = runs[-1]
        return ChipTraining(
            chip=_chip(chosen, config, chooses, provenance or {}),
            chosen=chosen,
            candidates=tuple(sorted(candidates, key=lambda each: each.ebops)),
            floats=floats,
            float_validation=_judged(floats[0].model, chooses, config.targets),
            float_test=None if judges is None else _judged(floats[0].model, judges, config.targets),
            runs=runs,
            agreement=_agreement(chosen.model, config.front_end, last.labelled.values),
            moved=_moved(chosen.model, last, config),
        )


def choose(
    candidates: Sequence[Candidate], *, most_ebops: int | None = None, most_luts: int | None = None
) -> Candidate:
    """Return the candidate that leaks least on the validation run, of those that are small enough.

    The leakages of all ranges count, by the mean of their logarithms.

    Raises
    ------
    SettingsError
        If none is.
    """

    def fits(each: Candidate) -> bool:
        few_luts = most_luts is None or (each.luts is not None and each.luts <= most_luts)
        return few_luts and (most_ebops is None or each.ebops <= most_ebops)

    small = [each for each in candidates if fits(each)]
    if not small:
        least = min(candidates, key=lambda each: each.ebops)
        allowed = [f"{most} {of}" for most, of in ((most_ebops, "EBOPs"), (most_luts, "look-up tables")) if most]
        raise SettingsError(
            f"no network has at most {' and '.join(allowed)}, the smallest {least.size} with --beta {least.beta:g}: "
            "give a larger --beta, or allow more"
        )
    return min(small, key=lambda each: each.validation.smoothed_log_leakage)


def _floats(
    session: KerasSession,
    config: ChipTrainingConfig,
    taught: Labelled,
    chooses: Labelled,
    log: Callable[[str], None],
) -> tuple[FloatTraining, ...]:
    def told(one: FloatTraining) -> None:
        judged = _judged(one.model, chooses, config.targets)
        log(f"float, seed {one.seed}: loss {one.validation_loss:.4f}, validation {judged.in_words}")

    return best_of(
        session,
        taught,
        chooses,
        architecture=config.architecture,
        options=config.options,
        epochs=config.float_epochs,
        batch_size=config.batch_size,
        seeds=range(config.seed, config.seed + config.float_trainings),
        on_trained=told,
    )


def _trainings(config: ChipTrainingConfig) -> tuple[FewBits, ...]:
    return tuple(
        FewBits(beta=beta, epochs=config.epochs, batch_size=config.batch_size, seed=config.seed + number)
        for beta in config.betas
        for number in range(config.bit_trainings)
    )


def _judged(model: Any, windows: Labelled, targets: Sequence[Target]) -> Judged:
    return judge(neutron_score(logits_of(model, windows.values)), windows, targets)


def _candidate(
    model: Any, how: FewBits, config: ChipTrainingConfig, chooses: Labelled, judges: Labelled | None
) -> Candidate:
    logic = combinational(model, config.front_end)
    asked = config.map_luts or config.most_luts is not None
    return Candidate(
        beta=how.beta,
        seed=how.seed,
        ebops=ebops_of(model),
        adders=float(logic.cost),
        luts=mapped_luts(logic) if asked else None,
        validation=_judged(model, chooses, config.targets),
        test=None if judges is None else _judged(model, judges, config.targets),
        model=model,
    )


def mapped_luts(logic: Any) -> int:
    """Count the look-up tables of a network alone, mapped for the 7-series."""
    with tempfile.TemporaryDirectory(prefix="discrimen-luts-") as folder:
        network = write_network(logic, Path(folder) / "rtl")
        return map_network(network.sources, Path(folder) / "mapped").lut


def _chip(chosen: Candidate, config: ChipTrainingConfig, chooses: Labelled, provenance: Mapping[str, Any]) -> ChipModel:
    target = config.targets[0]
    scores = neutron_score(logits_of(chosen.model, chooses.values))
    return ChipModel(
        model=chosen.model,
        front_end=config.front_end,
        threshold=threshold_of(scores, chooses, target),
        efficiency=target.efficiency,
        provenance={"config": config.as_dict(), "chosen": chosen.as_dict(), **provenance},
    )


def highest_value(run: Run, front_end: FrontEnd) -> int:
    """Return the highest value above the pedestal that the ADC can give."""
    pedestal = np.median(front_end.upright(run.pulses.samples[:, 0]))
    return int(front_end.highest_adc - pedestal)


def _agreement(model: Any, front_end: FrontEnd, values: NDArray[Any]) -> tuple[Agreement, ...]:
    stimuli = {"pulses that never chose": values, **stress_windows(values, front_end)}
    return compare_with_keras(combinational(model, front_end), model, stimuli)


def _moved(model: Any, run: Run, config: ChipTrainingConfig) -> dict[int, Judged]:
    """Judge a run with its pedestal moved, through the whole front end."""
    judged = {0: _judged(model, run.labelled, config.targets)}
    highest = config.front_end.highest_adc
    for moved in MOVED_PEDESTALS_ADC:
        samples = np.clip(run.pulses.samples.astype(np.int32) + moved, 0, highest).astype(run.pulses.samples.dtype)
        pulses = Pulses(samples=samples, sample_period_ns=run.pulses.sample_period_ns)
        windows = windows_of_pulses(pulses, config.front_end)
        light = run.pulses.energy_kevee
        labelled = Labelled(
            values=windows.values,
            label=run.pulses.column("label")[windows.pulse],
            light_kevee=None if light is None else light[windows.pulse],
        )
        judged[moved] = _judged(model, labelled, config.targets)
    return judged
