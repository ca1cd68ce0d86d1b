"""Which pulses judge the network: whole runs, blocks of time within the runs, or single pulses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.labelling.contamination import NAMES
from discrimen.pulses import Pulses
from discrimen.runs.dataset import Run, runs_of
from discrimen.training.blocks import Block, draw_blocks, order_in
from discrimen.training.choose_runs import draw_runs, named_runs

SplitKind = Literal["run", "time", "pulse"]
SplitWish = Literal["auto", "run", "time", "pulse"]
SPLIT_WISHES: tuple[str, ...] = get_args(SplitWish)

_DRAWS = 100


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Split:
    """How labelled pulses are parted.

    Parameters
    ----------
    kind : {"run", "time", "pulse"}
        What stays together: runs, blocks of neighbours in time, nothing.
    why : str
        Why this kind, for people.
    validation : ndarray of bool, shape (pulse,)
        Which of the pulses judge the network.
    training : ndarray of bool, shape (pulse,)
        Which of them it is taught; pulses without a label do neither.
    runs : tuple of dict
        Name of each run, its pulses on either side by class (or in all, without classes), and the edges of its blocks;
        plain data.
    wished_share : float
        Share of the pulses that were wished to judge; whole runs can come to more.
    """

    kind: SplitKind
    why: str
    validation: NDArray[np.bool_]
    training: NDArray[np.bool_]
    runs: tuple[dict[str, Any], ...]
    wished_share: float

    @property
    def share(self) -> float:
        """Share of the labelled pulses that judge."""
        return float(self.validation.sum() / max(1, (self.validation | self.training).sum()))

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON; what a model keeps of the split of its training data."""
        return {
            "kind": self.kind,
            "why": self.why,
            "training": _sum(run["training"] for run in self.runs),
            "validation": _sum(run["validation"] for run in self.runs),
            "runs": list(self.runs),
        }

    def describe(self) -> str:
        """Return the split as one line for the log."""
        judging = [run for run in self.runs if any(run["validation"].values())]
        if self.kind == "run":
            what = f"of whole runs, {len(judging)} of {len(self.runs)} ({_listed([run['name'] for run in judging])})"
        elif self.kind == "time":
            n_blocks = sum(len(run["validation_blocks"]) for run in judging)
            by = ", ".join(sorted({f"by {run['ordered_by']}" for run in judging}))
            what = f"in {n_blocks} blocks of neighbours ({by}) in {len(judging)} run{'s' if len(judging) > 1 else ''}"
        else:
            what = "drawn one by one"
        if self.kind == "run" and self.share > 1.5 * self.wished_share:
            what += f"; wished were {self.wished_share:.1%}, but runs stay whole (--split time parts them)"
        return f"split by {self.kind} ({self.why}): {self.share:.1%} of the pulses judge the network, {what}"


def split_pulses(
    pulses: Pulses,
    *,
    files: Sequence[Mapping[str, Any]] = (),
    wish: SplitWish = "auto",
    validation_share: float = 0.1,
    validation_runs: Sequence[str] = (),
    seed: int = 0,
    groups: NDArray[np.int64] | None = None,
    classes: Sequence[str] = NAMES,
) -> Split:
    """Part labelled pulses into those that teach a network and those that judge it.

    Neighbours in time share what drifts (gain, baseline, temperature, rate): a network judged by neighbours of its
    training pulses looks better than it will be in the next run. So whole runs judge it where there are several and
    both classes stay on both sides; else blocks of time within each run, where there is an order in time; else
    pulses drawn one by one.

    Parameters
    ----------
    pulses : Pulses
        With the column `label`, unless `groups` are given.
    files : sequence of mapping
        Of the data set, see :func:`discrimen.runs.dataset.runs_of`.
    wish : {"auto", "run", "time", "pulse"}
        What must stay together; "auto" chooses.
    validation_share : float
        Wished share of the pulses that judge. Runs are never parted, so by run it can be more.
    validation_runs : sequence of str
        The runs that judge, by number of run or name of file; none for a choice by the seed.
    seed : int
        Chooses runs, blocks or pulses.
    groups : ndarray of int, shape (pulse,), optional
        Number of the class of each pulse, 0 where there are no classes, -1 for pulses left out; by default the label.
    classes : sequence of str
        Their names; none if the pulses have no classes, and only have to be on both sides.

    Raises
    ------
    DataError
        If a class has fewer than two pulses, or the split that was asked for cannot leave both classes on both sides.
    SettingsError
        If runs are named that are not there, or named for another kind of split.
    """
    if validation_runs and wish not in ("auto", "run"):
        raise SettingsError(f"validation runs were named, but the split is by {wish}: leave one of the two out")
    parting = _Parting(
        groups=_groups_of(pulses, classes) if groups is None else groups,
        classes=tuple(classes),
        runs=runs_of(pulses, files),
        share=validation_share,
        # The stream must not change with what else the seed is used for.
        rng=np.random.default_rng([seed, 0]),
    )
    parting.require_two_each()
    if validation_runs:
        return parting.by_run(named_runs(parting.runs, validation_runs), why="these runs were named")
    if wish == "auto":
        return _choose(parting, pulses)
    why = "as asked"
    if wish == "run":
        return parting.by_run(parting.require_runs(), why=why)
    return parting.by_time(pulses, why=why) if wish == "time" else parting.by_pulse(why=why)


