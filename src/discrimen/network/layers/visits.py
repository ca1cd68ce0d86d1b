"""Which steps a kernel or a group visits, and where zeros stand in for steps that are not there."""

from __future__ import annotations

from dataclasses import dataclass

from discrimen.errors import DataError
from discrimen.network.layers.base import MOST_REACH, Arrays, Padding, Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Visits:
    """How often a kernel or a group of steps is laid down, and how.

    Parameters
    ----------
    steps : int
        How often.
    front, back : int
        Steps of padding.
    stride, dilation : int
        From one place to the next, and from one tap to the next.
    """

    steps: int
    front: int
    back: int
    stride: int
    dilation: int

    def padded(self, xp: Arrays, values: Values, value: float) -> Values:
        """Return (pulse, step, channel) with its padding."""
        return xp.pad(values, ((0, 0), (self.front, self.back), (0, 0)), constant_values=value)

    def taken(self, padded: Values, tap: int) -> Values:
        """Return what one tap sees at each place."""
        first = tap * self.dilation
        return padded[:, first : first + (self.steps - 1) * self.stride + 1 : self.stride]


def visits(n_steps: int, size: int, *, stride: int, dilation: int = 1, padding: Padding) -> Visits:
    """Return how a kernel or a group of `size` steps is laid down on `n_steps`.

    Raises
    ------
    DataError
        If it does not fit once, or reaches further than :data:`MOST_REACH`.
    """
    reach = (size - 1) * dilation + 1
    if padding == "valid":
        if reach > n_steps:
            raise DataError(f"it reaches over {reach} steps without padding, {n_steps} are there")
        return Visits(steps=(n_steps - reach) // stride + 1, front=0, back=0, stride=stride, dilation=dilation)
    if reach > MOST_REACH:
        raise DataError(f"it reaches over {reach} steps, at most {MOST_REACH} are allowed")
    steps = -(-n_steps // stride)
    surplus = max(0, (steps - 1) * stride + reach - n_steps)
    front = reach - 1 if padding == "causal" else surplus // 2
    return Visits(steps=steps, front=front, back=max(0, surplus - front), stride=stride, dilation=dilation)
