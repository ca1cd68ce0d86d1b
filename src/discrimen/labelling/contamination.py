"""Contamination: how many labels of each class are wrong, as somebody says or as a labelling found."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from discrimen.errors import FormatError, SettingsError
from discrimen.output.provenance import sha256_of_file
from discrimen.pulses import Label

LABELLED = (Label.GAMMA, Label.NEUTRON)
_COUNTED = tuple(label.name.lower() for label in Label)
NAMES = tuple(label.name.lower() for label in LABELLED)


def check_contamination(contamination: Mapping[str, Any]) -> dict[str, float]:
    """Return the contamination of both classes, 0 where none is given.

    Parameters
    ----------
    contamination : mapping of str to float
        ``gamma``: share of the pulses labelled gamma that are neutrons; ``neutron``: share of the pulses labelled
        neutron that are gammas. Text as from a command line will do.

    Raises
    ------
    SettingsError
        If a name is another, a share is no number from 0 to 1, or both together reach 1: then the labels say nothing.
    """
    strange = sorted(set(contamination) - set(NAMES))
    if strange:
        raise SettingsError(f"contamination is given for gamma and neutron, got {', '.join(strange)}")
    shares = {name: _share(name, contamination.get(name, 0.0)) for name in NAMES}
    if sum(shares.values()) >= 1:
        raise SettingsError(
            f"contaminations that add up to 1 or more leave labels that say nothing, got gamma={shares['gamma']:g} and "
            f"neutron={shares['neutron']:g}"
        )
    return shares


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelNoise:
    """What a labelling found of its own faults.

    Parameters
    ----------
    method : str
        That gave the labels.
    contamination : mapping of str to float
        Of each class, see :func:`check_contamination`.
    correctable : bool
        Whether the faults have nothing to do with the shape of the pulse but through its class, as the correction of
        the loss demands, and are estimates rather than limits.
    reason : str
        Why not; empty if so.
    highest : mapping of str to float
        Upper end of the interval of each contamination.
    counts : mapping of str to int
        Pulses by label, ``unknown`` among them; empty where the record does not say.
    """

    method: str
    contamination: Mapping[str, float]
    correctable: bool
    reason: str = ""
    highest: Mapping[str, float] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)


def labels_path(dataset: Path) -> Path:
    """Return where the estimates behind the labels of a data set lie: beside it."""
    return dataset.with_name(f"{dataset.name}.labels.json")


def read_label_noise(dataset: Path | str) -> LabelNoise | None:
    """Read what `discrimen label` left beside a data set.

    Parameters
    ----------
    dataset : Path
        The labelled data set.

    Returns
    -------
    LabelNoise or None
        None if there is no such file: nothing is known.

    Raises
    ------
    FormatError
        If the file is not what `discrimen label` writes, or was written for another data set of this name.
    """
    path = labels_path(Path(dataset))
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        method = found["method"]
        noise = {"band": _of_bands, "tof": _of_flight, "source": _of_source}[method](found)
        noise = replace(noise, counts={name: int(found[f"n_{name}"]) for name in _COUNTED if f"n_{name}" in found})
        labelled = found.get("output_sha256")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FormatError(
            f"expected what 'discrimen label' writes beside its data set, cannot read it ({type(error).__name__}: "
            f"{error}); remove it, or label again",
            path,
        ) from error
    if labelled is not None and labelled != (actual := sha256_of_file(dataset)):
        raise FormatError(
            f"estimates for the labels of a data set with the SHA-256 {labelled[:12]}..., but {Path(dataset).name} has "
            f"{actual[:12]}...: it was replaced or changed; remove this file, or label again",
            path,
        )
    return noise


def pooled_contamination(
    contaminations: Sequence[Mapping[str, float]], n_labelled: Sequence[Mapping[str, int]]
) -> dict[str, float]:
    """Return the contamination of several data sets together.

    Parameters
    ----------
    contaminations : sequence of mapping
        One for each data set.
    n_labelled : sequence of mapping of str to int
        Pulses of each label in each data set.
    """
    pooled = {}
    for name in NAMES:
        total = sum(counts[name] for counts in n_labelled)
        wrong = sum(shares[name] * counts[name] for shares, counts in zip(contaminations, n_labelled, strict=True))
        pooled[name] = wrong / total if total else 0.0
    return pooled


def _share(name: str, value: Any) -> float:
    try:
        share = float(value)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"contamination of {name} must be a share such as 0.05, got {value!r}") from error
    if not 0 <= share < 1:
        raise SettingsError(f"contamination of {name} must be at least 0 and below 1, got {share:g}")
    return share


def _of_bands(found: Mapping[str, Any]) -> LabelNoise:
    shares: dict[str, float] = {}
    highest: dict[str, float] = {}
    for name in NAMES:
        cuts = [part[name] for channel in found["bands"]["channels"] for part in channel["slices"]]
        labelled = [cut for cut in cuts if cut["labelled"]]
        n_labelled = sum(cut["n_accepted"] for cut in labelled)
        for into, purity in ((shares, "purity"), (highest, "purity_low")):
            wrong = sum((1 - cut.get(purity, cut["purity"])) * cut["n_accepted"] for cut in labelled)
            into[name] = wrong / n_labelled if n_labelled else 0.0
    reason = "wrong band labels lie where the bands overlap, not at random"
    return LabelNoise(
        method="band", contamination=check_contamination(shares), correctable=False, reason=reason, highest=highest
    )


def _of_flight(found: Mapping[str, Any]) -> LabelNoise:
    flight = found["time_of_flight"]
    shares = {name: flight[name]["contamination"] for name in NAMES}
    highest = {name: float(flight[name].get("contamination_high", shares[name])) for name in NAMES}
    known = flight["options"]["accidental_neutron_share"] is not None
    reason = "" if known else "they are upper limits: label again with --accidental-neutron-share"
    return LabelNoise(
        method="tof", contamination=check_contamination(shares), correctable=known, reason=reason, highest=highest
    )


def _of_source(found: Mapping[str, Any]) -> LabelNoise:
    shares = check_contamination(found["source"]["contamination"])
    highest = {"gamma": 0.0, "neutron": float(found["source"].get("contamination_high", shares["neutron"]))}
    return LabelNoise(method="source", contamination=shares, correctable=True, highest=highest)
