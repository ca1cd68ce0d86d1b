"""Labels by source: pure gamma runs against mixed runs, in which nobody knows of any single pulse what it is.

Pulses of the gamma runs are labelled gamma, those of the mixed runs neutron: a label that is wrong for a known share of
them, and for which the loss of the training is corrected (classification without labels, E. M. Metodiev, B. Nachman and
J. Thaler, J. High Energy Phys. 10 (2017) 174; positive and unlabelled data, C. Elkan and K. Noto, Proc. ACM SIGKDD
(2008) 213). The correction is exact if a gamma's label does not depend on its energy. So the gamma runs are thinned,
slice by slice, until their spectrum is that of the gammas in the mixed runs; where they have too few pulses for that,
the mixed runs are thinned alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.labelling.places import Place, by_place, chosen, reasons
from discrimen.labelling.source_shape import RunShapes
from discrimen.labelling.source_slices import Slice, balanced, channel_slices
from discrimen.output.summary import Summarised
from discrimen.pulses import Label


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOptions:
    """How to label by source.

    Parameters
    ----------
    energy_range : (float, float), optional
        What is labelled; by default nearly all of the mixed runs.
    n_draws : int
        Repetitions behind each interval.
    confidence : float
        Of the intervals.
    """

    energy_range: tuple[float, float] | None = None
    n_draws: int = 200
    confidence: float = 0.95

    def __post_init__(self) -> None:
        if self.n_draws < 20 or not 0 < self.confidence < 1:
            raise SettingsError(f"expected at least 20 draws and a confidence between 0 and 1, got {asdict(self)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSlice:
    """One slice of energy of one channel.

    Parameters
    ----------
    board, channel : int
        Where the pulses were digitised.
    energy_low, energy_high : float
        Edges.
    n_gamma_run, n_mixed_run : int
        Pulses with a shape.
    neutron_share, neutron_share_low, neutron_share_high : float
        Of the mixed pulses, with its interval.
    separation : float
        Distance of the classes in widths of the gammas; 0 where the gamma runs have too few pulses for a fit.
    share_from : {"fit", "neighbour"}
        Whether the share was fitted here, or continued from the nearest three slices where the classes part.
    keep_gamma_run, keep_mixed_run : float
        Share of the pulses that get a label; 0 where the slice is left out.
    """

    board: int
    channel: int
    energy_low: float
    energy_high: float
    n_gamma_run: int
    n_mixed_run: int
    neutron_share: float
    neutron_share_low: float
    neutron_share_high: float
    separation: float
    share_from: str
    keep_gamma_run: float
    keep_mixed_run: float


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class SourceLabels(Summarised):
    """Slices, the share of neutrons in the mixed runs, and what that means for the labels.

    Parameters
    ----------
    slices : tuple of SourceSlice
        By channel and ascending energy.
    neutron_share, neutron_share_low, neutron_share_high : float
        Of all pulses of the mixed runs in these slices, with its interval.
    contamination, contamination_low, contamination_high : float
        Share of gammas among the pulses that are labelled neutron.
    problems : mapping of Place to str
        Channels whose pulses all stay unknown, and why.
    energy_unit : str
        Of the slices.
    options : SourceOptions
        As asked for.
    """

    slices: tuple[SourceSlice, ...]
    neutron_share: float
    neutron_share_low: float
    neutron_share_high: float
    contamination: float
    contamination_low: float
    contamination_high: float
    problems: Mapping[Place, str]
    energy_unit: str
    options: SourceOptions

    def labels(self, shapes: RunShapes, *, mixed: bool, rng: np.random.Generator) -> NDArray[np.int8]:
        """Label the pulses of a gamma run or of a mixed run; thinned out ones stay unknown.

        Parameters
        ----------
        shapes : RunShapes
            Of the run.
        mixed : bool
            Which of the two it is.
        rng : numpy.random.Generator
            Chooses the pulses that are kept.
        """
        keep = np.zeros(len(shapes))
        for part in self.slices:
            inside = (shapes.board == part.board) & (shapes.channel == part.channel)
            inside &= (shapes.energy >= part.energy_low) & (shapes.energy < part.energy_high)
            keep[inside] = part.keep_mixed_run if mixed else part.keep_gamma_run
        label = Label.NEUTRON if mixed else Label.GAMMA
        return np.where(rng.random(len(shapes)) < keep, label, Label.UNKNOWN).astype(np.int8)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        names = ("neutron_share", "neutron_share_low", "neutron_share_high", "contamination_low", "contamination_high")
        return {
            "contamination": {"gamma": 0.0, "neutron": self.contamination},
            **{name: getattr(self, name) for name in names},
            "energy_unit": self.energy_unit,
            "options": asdict(self.options),
            "slices": [asdict(part) for part in self.slices],
            "channels_left_out": reasons(self.problems),
        }


def find_source_labels(
    gamma: RunShapes, mixed: RunShapes, *, options: SourceOptions, rng: np.random.Generator
) -> SourceLabels:
    """Estimate the share of neutrons in each slice of energy, and how the runs must be thinned.

    Parameters
    ----------
    gamma, mixed : RunShapes
        Of all gamma runs, and of all mixed runs.
    options : SourceOptions
        Range and intervals.
    rng : numpy.random.Generator
        For the halves that learn and judge, and for the repetitions.

    Raises
    ------
    DataError
        If the energies have different units, the classes part in no slice of any channel, or there may be no neutrons.
    """
    if gamma.energy_unit != mixed.energy_unit:
        raise DataError(f"cannot compare energies in {gamma.energy_unit} (gamma runs) and {mixed.energy_unit}")
    found: list[Slice] = []
    problems: dict[Place, str] = {}
    for place in by_place(mixed):
        try:
            found += channel_slices(
                _with_energy(gamma, place),
                _with_energy(mixed, place),
                place=place,
                energy_range=options.energy_range,
                n_draws=options.n_draws,
                rng=rng,
            )
        except DataError as error:
            problems[place] = str(error)
    if not found:
        raise DataError("; ".join(f"{place}: {reason}" for place, reason in problems.items()) or "no mixed pulses")
    return _summary(balanced(found), problems, mixed.energy_unit, options)


def _with_energy(shapes: RunShapes, place: Place) -> RunShapes:
    return chosen(shapes, (shapes.board == place.board) & (shapes.channel == place.channel) & (shapes.energy > 0))


def _summary(
    slices: list[Slice], problems: Mapping[Place, str], energy_unit: str, options: SourceOptions
) -> SourceLabels:
    tails = [(1 - options.confidence) / 2, (1 + options.confidence) / 2]

    def pooled(weights: list[float]) -> tuple[float, float, float]:
        shares = np.array([[part.share, *part.drawn] for part in slices])
        whole = np.array(weights) @ shares / sum(weights)
        low, high = np.quantile(whole[1:], tails)
        return float(whole[0]), float(low), float(high)

    share, low, high = pooled([part.n_mixed for part in slices])
    if not low > 0:
        raise DataError(
            f"the mixed runs may hold no neutrons at all: their share is {share:.2g} ({low:.2g} to {high:.2g})"
        )
    pure, pure_low, pure_high = pooled([part.n_mixed * part.keep_mixed for part in slices])
    return SourceLabels(
        slices=tuple(_finished(part, tails) for part in slices),
        neutron_share=share,
        neutron_share_low=low,
        neutron_share_high=high,
        contamination=1 - pure,
        contamination_low=1 - pure_high,
        contamination_high=1 - pure_low,
        problems=problems,
        energy_unit=energy_unit,
        options=options,
    )


def _finished(part: Slice, tails: list[float]) -> SourceSlice:
    low, high = np.quantile(part.drawn, tails)
    return SourceSlice(
        board=part.place.board,
        channel=part.place.channel,
        energy_low=part.low,
        energy_high=part.high,
        n_gamma_run=part.n_gamma,
        n_mixed_run=part.n_mixed,
        neutron_share=part.share,
        neutron_share_low=float(low),
        neutron_share_high=float(high),
        separation=part.fit.separation,
        share_from="fit" if part.parted else "neighbour",
        keep_gamma_run=part.keep_gamma,
        keep_mixed_run=part.keep_mixed,
    )
