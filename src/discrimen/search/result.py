"""What a search came to, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from discrimen.output.summary import Summarised
from discrimen.search.objective import OBJECTIVE_DEFINITION
from discrimen.search.space import Value
from discrimen.search.study import finished_trials

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

TrialState = Literal["complete", "pruned", "impossible"]
WARNING = (
    "the best of many on a validation part is better there than elsewhere: that part chose the epoch of each "
    "model and the model among the trials; judge on pulses of other runs"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRow:
    """One trial.

    Parameters
    ----------
    number : int
        In the study; numbers of trials that were cut off are missing.
    state : {"complete", "pruned", "impossible"}
        Whether it has a value; why not is in `reason`.
    parameters : mapping of str to value
        What it tried.
    objective : float or None
        Of log10; see :data:`~discrimen.search.objective.OBJECTIVE_DEFINITION`.
    leakages : tuple of mapping
        Plain leakage of each bin with its interval.
    native_ns_per_pulse : float or None
        With a front alone: the least of all trials of the same network and preparation.
    n_parameters, best_epoch, epochs : int or None
        Weights of the network, the epoch that was kept, and epochs run.
    seconds : float
        Wall time.
    reason : str or None
        Why it has no value.
    """

    number: int
    state: TrialState
    parameters: Mapping[str, Value]
    objective: float | None
    leakages: tuple[Mapping[str, Any], ...]
    native_ns_per_pulse: float | None
    n_parameters: int | None
    best_epoch: int | None
    epochs: int | None
    seconds: float
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SearchResult(Summarised):
    """A search as it stands.

    Parameters
    ----------
    folder : Path
        Where everything lies.
    identity : mapping
        Data, space and settings.
    trials : tuple of TrialRow
        All that ended.
    best : tuple of TrialRow
        The one with the least objective, or the front, fastest first.
    interrupted : bool
        Whether the user ended it before its time.
    """

    folder: Path
    identity: Mapping[str, Any]
    trials: tuple[TrialRow, ...]
    best: tuple[TrialRow, ...]
    interrupted: bool = False

    @property
    def pareto(self) -> bool:
        """Whether a front was looked for."""
        return bool(self.identity["config"]["pareto"])

    def count(self, state: TrialState) -> int:
        """Return the number of trials of a state."""
        return sum(row.state == state for row in self.trials)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "folder": str(self.folder),
            "objective_definition": OBJECTIVE_DEFINITION,
            "warning": WARNING,
            **self.identity,
            "interrupted": self.interrupted,
            "best": [row.number for row in self.best],
            "trials": [asdict(row) for row in self.trials],
        }


def collect(study: Study, folder: Path, identity: Mapping[str, Any], *, interrupted: bool) -> SearchResult:
    """Read the result out of the study."""
    rows = _shared_times([_row(trial) for trial in finished_trials(study)])
    pareto = bool(identity["config"]["pareto"])
    return SearchResult(
        folder=folder,
        identity=identity,
        trials=tuple(rows),
        best=front(rows) if pareto else _least(rows),
        interrupted=interrupted,
    )


def front(rows: Sequence[TrialRow]) -> tuple[TrialRow, ...]:
    """Return the complete trials that no other beats in both leakage and time, fastest first."""
    kept: list[TrialRow] = []
    complete = [row for row in rows if row.state == "complete"]
    for row in sorted(complete, key=lambda one: (one.native_ns_per_pulse or 0.0, one.objective, one.number)):
        if not kept or (row.objective or 0.0) < (kept[-1].objective or 0.0):
            kept.append(row)
    return tuple(kept)


def _least(rows: Sequence[TrialRow]) -> tuple[TrialRow, ...]:
    complete = [row for row in rows if row.objective is not None]
    return tuple(sorted(complete, key=lambda row: (row.objective, row.number))[:1])


def _shared_times(rows: Sequence[TrialRow]) -> list[TrialRow]:
    """Give trials that differ in nothing but their training one time: the least that was measured."""
    least: dict[tuple[Any, ...], float] = {}
    for row in rows:
        if row.native_ns_per_pulse is not None:
            key = _structure(row)
            least[key] = min(least.get(key, row.native_ns_per_pulse), row.native_ns_per_pulse)
    return [
        row if row.native_ns_per_pulse is None else replace(row, native_ns_per_pulse=least[_structure(row)])
        for row in rows
    ]


def _structure(row: TrialRow) -> tuple[Any, ...]:
    return tuple(
        sorted((name, repr(value)) for name, value in row.parameters.items() if not name.startswith("training."))
    )


def _row(trial: FrozenTrial) -> TrialRow:
    told = trial.user_attrs
    complete = trial.state.name == "COMPLETE"
    reason = None if complete else str(told["reason"])
    state: TrialState = "complete" if complete else "pruned" if str(reason).startswith("pruned") else "impossible"
    return TrialRow(
        number=trial.number,
        state=state,
        parameters=dict(trial.params),
        objective=float(trial.values[0]) if complete else None,
        leakages=tuple(told.get("leakages", ())),
        native_ns_per_pulse=told.get("native_ns_per_pulse"),
        n_parameters=told.get("n_parameters"),
        best_epoch=told.get("best_epoch"),
        epochs=told.get("epochs", len(trial.intermediate_values) or None),
        seconds=float(told["seconds"]),
        reason=reason,
    )
