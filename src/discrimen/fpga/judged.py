"""What a network on chip lets leak: the gamma leakage per range of light, as everywhere in the package."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.fpga.float_network import Labelled
from discrimen.metrics import Leakage, leakage_at_efficiency
from discrimen.metrics.energy_bins import EnergyBin
from discrimen.pulses import Label

_FEWEST = 50


@dataclass(frozen=True, slots=True)
class Target:
    """A range of light, and the neutron efficiency at which its leakage is measured.

    Parameters
    ----------
    energy : EnergyBin
        In keVee.
    efficiency : float
        Share of the neutrons of the range that pass.
    """

    energy: EnergyBin
    efficiency: float

    def __str__(self) -> str:
        return f"{self.energy} at {100 * self.efficiency:g} %"


DEFAULT_TARGETS = (Target(EnergyBin(50.0, 100.0), 0.95), Target(EnergyBin(100.0, 150.0), 0.99))


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Leakage of one network in each range.

    Parameters
    ----------
    leakages : tuple of (Target, Leakage)
        In the order of the targets.
    accuracy : float
        Share of right decisions where the larger logit decides.
    """

    leakages: tuple[tuple[Target, Leakage], ...]
    accuracy: float

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain data."""
        return {"accuracy": self.accuracy, "leakage": {str(target): asdict(each) for target, each in self.leakages}}

    @property
    def smoothed_log_leakage(self) -> float:
        """Mean over the ranges of the natural logarithm of the leakage; half a gamma leaks where none does."""
        shares = [(each.n_gamma_passing + 0.5) / (each.n_gamma + 1) for _, each in self.leakages]
        return float(np.mean(np.log(shares)))

    @property
    def in_words(self) -> str:
        """The leakages in per cent, for people."""
        return ", ".join(
            f"{100 * each.leakage:.2f} % [{100 * each.low:.2f}, {100 * each.high:.2f}] ({target})"
            for target, each in self.leakages
        )


def parse_target(text: str) -> Target:
    """Return the target that ``LOW:HIGH:EFFICIENCY`` names, for example 50:100:0.95.

    Raises
    ------
    SettingsError
        If it is not of this form.
    """
    try:
        low, high, efficiency = (float(part) for part in text.split(":"))
    except ValueError as error:
        raise SettingsError(f"expected LOW:HIGH:EFFICIENCY such as 50:100:0.95, got {text!r}") from error
    if not (0 <= low < high and 0 < efficiency < 1):
        raise SettingsError(f"expected light that goes upwards and an efficiency between 0 and 1, got {text!r}")
    return Target(EnergyBin(low, high), efficiency)


def judge(scores: NDArray[Any], windows: Labelled, targets: Sequence[Target]) -> Judged:
    """Compute what scores let leak.

    Parameters
    ----------
    scores : ndarray of float, shape (window,)
        Of :func:`~discrimen.fpga.float_network.neutron_score`.
    windows : Labelled
        Their truth, with light.
    targets : sequence of Target
        Where to look.

    Raises
    ------
    DataError
        If the light is unknown, or a range holds too few pulses.
    """
    found = []
    for target in targets:
        inside = members(windows, target)
        found.append(
            (target, leakage_at_efficiency(scores[inside], windows.label[inside], efficiency=target.efficiency))
        )
    right = (scores > 0) == (windows.label == Label.NEUTRON)
    return Judged(leakages=tuple(found), accuracy=float(right.mean()))


def members(windows: Labelled, target: Target) -> NDArray[np.bool_]:
    """Return which windows lie in the range of a target, shape (window,).

    Raises
    ------
    DataError
        If the light is unknown, or there are too few of a class.
    """
    if windows.light_kevee is None:
        raise DataError("the pulses have no light (column energy_kevee): the leakage per range cannot be measured")
    inside = target.energy.contains(windows.light_kevee)
    counts = {label.name.lower(): int((windows.label[inside] == label).sum()) for label in (Label.GAMMA, Label.NEUTRON)}
    if min(counts.values()) < _FEWEST:
        raise DataError(
            f"{counts['gamma']} gammas and {counts['neutron']} neutrons in {target.energy}: expected at least "
            f"{_FEWEST} of each; give more pulses or another range"
        )
    return inside


def threshold_of(scores: NDArray[Any], windows: Labelled, target: Target) -> float:
    """Return the threshold on the logits' difference that keeps the wished share of the neutrons of a range."""
    inside = members(windows, target)
    return leakage_at_efficiency(scores[inside], windows.label[inside], efficiency=target.efficiency).threshold
