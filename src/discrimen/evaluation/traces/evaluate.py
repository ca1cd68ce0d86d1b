"""From a model that gives clean traces of hits, and hits with their clean ones, to a report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.evaluation.positions.ranges import energy_ranges
from discrimen.evaluation.traces.kinds import HIT, NEIGHBOURS, REFERENCE, kinds_of
from discrimen.evaluation.traces.report import ShownTrace, TraceRange, TraceReport
from discrimen.inference.base import Predictor
from discrimen.inference.clean_traces import NOT_DENOISED, clean_traces, require_whole_hits
from discrimen.metrics.trace_residuals import TraceErrors, trace_figures
from discrimen.network.preparation import Preparation
from discrimen.output.provenance import software_versions, utc_now
from discrimen.pulses.hits import Hits

ALL = "all"
_PIECE_HITS = 1000
_HEIGHTS = (-np.inf, -5.0, -2.0, -1.0, 0.0, 1.0, 2.0, 5.0, np.inf)
"""Of transients, over the rms of the noise."""
_SHOWN_KEV = (60.0, 300.0)


def evaluate_traces(
    predictor: Predictor,
    hits: Hits,
    clean: NDArray[Any],
    *,
    confidence: float = 0.95,
    seed: int = 0,
    files: Sequence[Mapping[str, Any]] = (),
    notes: Sequence[str] = (),
) -> TraceReport:
    """Judge the clean traces of a model on hits that it has not seen, beside what was recorded.

    Parameters
    ----------
    predictor : Predictor
        Of a model that gives the traces of the whole record.
    hits : Hits
        As recorded, in the order of the model's channels; with the column `energy_kev` figures are shown against it.
    clean : ndarray, shape (hit, channel, sample)
        The same hits without noise, in ADC counts.
    confidence : float
        Of every interval.
    seed : int
        Of the draws behind intervals.
    files : sequence of mapping
        Of the hits.
    notes : sequence of str
        What a reader must know besides.

    Raises
    ------
    DataError
        If the hits do not fit the model or the clean ones, or none can be denoised.
    SettingsError
        If the model gives no traces of the whole record, or the confidence does not lie between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise SettingsError(f"confidence must lie between 0 and 1, got {confidence:g}")
    if clean.shape != hits.samples.shape:
        raise DataError(f"expected clean traces of the shape of the hits {hits.samples.shape}, got {clean.shape}")
    require_whole_hits(predictor.description, what="evaluate")
    measured = _Measured.of(predictor, hits, clean)
    left_out = {NOT_DENOISED[name]: count for name, count in measured.left_out.items() if count}
    if not len(measured.judged):
        told = ", ".join(f"{count} {words}" for words, count in left_out.items())
        raise DataError(f"no hit can be judged: of {len(hits)} hits, {told or 'there are none'}")
    ranges = _Ranges(confidence, np.random.default_rng(seed))
    energy = hits.columns.get("energy_kev")
    inside = {"all energies": np.ones(len(measured.judged), np.bool_)}
    if energy is not None:
        inside |= dict(energy_ranges(energy[measured.judged].astype(np.float64)))
    return TraceReport(
        model={"backend": predictor.backend, **predictor.description.as_dict()},
        files=tuple(dict(file) for file in files),
        confidence=confidence,
        n_hits=len(hits),
        n_judged=len(measured.judged),
        left_out=left_out,
        kinds={
            kind: tuple(ranges.one(name, errors, members) for name, members in inside.items() if members.any())
            for kind, errors in measured.kinds.items()
            if errors.n_samples.any()
        },
        transients=tuple(ranges.by_height(measured)),
        sample_period_ns=predictor.description.preparation.sample_period_ns,
        shown=measured.shown,
        notes=(*notes, *(f"{count} hits {words} are left out" for words, count in left_out.items())),
        created_utc=utc_now(),
        software=software_versions("numpy"),
    )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Measured:
    """Errors of the hits that were denoised, by kind, and of each neighbour's trace with its height over the noise."""

    judged: NDArray[np.int64]
    kinds: dict[str, TraceErrors]
    transients: TraceErrors
    height: NDArray[np.float64]
    left_out: dict[str, int]
    shown: tuple[ShownTrace, ...]

    @classmethod
    def of(cls, predictor: Predictor, hits: Hits, clean: NDArray[Any]) -> _Measured:
        preparation = predictor.description.preparation
        judged, kinds, transients, heights = [], [], [], []
        left_out = dict.fromkeys(NOT_DENOISED, 0)
        shown: dict[float, tuple[ShownTrace, ...]] = {}
        for start in range(0, len(hits), _PIECE_HITS):
            part, bare = hits[start : start + _PIECE_HITS], clean[start : start + _PIECE_HITS]
            done = clean_traces(predictor, part)
            bad = np.logical_or.reduce(list(done.found.values()))
            for name, members in done.found.items():
                left_out[name] += int(members.sum())
            good = np.flatnonzero(~bad)
            piece = _Piece.of(part[good], bare[good], done.traces_adc[good], preparation)
            judged.append(start + good)
            kinds.append(piece.by_kind())
            transients.append(piece.errors(piece.kinds[NEIGHBOURS], each=True))
            heights.append(piece.heights())
            shown |= {kev: each for kev, each in piece.shown() if kev not in shown}
        return cls(
            judged=np.concatenate(judged),
            kinds={kind: _joined([each[kind] for each in kinds]) for kind in kinds[0]},
            transients=_joined(transients),
            height=np.concatenate(heights),
            left_out=left_out,
            shown=tuple(trace for kev in sorted(shown) for trace in shown[kev]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """Some hits, above the baseline and upwards, in ADC counts; shape (hit, channel, sample)."""

    recorded: NDArray[np.float32]
    clean: NDArray[np.float32]
    denoised: NDArray[np.float32]
    kinds: dict[str, NDArray[np.bool_]]
    energy_kev: NDArray[Any] | None
    names: tuple[str, ...]

    @classmethod
    def of(cls, hits: Hits, clean: NDArray[Any], denoised: NDArray[Any], preparation: Preparation) -> _Piece:
        polarity = np.array([channel.polarity for channel in preparation.channels], np.float32)[:, np.newaxis]
        first = preparation.channels[preparation.reference or 0]
        before = clean[:, :, first.baseline_start : max(first.baseline_stop, first.baseline_start + 1)]
        baseline = before.mean(axis=2, keepdims=True, dtype=np.float32)
        recorded, bare, found = (
            polarity * (each.astype(np.float32) - baseline) for each in (hits.samples, clean, denoised)
        )
        there = np.ones(hits.samples.shape[:2], np.bool_) if hits.present is None else hits.present
        kinds = kinds_of(bare, there, preparation.channel_names, reference=preparation.reference or 0)
        return cls(recorded, bare, found, kinds, hits.columns.get("energy_kev"), preparation.channel_names)

    def by_kind(self) -> dict[str, TraceErrors]:
        everything = np.logical_or.reduce(list(self.kinds.values()))
        return {kind: self.errors(members) for kind, members in {ALL: everything, **self.kinds}.items()}

    def errors(self, members: NDArray[np.bool_], *, each: bool = False) -> TraceErrors:
        """Sum over the traces of a hit, or give each trace by itself."""

        def summed(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float64]:
            products = np.einsum("hcs,hcs->hc", first, second).astype(np.float64)
            sums: NDArray[np.float64] = products[members] if each else np.where(members, products, 0).sum(axis=1)
            return sums

        n_samples = self.clean.shape[2]
        after, before = self.denoised - self.clean, self.recorded - self.clean
        return TraceErrors(
            n_samples=np.full(int(members.sum()), float(n_samples)) if each else members.sum(axis=1) * float(n_samples),
            residual_square_adc2=summed(after, after),
            input_square_adc2=summed(before, before),
            output_clean_adc2=summed(self.denoised, self.clean),
            input_clean_adc2=summed(self.recorded, self.clean),
            clean_square_adc2=summed(self.clean, self.clean),
        )

    def heights(self) -> NDArray[np.float64]:
        """Return the signed height of each neighbour's clean trace over the rms of its noise."""
        members = self.kinds[NEIGHBOURS]
        clean = self.clean[members]
        at = np.abs(clean).argmax(axis=1) if len(clean) else np.zeros(0, np.int64)
        noise = (self.recorded - self.clean)[members].std(axis=1)
        heights: NDArray[np.float64] = clean[np.arange(len(clean)), at] / np.maximum(noise, 1e-9)
        return heights.astype(np.float64)

    def shown(self) -> Iterator[tuple[float, tuple[ShownTrace, ...]]]:
        """Yield a hit near each energy that is shown: its segment, its largest transient, the core."""
        if self.energy_kev is None or not len(self.clean):
            return
        for kev in _SHOWN_KEV:
            hit = int(np.abs(np.log(np.maximum(self.energy_kev, 1) / kev)).argmin())
            if abs(self.energy_kev[hit] / kev - 1) > 0.1:
                continue
            size = np.abs(self.clean[hit]).max(axis=1)
            chosen = [
                int(np.where(self.kinds[kind][hit], size, -1).argmax())
                for kind in (HIT, NEIGHBOURS, REFERENCE)
                if self.kinds[kind][hit].any()
            ]
            yield (
                kev,
                tuple(
                    ShownTrace(
                        title=f"{self.names[at]}, {self.energy_kev[hit]:.0f} keV",
                        recorded=self.recorded[hit, at],
                        clean=self.clean[hit, at],
                        denoised=self.denoised[hit, at],
                    )
                    for at in chosen
                ),
            )


@dataclass(frozen=True, slots=True, eq=False)
class _Ranges:
    confidence: float
    rng: np.random.Generator

    def one(self, name: str, errors: TraceErrors, members: NDArray[np.bool_]) -> TraceRange:
        some = errors[np.flatnonzero(members & (errors.n_samples > 0))]
        figures = trace_figures(some, confidence=self.confidence, rng=self.rng)
        return TraceRange(name=name, n_hits=len(some), figures=figures or {})

    def by_height(self, measured: _Measured) -> Iterator[TraceRange]:
        for low, high in pairwise(_HEIGHTS):
            members = (measured.height >= low) & (measured.height < high)
            if members.any():
                yield self.one(_height_words(low, high), measured.transients, members)


def _height_words(low: float, high: float) -> str:
    if np.isinf(low):
        return f"below {high:g}"
    return f"over {low:g}" if np.isinf(high) else f"{low:g} to {high:g}"


def _joined(parts: Sequence[TraceErrors]) -> TraceErrors:
    return TraceErrors(
        **{each.name: np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(TraceErrors)}
    )
