"""Training of an encoder for a chip: the stage behind ``discrimen fpga train --task encode``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.fpga.chip_model import input_kif
from discrimen.fpga.emulator import Agreement, combinational, compare_with_keras
from discrimen.fpga.encoder_model import ChipEncoder
from discrimen.fpga.encoder_network import Autoencoder, check_encoder_options, train_encoder, train_float_autoencoder
from discrimen.fpga.front_end import FrontEnd
from discrimen.fpga.quantised_network import FewBits, ebops_of
from discrimen.fpga.stimuli import at_the_rail, stress_windows
from discrimen.fpga.training_result import Run
from discrimen.fpga.training_run import highest_value, mapped_luts, run_through
from discrimen.keras_jax import KerasSession
from discrimen.runs.dataset import Dataset

_Z95 = 1.96


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderConfig:
    """How to train an encoder for a chip; see :class:`~discrimen.fpga.training_config.ChipTrainingConfig`.

    Parameters
    ----------
    options : mapping of str to value
        Of :class:`~discrimen.fpga.encoder_network.ChipEncoderOptions`, those that differ from their defaults.
    front_end, float_trainings, float_epochs, betas, bit_trainings, epochs, batch_size, most_ebops, most_luts, map_luts,
    seed
        See there.
    """

    front_end: FrontEnd
    options: Mapping[str, Any] = field(default_factory=dict)
    float_trainings: int = 6
    float_epochs: int = 120
    betas: tuple[float, ...] = (1e-4,)
    bit_trainings: int = 3
    epochs: int = 200
    batch_size: int = 250
    most_ebops: int | None = None
    most_luts: int | None = None
    map_luts: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.betas or min(self.betas) <= 0:
            raise SettingsError(f"the cost of a bit operation must be positive, got {list(self.betas)}")
        bits, least = check_encoder_options(self.options).word_bits, self.integer_bits + 2
        if bits < least:
            raise SettingsError(f"code words of {bits} bits are too short for the ADC: expected at least {least}")

    @property
    def integer_bits(self) -> int:
        """Of a code word, as of the input."""
        return input_kif(self.front_end)[1]

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as plain data."""
        options = check_encoder_options(self.options).model_dump(mode="json")
        return {**asdict(self), "options": options, "front_end": self.front_end.as_dict()}


@dataclass(frozen=True, slots=True)
class Missed:
    """Root mean square of what a reconstruction misses, in ADC counts, with its interval of 95 %."""

    rms_adc: float
    low: float
    high: float

    @property
    def in_words(self) -> str:
        """The figure for people."""
        return f"{self.rms_adc:.3f} counts [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class EncoderCandidate:
    """One encoder of few bits; fields as of :class:`~discrimen.fpga.training_result.Candidate`."""

    beta: float
    seed: int
    ebops: int
    luts: int | None
    validation: Missed
    test: Missed | None
    model: Autoencoder

    @property
    def size(self) -> str:
        """How large it is, for people."""
        return f"{self.ebops} EBOPs" + ("" if self.luts is None else f", {self.luts} look-up tables")

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain data."""
        return {
            "beta": self.beta,
            "seed": self.seed,
            "ebops": self.ebops,
            "yosys_luts": self.luts,
            "validation": asdict(self.validation),
            "test": None if self.test is None else asdict(self.test),
        }


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class EncoderTraining:
    """What came of a training; `noise` is the rms of the samples before the pulse in the run that judges, in counts."""

    chip: ChipEncoder
    chosen: EncoderCandidate
    candidates: tuple[EncoderCandidate, ...]
    float_validation: Missed
    float_test: Missed | None
    noise_rms_adc: float
    runs: tuple[Run, ...]
    agreement: tuple[Agreement, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain data."""
        test = None if self.float_test is None else asdict(self.float_test)
        return {
            "chosen": self.chosen.as_dict(),
            "candidates": [each.as_dict() for each in self.candidates],
            "float": {"validation": asdict(self.float_validation), "test": test},
            "noise_rms_adc": self.noise_rms_adc,
            "code_bits": self.chip.code_bits,
            "compression": self.chip.compression,
            "agreement": [asdict(each) for each in self.agreement],
        }


def missed_by(model: Autoencoder, values: NDArray[Any]) -> Missed:
    """Measure what a reconstruction misses of windows, shape (window, sample)."""
    each = np.mean((model.reconstructed(values) - values).astype(np.float64) ** 2, axis=1)
    error = _Z95 * each.std() / np.sqrt(len(each))
    low, middle, high = (float(np.sqrt(max(each.mean() + by, 0.0))) for by in (-error, 0.0, error))
    return Missed(middle, low, high)


