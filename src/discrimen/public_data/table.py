"""The table of public data sets: what is known of each, from where, and how its files are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from discrimen.errors import SettingsError
from discrimen.pulses import Label

NOT_STATED = "not stated in the sources read"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRule:
    """How files of a set are read whose names match; the first rule that matches a name counts.

    Parameters
    ----------
    pattern : str
        Of the file's name, as in a shell, small letters and capitals alike.
    label : Label or None
        What all its pulses are; None where it does not say.
    labels_file : str or None
        Name of the text file beside it with one number a pulse.
    label_values : mapping of int to Label
        What those numbers mean.
    ignored : str or None
        Why such a file is left alone.
    """

    pattern: str
    label: Label | None = None
    labels_file: str | None = None
    label_values: Mapping[int, Label] = field(default_factory=dict)
    ignored: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicSet:
    """One public data set.

    Parameters
    ----------
    name : str
        As given to the command line.
    title, detector, digitizer, source, content : str
        For people; what no source says is :data:`NOT_STATED`.
    record : int
        Number of its Zenodo record.
    rules : tuple of FileRule
        Its converter; a file that no rule names is tried with all readable formats.
    facts_from : tuple of str
        Where the facts above were read. Names, sizes, checksums and licence of the files are in the record alone and
        are taken from there when the set is fetched.
    note : str
        What to know before use.
    """

    name: str
    title: str
    detector: str
    digitizer: str
    source: str
    content: str
    record: int
    rules: tuple[FileRule, ...]
    facts_from: tuple[str, ...]
    note: str = ""

    @property
    def doi(self) -> str:
        """Digital object identifier of the record."""
        return f"10.5281/zenodo.{self.record}"

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        known = {name: value for name, value in asdict(self).items() if name != "rules"}
        return {**known, "doi": self.doi, "converter": [rule.pattern for rule in self.rules]}


_BY_CLASS = (
    FileRule(pattern="*neutron*", label=Label.NEUTRON),
    FileRule(pattern="*gamma*", label=Label.GAMMA),
)
_PICKLES = FileRule(pattern="*.pkl", ignored="a pickle can run any code when it is opened")
_MATLAB = FileRule(pattern="*.mat", ignored="the same pulses as in the .npy files, for MATLAB")

PUBLIC_SETS: tuple[PublicSet, ...] = (
    PublicSet(
        name="ej299-survey",
        title="Pulse Shape Discrimination Algorithms: Survey and Benchmark (companion data)",
        detector="EJ299-33 plastic (Am-Be files); that of the Pu-Be files is not stated in the sources read",
        digitizer=NOT_STATED,
        source="Am-Be; and Pu-Be, labelled by time of flight",
        content="text matrices, one pulse a row, numbers parted by blanks; a file for each class and part",
        record=16728732,
        rules=(
            FileRule(pattern="readme*", ignored="text for people"),
            FileRule(pattern="*_ref.txt", ignored="a mean pulse, not pulses"),
            *(FileRule(pattern=f"{rule.pattern}.txt", label=rule.label) for rule in _BY_CLASS),
            FileRule(pattern="*.txt"),
        ),
        facts_from=("github.com/HaoranLiu507/PulseShapeDiscrimination, README.md", "arXiv:2508.02750, abstract"),
        note="The abstract calls the Am-Be pulses unlabelled: labels of those files must come from a "
        "discrimination method, so that agreement with them is no proof.",
    ),
    PublicSet(
        name="tempotron",
        title="Neutron and gamma pulses of 'Pulse shape discrimination based on the Tempotron'",
        detector=NOT_STATED,
        digitizer=NOT_STATED,
        source=NOT_STATED,
        content="9,404 pulses of about 280 ns (about 2,000 neutrons), normalised; comma-separated text with labels",
        record=7974151,
        rules=(
            FileRule(
                pattern="training_data_normalized.txt",
                labels_file="train_labels.txt",
                label_values={0: Label.NEUTRON, 1: Label.GAMMA},
            ),
            FileRule(
                pattern="validation_data_normalized.txt",
                labels_file="test_labels.txt",
                label_values={0: Label.NEUTRON, 1: Label.GAMMA},
            ),
            FileRule(pattern="*_labels.txt", ignored="labels, read with their pulses"),
        ),
        facts_from=(
            "github.com/HaoranLiu507/TempotronGPU, README.md",
            "github.com/HaoranLiu507/TempotronGPU, Tempotron.py (1 means gamma, 0 neutron)",
        ),
        note="The pulses are normalised: their energy is lost.",
    ),
    PublicSet(
        name="ne213a-tof",
        title="NE213A pulses of a Pu-Be source at several energy thresholds",
        detector="NE213A liquid",
        digitizer=NOT_STATED,
        source="Pu-Be, labelled by time of flight",
        content="NumPy arrays gamma_*Mev.npy and neutron_*Mev.npy, one pair for each threshold",
        record=14305929,
        rules=(_PICKLES, _MATLAB, *(FileRule(pattern=f"{rule.pattern}.npy", label=rule.label) for rule in _BY_CLASS)),
        facts_from=(
            "github.com/HaoranLiu507/Discrimination-of-neutron-and-gamma-rays-based-on-brain-like-neural-networks, "
            "README.md",
        ),
        note="Each threshold cuts the same run: use the files of one threshold, or pulses are there twice.",
    ),
)


def find_set(name: str) -> PublicSet:
    """Return the data set of a name.

    Raises
    ------
    SettingsError
        If there is none.
    """
    for known in PUBLIC_SETS:
        if known.name == name:
            return known
    raise SettingsError(f"there is no data set '{name}'; known are {', '.join(known.name for known in PUBLIC_SETS)}")
