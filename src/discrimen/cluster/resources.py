"""What a job asks of the batch system, parsed strictly: batch systems read a bare number in ways that surprise."""

from __future__ import annotations

import re
from dataclasses import dataclass

from discrimen.errors import SettingsError

_TIME = re.compile(r"(?:(?P<days>\d+)-)?(?P<hours>\d{1,3}):(?P<minutes>[0-5]\d):(?P<seconds>[0-5]\d)")
_MEMORY = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[KMGT])(?:i?B)?", re.IGNORECASE)
_MIB = {"K": 1 / 1024, "M": 1.0, "G": 1024.0, "T": 1024.0**2}
_SHORTEST_S = 60
_LEAST_MIB = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What each job of a batch asks for.

    Parameters
    ----------
    time_s : int
        Longest run of a job, in s.
    memory_mib : int
        Memory of a job, in MiB.
    cpus, gpus : int
        Cores and GPUs of a job.
    disk_mib : int
        Scratch of a job, in MiB; asked for by HTCondor only.
    partition : str or None
        Queue of Slurm; None for the default of the centre.
    most_at_once : int or None
        Jobs of the batch that may run at a time.
    directives : tuple of str
        Further lines for the batch system, without what begins them.
    """

    time_s: int
    memory_mib: int
    cpus: int = 1
    gpus: int = 0
    disk_mib: int = 1024
    partition: str | None = None
    most_at_once: int | None = None
    directives: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for line in (*self.directives, self.partition or ""):
            if not line.isprintable():
                raise SettingsError(f"{line!r}: a line for the batch system holds printable characters only")
        if self.partition is not None and not re.fullmatch(r"[^\s'\"]+", self.partition):
            raise SettingsError(f"partition {self.partition!r}: expected a name without blanks and quotes")


def parse_time(text: str) -> int:
    """Return a time in s that stands as HH:MM:SS or D-HH:MM:SS.

    Raises
    ------
    SettingsError
        If it stands otherwise, or is shorter than a minute.
    """
    found = _TIME.fullmatch(text.strip())
    parts = {name: int(value or 0) for name, value in found.groupdict().items()} if found else {}
    if found is None or (found["days"] is not None and parts["hours"] > 23):
        raise SettingsError(f"time '{text}': expected HH:MM:SS or D-HH:MM:SS, as 02:00:00 for two hours")
    total_s = ((parts["days"] * 24 + parts["hours"]) * 60 + parts["minutes"]) * 60 + parts["seconds"]
    if total_s < _SHORTEST_S:
        raise SettingsError(f"time '{text}': {total_s} s is too short for any job; give a minute or more")
    return total_s


def parse_memory(text: str) -> int:
    """Return an amount of memory in MiB that stands with its unit, as 2G or 1500MB.

    Raises
    ------
    SettingsError
        If it has no unit, or is less than the program needs before it reads a pulse.
    """
    found = _MEMORY.fullmatch(text.strip())
    if found is None:
        raise SettingsError(f"'{text}': expected a number with its unit K, M, G or T, as 2G")
    mib = round(float(found["number"]) * _MIB[found["unit"].upper()])
    if mib < _LEAST_MIB:
        raise SettingsError(f"'{text}': {mib} MiB is less than the {_LEAST_MIB} MiB that the program itself needs")
    return mib


def time_text(time_s: int) -> str:
    """Return a time as D-HH:MM:SS, which Slurm reads in one way only."""
    minutes, seconds = divmod(time_s, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours // 24}-{hours % 24:02}:{minutes:02}:{seconds:02}"
