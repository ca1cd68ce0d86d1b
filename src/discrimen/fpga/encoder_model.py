"""The folder of an encoder for a chip.

::

    model.keras     the encoder of HGQ2: window / 1024 -> code words
    decoder.keras   the decoder, for software: code words -> window / 1024
    chip.json       front end, form of input and words, where it comes from; with the hashes of both networks
    golden.npz      some held-out windows with their code words
    training.json, training.html, ...   the report of the training
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

from discrimen.errors import FormatError, SettingsError
from discrimen.fpga.chip_model import DESCRIPTION, GOLDEN, MODEL
from discrimen.fpga.encoder_network import Autoencoder
from discrimen.fpga.float_network import logits_of
from discrimen.fpga.front_end import FrontEnd
from discrimen.fpga.quantised_network import load_hgq
from discrimen.keras_jax import KerasSession
from discrimen.output.files import complete_or_absent, write_files
from discrimen.output.plain import json_text
from discrimen.output.provenance import command_line, sha256_of_file, software_versions, utc_now

DECODER = "decoder.keras"
_KIND, _VERSION = "discrimen chip encoder", 1


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ChipEncoder:
    """An encoder for a chip, with its decoder.

    Parameters
    ----------
    autoencoder : Autoencoder
        Both.
    front_end : FrontEnd
        What it was trained behind.
    word_bits, integer_bits : int
        Of a code word: all its bits, and those before the binary point without the sign.
    provenance : mapping
        Plain data: training, figures, versions.
    """

    autoencoder: Autoencoder
    front_end: FrontEnd
    word_bits: int
    integer_bits: int
    provenance: Mapping[str, Any]

    @property
    def n_words(self) -> int:
        """Words of the code."""
        return int(self.autoencoder.encoder.output.shape[1])

    @property
    def code_bits(self) -> int:
        """Bits of the whole code of a pulse."""
        return self.n_words * self.word_bits

    @property
    def compression(self) -> float:
        """Bits of the samples of a window over those of its code."""
        return self.front_end.length * self.front_end.adc_bits / self.code_bits

    def description(self) -> dict[str, Any]:
        """Return what ``chip.json`` holds, without the hashes."""
        words = {"number": self.n_words, "bits": self.word_bits, "integer_bits": self.integer_bits}
        return {
            "kind": _KIND,
            "version": _VERSION,
            "front_end": self.front_end.as_dict(),
            "code_words": words,
            "provenance": dict(self.provenance),
        }


def is_encoder_folder(folder: Path) -> bool:
    """Whether a folder describes an encoder; False for all else, which the caller refuses or reads."""
    try:
        described = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(described, dict) and described.get("kind") == _KIND


def write_chip_encoder(chip: ChipEncoder, folder: Path, *, golden: NDArray[Any]) -> None:
    """Write an encoder for a chip.

    Parameters
    ----------
    chip : ChipEncoder
        What to write.
    folder : Path
        Made if need be; files of the same names are replaced.
    golden : ndarray of int, shape (window, sample)
        Windows that go into ``golden.npz`` with their code.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    for name, network in ((MODEL, chip.autoencoder.encoder), (DECODER, chip.autoencoder.decoder)):
        with complete_or_absent(folder / name) as part:
            named = part.with_name(f"{part.name}.keras")
            network.save(named)
            named.replace(part)
    packed = io.BytesIO()
    np.savez_compressed(packed, values=golden.astype(np.int32), code=logits_of(chip.autoencoder.encoder, golden))
    about = {
        **chip.description(),
        "model_sha256": sha256_of_file(folder / MODEL),
        "decoder_sha256": sha256_of_file(folder / DECODER),
        "versions": software_versions("hgq2", "keras", "jax", "numpy"),
        "created_utc": utc_now(),
        "command_line": command_line(),
    }
    write_files(folder, {GOLDEN: packed.getvalue(), DESCRIPTION: json_text(about)})


def read_chip_encoder(session: KerasSession, folder: Path) -> ChipEncoder:
    """Read what :func:`write_chip_encoder` has written.

    Raises
    ------
    FormatError
        If a file is missing or not what it should be.
    """
    path = folder / DESCRIPTION
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FormatError(f"cannot be read as JSON: {error}", path) from error
    if not isinstance(described, dict) or (described.get("kind"), described.get("version")) != (_KIND, _VERSION):
        raise FormatError(f"expected a {_KIND} of version {_VERSION}", path)
    for name, key in ((MODEL, "model_sha256"), (DECODER, "decoder_sha256")):
        if not (folder / name).is_file() or sha256_of_file(folder / name) != described.get(key):
            raise FormatError(
                f"is missing or not the network that {DESCRIPTION} describes: train it again", folder / name
            )
    load_hgq()
    load = session.keras.models.load_model
    try:
        return ChipEncoder(
            autoencoder=Autoencoder(load(folder / MODEL), load(folder / DECODER), seed=0),
            front_end=FrontEnd.from_dict(described["front_end"]),
            word_bits=int(described["code_words"]["bits"]),
            integer_bits=int(described["code_words"]["integer_bits"]),
            provenance=described.get("provenance", {}),
        )
    except (KeyError, TypeError, ValueError, SettingsError) as error:
        raise FormatError(f"does not describe an encoder for a chip: {error}", path) from error
