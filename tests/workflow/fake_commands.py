"""Commands that end at once, with results of the form of the true ones, for tests of what is around them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

_SETTINGS: dict[str, Any] = {"gates": {"gate_start_ns": -20}, "polarity": "negative", "pretrigger_ns": 150.0}
_SHARE = {"value": 0.95, "low": 0.94, "high": 0.96}


def _channel(**changes: Any) -> dict[str, Any]:
    plain = {"board": 0, "channel": 0, "n_pulses": 100, "n_samples": 75, "sample_period_ns": 10.0, "rate_hz": 1e3}
    return {**plain, "labels": {}, **changes}


def _report(*, by_bands: bool) -> dict[str, Any]:
    points = [
        {"name": "even", "efficiency": _SHARE, "leakage": _SHARE},
        {
            "name": "neutron-efficiency-0.95",
            "efficiency": _SHARE,
            "leakage": {"value": 0.0, "low": 0.0, "high": 0.0123},
        },
    ]
    counted = {"n_gamma": 700, "n_neutron": 800, "operating_points": points}
    charge = {"leakages": [{"efficiency": 0.95, "leakage": 0.01, "low": 0.005, "high": 0.02}]}
    wrong = {"method": "band", "highest": {"gamma": 0.009, "neutron": 0.008}, "unlabelled_share": 0.27}
    return {
        "overall": {"methods": {"network": {"auc": _SHARE}, "charge_nominal": charge}, **counted},
        "measured": {"unit": "ADC counts", "ranges": [{"low": 170.0, "high": 340.0, **counted}]},
        "labels": [wrong] if by_bands else [],
        "label_bounds": [{"high": 0.0199}] if by_bands else [],
        "head": ["By the bands."],
    }


@dataclass
class FakeCommands:
    """What ran, and what should be else than usual.

    Parameters
    ----------
    ran : list of tuple of str
        Arguments of each command.
    n_made : int
        Commands that ended well; each makes files of other content.
    fails : set of str
        Steps that fail, by the first argument.
    before : callable
        Called with the arguments of each command before it ends.
    channels : dict
        Channels of the runs whose path holds a word.
    settings : dict
        That inspections find.
    """

    ran: list[tuple[str, ...]] = field(default_factory=list)
    n_made: int = 0
    fails: set[str] = field(default_factory=set)
    before: Callable[[tuple[str, ...]], None] = lambda _: None
    channels: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=_SETTINGS.copy)

    @property
    def verbs(self) -> list[str]:
        """The names of the commands that ran."""
        return [arguments[0] for arguments in self.ran]

    def __call__(self, arguments: Sequence[str], folder: Path, *, log_file: Path, **_: Any) -> tuple[int, str]:
        """Stand for :func:`discrimen.workflow.carry_out.run_command`."""
        given = tuple(arguments)
        self.ran.append(given)
        log_file.parent.mkdir(parents=True, exist_ok=True)
        log_file.write_text("said\n")
        self.before(given)
        if given[0] in self.fails:
            return 1, ""
        self.n_made += 1
        for name in _outputs(given):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"made by command {self.n_made}")
        return 0, json.dumps(self._result(given))

    def _result(self, given: tuple[str, ...]) -> dict[str, Any]:
        counts = {"n_gamma": 10, "n_neutron": 20, "n_unknown": 5}
        threshold = {
            "value": {"height_adc": [140.0, 5600.0]},
            "efficiency": _SHARE,
            "leakage": {"value": 0.0, "low": 0.0, "high": 0.001},
        }
        file = {"skipped": False, "n_pulses": 100, "outside": {"n_outside": 2}, "n_not_scored": 0, **counts}
        source = {"neutron_share": 0.5, "neutron_share_low": 0.4, "neutron_share_high": 0.6}
        known: dict[str, dict[str, Any]] = {
            "inspect": {"settings": self.settings, "channels": self._channels(given[1]), "n_damaged": 0},
            "gates": {
                "channels": [
                    {
                        "gates": {"gate_start_ns": -20.0, "short_gate_end_ns": 30.0, "long_gate_end_ns": 150.0},
                        "reached": {"figure_of_merit": 1.2},
                    }
                ]
            },
            "calibrate": {"output": "detector.yaml"},
            "convert": {"n_pulses": 50},
            "label": {
                **counts,
                "method": "source" if "source" in given else "band",
                "source": source | {"contamination": {"neutron": 0.5}},
            },
            "audit": {**counts, "findings": []},
            "train": {
                "n_training": 30,
                "n_validation": 3,
                "epochs": 7,
                "stopped_by": "epochs",
                "best_epoch": 6,
                "val_loss": 0.25,
            },
            "freeze": {"n_bytes": 50_000, "calibration": {"thresholds": {"neutron-efficiency-0.95": threshold}}},
            "evaluate": _report(by_bands="judge.lh5" in given or "test.bands.png" in str(self.ran)),
            "classify": {"files": [file]},
        }
        return known[given[0]]

    def _channels(self, path: str) -> list[dict[str, Any]]:
        changed = next((channels for word, channels in self.channels.items() if word in path), [{}])
        return [_channel(**changes) for changes in changed]


def _outputs(given: tuple[str, ...]) -> list[str]:
    if given[:1] == ("train",):
        return ["model/model.keras", "model/model.json", "model/history.csv"]
    named = [given[at + 1] for at, word in enumerate(given[:-1]) if word in ("-o", "--plot")]
    several = {
        "audit": ["audit/audit.json", "audit/audit.html"],
    }
    if given[0] in several:
        return several[given[0]]
    if given[0] == "evaluate":
        return [f"{given[given.index('-o') + 1]}/report.{suffix}" for suffix in ("json", "html")]
    estimated = given[0] == "label" and "truth" not in given
    beside = [f"{given[given.index('-o') + 1]}.labels.json"] if estimated else []
    return [*named, *beside]


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> FakeCommands:
    """Let no true command run."""
    fake = FakeCommands()
    monkeypatch.setattr("discrimen.workflow.carry_out.run_command", fake)
    return fake


def compass_run(project: Path, number: int, *, name: str | None = None) -> Path:
    """Make the folders of a CoMPASS run, with a file that is none."""
    raw = project / "DAQ" / f"run_{number}" / "RAW"
    raw.mkdir(parents=True, exist_ok=True)
    path = raw / (name or f"DataR_run_{number}.BIN")
    path.write_bytes(b"events")
    return path
