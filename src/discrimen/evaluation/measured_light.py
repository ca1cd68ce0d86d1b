"""What the thresholds of a model do in ranges of measured light: what ``classify`` gives."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from discrimen.evaluation.method_scores import Selection
from discrimen.evaluation.operating_point import MeasuredLight, MeasuredRange, OperatingPoint
from discrimen.evaluation.report import NotComputed
from discrimen.metrics import energy_bins
from discrimen.network.model_description import ModelDescription
from discrimen.pulse_shape.upright import calibrated_light_kevee
from discrimen.pulses import Label
from discrimen.pulses.detector import GatesNs

MOST_RANGES = 8
_BEYOND_SHARE = 0.005

Points = Callable[[NDArray[np.bool_]], tuple[OperatingPoint, ...]]
"""From the pulses of a range to what each threshold does to them."""


def measured_light(
    selection: Selection,
    description: ModelDescription,
    points: Points,
    *,
    gates: GatesNs | None,
    energy_edges_kevee: Sequence[float],
) -> MeasuredLight | NotComputed:
    """Say what thresholds do in ranges of what is measured of the light, which a run without truth shows too.

    Parameters
    ----------
    selection : Selection
        The judged pulses.
    description : ModelDescription
        Of the model; its settings may hold a calibration.
    points : callable
        From the pulses of a range to what thresholds do to them.
    gates : GatesNs or None
        Nominal ones, for a calibration in charge without gates of its own.
    energy_edges_kevee : sequence of float
        Edges of the ranges, where they are calibrated; else each range is twice as high as the one before.
    """
    settings = description.settings
    if selection.pulses.energy_kevee is None and settings.calibration is not None:
        return NotComputed("the ranges of energy are of measured light already")
    if settings.calibration is not None:
        own_gates = settings.gates if settings.gates is not None else gates
        preparation = description.preparation
        light = calibrated_light_kevee(selection.pulses, settings.calibration, preparation=preparation, gates=own_gates)
        edges = [energy_edges_kevee[0], *(each.high_kevee for each in energy_bins(energy_edges_kevee))]
        unit, source = "keVee", f"calibration: {settings.calibration.in_words}"
    elif selection.height_adc is not None:
        light = selection.height_adc.astype(np.float64)
        edges = _doubling(light[light > 0])
        unit, source = "ADC counts", "height of the pulse above its baseline"
    else:
        return NotComputed(
            "the model's settings hold no calibration, and pulses of several channels have no one height"
        )
    ranges = [_range(selection, light, low, high, points) for low, high in pairwise(edges)]
    return MeasuredLight(
        unit=unit, source=source, ranges=tuple(each for each in ranges if each.n_gamma + each.n_neutron)
    )


def _doubling(heights: NDArray[np.float64]) -> list[float]:
    if not len(heights):
        return []
    low, high = np.quantile(heights, (_BEYOND_SHARE, 1 - _BEYOND_SHARE))
    n_ranges = min(MOST_RANGES, max(1, math.ceil(math.log2(high / low))))
    return [float(low * 2**number) for number in range(n_ranges + 1)]


def _range(selection: Selection, light: NDArray[np.float64], low: float, high: float, points: Points) -> MeasuredRange:
    inside = (light >= low) & (light < high)
    n_gamma, n_neutron = (int((inside & (selection.labels == label)).sum()) for label in (Label.GAMMA, Label.NEUTRON))
    return MeasuredRange(low=low, high=high, n_gamma=n_gamma, n_neutron=n_neutron, operating_points=points(inside))
