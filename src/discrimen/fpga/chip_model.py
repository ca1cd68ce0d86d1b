"""The folder of a network for a chip: what training leaves and the hardware is made of.

::

    model.keras     the network of HGQ2: window / 1024 -> logits of gamma and neutron
    chip.json       front end, form of the input, classes, threshold, where it comes from; with the hash of model.keras
    golden.npz      some held-out windows with their logits and decisions, which every other form must give as well
    training.json, training.html, pareto.png, ...   the report of the training
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import FormatError, OutputError, SettingsError
from discrimen.fpga.float_network import INPUT_FRACTION_BITS, logits_of, neutron_score
from discrimen.fpga.front_end import FrontEnd
from discrimen.fpga.quantised_network import load_hgq
from discrimen.keras_jax import KerasSession
from discrimen.output.files import complete_or_absent, write_files
from discrimen.output.plain import json_text
from discrimen.output.provenance import command_line, sha256_of_file, software_versions, utc_now

MODEL, DESCRIPTION, GOLDEN = "model.keras", "chip.json", "golden.npz"
CLASSES = ("gamma", "neutron")
_KIND, _VERSION = "discrimen chip model", 1


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ChipModel:
    """A network for a chip with all that the chip needs to know.

    Parameters
    ----------
    model : keras.Model
        Network of HGQ2.
    front_end : FrontEnd
        What it was trained behind.
    threshold : float
        A pulse is a neutron where logit_neutron - logit_gamma is at least this; a multiple of the logits' last bit.
    efficiency : float
        Share of the neutrons of the validation run that the threshold keeps.
    provenance : mapping
        Plain data: training, figures, versions.
    """

    model: Any
    front_end: FrontEnd
    threshold: float
    efficiency: float
    provenance: Mapping[str, Any]

    @property
    def input_kif(self) -> tuple[int, int, int]:
        """Form of the network's input: sign bit, integer bits, fraction bits; adc_bits + 1 bits together."""
        return input_kif(self.front_end)

    def scores(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return logit_neutron - logit_gamma of windows, shape (window,)."""
        return neutron_score(logits_of(self.model, values))

    def description(self) -> dict[str, Any]:
        """Return what ``chip.json`` holds, without the hash of the network."""
        sign, integer, fraction = self.input_kif
        return {
            "kind": _KIND,
            "version": _VERSION,
            "front_end": self.front_end.as_dict(),
            "input": {"keep_negative": sign, "integer_bits": integer, "fraction_bits": fraction},
            "classes": list(CLASSES),
            "threshold": {"logit_difference": self.threshold, "neutron_efficiency": self.efficiency},
            "provenance": dict(self.provenance),
        }


def input_kif(front_end: FrontEnd) -> tuple[int, int, int]:
    """Return the form of the input of a network behind a front end."""
    return 1, front_end.adc_bits - INPUT_FRACTION_BITS, INPUT_FRACTION_BITS


def write_chip_model(
    chip: ChipModel, folder: Path, *, golden: NDArray[Any], extra: Mapping[str, str | bytes] | None = None
) -> None:
    """Write a chip model.

    Parameters
    ----------
    chip : ChipModel
        What to write.
    folder : Path
        Made if need be; files of the same names are replaced.
    golden : ndarray of int, shape (window, sample)
        Windows that go into ``golden.npz`` with their logits.
    extra : mapping of str to text or bytes, optional
        Further files.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    with complete_or_absent(folder / MODEL) as part:
        named = part.with_name(f"{part.name}.keras")
        chip.model.save(named)
        named.replace(part)
    logits, packed = logits_of(chip.model, golden), io.BytesIO()
    decided = neutron_score(logits) >= chip.threshold
    np.savez_compressed(packed, values=golden.astype(np.int32), logits=logits, is_neutron=decided)
    about = {
        **chip.description(),
        "model_sha256": sha256_of_file(folder / MODEL),
        "versions": software_versions("hgq2", "keras", "jax", "numpy"),
        "created_utc": utc_now(),
        "command_line": command_line(),
    }
    write_files(folder, {GOLDEN: packed.getvalue(), **(extra or {}), DESCRIPTION: json_text(about)})


def refuse_occupied(folder: Path, *, overwrite: bool) -> None:
    """Refuse to replace a chip model unasked.

    Raises
    ------
    OutputError
        If one is in the folder.
    """
    if not overwrite and (folder / DESCRIPTION).exists():
        raise OutputError(f"{folder} holds a chip model already: choose another folder, or give --overwrite")


def read_chip_model(session: KerasSession, folder: Path) -> ChipModel:
    """Read what :func:`write_chip_model` has written.

    Raises
    ------
    FormatError
        If a file is missing or not what it should be.
    """
    described = _described(folder / DESCRIPTION)
    network = folder / MODEL
    if not network.is_file() or sha256_of_file(network) != described.get("model_sha256"):
        raise FormatError(f"is missing or not the network that {DESCRIPTION} describes: train it again", network)
    load_hgq()
    try:
        front_end = FrontEnd.from_dict(described["front_end"])
        threshold = described["threshold"]
        return ChipModel(
            model=session.keras.models.load_model(network),
            front_end=front_end,
            threshold=float(threshold["logit_difference"]),
            efficiency=float(threshold["neutron_efficiency"]),
            provenance=described.get("provenance", {}),
        )
    except (KeyError, TypeError, ValueError, SettingsError) as error:
        raise FormatError(f"does not describe a chip model: {error}", folder / DESCRIPTION) from error


def _described(path: Path) -> dict[str, Any]:
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise FormatError("there is no chip model here: make one with 'discrimen fpga train'", path) from error
    except (OSError, ValueError) as error:
        raise FormatError(f"cannot be read as JSON: {error}", path) from error
    if not isinstance(described, dict) or described.get("kind") != _KIND or described.get("version") != _VERSION:
        raise FormatError(f"expected a {_KIND} of version {_VERSION}", path)
    return described
