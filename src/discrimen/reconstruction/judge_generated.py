"""Judge a generator on real pulses that it has not seen: how well they are told from its own."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.metrics import auc
from discrimen.metrics.roc import Auc
from discrimen.network.generator import Generator
from discrimen.network.preparation import Preparation, one_channel
from discrimen.network.prepare import prepare
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings
from discrimen.reconstruction.generate import PulseGenerator
from discrimen.reconstruction.generation_options import Prior
from discrimen.reconstruction.two_samples import TwoSample, measured, two_sample_tests
from discrimen.training.config import TrainingConfig
from discrimen.training.tasks import Classification
from discrimen.training.train import train

EDGES_KEVEE = (30.0, 50.0, 100.0, 200.0, 500.0)
FEWEST = 1000
"""Real pulses: half of them are compared with generated ones, and with the other half."""

TEST_SHARE = 0.3
"""Of the pulses that a network is to tell apart, those that judge it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgingOptions:
    """How to judge.

    Parameters
    ----------
    edges_kevee : tuple of float
        Edges of the ranges of light for the two-sample tests; of height there are four ranges with as many real pulses
        in each.
    epochs : int
        Of the networks that tell real from generated.
    prior : {"posterior", "normal"}
        See :class:`~discrimen.reconstruction.generation_options.GenerationOptions`.
    seed : int
        Of pulses, split and networks.
    """

    edges_kevee: tuple[float, ...] = EDGES_KEVEE
    epochs: int = 15
    prior: Prior = "posterior"
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GeneratorJudgement:
    """What was found.

    Parameters
    ----------
    n_real : int
        Real pulses, of a class and a size that the generator knows.
    n_left_out : int
        Other pulses of the run.
    told_apart : mapping of str to Auc
        By the way a network sees the pulses: area under its curve for real against generated pulses.
    real_apart : mapping of str to Auc
        The same for two halves of the real pulses.
    tests : tuple of TwoSample
        Of real and generated pulses of the same classes and sizes.
    real, generated : Pulses
        Those compared, in one order.
    label, size : ndarray, shape (pulse,)
        Their class, 0 where there are none, and their light or height, as the generator was asked for them.
    generator : Generator
        What made them.
    """

    n_real: int
    n_left_out: int
    told_apart: dict[str, Auc]
    real_apart: dict[str, Auc]
    tests: tuple[TwoSample, ...]
    real: Pulses
    generated: Pulses
    label: NDArray[np.int8]
    size: NDArray[np.float32]
    generator: Generator

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "n_real": self.n_real,
            "n_left_out": self.n_left_out,
            "real_against_generated": {name: asdict(each) for name, each in self.told_apart.items()},
            "real_against_real": {name: asdict(each) for name, each in self.real_apart.items()},
            "two_sample_tests": [each.as_dict() for each in self.tests],
        }


def judge_generator(
    path: Path | str, real: Pulses, settings: DetectorSettings, *, options: JudgingOptions | None = None
) -> GeneratorJudgement:
    """Compare pulses of a generator with real ones of the same classes and sizes.

    Parameters
    ----------
    path : Path
        The frozen generator.
    real : Pulses
        Not those of its training; with class and light, where the generator was trained by these.
    settings : DetectorSettings
        Of the real pulses; must know the gates of charge comparison.
    options : JudgingOptions, optional
        How.

    Raises
    ------
    DataError
        If the pulses lack class or light, have another length or sampling, or fewer than :data:`FEWEST` are such as the
        generator knows.
    SettingsError
        If the model is no generator, or the gates are not known.
    """
    options = options or JudgingOptions()
    maker = PulseGenerator(path)
    known, n_left_out = _known(real, maker)
    label, size = maker.asked_of(known)
    made = maker.like(known, prior=options.prior, seed=options.seed)
    own = maker.generator.preparation
    quantities = [measured(each, own, settings.gates) for each in (known, made)]
    tests = two_sample_tests(
        *quantities,
        labels=(label, label),
        sizes=(size, size),
        condition=maker.generator.condition,
        edges=options.edges_kevee if maker.knows_light else np.quantile(size, np.linspace(0, 1, 5)).tolist(),
    )
    halves = np.array_split(np.random.default_rng([options.seed, 8]).permutation(len(known)), 2)
    half = known.samples[halves[0]]
    return GeneratorJudgement(
        n_real=len(known),
        n_left_out=n_left_out,
        told_apart=apart(half, made.samples[halves[1]], maker.generator, options),
        real_apart=apart(half, known.samples[halves[1]], maker.generator, options),
        tests=tests,
        real=known,
        generated=made,
        label=label,
        size=size,
        generator=maker.generator,
    )


