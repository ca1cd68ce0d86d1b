"""The pulses that the network is surest of, and wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from discrimen.evaluation.report_parts import WorstPulse, WorstPulses
from discrimen.network.preparation import Preparation
from discrimen.pulse_shape.upright import upright
from discrimen.pulses import Label, Pulses

N_OF_EACH_CLASS = 6
_MEAN_PULSES = 2000


def worst_pulses(
    pulses: Pulses,
    neutron_scores: NDArray[np.float64],
    *,
    light_kevee: NDArray[np.float64] | None,
    runs: Sequence[str],
    preparation: Preparation,
) -> WorstPulses:
    """Choose the pulses of each class with the most wrong scores, and the mean shapes to compare them with.

    Parameters
    ----------
    pulses : Pulses
        Labelled, none unknown.
    neutron_scores : ndarray of float64, shape (pulse,)
        Of the network; pulses with NaN are left out, and so are those on the right side of 0.5.
    light_kevee : ndarray of float64, shape (pulse,), or None
        Their light.
    runs : sequence of str
        Name of the run of each pulse.
    preparation : Preparation
        Baseline window and polarity.
    """
    labels = pulses.column("label")
    period_ns = pulses.require_sample_period_ns()
    chosen = np.concatenate([_most_wrong(neutron_scores, labels, label) for label in (Label.GAMMA, Label.NEUTRON)])
    turned = upright(pulses.samples[chosen], preparation)
    shapes, crossing = _mean_shapes(pulses, labels, preparation)
    described = tuple(
        WorstPulse(
            position=int(at),
            entry=None if pulses.entry is None else int(pulses.entry[at]),
            run=runs[at],
            is_neutron=bool(labels[at] == Label.NEUTRON),
            neutron_score=float(neutron_scores[at]),
            light_kevee=None if light_kevee is None else float(light_kevee[at]),
            waveform_adc=waveform.astype(np.float64).round(2),
        )
        for at, waveform in zip(chosen, turned.waveforms, strict=True)
    )
    return WorstPulses(
        pulses=described,
        sample_period_ns=period_ns,
        mean_shapes=shapes,
        crossing_sample=crossing,
        crossing_samples=tuple(float(at) for at in turned.crossing),
    )


def _most_wrong(scores: NDArray[np.float64], labels: NDArray[np.int8], label: Label) -> NDArray[np.intp]:
    error = scores if label == Label.GAMMA else 1 - scores
    wrong = np.flatnonzero((labels == label) & (error > 0.5))
    return wrong[np.argsort(-error[wrong], kind="stable")[:N_OF_EACH_CLASS]]


def _mean_shapes(
    pulses: Pulses, labels: NDArray[np.int8], preparation: Preparation
) -> tuple[dict[str, NDArray[np.float64]], int]:
    """Average pulses of each class, each shifted by whole samples to a common crossing and scaled to its peak."""
    turned = {
        label: upright(pulses.samples[np.flatnonzero(labels == label)[:_MEAN_PULSES]], preparation)
        for label in (Label.GAMMA, Label.NEUTRON)
        if (labels == label).any()
    }
    crossings = np.concatenate([each.crossing for each in turned.values()])
    known = crossings[np.isfinite(crossings)]
    if not len(known):
        return {}, 0
    common = round(float(np.median(known)))
    shapes: dict[str, NDArray[np.float64]] = {}
    for label, each in turned.items():
        rows = [
            np.roll(waveform, common - round(float(at))) / waveform.max()
            for waveform, at in zip(each.waveforms, each.crossing, strict=True)
            if np.isfinite(at) and abs(common - at) < waveform.size / 4
        ]
        if rows:
            shapes[label.name.lower()] = np.asarray(np.mean(rows, axis=0, dtype=np.float64).round(5))
    return shapes, common
