"""What a job leaves when it is done: the proof of it, from which a later start goes on."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from discrimen.output.files import complete_or_absent


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A job that is done.

    Parameters
    ----------
    identity : mapping of str to str
        What the result depends on: size and time of the input, hash of the model, options, the range of the part.
    n_pulses : int
        Pulses that were read.
    seconds : float
        How long it took.
    host : str
        Which machine did it.
    process : int
        Which process there.
    result : mapping
        What the job gives back, as plain data; empty where its files are all.
    """

    identity: Mapping[str, str]
    n_pulses: int
    seconds: float
    host: str
    process: int
    result: Mapping[str, Any]

    @classmethod
    def here(
        cls, identity: Mapping[str, str], *, n_pulses: int, seconds: float, result: Mapping[str, Any] | None = None
    ) -> Receipt:
        """Return the receipt of a job that this process has done."""
        return cls(
            identity=dict(identity),
            n_pulses=n_pulses,
            seconds=seconds,
            host=socket.gethostname(),
            process=os.getpid(),
            result=result or {},
        )

    def leave(self, path: Path) -> None:
        """Write it; it is there whole, or not at all."""
        with complete_or_absent(path) as part:
            part.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")


def find_receipt(path: Path, identity: Mapping[str, str]) -> Receipt | None:
    """Return the receipt of a job, if it is there and for the same input, model and options."""
    try:
        receipt = Receipt(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return receipt if dict(receipt.identity) == dict(identity) else None
