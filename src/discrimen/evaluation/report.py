"""The result of an evaluation: plain data, with all that a text, a plot or a JSON file shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ParamSpec, Protocol, TypeVar

import numpy as np

from discrimen.errors import DataError
from discrimen.evaluation.operating_point import MeasuredLight, OperatingPoint
from discrimen.evaluation.report_parts import (
    JudgedData,
    LabelBound,
    LabelTrust,
    LossCurve,
    PsdHistogram,
    PsdMap,
    ScoreHistogram,
    WorstPulses,
)
from discrimen.metrics import (
    Auc,
    CalibrationError,
    EnergyBin,
    FigureOfMerit,
    Leakage,
    LeakageRatio,
    ReliabilityBin,
    RocCurve,
    Temperature,
)
from discrimen.output.plain import plain
from discrimen.output.summary import Summarised
from discrimen.pulse_shape import CLASSIC_METHODS
from discrimen.pulses.detector import GatesNs

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class _HasEfficiency(Protocol):
    @property
    def efficiency(self) -> float: ...


_AtEfficiency = TypeVar("_AtEfficiency", bound=_HasEfficiency)

METHODS: Mapping[str, str] = {
    "network": "Network",
    "charge_nominal": "Charge comparison, nominal gates",
    "charge_best": "Charge comparison, best gates",
    **{method.name: method.title for method in CLASSIC_METHODS},
    "record_bound": "Bound of the record",
    "photon_bound": "Photon-level bound",
}
"""What each method is called in text and plots, in the order of their columns."""

BOUNDS: Mapping[str, str] = {"record_bound": "record_llr", "photon_bound": "photon_llr"}
"""Those that no method can beat, and the column of simulated pulses that holds each."""


@dataclass(frozen=True, slots=True)
class NotComputed:
    """Instead of a result: why there is none."""

    not_computed: str


def if_computed(
    compute: Callable[_Arguments, _Result], *args: _Arguments.args, **kwargs: _Arguments.kwargs
) -> _Result | NotComputed:
    """Return what a function computes, or why the pulses do not allow it.

    What nobody foresaw counts as not computed, too, and is named: one figure never costs the rest of a report.
    """
    try:
        return compute(*args, **kwargs)
    except DataError as error:
        return NotComputed(str(error))
    except (ArithmeticError, ValueError, np.linalg.LinAlgError) as error:
        return NotComputed(f"{type(error).__name__}: {error}")


def computed(results: Iterable[_Result | NotComputed]) -> list[_Result]:
    """Leave out what was not computed."""
    return [each for each in results if not isinstance(each, NotComputed)]


def at_efficiency(results: Iterable[_AtEfficiency], efficiency: float) -> _AtEfficiency | None:
    """Return the result at one of the wished efficiencies, or None where there is none."""
    return next((each for each in results if abs(each.efficiency - efficiency) < 1e-9), None)


def main_efficiency(efficiencies: Iterable[float]) -> float:
    """Return the wished neutron efficiency that tables show first: the one nearest to 95 %."""
    return min(efficiencies, key=lambda efficiency: abs(efficiency - 0.95))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class MethodResult(Summarised):
    """How well one method parts the classes in one range of energy.

    Parameters
    ----------
    gates : GatesNs or None
        Charge comparison only: in ns relative to the constant-fraction crossing.
    n_gamma_unclassified, n_neutron_unclassified : int
        Pulses that the method gave no score; they never pass as neutrons.
    n_truncated : int or None
        Charge comparison only: pulses of which a gate reaches beyond the record.
    figures : mapping of str to dataclass, NotComputed or None
        By the names of :data:`discrimen.evaluation.figures.FIGURES`.
    leakages : tuple of Leakage or NotComputed
        One for each wished efficiency.
    roc : RocCurve
        Thinned.
    psd_histogram : PsdHistogram, NotComputed or None
        Charge comparison only.
    parameters : mapping
        Other classic methods only: what was tuned, units in the names.
    """

    gates: GatesNs | None
    n_gamma_unclassified: int
    n_neutron_unclassified: int
    n_truncated: int | None
    figures: Mapping[str, Any]
    leakages: tuple[Leakage | NotComputed, ...]
    roc: RocCurve
    psd_histogram: PsdHistogram | NotComputed | None
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def auc(self) -> Auc:
        """Area under the curve."""
        area: Auc = self.figures["auc"]
        return area

    @property
    def figure_of_merit(self) -> FigureOfMerit | NotComputed | None:
        """Charge comparison only: of the PSD of all pulses, whatever their class, as where classes are unknown."""
        merit: FigureOfMerit | NotComputed | None = self.figures["figure_of_merit"]
        return merit

    def leakage_at(self, efficiency: float) -> Leakage | None:
        """Return the leakage at one of the wished efficiencies, or None where it was not computed."""
        return at_efficiency(computed(self.leakages), efficiency)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Reliability:
    """Whether the network's scores may be read as probabilities, at the ratio of the classes among these pulses.

    Parameters
    ----------
    curve : tuple of ReliabilityBin
        Promised and true share of neutrons.
    error : CalibrationError
        Mean distance of the two, and what chance makes of it.
    temperature : Temperature or NotComputed
        What the logits would have to be divided by; 1 within its interval where the scores are as sure as they may be.
    """

    curve: tuple[ReliabilityBin, ...]
    error: CalibrationError
    temperature: Temperature | NotComputed


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class BinReport(Summarised):
    """All methods side by side in one range of energy.

    Parameters
    ----------
    energy : EnergyBin or None
        The range; None for all pulses together.
    n_gamma, n_neutron : int
        Pulses of each class.
    methods : mapping of str to MethodResult or NotComputed
        By the names of :data:`METHODS`.
    leakage_over_network : mapping of str to tuple of LeakageRatio
        For each other method, its leakage over the network's at each efficiency that both reach; paired, since they
        see the same pulses.
    calibration : Reliability or NotComputed
        Of the network.
    operating_points : tuple of OperatingPoint
        Of the network, at a score of 0.5 and at each threshold that the model carries.
    n_runs_drawn : int or None
        How many runs the intervals count, or None where they count pulses.
    """

    energy: EnergyBin | None
    n_gamma: int
    n_neutron: int
    methods: Mapping[str, MethodResult | NotComputed]
    leakage_over_network: Mapping[str, tuple[LeakageRatio, ...]]
    calibration: Reliability | NotComputed
    operating_points: tuple[OperatingPoint, ...] = ()
    n_runs_drawn: int | None = None

    @property
    def name(self) -> str:
        """What the range is called."""
        return "all energies" if self.energy is None else str(self.energy)

    def leakages_in_words(self, methods: Iterable[str], efficiency: float) -> str:
        """Return the gamma leakage of some methods in percent, for people."""
        found = {name: self.computed()[name].leakage_at(efficiency) for name in methods if name in self.computed()}
        told = [f"{name} {leak.leakage:.2%}" for name, leak in found.items() if leak is not None]
        return ", ".join(told) or f"not computed ({self.n_gamma} gamma, {self.n_neutron} neutron)"

    def computed(self) -> dict[str, MethodResult]:
        """Return the methods that have a result."""
        return {name: result for name, result in self.methods.items() if isinstance(result, MethodResult)}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class Report(Summarised):
    """Result of :func:`discrimen.evaluation.evaluate`.

    Parameters
    ----------
    model : mapping
        Backend, classes, architecture, preparation, settings and provenance of the model.
    confidence : float
        Of every interval.
    efficiencies : tuple of float
        Neutron efficiencies at which the leakage was wanted.
    seed : int
        Of the choice of tuning pulses.
    energy_source : str or NotComputed
        Where the energies come from, or why there are none.
    crossing_fraction : float
        Of the constant-fraction crossing that the gates refer to.
    overall : BinReport
        All pulses together.
    bins : tuple of BinReport
        Each range of energy.
    score_histogram : ScoreHistogram
        Of the network.
    psd_map : PsdMap or NotComputed
        PSD against light.
    data : JudgedData
        What was judged.
    loss_curve : LossCurve or NotComputed
        Of the training.
    worst_pulses : WorstPulses
        Those that the network is surest of, and wrong.
    notes : tuple of str
        What a reader must know.
    psd_definition, figure_of_merit_definition : str
        What the numbers mean.
    created_utc : str
        ISO 8601.
    software : mapping of str to str
        Versions.
    outside : mapping or NotComputed
        Pulses unlike those that the model has seen: how many, in what.
    measured : MeasuredLight or NotComputed
        What thresholds on the network's score do in ranges of measured light, which `classify` gives.
    labels : tuple of LabelTrust
        How far the labels can be trusted, of the data sets that say so.
    label_bounds : tuple of LabelBound
        What the leakage against such labels says of the truth.
    head : tuple of str
        The same in words: what must be read before the figures.
    """

    model: Mapping[str, Any]
    confidence: float
    efficiencies: tuple[float, ...]
    seed: int
    energy_source: str | NotComputed
    crossing_fraction: float
    overall: BinReport
    bins: tuple[BinReport, ...]
    score_histogram: ScoreHistogram
    psd_map: PsdMap | NotComputed
    data: JudgedData
    loss_curve: LossCurve | NotComputed
    worst_pulses: WorstPulses
    notes: tuple[str, ...]
    psd_definition: str
    figure_of_merit_definition: str
    created_utc: str
    software: Mapping[str, str]
    outside: Mapping[str, Any] | NotComputed
    measured: MeasuredLight | NotComputed
    labels: tuple[LabelTrust, ...] = ()
    label_bounds: tuple[LabelBound, ...] = ()
    head: tuple[str, ...] = ()

    def summary(self) -> dict[str, str]:
        """Return the leakage of each range of energy at the main efficiency, network and charge comparison."""
        wished = self.main_efficiency
        shown = self.shown_methods(("network", "charge_nominal", "charge_best", "record_bound"))
        return {
            **({"read first": " ".join(self.head)} if self.head else {}),
            **({"notes": "; ".join(self.notes)} if self.notes else {}),
            "gamma leakage": f"at {wished:.0%} neutron efficiency",
            **{part.name: part.leakages_in_words(shown, wished) for part in self.ranges},
        }

    @property
    def ranges(self) -> tuple[BinReport, ...]:
        """All pulses together, then each range of energy."""
        return (self.overall, *self.bins)

    @property
    def main_efficiency(self) -> float:
        """The wished neutron efficiency that tables show first: the one nearest to 95 %."""
        return main_efficiency(self.efficiencies)

    def shown_methods(self, methods: Iterable[str] = METHODS) -> list[str]:
        """Return those of the methods that have a result in some range, in the order of :data:`METHODS`."""
        return [name for name in METHODS if name in methods and any(name in part.computed() for part in self.ranges)]

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON: NaN and infinity become null."""
        values: dict[str, Any] = plain(self)
        for part in (values["overall"], *values["bins"]):
            for method in part["methods"].values():
                method |= method.pop("figures", {})
        return {"discrimen_report": 2, **values}
