"""New thresholds and a new scale for the score, from pulses of another channel or detector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.adaptation.measured import Measured
from discrimen.adaptation.rescaling import Rescaling, fit_rescaling
from discrimen.adaptation.slices import slice_logits
from discrimen.adaptation.unlabelled import SHAPE_ERROR, Estimate, TwoBands, find_two_bands
from discrimen.errors import DataError, SettingsError
from discrimen.freezing.calibrate import efficiency_name, leakage_name
from discrimen.metrics import Share, Threshold, threshold_for_efficiency, threshold_for_leakage, wilson_interval
from discrimen.pulses import Label

LEAST_CONCLUDED_LEAKAGE = 2 * SHAPE_ERROR
WIDEST_INTERVAL = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What is wanted.

    Parameters
    ----------
    neutron_efficiencies, gamma_leakages : tuple of float
        For which a threshold is wanted, between 0 and 1.
    rescale : bool
        Whether the score gets a new shift and temperature.
    neutron_share : float or None
        The share of neutrons among unlabelled pulses, where it is known.
    peak_range_adc : tuple of float, or None
        Only pulses of this height.
    confidence : float
        Of every interval.

    Raises
    ------
    SettingsError
        If a value does not fit.
    """

    neutron_efficiencies: tuple[float, ...] = (0.95,)
    gamma_leakages: tuple[float, ...] = ()
    rescale: bool = True
    neutron_share: float | None = None
    peak_range_adc: tuple[float, float] | None = None
    confidence: float = 0.95

    def __post_init__(self) -> None:
        shares = {
            "neutron efficiency": self.neutron_efficiencies,
            "gamma leakage": self.gamma_leakages,
            "neutron share": () if self.neutron_share is None else (self.neutron_share,),
            "confidence": (self.confidence,),
        }
        for name, values in shares.items():
            for value in values:
                if not 0 < value < 1:
                    raise SettingsError(f"{name} must lie between 0 and 1, got {value:g}")
        if self.peak_range_adc is not None and not 0 <= self.peak_range_adc[0] < self.peak_range_adc[1]:
            low, high = self.peak_range_adc
            raise SettingsError(f"the range of pulse heights must be ascending, got {low:g} to {high:g} ADC counts")
        if not (self.rescale or self.neutron_efficiencies or self.gamma_leakages):
            raise SettingsError("nothing to adapt: wish for a threshold, or rescale")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConcludedThreshold:
    """A threshold that was chosen without labels.

    Parameters
    ----------
    value : float
        On the neutron score of the adapted model.
    efficiency, leakage : Estimate
        Shares of the neutrons and gammas that pass.
    """

    value: float
    efficiency: Estimate
    leakage: Estimate


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Recalibration:
    """What was chosen.

    Parameters
    ----------
    method : str
        ``unlabelled`` or ``labelled``.
    n_pulses, n_left_out : int
        Pulses looked at, and those without a score, outside of the range of heights, or (labelled) without a label.
    rescaling : Rescaling or None
        None where none was wanted.
    thresholds : mapping of str to ConcludedThreshold or Threshold
        By name, on the score of the adapted model.
    neutron_share : Estimate or Share
        Of the pulses.
    bands : TwoBands or None
        Without labels: what the pulses tell.
    """

    method: str
    n_pulses: int
    n_left_out: int
    rescaling: Rescaling | None
    neutron_share: Estimate | Share
    thresholds: Mapping[str, ConcludedThreshold | Threshold] = field(default_factory=dict)
    bands: TwoBands | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "method": self.method,
            "n_pulses": self.n_pulses,
            "n_left_out": self.n_left_out,
            "rescaling": None if self.rescaling is None else asdict(self.rescaling),
            "neutron_share": asdict(self.neutron_share),
            "thresholds": {name: asdict(threshold) for name, threshold in self.thresholds.items()},
        } | ({} if self.bands is None else {"slices": _slices_of(self.bands)})


def recalibrate_unlabelled(measured: Measured, wishes: Wishes, *, rng: np.random.Generator) -> Recalibration:
    """Conclude thresholds and scale from the two bands of the logit.

    Parameters
    ----------
    measured : Measured
        Pulses of a mixed source.
    wishes : Wishes
        What is wanted.
    rng : Generator
        For the intervals.

    Raises
    ------
    DataError
        If the pulses are too few, two classes cannot be distinguished, or what would come out is too uncertain.
    """
    for wished in wishes.gamma_leakages:
        if wished < LEAST_CONCLUDED_LEAKAGE:
            raise DataError(
                f"a gamma leakage of {wished:g} cannot be concluded without labels, at least "
                f"{LEAST_CONCLUDED_LEAKAGE:g} can: the tail of the gammas under the neutrons is not seen; "
                "label some pulses (--labelled)"
            )
    chosen = measured[_chosen(measured, wishes)]
    bands = find_two_bands(
        slice_logits(chosen.logit, chosen.peak_adc),
        rng=rng,
        neutron_share=wishes.neutron_share,
        confidence=wishes.confidence,
    )
    rescaling = _rescaling_of(bands) if wishes.rescale else None
    logits = {efficiency_name(wished): bands.logit_for_efficiency(wished) for wished in wishes.neutron_efficiencies}
    for wished in wishes.gamma_leakages:
        logits[leakage_name(wished)] = bands.logit_for_leakage(wished)
    return Recalibration(
        method="unlabelled",
        n_pulses=len(chosen),
        n_left_out=len(measured) - len(chosen),
        rescaling=rescaling,
        neutron_share=bands.neutron_share(),
        thresholds={name: _concluded(bands, logit, rescaling, name) for name, logit in logits.items()},
        bands=bands,
    )


