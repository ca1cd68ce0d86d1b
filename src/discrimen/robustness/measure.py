"""Distort labelled pulses step by step and judge models on each step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.evaluation import NotComputed
from discrimen.evaluation.discriminants import light_kevee, neutron_scores
from discrimen.evaluation.ranges import too_few
from discrimen.inference.base import Predictor
from discrimen.inference.compatible import require_compatible
from discrimen.metrics import (
    EnergyBin,
    Leakage,
    auc,
    leakage_at_efficiency,
    split_scores,
    threshold_for_efficiency,
    wilson_interval,
)
from discrimen.output.provenance import software_versions, utc_now
from discrimen.pulse_shape.upright import blocks
from discrimen.pulses import Label, Pulses
from discrimen.pulses.detector import DetectorSettings
from discrimen.robustness.report import Robustness, RobustnessCurve, RobustnessPoint
from discrimen.robustness.sizes import checked_sizes, default_sizes
from discrimen.simulation.distortion import DISTORTIONS, Digitisation, distort

DEFAULT_PULSES = 100_000


def robustness(
    predictors: Mapping[str, Predictor],
    pulses: Pulses,
    *,
    settings: DetectorSettings | None = None,
    sizes: Mapping[str, Sequence[float]] | None = None,
    energy: EnergyBin | None = None,
    efficiency: float = 0.95,
    confidence: float = 0.95,
    n_pulses: int = DEFAULT_PULSES,
    seed: int = 0,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Robustness:
    """Judge models on pulses that are distorted more and more, each distortion by itself.

    All models see the same distorted pulses. The threshold of each is fixed on the undistorted pulses and kept.

    Parameters
    ----------
    predictors : mapping of str to Predictor
        The models by the names that the result should give them. The baseline window of the first tells what a gain
        drift leaves in place.
    pulses : Pulses
        With the column label; pulses of unknown label are left out.
    settings : DetectorSettings, optional
        Of the pulses; its adc_bits tell where distorted samples are clipped. By default those of the first model.
    sizes : mapping of str to sequence of float, optional
        Sizes by the names in :data:`~discrimen.simulation.distortion.DISTORTIONS`; by default
        :func:`~discrimen.robustness.sizes.default_sizes`.
    energy : EnergyBin, optional
        Judge only pulses of this light, from the column energy_kevee or the calibration of the first model.
    efficiency, confidence : float
        Share of the neutrons that the threshold keeps; of every interval.
    n_pulses : int
        Judge no more than so many, drawn at random.
    seed : int
        Of choice, noise and jitter.
    on_progress : callable
        Called with 1 after each set of distorted pulses; see :func:`n_steps`.

    Raises
    ------
    DataError
        If labels are missing, a class is nearly absent, or the pulses do not fit a model.
    SettingsError
        If a size does not fit, there is no model, or the light is wanted but unknown.
    """
    if not predictors:
        raise SettingsError("no model to judge: give at least one")
    first = next(iter(predictors.values())).description
    settings = first.settings if settings is None else settings
    for name, predictor in predictors.items():
        require_compatible(predictor.description, pulses, settings, where=f"the pulses for {name}")
    rng = np.random.default_rng([seed, 0])
    notes: list[str] = []
    chosen = _chosen(pulses, first, energy=energy, n_pulses=n_pulses, rng=rng, notes=notes)
    digitisation = Digitisation(
        sample_period_ns=pulses.require_sample_period_ns(),
        baseline_start=first.preparation.only.baseline_start,
        baseline_stop=first.preparation.only.baseline_stop,
        adc_bits=settings.adc_bits,
    )
    task = _Task(predictors, chosen.samples, chosen.column("label"), digitisation, efficiency, confidence, seed)
    noise_adc = digitisation.noise_adc(chosen.samples)
    wanted = checked_sizes(_default(digitisation, noise_adc, chosen) if sizes is None else sizes)
    thresholds, curves = task.curves(wanted, on_progress)
    return Robustness(
        models={name: _described(predictor) for name, predictor in predictors.items()},
        thresholds=thresholds,
        curves=curves,
        efficiency=efficiency,
        confidence=confidence,
        n_gamma=int(np.count_nonzero(task.labels == Label.GAMMA)),
        n_neutron=int(np.count_nonzero(task.labels == Label.NEUTRON)),
        energy_kevee=None if energy is None else str(energy),
        noise_adc=noise_adc,
        adc_range=_range_words(digitisation, chosen.samples.dtype),
        seed=seed,
        notes=tuple(notes),
        created_utc=utc_now(),
        software=software_versions("numpy", "scipy"),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """All that stays the same from one distortion to the next."""

    predictors: Mapping[str, Predictor]
    samples: NDArray[Any]
    labels: NDArray[np.int8]
    digitisation: Digitisation
    efficiency: float
    confidence: float
    seed: int

    def curves(
        self, sizes: Mapping[str, tuple[float, ...]], on_progress: Callable[[int], None]
    ) -> tuple[dict[str, float], tuple[RobustnessCurve, ...]]:
        """Judge every model at every size."""
        undistorted = self._scores(self.samples)
        thresholds = {
            name: threshold_for_efficiency(scores, self.labels, efficiency=self.efficiency).value
            for name, scores in undistorted.items()
        }
        points: dict[tuple[str, str], list[RobustnessPoint]] = {}
        for distortion, values in sizes.items():
            for size in values:
                scores = undistorted if size == 0 else self._scores(self._distorted(distortion, size))
                for name in self.predictors:
                    point = self._point(size, scores[name], thresholds[name])
                    points.setdefault((name, distortion), []).append(point)
                on_progress(1)
        curves = tuple(
            RobustnessCurve(model=name, distortion=distortion, points=tuple(found))
            for (name, distortion), found in points.items()
        )
        return thresholds, curves

    def _distorted(self, distortion: str, size: float) -> NDArray[Any]:
        # One stream of random numbers for each distortion: its sizes scale the same noise, so that curves are smooth.
        rng = np.random.default_rng([self.seed, 1, list(DISTORTIONS).index(distortion)])
        return distort(self.samples, {distortion: size}, self.digitisation, rng=rng)

    def _scores(self, samples: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
        return {name: _scores_of(predictor, samples) for name, predictor in self.predictors.items()}

    def _point(self, size: float, scores: NDArray[np.float64], threshold: float) -> RobustnessPoint:
        parts = split_scores(scores, self.labels)
        passing = {
            label: int(np.count_nonzero(scores[self.labels == label] >= threshold))
            for label in (Label.GAMMA, Label.NEUTRON)
        }
        return RobustnessPoint(
            size=size,
            leakage=wilson_interval(passing[Label.GAMMA], len(parts.gamma), confidence=self.confidence),
            efficiency=wilson_interval(passing[Label.NEUTRON], len(parts.neutron), confidence=self.confidence),
            retuned=self._retuned(scores),
            auc=auc(scores, self.labels, confidence=self.confidence),
            n_unclassified=parts.n_gamma_unclassified + parts.n_neutron_unclassified,
        )

    def _retuned(self, scores: NDArray[np.float64]) -> Leakage | NotComputed:
        try:
            return leakage_at_efficiency(scores, self.labels, efficiency=self.efficiency, confidence=self.confidence)
        except DataError as error:
            return NotComputed(str(error))


def n_steps(sizes: Mapping[str, Sequence[float]]) -> int:
    """Return how many sets of pulses are judged."""
    return sum(len(values) for values in checked_sizes(sizes).values())


def _chosen(
    pulses: Pulses,
    description: Any,
    *,
    energy: EnergyBin | None,
    n_pulses: int,
    rng: np.random.Generator,
    notes: list[str],
) -> Pulses:
    known = pulses.labelled()
    if len(known) < len(pulses):
        notes.append(f"{len(pulses) - len(known)} of {len(pulses)} pulses have no known label and are left out")
    if energy is not None:
        light, source = light_kevee(
            known,
            calibration=description.settings.calibration,
            preparation=description.preparation,
            gates=description.settings.gates,
        )
        if light is None:
            raise SettingsError(f"cannot choose pulses of {energy}: {source}")
        known = known[energy.contains(light)]
    if len(known) > n_pulses:
        notes.append(f"{n_pulses} of {len(known)} pulses were drawn at random")
        known = known[np.sort(rng.choice(len(known), n_pulses, replace=False))]
    reason = too_few(known.column("label"))
    if reason is not None:
        raise DataError(f"cannot judge: {reason.not_computed}")
    return known


def _scores_of(predictor: Predictor, samples: NDArray[Any]) -> NDArray[np.float64]:
    neutron_class = predictor.description.neutron_class
    parts = [
        neutron_scores(predictor.predict(block), n_pulses=len(block), neutron_class=neutron_class)
        for block in blocks(samples)
    ]
    return np.concatenate(parts)


def _default(digitisation: Digitisation, noise_adc: float, pulses: Pulses) -> dict[str, tuple[float, ...]]:
    return default_sizes(
        noise_adc=noise_adc, sample_period_ns=digitisation.sample_period_ns, n_samples=pulses.n_samples
    )


def _described(predictor: Predictor) -> dict[str, Any]:
    description = predictor.description
    return {
        "backend": predictor.backend,
        "architecture": dict(description.architecture),
        "preparation": description.preparation.as_dict(),
        "model_sha256": description.provenance.get("model_sha256"),
        "augment": (description.provenance.get("training") or {}).get("augment"),
    }


def _range_words(digitisation: Digitisation, dtype: np.dtype[Any]) -> str:
    if digitisation.adc_bits is not None:
        return f"0 to {2**digitisation.adc_bits - 1}"
    return f"as wide as {dtype}: the ADC's bits are not known"
