"""The single pulses of a run: those whose records hold no second one, with and without their noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.network.preparation import Preparation
from discrimen.network.prepare import choose_preparation
from discrimen.pulse_shape.clean_shapes import MOST_PULSES, CleanShapes, clean_shapes
from discrimen.pulse_shape.single_records import piled_up
from discrimen.pulse_shape.upright import Upright, upright
from discrimen.pulses import PulseFlag, Pulses
from discrimen.pulses.places import board_and_channel, numbered_places
from discrimen.pulses.rails import at_rail
from discrimen.runs.dataset import Dataset

FEWEST = 50
"""Single pulses that records are put together from."""
MOST_PILED_UP = 0.5
"""Share of piled-up records: what a single pulse is like is told by medians, which more would spoil."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleCounts:
    """What became of the records of the run.

    Parameters
    ----------
    n_records : int
        In the part that was asked for.
    n_piled_up, n_saturated, n_without_edge : int
        Left out.
    n_single : int
        Pulses that records were put together from; at most :data:`~discrimen.pulse_shape.clean_shapes.MOST_PULSES`.
    n_shapes : int
        Of how many shapes a clean pulse is the sum.
    """

    n_records: int
    n_piled_up: int
    n_saturated: int
    n_without_edge: int
    n_single: int
    n_shapes: int


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Singles:
    """Single pulses of a run.

    Parameters
    ----------
    pulses : Pulses
        As recorded.
    baseline_adc : ndarray of float32, shape (pulse,)
        Of each.
    shapes : CleanShapes
        Without noise.
    preparation : Preparation
        Baseline window and polarity.
    adc_bits : int or None
        Of the digitizer.
    counts : SingleCounts
        What was left out.
    """

    pulses: Pulses
    baseline_adc: NDArray[np.float32]
    shapes: CleanShapes
    preparation: Preparation
    adc_bits: int | None
    counts: SingleCounts


def single_pulses(dataset: Dataset, share: tuple[float, float] = (0.0, 1.0)) -> Singles:
    """Find the single pulses of a run, and take the noise from them.

    Raises
    ------
    DataError
        If they are fewer than :data:`FEWEST`, more than :data:`MOST_PILED_UP` of the records are piled up, or single
        pulses cannot be told.
    SettingsError
        If the pulses are of several channels, or sampling period or polarity are not known.
    """
    pulses, settings = dataset.pulses, dataset.settings
    places, _ = numbered_places(*board_and_channel(pulses).values())
    if len(places) > 1:
        raise SettingsError(
            f"records are put together from pulses of one channel, these are of {len(places)}: choose one (--channel)"
        )
    preparation = choose_preparation(settings, n_samples=pulses.n_samples)
    first, last = (round(each * len(pulses)) for each in share)
    part = pulses[first:last]
    if len(part) < FEWEST:
        raise DataError(f"{len(part)} records are too few to put others together from: {FEWEST} single ones are needed")
    turned = upright(part.samples, preparation)
    edge = np.isfinite(turned.crossing)
    saturated = _saturated(part, settings.adc_bits)
    piled = _piled_up(turned, preparation)
    kept = np.flatnonzero(edge & ~saturated & ~piled)
    kept = kept[np.linspace(0, len(kept) - 1, min(len(kept), MOST_PULSES)).astype(np.int64)]
    found = {
        "n_piled_up": int((piled & edge).sum()),
        "n_saturated": int((saturated & edge & ~piled).sum()),
        "n_without_edge": int((~edge).sum()),
    }
    if len(kept) < FEWEST:
        told = ", ".join(f"{count} {name[2:].replace('_', ' ')}" for name, count in found.items())
        raise DataError(f"{len(kept)} of {len(part)} records hold one pulse alone ({told}), {FEWEST} must at least")
    window = slice(preparation.only.baseline_start, preparation.only.baseline_stop)
    shapes = clean_shapes(turned.waveforms[kept], crossing=turned.crossing[kept], quiet=window)
    return Singles(
        pulses=part[kept],
        baseline_adc=part.samples[kept][:, window].mean(axis=1, dtype=np.float64).astype(np.float32),
        shapes=shapes,
        preparation=preparation,
        adc_bits=settings.adc_bits,
        counts=SingleCounts(n_records=len(part), **found, n_single=len(kept), n_shapes=shapes.n_shapes),
    )


def _saturated(pulses: Pulses, adc_bits: int | None) -> NDArray[np.bool_]:
    found = at_rail(pulses.samples.max(axis=1), pulses.samples.min(axis=1), adc_bits=adc_bits)
    flagged = np.zeros(len(pulses), np.bool_)
    if pulses.flags is not None:
        flagged = (pulses.flags & np.uint32(PulseFlag.SATURATED_INPUT | PulseFlag.SATURATED_GATE)) != 0
    return flagged if found is None else found | flagged


def _piled_up(turned: Upright, preparation: Preparation) -> NDArray[np.bool_]:
    found = piled_up(turned, preparation)
    if found is None:
        raise DataError(
            "what a single pulse is like cannot be learned: too few pulses at the usual place stand well above the "
            "noise, or no record is left behind their edge. Check --polarity, --pretrigger-ns and 'discrimen inspect'"
        )
    if found.mean() > MOST_PILED_UP:
        raise DataError(
            f"{found.sum()} of {len(found)} records hold a second pulse: at most {MOST_PILED_UP:.0%} may, since single "
            "pulses are told by what most records are like. Take a run at a lower rate"
        )
    return found
