"""How far the labels can be trusted that a model is judged by, and what its figures then mean.

Labels by band or by time of flight are wrong for a known share of the pulses, and none are given where nobody knows: a
figure relative to them is not the figure of the truth. Labels by source say of no single pulse what it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from discrimen.errors import DataError
from discrimen.evaluation.report import Report
from discrimen.evaluation.report_parts import LabelBound, LabelTrust
from discrimen.labelling.contamination import LabelNoise, labels_path, read_label_noise
from discrimen.runs.dataset import Dataset

_METHODS = {"band": "the bands of charge comparison", "tof": "time of flight"}
_MEANING = {
    "band": "Pulses between the bands have no label, and the labels are cut in the quantity that charge comparison "
    "uses: every method looks better here than it is, charge comparison most.",
    "tof": "Gammas that come late, from inelastic scattering nearby, carry the label neutron and are not counted.",
}


def require_labels_of_pulses(dataset: Dataset) -> None:
    """Refuse pulses in memory whose labels only say from which source they come.

    Raises
    ------
    DataError
        If they do.
    """
    if dataset.contamination is not None:
        names = ", ".join(str(file["name"]) for file in dataset.files)
        raise DataError(_by_source(names, "label_by_source", dataset.contamination["neutron"]))


def _by_source(where: Path | str, told_by: str, wrong: float) -> str:
    return (
        f"{where}: its labels say which run a pulse comes from ({told_by}), and {wrong:.0%} of the labels neutron are "
        "wrong: no model can be judged by them; judge it by time of flight, by the truth of a simulation, or by the "
        "bands of charge comparison"
    )


def read_label_trust(paths: Sequence[Path]) -> tuple[LabelTrust, ...]:
    """Read the records that lie beside data sets; those without one are left out.

    Raises
    ------
    DataError
        If one has labels by source: no model can be judged by them.
    FormatError
        If a record cannot be read, or belongs to another data set.
    """
    found = {path: read_label_noise(path) for path in paths}
    for path, noise in found.items():
        if noise is not None and noise.method == "source":
            raise DataError(_by_source(path, labels_path(path).name, noise.contamination["neutron"]))
    return tuple(_trust(path, noise) for path, noise in found.items() if noise is not None)


def with_trust(report: Report, trust: Sequence[LabelTrust]) -> Report:
    """Return the report with what its labels are worth at its head; unchanged where nothing is known of them."""
    if not trust:
        return report
    bounds = label_bounds(report, trust)
    return replace(report, labels=tuple(trust), label_bounds=bounds, head=trust_lines(trust, bounds))


def label_bounds(report: Report, trust: Sequence[LabelTrust]) -> tuple[LabelBound, ...]:
    """Return what the leakage of the network over all energies says of the truth, at each wished efficiency.

    Of the pulses labelled gamma a share is neutrons, of those labelled neutron a share is gammas; in the worst case all
    of the first are rejected and all of the second pass, or the other way round.

    Parameters
    ----------
    report : Report
        Of one kind of labels.
    trust : sequence of LabelTrust
        Of its data sets.
    """
    network = report.overall.computed().get("network")
    if network is None or not trust:
        return ()
    wrong = _pooled_highest(trust)
    bounds = []
    for efficiency in report.efficiencies:
        leakage = network.leakage_at(efficiency)
        if leakage is None:
            continue
        neutrons_called_gamma = wrong["gamma"] * leakage.n_gamma
        gammas_called_neutron = wrong["neutron"] * leakage.n_neutron
        gammas = leakage.n_gamma - neutrons_called_gamma + gammas_called_neutron
        least = max(0.0, leakage.n_gamma_passing - neutrons_called_gamma)
        most = min(gammas, leakage.n_gamma_passing + gammas_called_neutron)
        bounds.append(
            LabelBound(efficiency=efficiency, leakage=leakage.leakage, low=least / gammas, high=most / gammas)
        )
    return tuple(bounds)


def trust_lines(trust: Sequence[LabelTrust], bounds: Sequence[LabelBound]) -> tuple[str, ...]:
    """Return what heads a report."""
    lines = []
    for one in trust:
        shares = " and ".join(
            f"{one.contamination[name]:.2%} (up to {one.highest[name]:.2%}) of the {name}s"
            for name in ("gamma", "neutron")
        )
        without = "" if one.unlabelled_share is None else f", {one.unlabelled_share:.0%} of its pulses have none"
        lines.append(
            f"Labels of {one.file} by {_METHODS[one.method]}: wrong for {shares}{without}. All figures are relative to "
            f"these labels. {_MEANING[one.method]}"
        )
    lines += [
        f"Leakage at {bound.efficiency:.0%} of the neutrons: {bound.leakage:.2%} against the labels; of the true "
        f"gammas among the labelled pulses {bound.low:.2%} to {bound.high:.2%}, as far as the labels can tell."
        for bound in bounds
    ]
    return tuple(lines)


def _trust(path: Path, noise: LabelNoise) -> LabelTrust:
    n_all = sum(noise.counts.values())
    return LabelTrust(
        file=path.name,
        method=noise.method,
        contamination=noise.contamination,
        highest=noise.highest,
        n_labelled={name: noise.counts.get(name, 0) for name in ("gamma", "neutron")},
        unlabelled_share=noise.counts.get("unknown", 0) / n_all if n_all else None,
    )


def _pooled_highest(trust: Sequence[LabelTrust]) -> dict[str, float]:
    pooled = {}
    for name in ("gamma", "neutron"):
        total = sum(one.n_labelled[name] for one in trust)
        pooled[name] = sum(one.highest[name] * one.n_labelled[name] for one in trust) / total if total else 0.0
    return pooled
