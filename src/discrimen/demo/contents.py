"""What the demo leaves: a page with its pictures, what each file is, and what to try next."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from discrimen.audit import Audit
from discrimen.demo.next_steps import next_steps
from discrimen.evaluation import Report
from discrimen.output.files import write_files
from discrimen.output.page import render_page
from discrimen.output.provenance import software_versions, utc_now
from discrimen.scoring.classification import Classification

INDEX = "index.html"
SHOWN_KEVEE = "50-100"
"""Range of light whose figures are told in words, if they are known: low, but not the lowest."""

_PICTURES = {
    "demo.png": "What tells the classes apart, and the gammas that are taken for neutrons, when 95 % of these are kept",
    "named.png": "The second run with a name for every pulse, by the frozen network",
    "inspect.png": "What is in the run",
    "model/training.png": "The training",
    "autoencoder/reconstruction.png": "Pulses as recorded, and as an auto-encoder gives them back from four numbers",
    "autoencoder/latents.png": "The plane of two of these numbers: learned without labels, coloured by class and light",
}


@dataclass(frozen=True, slots=True)
class Made:
    """A file of the demo, or a picture of it.

    Parameters
    ----------
    name : str
        Path within the folder.
    words : str
        What it is.
    """

    name: str
    words: str


def made_files(*, classification: Classification, audit: Audit, n_frozen_bytes: int) -> tuple[Made, ...]:
    """Return what the demo made, in the order in which a newcomer looks at it."""
    counts = classification
    return (
        Made("report/report.html", "the network judged beside charge comparison, with intervals"),
        Made("test.scores.h5", f"a row for every pulse: {counts.n_neutron:,} neutrons and {counts.n_gamma:,} gammas"),
        Made("demo.discrimen", f"the model in one file of {n_frozen_bytes / 1000:.0f} kB, for every engine and C++"),
        Made("audit/audit.html", f"what a network could cheat from: {len(audit.errors)} errors"),
        Made("autoencoder.discrimen", "an auto-encoder: four numbers for each pulse, and the pulse again"),
        Made("detector.yaml", "light in keVee, from the Compton edge of Cs-137"),
        Made("train.BIN", "the run to learn from; test.BIN to judge by, threshold.BIN, cs137.BIN"),
    )


def write_index(
    folder: Path, *, report: Report, classification: Classification, audit: Audit, n_frozen_bytes: int
) -> Path:
    """Write the page that leads to everything in the folder.

    Parameters
    ----------
    folder : Path
        Of the demo.
    report, classification, audit
        Its results.
    n_frozen_bytes : int
        Size of the frozen model.

    Raises
    ------
    MissingExtraError
        If Jinja is not installed.
    """
    versions = ", ".join(f"{name} {version}" for name, version in software_versions("numpy").items())
    page = render_page(
        "demo.html",
        title="discrimen: the demo",
        done=["Neutrons and gammas were simulated, learned, judged and named.", *leakage_words(report)],
        made=made_files(classification=classification, audit=audit, n_frozen_bytes=n_frozen_bytes),
        pictures=[Made(name, words) for name, words in _PICTURES.items() if (folder / name).is_file()],
        next=next_steps(folder),
        origin=f"Made {utc_now()} with {versions}.",
    )
    return write_files(folder, {INDEX: page})[0]


def leakage_words(report: Report) -> list[str]:
    """Return the leakage in one range of light as a sentence, or nothing where it was not computed."""
    efficiency = report.main_efficiency
    for part in sorted(report.bins, key=lambda part: not part.name.startswith(SHOWN_KEVEE)):
        found = {name: result.leakage_at(efficiency) for name, result in part.computed().items()}
        network, gates = found.get("network"), found.get("charge_best")
        if network is not None and gates is not None:
            return [
                f"At {part.name} the network takes {network.leakage:.1%} of the gammas for neutrons, charge "
                f"comparison with its best gates {gates.leakage:.1%}, when {efficiency:.0%} of the neutrons are kept."
            ]
    return []
