r"""The frozen file ``*.discrimen``: everything that is needed to run a network on pulses, as data.

All numbers are little-endian. The file holds

- 8 bytes ``DISCRIM\0``, u32 version of the layout, u32 number of sections;
- for each section 8 bytes of name (zero-padded ASCII), u64 offset, u64 length; sections start at multiples of 64 bytes;
- the sections ``meta`` (JSON: :class:`~discrimen.network.model_description.ModelDescription`, for people and
  provenance), ``input``, ``layers``, ``weights`` (float32), ``outputs``, ``golden``, and ``domain`` where it is
  known: a reader without JSON needs all but ``meta``; and ``library`` of a decoder that makes pulses;
- the SHA-256 of all before, 32 bytes.

``docs/frozen-layout.md`` describes each section.
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass
from pathlib import Path

from discrimen.errors import DataError, DiscrimenError, FormatError
from discrimen.network.domain.packing import pack_domain
from discrimen.network.generator import Generator, pack_generator, unpack_generator
from discrimen.network.golden import GoldenVectors
from discrimen.network.graph import Network
from discrimen.network.model_description import ModelDescription
from discrimen.network.packing import (
    outputs_read,
    pack_golden,
    pack_input,
    pack_layers,
    pack_outputs,
    unpack_golden,
    unpack_layers,
)
from discrimen.output.files import complete_or_absent
from discrimen.output.summary import Summarised

MAGIC = b"DISCRIM\0"
VERSION = 3
SUFFIX = ".discrimen"
_HEAD = struct.Struct("<8sII")
_SECTION = struct.Struct("<8sQQ")
_ALIGNMENT_BYTES = 64
_DIGEST_BYTES = 32
_MAX_SECTIONS = 16


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FrozenModel(Summarised):
    """A network with its preparation, as it crosses from training to everything else."""

    description: ModelDescription
    network: Network
    golden: GoldenVectors
    generator: Generator | None = None

    def summary(self) -> dict[str, str]:
        """Return what it gives and takes, for people."""
        return self.description.summary()


def require_frozen(path: Path, *, otherwise: str = "") -> None:
    """Refuse what is no frozen model by its name, and say which command makes it one.

    Parameters
    ----------
    path : Path
        Of a model.
    otherwise : str
        What can be done instead of freezing a trained model.

    Raises
    ------
    FormatError
        If it does not end in ``.discrimen``.
    """
    if path.suffix == SUFFIX:
        return
    trained = path.is_dir() or path.suffix == ".keras"
    mend = f": freeze it first: discrimen freeze {path} -o {path.stem}{SUFFIX}{otherwise}" if trained else ""
    raise FormatError(f"expected a frozen model (*{SUFFIX}){mend}", path)


def write_frozen(model: FrozenModel, path: Path | str) -> None:
    """Write a frozen file; it appears when it is complete.

    Raises
    ------
    OutputError
        If the file system refuses.
    """
    layers, weights = pack_layers(model.network)
    sections = {
        b"meta": json.dumps(model.description.as_dict(), indent=1).encode(),
        b"input": pack_input(model.description.preparation),
        b"layers": layers,
        b"weights": weights,
        b"outputs": pack_outputs(model.description.outputs, model.network.outputs, model.golden.tolerances),
        b"golden": pack_golden(model.golden),
    }
    if model.description.domain is not None:
        sections[b"domain"] = pack_domain(model.description.domain)
    if model.generator is not None:
        sections[b"library"] = pack_generator(model.generator)
    content = _assemble(sections)
    with complete_or_absent(path) as part:
        part.write_bytes(content + hashlib.sha256(content).digest())


def read_frozen(path: Path | str) -> FrozenModel:
    """Read a frozen file; the memory that is taken follows from the file's own size.

    Raises
    ------
    FormatError
        If the file is no frozen model, truncated, altered, of a newer version, or contradicts itself.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FormatError(f"cannot read the frozen model: {error.strerror}", path) from error
    sections = _sections(content, path)
    try:
        return _unpack(sections)
    except (DiscrimenError, ValueError, KeyError, TypeError, struct.error, RecursionError) as error:
        raise FormatError(f"the frozen model contradicts itself: {' '.join(str(error).split())}", path) from error


