"""What kinds of frames FASTER writes: their numbers and names, and which charges stand in them.

Facts: the headers of the library fasterac of LPC Caen, versions 2.6 and later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

GROUP, OSCILLOSCOPE, SAMPLER, SPECTROSCOPY = 10, 21, 22, 61

NAMES: Mapping[int, str] = MappingProxyType(
    {
        0: "synchronisation",
        1: "start",
        2: "stop",
        3: "missing",
        4: "missed",
        5: "SMART time stamp",
        GROUP: "group",
        11: "time reference",
        12: "time reference with TDC",
        13: "unlock",
        19: "radio frequency",
        20: "radio-frequency counter",
        OSCILLOSCOPE: "oscilloscope",
        SAMPLER: "sampler",
        23: "sampler counter",
        24: "PLAS counter",
        25: "PLAS raw data",
        26: "PLAS data",
        27: "PLAS data",
        28: "PLAS data",
        30: "group counter",
        **{40 + n: f"QDC with {n} charge(s)" for n in range(1, 5)},
        45: "QTDC",
        46: "charge between thresholds (QT2T)",
        50: "QDC counter",
        51: "QTDC counter",
        52: "QT2T counter",
        SPECTROSCOPY: "spectroscopy (CR-RC4)",
        70: "spectroscopy counter",
        81: "electrometer",
        82: "scaler",
        83: "scaler counter",
        84: "high voltage",
        **{140 + n: f"QDC with {n} charge(s) and TDC" for n in range(1, 5)},
        **{240 + n: f"QDC with {n} charge(s) and time of flight" for n in range(1, 5)},
    }
)
"""Name of each known kind, by its number."""


def name_of(kind: int) -> str:
    """Return the name of a kind, with its number."""
    return f"{NAMES[kind]} ({kind})" if kind in NAMES else f"unknown type {kind}"


@dataclass(frozen=True, slots=True)
class Charges:
    """Where the charges of a kind stand.

    Parameters
    ----------
    names : tuple of str
        As `--branch` calls them.
    n_bytes : int
        Of the load.
    tdc_at : int or None
        Place of the time to digital converter's value in the load, in bytes.
    """

    names: tuple[str, ...]
    n_bytes: int
    tdc_at: int | None = None


def _qdc(n_charges: int, *, has_tdc: bool, extra: int = 0) -> Charges:
    names = tuple(f"q{number}" for number in range(1, n_charges + 1))
    return Charges(names, 4 * (n_charges + has_tdc + extra), 4 * n_charges if has_tdc else None)


LISTED: Mapping[int, Charges] = MappingProxyType(
    {
        SPECTROSCOPY: Charges(("measure",), 8),
        **{40 + n: _qdc(n, has_tdc=False) for n in range(1, 5)},
        **{140 + n: _qdc(n, has_tdc=True) for n in range(1, 5)},
    }
)
"""Kinds that are read as events of a list."""

CHARGE_NAMES = ("measure", "q1", "q2", "q3", "q4")
"""Every name of a charge."""

WAVEFORMS = (OSCILLOSCOPE, SAMPLER)
"""Kinds that hold a waveform."""
