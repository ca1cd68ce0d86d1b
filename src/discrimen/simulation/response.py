"""Linear responses as sums of exponentials smeared by a Gaussian: exact, without a time grid.

A front end, a scintillation decay, an integration: each is a filter with a few poles. A chain of them is again a sum
of exponentials, whose convolution with a Gaussian has a closed form (the exponentially modified Gaussian; for a
complex pole through the Faddeeva function).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from discrimen.errors import SettingsError, require_module

_FAR_BEHIND = 6.0
"""So many sigmas behind the step, the error function has reached its limit to double precision."""


@dataclass(frozen=True, slots=True)
class Response:
    """Impulse response `sum_i residue_i exp(pole_i t)` for t > 0, convolved with a Gaussian.

    Parameters
    ----------
    poles_per_ns : tuple of complex
        Poles in 1/ns, real part at most 0; complex ones come in conjugate pairs.
    residues_per_ns : tuple of complex
        Residue of each pole, in 1/ns for a response that is a density in time.
    sigma_ns : float
        Standard deviation of the Gaussian in ns.
    """

    poles_per_ns: tuple[complex, ...]
    residues_per_ns: tuple[complex, ...]
    sigma_ns: float

    @classmethod
    def low_pass(cls, time_constant_ns: float, *, sigma_ns: float) -> Response:
        """Return an exponential decay of unit area, smeared by a Gaussian."""
        return cls((-1 / time_constant_ns,), (1 / time_constant_ns,), sigma_ns)

    def then(self, poles_per_ns: Sequence[complex], residues_per_ns: Sequence[complex]) -> Response:
        """Return this response followed by a filter with the given poles.

        Raises
        ------
        SettingsError
            If a pole occurs on both sides: the sum of exponentials then does not exist.
        """
        first, second = list(self.poles_per_ns), list(poles_per_ns)
        residues = [0j] * (len(first) + len(second))
        for i, (pole, residue) in enumerate(zip(first, self.residues_per_ns, strict=True)):
            for j, (other, other_residue) in enumerate(zip(second, residues_per_ns, strict=True)):
                if abs(pole - other) < 1e-6 * max(abs(pole), abs(other)):
                    raise SettingsError(
                        f"two equal time constants in one response ({pole:.6g}/ns); change one a little"
                    )
                share = residue * other_residue / (pole - other)
                residues[i] += share
                residues[len(first) + j] -= share
        return Response(tuple(first + second), tuple(residues), self.sigma_ns)

    def then_low_pass(self, time_constant_ns: float) -> Response:
        """Return this response followed by an exponential decay of unit area."""
        return self.then([-1 / time_constant_ns], [1 / time_constant_ns])

    def plus(self, other: Response) -> Response:
        """Return the sum with another response of the same Gaussian."""
        poles = self.poles_per_ns + other.poles_per_ns
        return Response(poles, self.residues_per_ns + other.residues_per_ns, self.sigma_ns)

    def integrated(self) -> Response:
        """Return the response to a step."""
        return self.then([0.0], [1.0])

    def at(self, time_ns: ArrayLike) -> NDArray[np.float64]:
        """Return the response at the given times, in ns after the impulse; same shape."""
        time = np.asarray(time_ns, dtype=np.float64)
        total = np.zeros(time.shape)
        for pole, residue in zip(self.poles_per_ns, self.residues_per_ns, strict=True):
            total += np.real(residue * _smeared_exponential(time, pole, self.sigma_ns))
        return total


def _smeared_exponential(time_ns: NDArray[np.float64], pole: complex, sigma_ns: float) -> NDArray[np.complex128]:
    """Convolve exp(pole t) for t > 0 with a Gaussian of unit area."""
    special = require_module("scipy.special", extra="simulation")
    argument = -(time_ns + pole * sigma_ns**2) / (np.sqrt(2) * sigma_ns)
    behind = argument.real < -_FAR_BEHIND
    near = 0.5 * np.exp(-0.5 * (time_ns / sigma_ns) ** 2) * special.wofz(1j * np.where(behind, 0, argument))
    far = np.exp(np.where(behind, pole * time_ns + 0.5 * (pole * sigma_ns) ** 2, 0))
    return np.where(behind, far, near)
