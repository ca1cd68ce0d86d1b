"""What a channel was like when all was well, as plain data: a reference that a watch compares with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import FormatError
from discrimen.output.files import complete_or_absent
from discrimen.output.summary import Summarised
from discrimen.pulses.places import Place
from discrimen.reconstruction.quality.look import Mark
from discrimen.reconstruction.quality.profile import Profile
from discrimen.reconstruction.quality.signatures import Signature, Whitening
from discrimen.reconstruction.quality.tails import Values

KIND = "discrimen_quality_reference"
VERSION = 1


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ChannelReference:
    """One channel.

    Parameters
    ----------
    profile : Profile
        What its pulses are like.
    tested : tuple of str
        Names of what is tested: the statistics, then the combinations that are matched to faults.
    weights : ndarray of float64, shape (statistic, tested)
        That make what is tested of the statistics.
    values : tuple of Values
        The distribution of each that is tested.
    covariance : ndarray of float64, shape (statistic, statistic)
        Of the statistics.
    mean : ndarray of float64, shape (statistic,)
        Of the statistics.
    signatures : tuple of Signature
        What faults do.
    n_pulses, n_usable : int
        Pulses looked at, and those without a mark that hinders.
    n_marked : mapping of str to int
        Pulses with each mark.
    restless : mapping of int to tuple of float
        By number of pulses of a window: how many times larger the variance of the means of windows was than pulses
        that are independent of each other would make it; 1 where it was not surely larger.
    """

    profile: Profile
    tested: tuple[str, ...]
    weights: NDArray[np.float64]
    values: tuple[Values, ...]
    covariance: NDArray[np.float64]
    mean: NDArray[np.float64]
    signatures: tuple[Signature, ...]
    n_pulses: int
    n_usable: int
    n_marked: Mapping[str, int]
    restless: Mapping[int, tuple[float, ...]]

    @property
    def whitening(self) -> Whitening:
        """Of the statistics."""
        return Whitening.of(self.covariance)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "profile": self.profile.as_dict(),
            "tested": list(self.tested),
            "weights": self.weights.tolist(),
            "values": [each.as_dict() for each in self.values],
            "covariance": self.covariance.tolist(),
            "mean": self.mean.tolist(),
            "signatures": [each.as_dict() for each in self.signatures],
            "n_pulses": self.n_pulses,
            "n_usable": self.n_usable,
            "n_marked": dict(self.n_marked),
            "restless": {str(n_pulses): list(factors) for n_pulses, factors in self.restless.items()},
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ChannelReference:
        """Build from what :meth:`as_dict` returned."""
        return cls(
            profile=Profile.from_dict(values["profile"]),
            tested=tuple(values["tested"]),
            weights=np.array(values["weights"], float),
            values=tuple(map(Values.from_dict, values["values"])),
            covariance=np.array(values["covariance"], float),
            mean=np.array(values["mean"], float),
            signatures=tuple(map(Signature.from_dict, values["signatures"])),
            n_pulses=int(values["n_pulses"]),
            n_usable=int(values["n_usable"]),
            n_marked={mark.name: int(values["n_marked"][mark.name]) for mark in Mark if mark.name},
            restless={int(number): tuple(map(float, each)) for number, each in values["restless"].items()},
        )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class QualityReference(Summarised):
    """All channels of a detector, with what they belong to.

    Parameters
    ----------
    channels : mapping of Place to ChannelReference
        By board and channel.
    window : int
        Pulses of the windows that it was made for.
    n_samples : int
        Of each record.
    model_sha256 : str
        Of the auto-encoder.
    origin : mapping
        Files and their hashes, date, versions.
    """

    channels: Mapping[Place, ChannelReference]
    window: int
    n_samples: int
    model_sha256: str
    origin: Mapping[str, Any]

    def write(self, path: Path) -> None:
        """Write it as JSON; the file appears when it is complete."""
        content = {
            KIND: VERSION,
            "window": self.window,
            "n_samples": self.n_samples,
            "model_sha256": self.model_sha256,
            "origin": dict(self.origin),
            "channels": {place.file_name: each.as_dict() for place, each in self.channels.items()},
        }
        with complete_or_absent(path) as part:
            part.write_text(json.dumps(content) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> QualityReference:
        """Read what :meth:`write` wrote.

        Raises
        ------
        FormatError
            If the file cannot be read or is no such reference.
        """
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise FormatError(f"cannot read the reference: {' '.join(str(error).split())}", path) from error
        if not isinstance(values, dict) or values.get(KIND) != VERSION:
            raise FormatError(
                "this is no reference of signal quality; make one with 'discrimen quality MODEL RUN -o X.json'", path
            )
        try:
            channels = {Place.of_file_name(name): each for name, each in values["channels"].items()}
            return cls(
                channels={
                    place: ChannelReference.from_dict(each) for place, each in channels.items() if place is not None
                },
                window=int(values["window"]),
                n_samples=int(values["n_samples"]),
                model_sha256=str(values["model_sha256"]),
                origin=values["origin"],
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise FormatError(f"the reference contradicts itself: {type(error).__name__} {error}", path) from error