def train_encoder_for_chip(
    session: KerasSession,
    config: EncoderConfig,
    *,
    training: Dataset,
    validation: Dataset,
    test: Dataset | None = None,
    provenance: Mapping[str, Any] | None = None,
    log: Callable[[str], None] = lambda _: None,
) -> EncoderTraining:
    """Train float auto-encoders, then an encoder of few bits for each cost, and choose one.

    The arguments are those of :func:`~discrimen.fpga.training_run.train_for_chip`.

    Raises
    ------
    DataError, SettingsError
        If a run does not fit the front end, or no encoder is small enough.
    """
    named = [("training", training), ("validation", validation), *([("test", test)] if test is not None else [])]
    runs = tuple(run_through(name, dataset, config.front_end) for name, dataset in named)
    for run in runs:
        log(run.in_words)
    taught, chooses = (run.labelled.values for run in runs[:2])
    judges = runs[2].labelled.values if test is not None else None
    worst = at_the_rail(taught, high=highest_value(runs[0], config.front_end))
    with session.on_device():
        start = _best_float(session, config, taught, chooses, worst, log)
        candidates = []
        for how in _trainings(config):
            candidates.append(one := _candidate(session, start, how, config, taught, worst, chooses, judges))
            log(f"beta {how.beta:g}, seed {how.seed}: {one.size}, validation {one.validation.in_words}")
        chosen = choose_encoder(candidates, most_ebops=config.most_ebops, most_luts=config.most_luts)
        log(f"chosen: beta {chosen.beta:g}, {chosen.size}")
        last = runs[-1].labelled.values
        stimuli = {"pulses that never chose": last, **stress_windows(last, config.front_end)}
        return EncoderTraining(
            chip=_chip(chosen, config, provenance or {}),
            chosen=chosen,
            candidates=tuple(sorted(candidates, key=lambda each: each.ebops)),
            float_validation=missed_by(start, chooses),
            float_test=None if judges is None else missed_by(start, judges),
            noise_rms_adc=float(last[:, : max(1, config.front_end.before // 2)].std()),
            runs=runs,
            agreement=compare_with_keras(
                combinational(chosen.model.encoder, config.front_end), chosen.model.encoder, stimuli
            ),
        )


def choose_encoder(
    candidates: Sequence[EncoderCandidate], *, most_ebops: int | None = None, most_luts: int | None = None
) -> EncoderCandidate:
    """Return the candidate that misses least on the validation run, of those that are small enough.

    Raises
    ------
    SettingsError
        If none is.
    """
    small = [
        each
        for each in candidates
        if (most_luts is None or (each.luts is not None and each.luts <= most_luts))
        and (most_ebops is None or each.ebops <= most_ebops)
    ]
    if not small:
        least = min(candidates, key=lambda each: each.ebops)
        raise SettingsError(
            f"no encoder is as small as --most-ebops and --most-luts ask, the smallest has {least.size} with --beta "
            f"{least.beta:g}: give a larger --beta, fewer code words, or allow more"
        )
    return min(small, key=lambda each: each.validation.rms_adc)


def _best_float(
    session: KerasSession,
    config: EncoderConfig,
    taught: NDArray[Any],
    chooses: NDArray[Any],
    worst: NDArray[Any],
    log: Callable[[str], None],
) -> Autoencoder:
    found = []
    for seed in range(config.seed, config.seed + config.float_trainings):
        one = train_float_autoencoder(
            session,
            taught,
            options=check_encoder_options(config.options),
            worst=worst,
            integer_bits=config.integer_bits,
            epochs=config.float_epochs,
            batch_size=config.batch_size,
            seed=seed,
        )
        found.append((missed := missed_by(one, chooses), one))
        log(f"float, seed {seed}: validation {missed.in_words}")
    return min(found, key=lambda pair: pair[0].rms_adc)[1]


def _trainings(config: EncoderConfig) -> tuple[FewBits, ...]:
    return tuple(
        FewBits(beta=beta, epochs=config.epochs, batch_size=config.batch_size, seed=config.seed + number)
        for beta in config.betas
        for number in range(config.bit_trainings)
    )


def _candidate(
    session: KerasSession,
    start: Autoencoder,
    how: FewBits,
    config: EncoderConfig,
    taught: NDArray[Any],
    worst: NDArray[Any],
    chooses: NDArray[Any],
    judges: NDArray[Any] | None,
) -> EncoderCandidate:
    options = check_encoder_options(config.options)
    model = train_encoder(
        session, start, taught, options=options, worst=worst, integer_bits=config.integer_bits, how=how
    )
    asked = config.map_luts or config.most_luts is not None
    return EncoderCandidate(
        beta=how.beta,
        seed=how.seed,
        ebops=ebops_of(model.encoder),
        luts=mapped_luts(combinational(model.encoder, config.front_end)) if asked else None,
        validation=missed_by(model, chooses),
        test=None if judges is None else missed_by(model, judges),
        model=model,
    )


def _chip(chosen: EncoderCandidate, config: EncoderConfig, provenance: Mapping[str, Any]) -> ChipEncoder:
    return ChipEncoder(
        autoencoder=chosen.model,
        front_end=config.front_end,
        word_bits=check_encoder_options(config.options).word_bits,
        integer_bits=config.integer_bits,
        provenance={"config": config.as_dict(), "chosen": chosen.as_dict(), **provenance},
    )
