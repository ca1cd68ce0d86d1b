"""Generate pulses of asked class and size by a frozen decoder and the library of its training pulses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.inference.native import NativePredictor
from discrimen.network.condition import LIGHT
from discrimen.network.frozen_file import read_frozen, require_frozen
from discrimen.network.generator import Generator
from discrimen.pulse_shape.upright import blocks, upright
from discrimen.pulses import PulseFlag, Pulses
from discrimen.pulses.detector import DetectorSettings
from discrimen.reconstruction.generated_sizes import Wanted, draw_sizes, rows_near
from discrimen.reconstruction.generation_options import GenerationOptions, Prior

BLOCK_PULSES = 4096
"""Pulses in a block; each has random numbers of its own, so that a run is the same however it is iterated. A block
and what it is made of fit into the cache of a core."""


class PulseGenerator:
    """A frozen generator, ready to make pulses by the native engine.

    Parameters
    ----------
    path : Path
        A ``*.discrimen`` that was frozen of a training for generation.
    threads : int
        How many compute at once.

    Raises
    ------
    FormatError
        If the file is no frozen model.
    SettingsError
        If it is no generator.
    """

    def __init__(self, path: Path | str, *, threads: int | None = 1) -> None:
        require_frozen(Path(path))
        frozen = read_frozen(path)
        if frozen.generator is None:
            given = ", ".join(f"{output.name} ({output.kind})" for output in frozen.description.outputs)
            raise SettingsError(
                f"{path}: this model makes no pulses, it gives {given}: train a generator with "
                "discrimen train DATA --task generation --architecture dense_autoencoder, and freeze it"
            )
        self.generator: Generator = frozen.generator
        self.description = frozen.description
        self._decoder = NativePredictor(path, threads=threads)
        library = self.generator.library
        self._mean = library.code_mean.astype(np.float32)
        self._spread = np.exp(library.code_log_variance.astype(np.float32) / 2)
        # Records are rounded a second time: what the first rounding added to the residuals is taken out of them.
        rounding = 1 / (12 * self.generator.stabilisation.noise_adc**2) if self._is_whole else 0.0
        self._residual = library.residual.astype(np.float32) * np.float32(np.sqrt(max(1 - rounding, 0.0)))

    @property
    def settings(self) -> DetectorSettings:
        """Of the detector that the generator was trained for."""
        known, made_from = self.description.settings, self.generator.preparation
        return known.model_copy(update={"sample_period_ns": made_from.sample_period_ns})

    @property
    def knows_light(self) -> bool:
        """Whether pulses are asked for by their light; else by their height."""
        return self.generator.condition.size == LIGHT

    @property
    def _is_whole(self) -> bool:
        return np.dtype(self.generator.sample_type).kind != "f"

    def blocks(self, options: GenerationOptions) -> Iterator[Pulses]:
        """Generate pulses in blocks of :data:`BLOCK_PULSES`, in constant memory.

        Yields
        ------
        Pulses
            With `entry`, `timestamp_ps`, `board`, `channel`, `flags`; `label` where the generator knows classes, and
            `energy_kevee` where it knows light.

        Raises
        ------
        SettingsError
            If a class or a size is asked for that the generator was not trained for.
        """
        for pulses, _ in self.blocks_with_size(options):
            yield pulses

    def blocks_with_size(self, options: GenerationOptions) -> Iterator[tuple[Pulses, NDArray[np.float32]]]:
        """Generate as :meth:`blocks` does, and give the light or the height that each pulse was asked for by."""
        wanted = Wanted.of(self.generator, **options.wanted)
        last_ps = 0
        for number, first in enumerate(range(0, options.n_pulses, BLOCK_PULSES)):
            rng = _block_rng(options.seed, number)
            entry = np.arange(first, min(first + BLOCK_PULSES, options.n_pulses))
            label, size, near = draw_sizes(wanted, len(entry), rng)
            samples, saturated = self.records(label, size, near, prior=options.prior, rng=rng)
            gaps_ps = np.rint(rng.exponential(1e12 / options.rate_hz, len(entry))).astype(np.int64)
            timestamp_ps = last_ps + np.cumsum(gaps_ps)
            last_ps = int(timestamp_ps[-1])
            pulses = Pulses(
                samples=samples,
                sample_period_ns=self.generator.preparation.sample_period_ns,
                entry=entry,
                timestamp_ps=timestamp_ps,
                board=np.zeros(len(entry), np.int32),
                channel=np.zeros(len(entry), np.int32),
                flags=np.where(saturated, PulseFlag.SATURATED_INPUT, 0).astype(np.uint32),
                energy_kevee=size if self.knows_light else None,
                label=label if self.generator.condition.classes else None,
            )
            yield pulses, size

    def like(self, pulses: Pulses, *, prior: Prior = "posterior", seed: int = 0) -> Pulses:
        """Generate one pulse of the class and the size of each of others, which the generator must know.

        Raises
        ------
        DataError
            If the pulses lack the class or the light that the generator asks for.
        """
        labels, sizes = self.asked_of(pulses)
        parts = []
        for number, first in enumerate(range(0, len(pulses), BLOCK_PULSES)):
            rng = _block_rng(seed, number)
            here = slice(first, first + BLOCK_PULSES)
            label, size = labels[here], sizes[here]
            near = rows_near(self.generator, label, size, rng)
            parts.append(self.records(label, size, near, prior=prior, rng=rng)[0])
        return Pulses(
            samples=np.concatenate(parts),
            sample_period_ns=self.generator.preparation.sample_period_ns,
            label=pulses.label,
            energy_kevee=pulses.energy_kevee,
        )

    def asked_of(self, pulses: Pulses) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
        """Return class and size of recorded pulses as the generator is asked for them, shape (pulse,) each.

        Raises
        ------
        DataError
            If a column is missing, or the records are shorter than the baseline window.
        """
        known = self.generator.condition
        label = pulses.column("label") if known.classes else np.zeros(len(pulses), np.int8)
        if self.knows_light:
            return label, pulses.column("energy_kevee")
        turned = [upright(each, self.generator.preparation).waveforms.max(axis=1) for each in blocks(pulses.samples)]
        return label, np.concatenate(turned)

    def records(
        self,
        label: NDArray[np.int8],
        size: NDArray[np.float32],
        near: Callable[[], NDArray[np.int64]],
        *,
        prior: Prior,
        rng: np.random.Generator,
    ) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Make records of pulses, and say which are saturated.

        Parameters
        ----------
        label, size : ndarray, shape (pulse,)
            Class and size of each.
        near : callable
            Draws for each a row of the library, of its class and nearly its size.
        prior : {"posterior", "normal"}
            See :class:`GenerationOptions`.
        rng : numpy.random.Generator
            Source of the codes and of the choice among residuals and baselines.
        """
        generator = self.generator
        n_numbers = generator.code_length
        codes = np.empty((len(label), n_numbers + generator.condition.n_values), np.float32)
        drawn = rng.standard_normal((len(label), n_numbers), dtype=np.float32)
        if prior == "posterior":
            row = near()
            drawn *= self._spread[row]
            drawn += self._mean[row]
        codes[:, :n_numbers] = drawn
        codes[:, n_numbers:] = generator.condition.rows(label, size)
        units = self._decoder.run(codes)[0]
        row = near()
        units += self._residual[row]
        return self._digitised(units, generator.library.baseline_adc[row])

    def _digitised(
        self, units: NDArray[np.float32], baseline_adc: NDArray[np.float32]
    ) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Turn units of the spread into ADC counts on a baseline, rounded and within the range of the ADC."""
        records = self.generator.stabilisation.to_adc(units, polarity=self.generator.preparation.only.polarity)
        records += baseline_adc[:, np.newaxis]
        dtype = np.dtype(self.generator.sample_type)
        if not self._is_whole:
            return records.astype(dtype), np.zeros(len(records), np.bool_)
        limits, adc_bits = np.iinfo(dtype), self.description.settings.adc_bits
        low, high = (limits.min, limits.max) if adc_bits is None else (0, min(2**adc_bits - 1, limits.max))
        np.rint(records, out=records)
        saturated = np.zeros(len(records), np.bool_)
        if records.min() < low or records.max() > high:
            saturated = (records.min(axis=1) < low) | (records.max(axis=1) > high)
            np.clip(records, low, high, out=records)
        return records.astype(dtype), saturated


def _block_rng(seed: int, number: int) -> np.random.Generator:
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence([seed, number])))
