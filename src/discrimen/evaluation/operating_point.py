"""What thresholds on the network's score do, as data: by range of energy, and of measured light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from discrimen.metrics import Share

if TYPE_CHECKING:
    from discrimen.evaluation.report import NotComputed


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingPoint:
    """What a threshold on the network's score does to the pulses; a class that is absent has no share.

    Parameters
    ----------
    name : str
        ``even`` for a score of 0.5, or the name of a threshold that the model carries.
    threshold, highest_threshold : float
        A pulse passes with this score or more: the least and the largest that a pulse here meets, which differ where
        the threshold follows the height.
    efficiency, leakage : Share or NotComputed
        Shares of the neutrons and of the gammas that pass.
    """

    name: str
    threshold: float
    highest_threshold: float
    efficiency: Share | NotComputed
    leakage: Share | NotComputed

    @property
    def score_text(self) -> str:
        """The threshold as a table shows it."""
        if self.threshold == self.highest_threshold:
            return f"{self.threshold:.4g}"
        return f"{self.threshold:.3g}-{self.highest_threshold:.3g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredRange:
    """One range of measured light.

    Parameters
    ----------
    low, high : float
        In the unit of :class:`MeasuredLight`.
    n_gamma, n_neutron : int
        Pulses of each class.
    operating_points : tuple of OperatingPoint
        Of the network, at a score of 0.5 and at each threshold that the model carries.
    """

    low: float
    high: float
    n_gamma: int
    n_neutron: int
    operating_points: tuple[OperatingPoint, ...]

    @property
    def name(self) -> str:
        """What the range is called in a table."""
        return f"{self.low:.4g}-{self.high:.4g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredLight:
    """Thresholds in ranges of measured light.

    Parameters
    ----------
    unit : str
        ``keVee``, or ``ADC counts`` of the height where the model's settings hold no calibration.
    source : str
        Where it comes from.
    ranges : tuple of MeasuredRange
        Ascending.
    """

    unit: str
    source: str
    ranges: tuple[MeasuredRange, ...]
