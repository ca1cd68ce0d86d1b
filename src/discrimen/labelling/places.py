"""Pulses by where they were digitised: every channel is labelled by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from discrimen.errors import DataError
from discrimen.pulses.places import Place, Placed, board_and_channel, by_place, chosen, columns_of

__all__ = ["Place", "Placed", "board_and_channel", "by_place", "chosen", "joined", "no_place", "reasons"]

_Placed = TypeVar("_Placed", bound=Placed)

_SHOWN = 3


def joined(parts: Iterable[_Placed]) -> _Placed:
    """Join the pulses of several stretches.

    Raises
    ------
    DataError
        If there are none, or their energies have different units.
    """
    all_parts = list(parts)
    if not all_parts:
        raise DataError("no pulses to label")
    units = sorted({str(getattr(part, "energy_unit", "")) for part in all_parts})
    if len(units) != 1:
        raise DataError(
            f"cannot join energies in {' and '.join(units)}: give all runs the same --settings, or label each by itself"
        )
    names = columns_of(all_parts[0])
    return replace(
        all_parts[0], **{name: np.concatenate([getattr(part, name) for part in all_parts]) for name in names}
    )


def reasons(problems: Mapping[Place, str]) -> list[dict[str, Any]]:
    """Return why places have no labels as plain data, ready for JSON."""
    return [{**place._asdict(), "reason": reason} for place, reason in problems.items()]


def no_place(problems: Mapping[Place, str]) -> DataError:
    """Return the error that not one place can be labelled, with the reasons of the first three."""
    told = [f"{place}: {reason}" for place, reason in list(problems.items())[:_SHOWN]]
    more = [f"and {len(problems) - _SHOWN} more channels"] if len(problems) > _SHOWN else []
    return DataError("; ".join(told + more))
