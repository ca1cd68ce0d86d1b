"""What comes of a training for a chip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from discrimen.fpga.chip_model import ChipModel
from discrimen.fpga.emulator import Agreement
from discrimen.fpga.float_network import FloatTraining, Labelled
from discrimen.fpga.judged import Judged
from discrimen.fpga.streams import PulseWindows
from discrimen.pulses import Pulses


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Run:
    """A run through the front end.

    Parameters
    ----------
    name : str
        What it serves for.
    pulses : Pulses
        Its records.
    windows : PulseWindows
        What the front end makes of them.
    labelled : Labelled
        The same with the truth.
    """

    name: str
    pulses: Pulses
    windows: PulseWindows
    labelled: Labelled

    @property
    def in_words(self) -> str:
        """What triggers and where, for people."""
        positions = list(self.windows.positions().items())[:3]
        where = ", ".join(f"{100 * share:.1f} % at sample {position}" for position, share in positions)
        later = f"; {self.windows.n_later} further windows left out" if self.windows.n_later else ""
        cut = f"; {self.windows.n_cut} cut off by the record's end left out" if self.windows.n_cut else ""
        return f"{self.name}: {len(self.windows)} of {self.windows.n_pulses} pulses trigger, {where}{later}{cut}"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Candidate:
    """One network of few bits.

    Parameters
    ----------
    beta : float
        Cost of a bit operation in its training.
    seed : int
        Of its training.
    ebops : int
        Effective bit operations.
    adders : float
        alkaid's estimate of the look-up tables of the network.
    luts : int or None
        Look-up tables of the network as Yosys maps it for the 7-series; None where it was not asked.
    validation : Judged
        On the run that chooses.
    test : Judged or None
        On the run that judges.
    model : keras.Model
        The network.
    """

    beta: float
    seed: int
    ebops: int
    adders: float
    luts: int | None
    validation: Judged
    test: Judged | None
    model: Any

    @property
    def size(self) -> str:
        """How large it is, for people."""
        return f"{self.ebops} EBOPs" + ("" if self.luts is None else f", {self.luts} look-up tables")

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain data."""
        return {
            "beta": self.beta,
            "seed": self.seed,
            "ebops": self.ebops,
            "alkaid_luts": self.adders,
            "yosys_luts": self.luts,
            "validation": self.validation.as_dict(),
            "test": None if self.test is None else self.test.as_dict(),
        }


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ChipTraining:
    """What came of a training.

    Parameters
    ----------
    chip : ChipModel
        The chosen network.
    chosen : Candidate
        The same among the candidates.
    candidates : tuple of Candidate
        All of the sweep, by EBOPs.
    floats : tuple of FloatTraining
        The best first.
    float_validation, float_test : Judged
        Of the best float network; the second only with a run that judges.
    runs : tuple of Run
        Training, validation and, where given, test.
    agreement : tuple of Agreement
        Keras against alkaid's emulator.
    moved : mapping of int to Judged
        On the run that judges (or else chooses), with the pedestal moved by so many counts; 0: as it is.
    """

    chip: ChipModel
    chosen: Candidate
    candidates: tuple[Candidate, ...]
    floats: tuple[FloatTraining, ...]
    float_validation: Judged
    float_test: Judged | None
    runs: tuple[Run, ...]
    agreement: tuple[Agreement, ...]
    moved: Mapping[int, Judged] = field(default_factory=dict)

    @property
    def n_mismatches(self) -> int:
        """Windows of all stimuli for which Keras and the emulator differ."""
        return sum(each.n_mismatches for each in self.agreement)

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain data."""
        return {
            "chosen": self.chosen.as_dict(),
            "threshold": self.chip.threshold,
            "candidates": [each.as_dict() for each in self.candidates],
            "float": {
                "seeds": [{"seed": each.seed, "validation_loss": each.validation_loss} for each in self.floats],
                "validation": self.float_validation.as_dict(),
                "test": None if self.float_test is None else self.float_test.as_dict(),
            },
            "runs": [
                {
                    "name": run.name,
                    "n_pulses": run.windows.n_pulses,
                    "n_windows": len(run.windows),
                    "n_cut": run.windows.n_cut,
                    "n_later": run.windows.n_later,
                    "positions": run.windows.positions(),
                }
                for run in self.runs
            ],
            "agreement": [asdict(each) for each in self.agreement],
            "moved_pedestal": {str(moved): judged.as_dict() for moved, judged in self.moved.items()},
        }