def _choose(parting: _Parting, pulses: Pulses) -> Split:
    chosen = parting.draw_runs()
    if chosen is not None:
        return parting.by_run(chosen, why=f"the data have {len(parting.runs)} runs")
    if pulses.timestamp_ps is None and pulses.entry is None and pulses.run is None:
        return parting.by_pulse(why="the pulses have neither runs nor an order in time")
    if len(parting.runs) == 1:
        return parting.by_time(pulses, why="there is one run only")
    return parting.by_time(pulses, why=f"no choice of whole runs leaves {parting.all_of_them} on both sides")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Parting:
    """The labelled pulses, and how many of them should judge."""

    groups: NDArray[np.int64]
    classes: tuple[str, ...]
    runs: tuple[Run, ...]
    share: float
    rng: np.random.Generator

    @property
    def known(self) -> NDArray[np.bool_]:
        return self.groups >= 0

    @property
    def all_of_them(self) -> str:
        """What both sides must have, for people."""
        return {0: "pulses", 2: "both classes"}.get(len(self.classes), "all classes")

    def require_two_each(self) -> None:
        if min(self._counts(self.groups).values()) < 2:
            of = " of each class" if self.classes else ""
            raise DataError(f"a split needs at least two pulses{of}, got {self._told(self.groups)}: label more")

    def draw_runs(self) -> NDArray[np.bool_] | None:
        """Draw the runs that judge, None if no choice leaves both classes on both sides."""
        counts = np.array([list(self._counts(self.groups[run.pulse]).values()) for run in self.runs])
        return draw_runs(counts, share=self.share, rng=self.rng)

    def require_runs(self) -> NDArray[np.bool_]:
        chosen = self.draw_runs()
        if chosen is None:
            raise DataError(
                f"a split by run must leave {self.all_of_them} to training and to validation, but no choice among "
                f"{len(self.runs)} runs does: add runs of {self.all_of_them}, or split by time (--split time)"
            )
        return chosen

    def by_run(self, chosen: NDArray[np.bool_], *, why: str) -> Split:
        validation = np.zeros(len(self.groups), dtype=np.bool_)
        for run, judges in zip(self.runs, chosen, strict=True):
            validation[run.pulse] = judges
        validation &= self.known
        self._require_both(validation, "add runs, or split by time (--split time)")
        return self._split("run", why, validation, [{} for _ in self.runs])

    def by_time(self, pulses: Pulses, *, why: str) -> Split:
        known = self.known
        orders = [order_in(pulses, run.pulse[known[run.pulse]], share=self.share) for run in self.runs]
        for _ in range(_DRAWS):
            blocks = [draw_blocks(order, share=self.share, rng=self.rng) for order in orders]
            validation = np.zeros(len(self.groups), dtype=np.bool_)
            for block in (block for of_run in blocks for block in of_run):
                validation[block.pulse] = True
            if self._both(validation):
                break
        self._require_both(
            validation, "raise the share (--validation-share), add pulses, or draw single pulses (--split pulse)"
        )
        told = [
            {"ordered_by": order.by, "validation_blocks": [self._block(block, order.by) for block in of_run]}
            for order, of_run in zip(orders, blocks, strict=True)
        ]
        return self._split("time", why, validation, told)

    def by_pulse(self, *, why: str) -> Split:
        validation = np.zeros(len(self.groups), dtype=np.bool_)
        for group in range(max(1, len(self.classes))):
            members = self.rng.permutation(np.flatnonzero(self.groups == group))
            n_validation = min(max(round(self.share * len(members)), 1), len(members) - 1)
            validation[members[:n_validation]] = True
        return self._split("pulse", why, validation, [{} for _ in self.runs])

    def _both(self, validation: NDArray[np.bool_]) -> bool:
        parts = (self.groups[validation], self.groups[self.known & ~validation])
        return all(min(self._counts(part).values()) > 0 for part in parts)

    def _require_both(self, validation: NDArray[np.bool_], mend: str) -> None:
        if not self._both(validation):
            parts = (("training", self.known & ~validation), ("validation", validation))
            told = " and ".join(f"{self._told(self.groups[part])} for {name}" for name, part in parts)
            raise DataError(f"a split must leave {self.all_of_them} to training and to validation, got {told}: {mend}")

    def _block(self, block: Block, by: str) -> dict[str, Any]:
        edges = {f"first_{by}": block.first, f"last_{by}": block.last}
        return edges | self._counts(self.groups[block.pulse])

    def _split(
        self, kind: SplitKind, why: str, validation: NDArray[np.bool_], told: Sequence[Mapping[str, Any]]
    ) -> Split:
        training = self.known & ~validation
        runs = tuple(
            {
                "name": run.name,
                "training": self._counts(self.groups[run.pulse[training[run.pulse]]]),
                "validation": self._counts(self.groups[run.pulse[validation[run.pulse]]]),
                **more,
            }
            for run, more in zip(self.runs, told, strict=True)
        )
        return Split(kind=kind, why=why, validation=validation, training=training, runs=runs, wished_share=self.share)

    def _counts(self, groups: NDArray[Any]) -> dict[str, int]:
        names = [f"n_{name}" for name in self.classes] or ["n_pulses"]
        return {name: int(np.count_nonzero(groups == number)) for number, name in enumerate(names)}

    def _told(self, groups: NDArray[Any]) -> str:
        counts = self._counts(groups).values()
        if not self.classes:
            return f"{sum(counts)} pulses"
        return " and ".join(f"{count} {name}s" for count, name in zip(counts, self.classes, strict=True))


def _groups_of(pulses: Pulses, classes: Sequence[str]) -> NDArray[np.int64]:
    labels = pulses.column("label").astype(np.int64)
    return np.where((labels >= 0) & (labels < len(classes)), labels, -1)


def _sum(counts: Any) -> dict[str, int]:
    total: dict[str, int] = {}
    for one in counts:
        total = {name: total.get(name, 0) + count for name, count in one.items()}
    return total


def _listed(names: list[str], *, most: int = 5) -> str:
    shown = "; ".join(names[:most])
    return shown if len(names) <= most else f"{shown}; and {len(names) - most} more"
