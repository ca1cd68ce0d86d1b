"""What the classification of a run file gave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from discrimen.formats.base import ReadReport
from discrimen.network.domain import OutsideTally
from discrimen.output.summary import Summarised
from discrimen.scoring.counts import RunTally
from discrimen.scoring.discriminator import for_one_or_each
from discrimen.scoring.odd_channels import odd_channels
from discrimen.scoring.rates import PileUpShares, RunTime, channel_table


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Classification(Summarised):
    """What the classification of one run file gave.

    Parameters
    ----------
    output : Path
        The file of scores.
    report : ReadReport
        What was met while reading.
    n_neutron, n_gamma : int
        Pulses with a neutron score of at least the threshold, and below it.
    n_not_scored : int
        Pulses that could not be prepared (no pulse above its baseline), or whose edge lies inside the model's baseline
        window; their scores are NaN.
    n_other_channels : int
        Pulses of boards and channels that were not chosen; they have no row.
    n_vetoed : int
        Pulses left out of the counts because their record holds a second one.
    absent : tuple of str
        Boards and channels that were chosen, but are not in the run.
    outside : mapping of str to OutsideTally
        Pulses unlike those that a model has seen, by its name, "" for the one for all channels; empty if the models do
        not know what they have seen.
    tally : RunTally
        The counts of each channel.
    time : RunTime or str
        Live time and rates, or why they cannot be known.
    pile_up : PileUpShares
        What was found, and what the rate lets expect.
    without_psd : str or None
        Why some or all pulses have no light and PSD, if they were wanted.
    thresholds : Any
        On the neutron score, as plain data: of the one model, or by the names of the models.
    seconds : float
        For reading, scoring and writing, in s.
    """

    output: Path
    report: ReadReport
    n_neutron: int
    n_gamma: int
    n_not_scored: int
    n_vetoed: int
    n_other_channels: int
    absent: tuple[str, ...]
    outside: Mapping[str, OutsideTally]
    tally: RunTally
    time: RunTime | str
    pile_up: PileUpShares
    without_psd: str | None
    thresholds: Any
    seconds: float

    def summary(self) -> dict[str, str]:
        """Return the counts and where the scores are, for people."""
        counts = {"neutron": self.n_neutron, "gamma": self.n_gamma, "not scored": self.n_not_scored}
        counts |= {"vetoed": self.n_vetoed, "unlike the training": self.n_outside, "damaged": self.report.n_damaged}
        always = ("neutron", "gamma")
        return {
            "output": str(self.output),
            "pulses": ", ".join(f"{n} {name}" for name, n in counts.items() if n or name in always),
            "threshold": str(self.thresholds),
            "pulses a second": f"{self.n_pulses_per_s:.3g}",
        }

    @property
    def n_outside(self) -> int:
        """Pulses unlike those that their model has seen."""
        return sum(each.n_outside for each in self.outside.values())

    @property
    def n_pulses_per_s(self) -> float:
        """Pulses read in a second, those of other channels included."""
        return self.report.n_read / self.seconds

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "output": str(self.output),
            **self.report.as_dict(),
            "n_neutron": self.n_neutron,
            "n_gamma": self.n_gamma,
            "n_not_scored": self.n_not_scored,
            "n_vetoed": self.n_vetoed,
            "n_other_channels": self.n_other_channels,
            "absent": list(self.absent),
            "outside": for_one_or_each({name: each.as_dict() for name, each in self.outside.items()}),
            "time": {"unknown": self.time} if isinstance(self.time, str) else self.time.as_dict(),
            "pile_up": asdict(self.pile_up),
            "losses": dict(self.tally.losses),
            "channels": channel_table(self.tally, self.time),
            "odd": odd_channels(self.tally),
            "without_psd": self.without_psd,
            "threshold": self.thresholds,
            "seconds": self.seconds,
            "n_pulses_per_s": self.n_pulses_per_s,
        }
