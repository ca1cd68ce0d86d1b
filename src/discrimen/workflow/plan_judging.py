"""The commands that judge the network by further runs: of known kind, or of another day."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from discrimen.simulation.truth import truth_path
from discrimen.workflow.run_files import FoundRuns
from discrimen.workflow.step import SUFFIX, Reading, Step, gamma_run_options, paths_of

Kind = Literal["own labels", "truth", "bands"]


def steps_of_test_runs(
    found: FoundRuns, reading: Reading, *, inspected: Mapping[Path, Mapping[str, Any]]
) -> list[Step]:
    """Return the steps for the test runs, none without test runs.

    They are judged by the labels that the files hold, or by the truth beside simulated runs, or else by their bands.
    """
    if not found.test:
        return []
    kind = kind_of(found, inspected)
    labels = () if kind == "own labels" else (_labels(found, reading, kind),)
    return [*labels, _report(found, reading, kind)]


def kind_of(found: FoundRuns, inspected: Mapping[Path, Mapping[str, Any]]) -> Kind:
    """Return by what the test runs can be judged: what all of them have."""
    paths = [each.path for each in found.test]
    if all(_has_both(inspected.get(path, {})) for path in paths):
        return "own labels"
    return "truth" if all(truth_path(path).is_file() for path in paths) else "bands"


def _has_both(inspection: Mapping[str, Any]) -> bool:
    labels = [each["labels"] for each in inspection.get("channels", [])]
    return all(any(each.get(name) for each in labels) for name in ("gamma", "neutron"))


def _labels(found: FoundRuns, reading: Reading, kind: Kind) -> Step:
    wishes, seed = reading.wishes, ("--seed", str(reading.wishes.seed))
    bands = ("--purity", f"{wishes.purity:g}", *gamma_run_options(found), "--plot", "test.bands.png", *seed)
    of_bands = kind == "bands"
    return Step(
        name="label-test",
        title="labels of the test runs: " + ("the two bands of the PSD" if of_bands else "the truth beside them"),
        arguments=(
            *("label", *paths_of(found.test), "--method", "band" if of_bands else "truth", "-o", "test.lh5"),
            *(bands if of_bands else ()),
            *reading.of_runs,
        ),
        run_files=(*found.test, *(found.gamma if of_bands else ())),
        inputs=(*reading.inputs, *(() if of_bands else (str(truth_path(each.path)) for each in found.test))),
        outputs=("test.lh5", *(("test.lh5.labels.json",) if of_bands else ())),
        shown=("test.bands.png",) if of_bands else (),
        alone=True,
    )


def _report(found: FoundRuns, reading: Reading, kind: Kind) -> Step:
    own = kind == "own labels"
    tuning = () if reading.wishes.judge == "none" else ("--tuning", "tune.lh5")
    files = paths_of(found.test) if own else ("test.lh5",)
    return Step(
        name="test",
        title=f"judge it on the test runs, by {'their own labels' if own else 'their ' + kind}",
        arguments=(
            *("evaluate", f"model{SUFFIX}", *files, *tuning, "-o", "test", "--seed", str(reading.wishes.seed)),
            *(reading.of_runs if own else ()),
        ),
        run_files=found.test if own else (),
        inputs=(f"model{SUFFIX}", *tuning[1:], *reading.inputs, *(() if own else ("test.lh5",))),
        outputs=("test/report.json", "test/report.html"),
        shown=("test/report.html",),
        alone=True,
    )
