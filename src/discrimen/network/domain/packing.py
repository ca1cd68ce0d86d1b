"""The section ``domain`` of the frozen file; ``docs/frozen-layout.md`` has its layout."""

from __future__ import annotations

import struct

from discrimen.network.domain.domain import Domain

_HEAD = struct.Struct("<3I")
_SCALARS = struct.Struct("<4f")
_RANGE = struct.Struct("<3f2i2f")


def pack_domain(domain: Domain) -> bytes:
    """Return what an engine needs of a domain, as bytes."""
    head = _HEAD.pack(len(domain.ranges), len(domain.rows), len(domain.components))
    head += _SCALARS.pack(*domain.height_adc, domain.quiet_adc, domain.rail_adc)
    ranges = [_RANGE.pack(each.from_adc, *each.spread_adc, *each.edge, *each.residual) for each in domain.ranges]
    rows = struct.pack(f"<{len(domain.rows)}i", *domain.rows)
    numbers = (*domain.mean, *domain.weight, *(value for component in domain.components for value in component))
    return head + b"".join(ranges) + rows + struct.pack(f"<{len(numbers)}f", *numbers)
