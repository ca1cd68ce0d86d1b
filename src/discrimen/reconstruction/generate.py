"""Generate pulses of asked class and light by a frozen decoder and the library of its training pulses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import OutputError, SettingsError
from discrimen.formats.table import find_writable, open_writer
from discrimen.inference.native import NativePredictor
from discrimen.network.frozen_file import read_frozen, require_frozen
from discrimen.network.generator import Generator
from discrimen.pulses import PulseFlag, Pulses
from discrimen.pulses.detector import DetectorSettings
from discrimen.reconstruction.generated_light import Wanted, draw_light, rows_near
from discrimen.reconstruction.generation_options import GenerationOptions, Prior
from discrimen.simulation.truth import PILE_UP_COLUMNS, TruthWriter, require_free_truth, truth_path

BLOCK_PULSES = 4096
"""Pulses in a block; each has random numbers of its own, so that a run is the same however it is iterated. A block
and what it is made of fit into the cache of a core."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GeneratedRun:
    """Where generated pulses lie, and what they are.

    Parameters
    ----------
    run, truth : Path
        The run file, and class and light of its pulses beside it.
    settings : DetectorSettings
        Of the detector that the generator was trained for.
    counts : mapping of str to int
        Pulses of each class.
    seconds : float
        For generating and writing, in s.
    """

    run: Path
    truth: Path
    settings: DetectorSettings
    counts: dict[str, int]
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "output": str(self.run),
            "truth": str(self.truth),
            **{f"n_{name}": count for name, count in self.counts.items()},
            "settings": self.settings.model_dump(exclude_none=True),
            "seconds": self.seconds,
        }


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
    def _is_whole(self) -> bool:
        return np.dtype(self.generator.sample_type).kind != "f"

    def blocks(self, options: GenerationOptions) -> Iterator[Pulses]:
        """Generate pulses in blocks of :data:`BLOCK_PULSES`, in constant memory.

        Yields
        ------
        Pulses
            With `entry`, `timestamp_ps`, `board`, `channel`, `flags`, `energy_kevee` and `label`.

        Raises
        ------
        SettingsError
            If a class or a light is asked for that the generator was not trained for.
        """
        wanted = Wanted.of(self.generator, **options.wanted)
        last_ps = 0
        for number, first in enumerate(range(0, options.n_pulses, BLOCK_PULSES)):
            rng = _block_rng(options.seed, number)
            entry = np.arange(first, min(first + BLOCK_PULSES, options.n_pulses))
            label, light, near = draw_light(wanted, len(entry), rng)
            samples, saturated = self.records(label, light, near, prior=options.prior, rng=rng)
            gaps_ps = np.rint(rng.exponential(1e12 / options.rate_hz, len(entry))).astype(np.int64)
            timestamp_ps = last_ps + np.cumsum(gaps_ps)
            last_ps = int(timestamp_ps[-1])
            yield Pulses(
                samples=samples,
                sample_period_ns=self.generator.preparation.sample_period_ns,
                entry=entry,
                timestamp_ps=timestamp_ps,
                board=np.zeros(len(entry), np.int32),
                channel=np.zeros(len(entry), np.int32),
                flags=np.where(saturated, PulseFlag.SATURATED_INPUT, 0).astype(np.uint32),
                energy_kevee=light,
                label=label,
            )

    def like(self, pulses: Pulses, *, prior: Prior = "posterior", seed: int = 0) -> Pulses:
        """Generate one pulse of the class and the light of each of others, which the generator must know.

        Raises
        ------
        DataError
            If the pulses have no class or no light.
        """
        parts = []
        for number, first in enumerate(range(0, len(pulses), BLOCK_PULSES)):
            rng = _block_rng(seed, number)
            label, light = (pulses.column(name)[first : first + BLOCK_PULSES] for name in ("label", "energy_kevee"))
            near = rows_near(self.generator, label, light, rng)
            parts.append(self.records(label, light, near, prior=prior, rng=rng)[0])
        return Pulses(
            samples=np.concatenate(parts),
            sample_period_ns=self.generator.preparation.sample_period_ns,
            label=pulses.column("label"),
            energy_kevee=pulses.column("energy_kevee"),
        )

    def records(
        self,
        label: NDArray[np.int8],
        light_kevee: NDArray[np.float32],
        near: Callable[[], NDArray[np.int64]],
        *,
        prior: Prior,
        rng: np.random.Generator,
    ) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Make records of pulses, and say which are saturated.

        Parameters
        ----------
        label, light_kevee : ndarray, shape (pulse,)
            Class and light of each.
        near : callable
            Draws for each a row of the library, of its class and nearly its light.
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
        codes[:, n_numbers:] = generator.condition.rows(label, light_kevee)
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


def generate_run(
    path: Path | str,
    output: Path,
    *,
    options: GenerationOptions | None = None,
    format_name: str | None = None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> GeneratedRun:
    """Generate pulses into a run file, and their class and light into a file beside it.

    Parameters
    ----------
    path : Path
        The frozen generator.
    output : Path
        The run file.
    options : GenerationOptions, optional
        What to generate.
    format_name : str, optional
        Format of the run file; by default its suffix decides.
    on_progress : callable
        Called with the number of pulses of each block.

    Raises
    ------
    FormatError, SettingsError
        If the model is no frozen generator, or is asked for what it was not trained for.
    OutputError
        If the format cannot be written, or a file that was neither simulated nor generated has the name.
    """
    begin_s, options = perf_counter(), options or GenerationOptions()
    maker = PulseGenerator(path)
    if output.exists() and output.samefile(path):
        raise OutputError(f"{output}: this is the generator itself; choose another output")
    find_writable(output, format_name)
    require_free_truth(output)
    truth, names = TruthWriter(), maker.generator.condition.classes
    counts = np.zeros(len(names), np.int64)
    blocks = maker.blocks(options)
    first = next(blocks)  # what cannot be generated is refused before a file is begun
    with open_writer(output, maker.settings, format_name=format_name) as writer:
        for pulses in _chained(first, blocks):
            writer.write(pulses)
            truth.add(pulses, pile_up=_NO_PILE_UP)
            counts += np.bincount(pulses.column("label"), minlength=len(names))
            on_progress(len(pulses))
    truth.write(truth_path(output), run=output.name)
    return GeneratedRun(
        run=output,
        truth=truth_path(output),
        settings=maker.settings,
        counts=dict(zip(names, counts.tolist(), strict=True)),
        seconds=perf_counter() - begin_s,
    )


def _block_rng(seed: int, number: int) -> np.random.Generator:
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence([seed, number])))


_NO_PILE_UP = MappingProxyType({name: np.empty(0) for name in PILE_UP_COLUMNS})


def _chained(first: Pulses, others: Iterator[Pulses]) -> Iterator[Pulses]:
    yield first
    yield from others
