"""What came of a whole run, for the head of its page: the named pulses, and how far the names can be trusted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from discrimen.output.tables import Cell, TableRows, table_of
from discrimen.workflow.step import Step

Result = Mapping[str, Any]
_COLUMNS = ("neutrons kept", "gammas leaked", "labelled neutron", "labelled gamma")
_TITLES = {"evaluate": "Later parts of the same mixed runs, kept back, by their bands"}
_KNOWN = {
    True: "Judged by the truth of the simulation: every pulse counts.",
    False: "Judged by labels that come with the files, of which no more is known: the figures are as right as they.",
}
"""What to say of labels without a record, by whether they are the truth."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A report on the network, as the head of the page shows it.

    Parameters
    ----------
    title : str
        By what it was judged.
    words : tuple of str
        What a reader must know before the figures.
    rows : TableRows or None
        In ranges of height or light: neutrons kept, gammas leaked.
    remarks : tuple of str
        What stands below the figures.
    report : str
        The page with everything.
    """

    title: str
    words: tuple[str, ...]
    rows: TableRows | None
    remarks: tuple[str, ...]
    report: str


def named_rows(steps: Sequence[Step], results: Mapping[str, Result]) -> TableRows | None:
    """Return how many neutrons and gammas each later run holds by the names; None if none was classified."""
    lines = [
        _named(step, file)
        for step in steps
        if step.arguments[0] == "classify" and step.name in results
        for file in results[step.name]["files"]
        if not file["skipped"]
    ]
    heading = ("run", "pulses", "named neutron", "named gamma", "no score", "unlike the training")
    return table_of(heading, lines) if lines else None


def judgements(steps: Sequence[Step], results: Mapping[str, Result]) -> list[Judged]:
    """Return the reports, the one with the best labels first."""
    done = [step for step in steps if step.arguments[0] == "evaluate" and step.name in results]
    return [_judged(step, results[step.name]) for step in reversed(done)]


def _named(step: Step, file: Result) -> tuple[str, ...]:
    n_outside = (file["outside"] or {}).get("n_outside", 0)
    counts = (file["n_pulses"], file["n_neutron"], file["n_gamma"], file["n_not_scored"], n_outside)
    return (step.name.removeprefix("classify-"), *(f"{count:,}" for count in counts))


def _judged(step: Step, result: Result) -> Judged:
    trust = [_trust(labels) for labels in result.get("labels") or []]
    words = trust or [_KNOWN[step.arguments[2] == "test.lh5"]]
    report = next(name for name in step.outputs if name.endswith(".html"))
    return Judged(
        _TITLES.get(step.name, f"{step.title[:1].upper()}{step.title[1:]}"),
        tuple(words),
        _kept_rows(result),
        tuple(_remarks(result)),
        report,
    )


def _trust(labels: Result) -> str:
    wrong = " and ".join(f"up to {labels['highest'][name]:.1%} of the {name}s" for name in ("gamma", "neutron"))
    unlabelled = labels["unlabelled_share"]
    left_out = "" if unlabelled is None else f" {unlabelled:.0%} of the pulses have no label and are not counted."
    if labels["method"] == "band":
        return (
            "These figures are not the truth: the labels are the two bands of charge comparison, wrong for "
            f"{wrong}.{left_out} Those are the hard ones, at low light and between the bands, so that every method, "
            "and charge comparison most, looks better here than it is."
        )
    return f"Judged against labels that are wrong for {wrong}.{left_out}"


def _kept_rows(result: Result) -> TableRows | None:
    """Return what the threshold of the model keeps and leaks, in ranges, and over all."""
    measured = result.get("measured") or {"ranges": []}
    unit = measured.get("unit", "")
    lines = [
        _kept(f"{each['low']:.0f}-{each['high']:.0f}", each, chosen)
        for each in measured["ranges"]
        if (chosen := _stored(each["operating_points"])) is not None
    ]
    whole = result["overall"]
    if (chosen := _stored(whole.get("operating_points") or [])) is not None:
        lines.append(_kept("all that is labelled", whole, chosen))
    heading = ("light (keVee)" if unit == "keVee" else f"height ({unit})", *_COLUMNS)
    return table_of(heading, lines) if lines else None


def _stored(points: Sequence[Result]) -> Result | None:
    """Return the operating point of the threshold that the model stores; the first one is the even one."""
    return next((each for each in points if each["name"] != "even"), points[0] if points else None)


def _kept(name: str, part: Result, chosen: Result) -> tuple[str | Cell, ...]:
    kept, leaked = (_share(chosen[which]) for which in ("efficiency", "leakage"))
    return name, kept, leaked, f"{part['n_neutron']:,}", f"{part['n_gamma']:,}"


def _share(found: Result) -> Cell:
    if "value" not in found:
        return Cell("-")
    return Cell(f"{found['value']:.2%}", f"{found['low']:.2%} to {found['high']:.2%}")


def _remarks(result: Result) -> Iterator[str]:
    bounds = result.get("label_bounds") or []
    if bounds:
        worst = max(each["high"] for each in bounds)
        yield (
            f"As far as these labels can tell, up to {worst:.1%} of the true gammas among these pulses may leak; "
            "the intervals in the table know only how many pulses were counted."
        )
    methods = result["overall"].get("methods") or {}
    for found in (methods.get("charge_nominal") or {}).get("leakages", []):
        if found["efficiency"] == 0.95:
            yield (
                f"Charge comparison leaks {found['leakage']:.2%} ({found['low']:.2%} to {found['high']:.2%}) of "
                "the same gammas where it keeps 95% of the neutrons."
            )
