"""Gates of the charge comparison from a mixed run without labels.

The two species are not known, but where they part is seen: gates are chosen on one half of the pulses by how far two
Gaussians lie apart in slices of energy, and must show the evidence of two species there. What they reach is quoted on
the other half, in which nothing was chosen and the evidence must show, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.formats.base import ListModeReader, Reader
from discrimen.labelling.band_evidence import BandEvidence, find_evidence
from discrimen.metrics.figure_of_merit import FigureOfMerit, figure_of_merit, two_gaussians
from discrimen.network.prepare import choose_preparation
from discrimen.output.summary import Summarised
from discrimen.pulse_shape.charge import GateGrid, best_gates, charge_comparison, default_gate_grid
from discrimen.pulse_shape.upright import Upright, upright
from discrimen.pulses import PulseFlag, Pulses, concatenate
from discrimen.pulses.detector import DetectorSettings, GatesNs
from discrimen.pulses.places import Place, board_and_channel, numbered_places
from discrimen.pulses.rails import at_rail
from discrimen.runs.polarity import upright_chunks

MOST_PULSES = 20_000
"""Of each channel; more make the search longer and the gates hardly better."""

FEWEST_PULSES = 2000

_SLICES = (0.2, 0.45, 0.7, 0.9, 0.995)
"""Quantiles of the energy between which bands are fitted."""

_EARLIEST_NS = 40.0
_LEAST_LONG_SAMPLES, _LEAST_LONG_NS = 6, 60.0
_RATIO = 1.5
_EVIDENCE_RANGE = (0.05, 0.999)
_SATURATED = PulseFlag.SATURATED_GATE | PulseFlag.SATURATED_INPUT


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What gates reach on pulses on which they were not chosen.

    Parameters
    ----------
    figure_of_merit, error : float or None
        Mean over the slices of energy that can be fitted, and its standard error; None where none can.
    n_slices, n_poor_fits : int
        Of them, and of these the ones that two Gaussians miss by chi-square.
    evidence : BandEvidence or None
        That there are two species; None where there is none, see `problem`.
    problem : str
        Why not; empty with evidence.
    """

    figure_of_merit: float | None
    error: float | None
    n_slices: int
    n_poor_fits: int
    evidence: BandEvidence | None
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class GateChoice(Summarised):
    """Gates of one channel.

    Parameters
    ----------
    gates : GatesNs
        The chosen ones.
    chosen_on : Reached
        On the half on which they were chosen: too good by the choice.
    reached : Reached
        On the other half.
    before : Reached or None
        The same of the gates that the settings had.
    n_tried, n_pulses : int
        Combinations, and pulses of both halves.
    """

    gates: GatesNs
    chosen_on: Reached
    reached: Reached
    before: Reached | None
    n_tried: int
    n_pulses: int

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {**asdict(self), "gates": self.gates.model_dump()}


def read_places(
    readers: Sequence[Reader], *, on_progress: Callable[[int], None] = lambda _: None
) -> dict[Place, Pulses]:
    """Read the first pulses of each channel of some runs, without those that the ADC cut off.

    Raises
    ------
    DataError
        If a run is in list mode, or none holds pulses that are whole.
    """
    found: dict[Place, list[Pulses]] = {}
    for reader in readers:
        if isinstance(reader, ListModeReader):
            raise DataError(f"{reader.info.path}: holds no waveforms, and gates are laid over waveforms")
        for pulses in upright_chunks(reader):
            whole = _not_cut_off(pulses, reader.info.settings)
            places, number = numbered_places(*board_and_channel(whole).values())
            for at, place in enumerate(places):
                parts = found.setdefault(place, [])
                room = MOST_PULSES - sum(map(len, parts))
                if room > 0:
                    parts.append(whole[np.flatnonzero(number == at)[:room]])
            on_progress(len(pulses))
    if not found:
        raise DataError(f"{', '.join(str(reader.info.path) for reader in readers)}: no pulses that the ADC left whole")
    return {place: concatenate(parts) for place, parts in sorted(found.items())}