def recalibrate_labelled(measured: Measured, wishes: Wishes) -> Recalibration:
    """Choose thresholds and scale on labelled pulses.

    Parameters
    ----------
    measured : Measured
        With labels; pulses of unknown label are left out.
    wishes : Wishes
        What is wanted.

    Raises
    ------
    DataError
        If a class is missing, or the pulses are too few for a wish.
    """
    if wishes.neutron_share is not None:
        raise SettingsError("the share of neutrons follows from the labels: leave out the neutron share")
    chosen = measured[_chosen(measured, wishes) & np.isin(measured.label, (Label.GAMMA, Label.NEUTRON))]
    is_neutron = chosen.label == Label.NEUTRON
    n_neutron, n_gamma = int(is_neutron.sum()), int((~is_neutron).sum())
    if not (n_neutron and n_gamma):
        raise DataError(f"labelled pulses of both classes are needed, got {n_gamma} gammas and {n_neutron} neutrons")
    rescaling = fit_rescaling(chosen.logit, neutron_probability=is_neutron) if wishes.rescale else None
    scores = _scores(chosen.logit, rescaling)
    confidence = wishes.confidence
    thresholds = {
        efficiency_name(wished): threshold_for_efficiency(
            scores, chosen.label, efficiency=wished, confidence=confidence
        )
        for wished in wishes.neutron_efficiencies
    } | {
        leakage_name(wished): threshold_for_leakage(scores, chosen.label, leakage=wished, confidence=confidence)
        for wished in wishes.gamma_leakages
    }
    return Recalibration(
        method="labelled",
        n_pulses=len(chosen),
        n_left_out=len(measured) - len(chosen),
        rescaling=rescaling,
        neutron_share=wilson_interval(n_neutron, len(chosen), confidence=confidence),
        thresholds=thresholds,
    )


def _chosen(measured: Measured, wishes: Wishes) -> NDArray[np.bool_]:
    if wishes.peak_range_adc is None:
        return measured.usable
    low, high = wishes.peak_range_adc
    inside: NDArray[np.bool_] = measured.usable & (measured.peak_adc >= low) & (measured.peak_adc < high)
    return inside


def _rescaling_of(bands: TwoBands) -> Rescaling:
    edges, counts = bands.slices.logit_edges, bands.slices.counts
    probability = bands.neutron_probability()
    centres = np.broadcast_to((edges[:-1] + edges[1:]) / 2, counts.shape)
    return fit_rescaling(centres.ravel(), neutron_probability=probability.ravel(), n_pulses=counts.ravel())


def _concluded(bands: TwoBands, logit: float, rescaling: Rescaling | None, name: str) -> ConcludedThreshold:
    efficiency, leakage = bands.passing(logit)
    for what, estimate in (("neutron efficiency", efficiency), ("gamma leakage", leakage)):
        if estimate.high - estimate.low > WIDEST_INTERVAL:
            raise DataError(
                f"the threshold for {name} is too uncertain: its {what} lies between {estimate.low:.3f} and "
                f"{estimate.high:.3f}; give more pulses, leave out low ones where the classes merge (--peak-adc), tell "
                "the share of neutrons (--neutron-share), or label some (--labelled)"
            )
    return ConcludedThreshold(
        value=float(_scores(np.array([logit]), rescaling)[0]), efficiency=efficiency, leakage=leakage
    )


def _scores(logit: NDArray[np.float64], rescaling: Rescaling | None) -> NDArray[np.float64]:
    shift, temperature = (0.0, 1.0) if rescaling is None else (rescaling.shift, rescaling.temperature)
    scores: NDArray[np.float64] = 1 / (1 + np.exp(-np.clip((logit - shift) / temperature, -700, 700)))
    return scores


def _slices_of(bands: TwoBands) -> list[dict[str, Any]]:
    edges = bands.slices.peak_edges_adc
    shares = np.mean([mixture.shapes(edges[:1]).neutron_share for mixture in bands.mixtures], axis=0)
    return [
        {
            "peak_low_adc": float(low),
            "peak_high_adc": float(high),
            "n_pulses": int(count),
            "classes_stand_apart": bool(apart),
            "neutron_share": float(share),
        }
        for low, high, count, apart, share in zip(
            edges[:-1], edges[1:], bands.slices.n_pulses, bands.slices.apart, shares, strict=True
        )
    ]
