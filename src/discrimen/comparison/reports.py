"""Reports of earlier evaluations side by side: their networks, each on its own pulses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from discrimen.comparison.result import Comparison, Figures, Group
from discrimen.comparison.unpaired import unpaired_ranges
from discrimen.errors import FormatError, SettingsError
from discrimen.evaluation import NotComputed
from discrimen.metrics import Auc, EnergyBin, Leakage
from discrimen.output.provenance import software_versions, utc_now

REPORT_NAME = "report.json"
_VERSION = 2


def compare_reports(folders: Mapping[str, Path]) -> Comparison:
    """Compare the networks of several reports.

    The reports hold no scores of single pulses, so that differences count every report as pulses of its own.

    Parameters
    ----------
    folders : mapping of str to Path
        Folders that ``discrimen evaluate`` wrote, by name; the first is the reference.

    Raises
    ------
    FormatError
        If a folder holds no report of this version.
    SettingsError
        If there are fewer than two, or their confidences differ.
    """
    if len(folders) < 2:
        raise SettingsError("nothing to compare: give several reports")
    reports = {name: _read(folder / REPORT_NAME) for name, folder in folders.items()}
    confidences = {report["confidence"] for report in reports.values()}
    if len(confidences) > 1:
        raise SettingsError(f"the reports have intervals of different confidence: {sorted(confidences)}")
    found, counts = {}, {}
    for name, report in reports.items():
        parts = [report["overall"], *report["bins"]]
        energies = [None if part["energy"] is None else EnergyBin(**part["energy"]) for part in parts]
        found[name] = {
            energy: _figures(part["methods"]["network"]) for energy, part in zip(energies, parts, strict=True)
        }
        counts[name] = {
            energy: (int(part["n_gamma"]), int(part["n_neutron"])) for energy, part in zip(energies, parts, strict=True)
        }
    note = "reports hold no scores of single pulses: give models and --dataset for paired intervals, which are narrower"
    group = Group(
        title="Networks of the reports",
        entries=tuple(folders),
        paired=False,
        ranges=unpaired_ranges(found, counts),
        notes=(note,),
    )
    return Comparison(
        groups=(group,),
        efficiencies=tuple(next(iter(reports.values()))["efficiencies"]),
        confidence=confidences.pop(),
        origin={
            name: {"path": str(folders[name]), "created_utc": each["created_utc"]} for name, each in reports.items()
        },
        created_utc=utc_now(),
        software=software_versions("numpy", "scipy"),
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FormatError(f"cannot read the report: {error}", path) from error
    version = report.get("discrimen_report") if isinstance(report, dict) else None
    if version != _VERSION:
        raise FormatError(f"expected a report of version {_VERSION}, got {version!r}; evaluate the model again", path)
    return dict(report)


def _figures(result: Mapping[str, Any]) -> Figures | NotComputed:
    if "not_computed" in result:
        return NotComputed(result["not_computed"])
    return Figures(
        auc=Auc(**result["auc"]),
        leakages=tuple(
            NotComputed(each["not_computed"]) if "not_computed" in each else Leakage(**each)
            for each in result["leakages"]
        ),
    )
