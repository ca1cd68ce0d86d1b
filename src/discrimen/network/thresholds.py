"""Which threshold on the neutron score parts neutrons from gammas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from discrimen.errors import SettingsError
from discrimen.network.height_curve import Cut, HeightCurve

EVEN = 0.5
"""Where a model stores no threshold: a score of 0.5, neutron as likely as gamma."""


@dataclass(frozen=True, slots=True)
class ChosenThreshold:
    """A threshold on the neutron score; `name` is that of a stored one, or None."""

    value: Cut
    name: str | None = None

    def __str__(self) -> str:
        text = str(self.value) if isinstance(self.value, HeightCurve) else f"{self.value:g}"
        return text if self.name is None else f"{text} ({self.name})"


def choose_threshold(stored: Mapping[str, Cut], wish: str | float | None = None) -> ChosenThreshold:
    """Return the threshold that a number or a name stands for.

    Parameters
    ----------
    stored : mapping of str to float or HeightCurve
        Thresholds of the model, by name.
    wish : str or float, optional
        A name, or a number. By default the only stored threshold, or 0.5 where none is stored.

    Raises
    ------
    SettingsError
        If there is no such threshold, a number does not lie between 0 and 1, or several are stored and none is wished
        for: which of them is meant cannot be guessed.
    """
    names = ", ".join(stored)
    if wish is None:
        if len(stored) > 1:
            raise SettingsError(f"the model stores several thresholds, say which, or a number: {names}")
        return next((ChosenThreshold(value, name) for name, value in stored.items()), ChosenThreshold(EVEN))
    if isinstance(wish, str) and wish in stored:
        return ChosenThreshold(stored[wish], wish)
    try:
        value = float(wish)
    except ValueError:
        raise SettingsError(f"the model stores no threshold '{wish}'; it stores: {names or 'none'}") from None
    if not 0 <= value <= 1:
        raise SettingsError(f"expected a threshold between 0 and 1, as scores are, got {value:g}")
    return ChosenThreshold(value)