def apart(first: NDArray[Any], second: NDArray[Any], generator: Generator, options: JudgingOptions) -> dict[str, Auc]:
    """Train networks to tell two groups of records apart, and return how well they do on pulses left for that.

    The dense network is given samples in units of their spread, so that it sees the noise of high pulses as well as
    that of low ones; the network of patches is the default one of a training, on samples divided by the peak.
    """
    made_from = generator.preparation
    channel = made_from.only
    samples = np.concatenate([first, second])
    quiet = samples[:, channel.baseline_start : channel.baseline_stop].mean(axis=1, keepdims=True, dtype=np.float64)
    above = (channel.polarity * (samples - quiet)).astype(np.float32)
    label = np.repeat([0, 1], [len(first), len(second)]).astype(np.int8)
    as_given = one_channel(
        sample_period_ns=made_from.sample_period_ns,
        polarity=1,
        baseline_start=0,
        baseline_stop=0,
        window_length=above.shape[1],
        scale="none",
    )
    units = generator.stabilisation.to_units(above) / np.float32(10)
    ways: Sequence[tuple[str, NDArray[Any], Preparation, dict[str, Any]]] = (
        (
            "dense network, units of the spread",
            units,
            as_given,
            {"architecture": "mlp", "options": {"hidden": (128, 64)}},
        ),
        ("patches, divided by the peak", samples, _by_peak(made_from), {"architecture": "patches"}),
    )
    return {name: _apart(each, label, preparation, how, options) for name, each, preparation, how in ways}


def _by_peak(preparation: Preparation) -> Preparation:
    values = preparation.as_dict() | {"scale": "peak"}
    return Preparation.from_dict(values)


def _apart(
    samples: NDArray[Any],
    label: NDArray[np.int8],
    preparation: Preparation,
    how: dict[str, Any],
    options: JudgingOptions,
) -> Auc:
    order = np.random.default_rng([options.seed, 9]).permutation(len(label))
    judging, teaching = np.split(order, [int(TEST_SHARE * len(order))])
    config = TrainingConfig(
        task=Classification(("real", "other")),
        epochs=options.epochs,
        batch_size=256,
        learning_rate_decay="cosine",
        patience=None,
        seed=options.seed,
        **how,
    )
    folder = mkdtemp(prefix="discrimen-judging-")
    try:
        pulses = Pulses(samples=samples[teaching], sample_period_ns=preparation.sample_period_ns, label=label[teaching])
        result = train(pulses, preparation, config, folder=folder, overwrite=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    prepared = prepare(samples[judging], preparation)
    scores = result.model.predict(prepared.waveforms, batch_size=4096, verbose=0)[:, 1]
    return auc(scores[prepared.valid], label[judging][prepared.valid])


def _known(real: Pulses, maker: PulseGenerator) -> tuple[Pulses, int]:
    """Return the pulses of a class and a size that the generator knows."""
    generator, size = maker.generator, maker.generator.condition.size
    own = generator.preparation
    if real.n_samples != own.window_length or real.require_sample_period_ns() != own.sample_period_ns:
        raise DataError(
            f"the real pulses have {real.n_samples} samples of {real.sample_period_ns:g} ns, the generator makes "
            f"{own.window_length} of {own.sample_period_ns:g} ns"
        )
    label, sizes = maker.asked_of(real)
    known = np.zeros(len(real), np.bool_)
    for number, (low, high) in enumerate(generator.size_range):
        known |= (label == number) & (sizes >= low) & (sizes <= high)
    if (count := int(known.sum())) < FEWEST:
        of = f"a class and a {size.word}" if generator.condition.classes else f"a {size.word}"
        raise DataError(
            f"{count} of {len(real)} real pulses are of {of} that the generator knows; at least {FEWEST} are needed to "
            "judge it"
        )
    return real[known], len(real) - count