def _assemble(sections: dict[bytes, bytes]) -> bytes:
    table_end = _HEAD.size + len(sections) * _SECTION.size
    content = bytearray(_HEAD.pack(MAGIC, VERSION, len(sections)))
    body = bytearray()
    for name, payload in sections.items():
        start = -(-(table_end + len(body)) // _ALIGNMENT_BYTES) * _ALIGNMENT_BYTES
        body += bytes(start - table_end - len(body))
        content += _SECTION.pack(name, start, len(payload))
        body += payload
    return bytes(content + body)


def _sections(content: bytes, path: Path) -> dict[str, memoryview]:
    if len(content) < _HEAD.size + _DIGEST_BYTES or not content.startswith(MAGIC):
        raise FormatError("this is no frozen model; make one with 'discrimen freeze'", path, 0)
    _, version, n_sections = _HEAD.unpack_from(content)
    if version != VERSION:
        newer = "; update discrimen" if version > VERSION else "; freeze the model again"
        raise FormatError(f"expected layout version {VERSION}, got {version}{newer}", path, len(MAGIC))
    body = memoryview(content)[:-_DIGEST_BYTES]
    if hashlib.sha256(body).digest() != content[-_DIGEST_BYTES:]:
        raise FormatError("checksum differs: the file is truncated or was altered; freeze the model again", path)
    if n_sections > _MAX_SECTIONS or _HEAD.size + n_sections * _SECTION.size > len(body):
        raise FormatError(f"expected at most {_MAX_SECTIONS} sections, got {n_sections}", path, _HEAD.size)
    found = {}
    for number in range(n_sections):
        at = _HEAD.size + number * _SECTION.size
        name, start, length = _SECTION.unpack_from(body, at)
        if start > len(body) or length > len(body) - start:
            raise FormatError(f"a section reaches beyond the file: {start} + {length} of {len(body)} bytes", path, at)
        found[name.rstrip(b"\0").decode("ascii", "replace")] = body[start : start + length]
    return found


def _unpack(sections: dict[str, memoryview]) -> FrozenModel:
    values = json.loads(bytes(sections["meta"]))
    if not isinstance(values, dict):
        raise DataError("meta is no JSON object")
    description = ModelDescription.from_dict(values)
    if bytes(sections["input"]) != pack_input(description.preparation):
        raise DataError("meta and input describe different preparations")
    nodes = tuple(unpack_layers(sections["layers"], sections["weights"]))
    reads, tolerances = outputs_read(sections["outputs"])
    if bytes(sections["outputs"]) != pack_outputs(description.outputs, reads, tolerances):
        raise DataError("meta and outputs describe different outputs")
    domain = description.domain
    if bytes(sections.get("domain", b"")) != (b"" if domain is None else pack_domain(domain)):
        raise DataError("meta and domain describe different domains")
    golden = unpack_golden(sections["golden"], description, tolerances)
    generator = unpack_generator(sections["library"]) if "library" in sections else None
    if generator is not None:
        _require_decoder(generator, description)
    return FrozenModel(description, Network(nodes, reads), golden, generator)


def _require_decoder(generator: Generator, description: ModelDescription) -> None:
    """Refuse a library that is of another decoder."""
    n_numbers = generator.code_length + generator.condition.n_values
    shape = description.outputs[description.waveform_at].shape
    if (description.preparation.shape, shape) != ((1, n_numbers), (1, generator.preparation.window_length)):
        raise DataError(
            f"the library is of codes of {n_numbers} numbers and records of {generator.preparation.window_length} "
            f"samples, the network takes {description.preparation.shape} and gives {shape}"
        )