def choose_gates(pulses: Pulses, settings: DetectorSettings, *, rng: np.random.Generator) -> GateChoice:
    """Choose the gates that part the two species of a mixed run best, and say what they reach.

    The energy, which slices are made of, is the charge of the whole record behind the edge, whatever the gates.

    Parameters
    ----------
    pulses : Pulses
        Of one channel.
    settings : DetectorSettings
        Of it: polarity, and baseline or pretrigger_ns.
    rng : numpy.random.Generator
        Draws the halves.

    Raises
    ------
    DataError
        If there are too few pulses, or the best gates do not show evidence of two species on both halves.
    SettingsError
        If a setting is missing.
    """
    period_ns = pulses.require_sample_period_ns()
    preparation = choose_preparation(settings.merged(sample_period_ns=period_ns), n_samples=pulses.n_samples)
    turned = upright(pulses.samples, preparation)
    energy = _charge_behind_the_edge(turned)
    known = np.flatnonzero(np.isfinite(energy) & (energy > 0))
    if len(known) < FEWEST_PULSES:
        raise DataError(f"{len(known)} pulses with an edge and a charge, {FEWEST_PULSES} are needed: take a longer run")
    first, second = (_Half.of(turned, energy, half, period_ns) for half in np.array_split(rng.permutation(known), 2))
    found = best_gates(
        first.turned.waveforms,
        crossing=first.turned.crossing,
        sample_period_ns=period_ns,
        merit=first.separation,
        grid=_grid(first.turned, period_ns),
    )
    gates = _rounded(found.gates)
    on_both = [half.reached(gates, rng=rng) for half in (first, second)]
    if problem := next((each.problem for each in on_both if each.problem), ""):
        raise DataError(f"no gates show two species; with the best ones ({_told(gates)}): {problem}")
    return GateChoice(
        gates=gates,
        chosen_on=on_both[0],
        reached=on_both[1],
        before=None if settings.gates is None else second.reached(settings.gates, rng=rng),
        n_tried=found.n_tried,
        n_pulses=len(known),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Half:
    """One half of the pulses, in slices of energy."""

    turned: Upright
    energy: NDArray[np.float64]
    slices: tuple[NDArray[np.bool_], ...]
    period_ns: float

    @classmethod
    def of(cls, turned: Upright, energy: NDArray[np.float64], which: NDArray[np.int64], period_ns: float) -> _Half:
        own = energy[which]
        slices = [(own >= low) & (own < high) for low, high in pairwise(np.quantile(own, _SLICES))]
        part = Upright(waveforms=turned.waveforms[which], crossing=turned.crossing[which])
        return cls(part, own, tuple(slices), period_ns)

    def separation(self, psd: NDArray[np.float64]) -> float:
        """Return how far two Gaussians lie apart, the geometric mean over the slices; what gates are chosen by."""
        return float(np.exp(np.mean(np.log([two_gaussians(psd[inside]) for inside in self.slices]))))

    def reached(self, gates: GatesNs, *, rng: np.random.Generator) -> Reached:
        """Fit the slices, and look for evidence of two species."""
        charges = charge_comparison(
            self.turned.waveforms, crossing=self.turned.crossing, sample_period_ns=self.period_ns, gates=gates
        )
        psd = charges.psd.astype(np.float64)
        merits = [merit for inside in self.slices if (merit := _merit(psd[inside])) is not None]
        known = np.isfinite(psd)
        evidence, problem = None, ""
        try:
            low, high = np.quantile(self.energy, _EVIDENCE_RANGE)
            evidence = find_evidence(self.energy[known], psd[known], energy_range=(low, high), rng=rng)
        except DataError as error:
            problem = str(error)
        return Reached(
            figure_of_merit=float(np.mean([merit.value for merit in merits])) if merits else None,
            error=float(np.sqrt(np.sum([merit.error**2 for merit in merits]))) / len(merits) if merits else None,
            n_slices=len(merits),
            n_poor_fits=sum(merit.misses for merit in merits),
            evidence=evidence,
            problem=problem,
        )


def _grid(turned: Upright, period_ns: float) -> GateGrid:
    """Return what to try: no gates so short that the phase of the sampling clock makes two bands of one."""
    early, late = np.quantile(turned.crossing, [0.1, 0.9])
    grid = default_gate_grid(
        sample_period_ns=period_ns,
        before_ns=min(early * period_ns, max(4 * period_ns, _EARLIEST_NS)),
        after_ns=(turned.waveforms.shape[1] - 0.5 - late) * period_ns,
        ratio=_RATIO,
    )
    least_long_ns = max(_LEAST_LONG_SAMPLES * period_ns, _LEAST_LONG_NS)
    return GateGrid(
        starts_ns=tuple(start for start in grid.starts_ns if start <= -period_ns),
        short_ends_ns=tuple(end for end in grid.short_ends_ns if end >= period_ns),
        long_ends_ns=tuple(end for end in grid.long_ends_ns if end >= least_long_ns),
    )


def _merit(psd: NDArray[np.float64]) -> FigureOfMerit | None:
    try:
        return figure_of_merit(psd)
    except DataError:
        return None


def _charge_behind_the_edge(turned: Upright) -> NDArray[np.float64]:
    """Return the sum of the samples from two before the crossing on; NaN without a crossing."""
    start = np.floor(np.nan_to_num(turned.crossing)) - 2
    inside = np.arange(turned.waveforms.shape[1]) >= start[:, np.newaxis]
    charge = np.where(inside, turned.waveforms, 0).sum(axis=1, dtype=np.float64)
    return np.where(np.isfinite(turned.crossing), charge, np.nan)


def _not_cut_off(pulses: Pulses, settings: DetectorSettings) -> Pulses:
    cut_off = at_rail(pulses.samples.max(axis=1), pulses.samples.min(axis=1), adc_bits=settings.adc_bits)
    bad = np.zeros(len(pulses), np.bool_) if cut_off is None else cut_off
    if pulses.flags is not None:
        bad = bad | ((pulses.flags & np.uint32(_SATURATED)) != 0)
    return pulses[~bad]


def _rounded(gates: GatesNs) -> GatesNs:
    """Return gates in tenths of ns: more digits say nothing."""
    return GatesNs(**{name: round(value, 1) for name, value in gates.model_dump().items()})


def _told(gates: GatesNs) -> str:
    return f"{gates.gate_start_ns:.4g}:{gates.short_gate_end_ns:.4g}:{gates.long_gate_end_ns:.4g} ns"
