"""The whole header: what the model is, the engine's sources, and the bytes of the frozen file."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

from discrimen.network.export.cpp.amalgamation import (
    Amalgamation,
    as_inline,
    engine_folder,
    ordered,
    with_macros_of_its_own,
)
from discrimen.network.export.cpp.namespaces import check_namespace, namespace_of
from discrimen.network.frozen_file import FrozenModel, read_frozen
from discrimen.output.files import complete_or_absent
from discrimen.output.provenance import command_line

CPP_SUFFIX = ".hpp"
LARGEST_EMBEDDED_BYTES = 32 * 2**20
"""Of a frozen file that still goes into its header: 8 million weights, a second of a compiler's time."""

_LINE_LETTERS = 112
_LITERAL_LINES = 512
"""Of a string literal: compilers need to take 65536 letters."""
_FALSE_ALARMS = (
    "-Wpragmas",  # names that a compiler does not know
    "-Wunknown-warning-option",
    "-Wpsabi",  # vectors that functions take
    "-Wuninitialized",  # vectors in the headers of g++ 12
    "-Wmaybe-uninitialized",
    "-Wsign-conversion",
    "-Wold-style-cast",  # the one that vectors of another type need
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenHeader:
    """A header that was written.

    Parameters
    ----------
    namespace : str
        Of all names in it.
    embeds : bool
        Whether the frozen file is in it; else the file must be loaded.
    """

    namespace: str
    embeds: bool


def write_cpp_header(source: Path | str, path: Path | str, *, namespace: str | None = None) -> WrittenHeader:
    """Write a frozen file as one self-contained C++17 header; the same file gives the same bytes.

    Parameters
    ----------
    source : Path
        The frozen file.
    path : Path
        The header to write.
    namespace : str, optional
        Of all names in the header; two models in one program need two. By default after the name of the header.

    Returns
    -------
    WrittenHeader
        What it is. Of a file of more than :data:`LARGEST_EMBEDDED_BYTES` it holds all but the bytes, and loads the file
        by its name.

    Raises
    ------
    SettingsError
        If `namespace` is no name that C++ allows.
    FormatError, DataError
        If `source` is no frozen file, or a damaged one.
    OutputError
        If the header cannot be written.
    """
    namespace = check_namespace(namespace_of(Path(path).stem) if namespace is None else namespace)
    frozen, content = read_frozen(source), Path(source).read_bytes()
    text = header_text(frozen, content, namespace=namespace)
    with complete_or_absent(path) as part:
        part.write_text(text, encoding="ascii")
    return WrittenHeader(namespace=namespace, embeds=_embeds(content))


def _embeds(content: bytes) -> bool:
    return len(content) <= LARGEST_EMBEDDED_BYTES


def header_text(frozen: FrozenModel, content: bytes, *, namespace: str) -> str:
    """Return the header of a frozen model, whose file has this content."""
    folder = engine_folder()
    sources = Amalgamation(folder)
    instruction_set = sources.take(folder / "src" / "header" / "instruction_set.hpp")
    engine = sources.take_all()
    model = (
        _content_text(content) + sources.take(folder / "src" / "header" / "embedded.hpp") if _embeds(content) else ""
    )
    body = (
        f"{instruction_set}namespace {namespace} {{\ninline namespace DISCRIMEN_INSTRUCTION_SET {{\n"
        "namespace discrimen {}\nusing namespace discrimen;\n"
        f"{as_inline(engine + model)}"
        f"}}  // namespace DISCRIMEN_INSTRUCTION_SET\n}}  // namespace {namespace}\n"
    )
    digest = hashlib.sha256(body.encode()).hexdigest()[:12]
    # After namespace and content: two models of one namespace clash loudly, none hides the other.
    guard = f"{namespace.replace('::', '_')}_{digest}_hpp".upper()
    pragmas = "".join(f'#pragma GCC diagnostic ignored "{name}"\n' for name in _FALSE_ALARMS)
    return (
        f"{_prologue(frozen, content, namespace)}#ifndef {guard}\n#define {guard}\n\n"
        f"{ordered(sources.system_includes)}\n#pragma GCC diagnostic push\n{pragmas}"
        f"{with_macros_of_its_own(body, guard)}#pragma GCC diagnostic pop\n#endif\n"
    )


def _content_text(content: bytes) -> str:
    """Return the file as base64 in string literals: a compiler reads them ten times as fast as it reads numbers."""
    letters = base64.b64encode(content).decode("ascii")
    lines = [f'    "{letters[at : at + _LINE_LETTERS]}"' for at in range(0, len(letters), _LINE_LETTERS)]
    literals = ["\n".join(lines[at : at + _LITERAL_LINES]) for at in range(0, len(lines), _LITERAL_LINES)]
    text = ",\n".join(literals)
    return (
        f"namespace discrimen {{\ninline constexpr std::size_t embedded_bytes = {len(content)};\n"
        f"inline constexpr const char* embedded_text[] = {{\n{text}}};\n}}  // namespace discrimen\n"
    )


def _prologue(frozen: FrozenModel, content: bytes, namespace: str) -> str:
    description, nodes = frozen.description, frozen.network.nodes
    preparation = description.preparation
    making = f"{namespace}::embedded()" if _embeds(content) else f'{namespace}::Model::load("MODEL.discrimen")'
    kinds = ", ".join(dict.fromkeys(type(node.layer).__name__ for node in nodes)) or "none"
    lines = [
        "A model for detector pulses, whole: preparation, network, weights, and what computes them.",
        "Written by discrimen; do not edit.",
        "SPDX-License-Identifier: BSD-3-Clause",
        "",
        f"  from      a frozen file of {len(content)} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}",
        f"  trained   {description.provenance.get('date_utc', 'at an unknown date')}",
        f"  made by   {command_line()}",
        f"  input     {', '.join(preparation.channel_names)}: at least {preparation.shortest_record} samples, "
        f"one every {preparation.sample_period_ns:g} ns",
        f"  layers    {len(nodes)}: {kinds}",
        *(
            f"  output    {output.name}: {output.kind} {output.shape} {', '.join(output.names)}"
            for output in description.outputs
        ),
        "",
        f"  const {namespace}::Model model = {making};",
        f"  {namespace}::Workspace workspace(model);  // one for each thread",
        f"  model.run({namespace}::contiguous(samples, n_pulses, n_samples), workspace, results);",
    ]
    return "".join(f"// {_comment_text(line)}".rstrip() + "\n" for line in lines)


def _comment_text(value: str) -> str:
    """Return what may stand in a ``//`` comment: printable ASCII that does not continue the line."""
    return "".join(letter if " " <= letter <= "~" and letter != "\\" else "?" for letter in value)
