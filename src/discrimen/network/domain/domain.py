"""What a model has seen of pulses, as limits of a few quantities by range of height."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import IntFlag
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.network.domain.photons import Photons
from discrimen.network.preparation import Preparation

MOST_RANGES = 8
MOST_ROWS = 32
MOST_COMPONENTS = 4


class Outside(IntFlag):
    """In what a pulse is unlike those that the model has seen; bits of the column ``outside``."""

    UNPREPARED = 0x1
    EDGE_IN_BASELINE = 0x2
    BASELINE_NOISE = 0x4
    TOO_LOW = 0x8
    TOO_HIGH = 0x10
    EDGE = 0x20
    CLIPPED = 0x40
    SHAPE = 0x80


@dataclass(frozen=True, slots=True, kw_only=True)
class HeightRange:
    """Limits of the pulses of one range of height, ends included.

    Parameters
    ----------
    from_adc : float
        The range begins at this height and ends where the next one begins.
    spread_adc : tuple of float
        Least and largest distance between the lowest and the highest sample of the baseline window, in ADC counts.
    edge : tuple of int
        Samples of the window between which the pulse first reaches half its height: it is below at the first (-1: it
        may begin above), and has been above between the first and the last.
    residual : tuple of float
        Least and largest mean square of what the components leave of the shape.
    """

    from_adc: float
    spread_adc: tuple[float, float]
    edge: tuple[int, int]
    residual: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """The domain of a model of one channel.

    Parameters
    ----------
    height_adc : tuple of float
        Least and largest height, the highest sample of the window above the baseline, in ADC counts.
    quiet_adc : float
        A baseline window whose samples lie further apart holds more than noise, in ADC counts.
    rail_adc : float
        A pulse that reaches this sample is clipped, in ADC counts of the raw record; plus or minus infinity where no
        rail is known or clipped pulses were trained on.
    ranges : tuple of HeightRange
        Ascending; the first one also holds what is lower.
    rows : tuple of int
        Samples of the window that tell the shape.
    mean, weight : tuple of float
        Of each of these samples, in units of the height: what is subtracted, and what is multiplied by then.
    components : tuple of tuple of float, (component, row)
        Orthonormal; what pulses do along them is not counted as residual.
    false_alarms : float
        Share of pulses like the trained ones beyond each side of each limit, at most.
    n_pulses : int
        That the limits come from.
    thinned_below_adc : float or None
        Lower pulses were seen only as higher ones that were thinned, in ADC counts of height; None if all were real.
    photons : Photons or None
        How much light the pulses have for their height; None where it is not known.
    """

    height_adc: tuple[float, float]
    quiet_adc: float
    rail_adc: float
    ranges: tuple[HeightRange, ...]
    rows: tuple[int, ...]
    mean: tuple[float, ...]
    weight: tuple[float, ...]
    components: tuple[tuple[float, ...], ...]
    false_alarms: float
    n_pulses: int
    thinned_below_adc: float | None = None
    photons: Photons | None = None

    def __post_init__(self) -> None:
        counts = (len(self.ranges), MOST_RANGES), (len(self.rows), MOST_ROWS), (len(self.components), MOST_COMPONENTS)
        n_rows = len(self.rows)
        lengths = {n_rows, len(self.mean), len(self.weight), *map(len, self.components)}
        if any(not 1 <= count <= most for count, most in counts) or len(lengths) != 1:
            raise SettingsError(
                "this is no domain of a model: its ranges, samples and components do not fit each other"
            )
        numbers = (*self.height_adc, self.quiet_adc, *self.mean, *self.weight, *sum(self.components, ()))
        begins = [each.from_adc for each in self.ranges]
        if not all(map(math.isfinite, numbers)) or math.isnan(self.rail_adc) or begins != sorted(begins):
            raise SettingsError("no domain of a model: a limit is no number, or its ranges are out of order")
        if not 0 < self.height_adc[0] <= self.height_adc[1] or list(self.rows) != sorted(set(self.rows)):
            raise SettingsError("no domain of a model: its heights or samples are not in order")

    def range_of(self, height_adc: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return which range of height pulses belong to, shape (pulse,)."""
        begins = np.array([each.from_adc for each in self.ranges])
        at: NDArray[np.int64] = np.maximum(np.searchsorted(begins, height_adc, side="right") - 1, 0)
        return at

    def require_fits(self, preparation: Preparation) -> None:
        """Refuse a domain that asks for samples that the preparation does not give.

        Raises
        ------
        DataError
            If so.
        """
        length, channel = preparation.window_length, preparation.only
        first = min(each.edge[0] for each in self.ranges)
        last = max(each.edge[1] for each in self.ranges)
        fits = first >= -1 and all(each.edge[0] < each.edge[1] for each in self.ranges) and last < length
        if self.rows[0] < 0 or self.rows[-1] >= length or not fits or channel.baseline_start == channel.baseline_stop:
            raise DataError(f"the domain of the model does not fit its window of {length} samples and its baseline")

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON; a rail that is not known is None, what else is not known is left out."""
        plain = {**asdict(self), "rail_adc": self.rail_adc if math.isfinite(self.rail_adc) else None}
        return {name: value for name, value in plain.items() if value is not None or name == "rail_adc"}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], preparation: Preparation) -> Domain:
        """Build from what :meth:`as_dict` returned.

        Raises
        ------
        SettingsError, DataError
            If a name is unknown or missing, or a value does not fit.
        """
        given = dict(values)
        try:
            given["ranges"] = tuple(map(_range_from, given["ranges"]))
            given["components"] = tuple(map(tuple, given["components"]))
            for name in ("height_adc", "rows", "mean", "weight"):
                given[name] = tuple(given[name])
            if given.get("photons") is not None:
                given["photons"] = Photons.from_dict(given["photons"])
                given["photons"].require_fits(preparation)
            if given["rail_adc"] is None:
                given["rail_adc"] = no_rail(preparation)
            domain = cls(**given)
        except (TypeError, KeyError, AttributeError) as error:
            raise SettingsError(f"this is no domain of a model: {error}") from error
        domain.require_fits(preparation)
        return domain


def _range_from(values: Mapping[str, Any]) -> HeightRange:
    pairs = {name: tuple(value) for name, value in values.items() if name != "from_adc"}
    return HeightRange(from_adc=values["from_adc"], **pairs)


def no_rail(preparation: Preparation) -> float:
    """Return a rail that no pulse reaches."""
    return preparation.only.polarity * math.inf
