"""Values that are added again later in a chain, and the numbers under which a frozen network keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from discrimen.errors import SettingsError
from discrimen.freezing.batch_norm import Scaling
from discrimen.network.layers import MAX_KEPT, AddKept, Keep, Layer


@dataclass(frozen=True, slots=True)
class Remember:
    """The value here is added again later; each value has an object of its own to tell it by."""

    value: object


@dataclass(frozen=True, slots=True)
class AddRemembered:
    """The value of an earlier :class:`Remember` is added here."""

    value: object


Link = Layer | Scaling | Remember | AddRemembered


def with_slots(chain: Iterable[Link]) -> Iterator[Layer | Scaling]:
    """Give every remembered value a number, the lowest that is free; a number is free again after its last use.

    Parameters
    ----------
    chain : iterable of Layer, Scaling, Remember or AddRemembered
        In the order of computation.

    Raises
    ------
    SettingsError
        If more than :data:`~discrimen.network.layers.MAX_KEPT` values are remembered at a time.
    """
    chain = list(chain)
    last_use = {id(link.value): place for place, link in enumerate(chain) if isinstance(link, AddRemembered)}
    slots: dict[int, int] = {}
    for place, link in enumerate(chain):
        if isinstance(link, Remember):
            slot = slots[id(link.value)] = _lowest_free(slots)
            yield Keep(slot=slot)
        elif isinstance(link, AddRemembered):
            yield AddKept(slot=slots[id(link.value)])
            if last_use[id(link.value)] == place:
                del slots[id(link.value)]
        else:
            yield link


def _lowest_free(slots: dict[int, int]) -> int:
    free = set(range(MAX_KEPT)) - set(slots.values())
    if not free:
        raise SettingsError(
            f"more than {MAX_KEPT} shortcuts are open at a time; a frozen network can keep {MAX_KEPT} values"
        )
    return min(free)
