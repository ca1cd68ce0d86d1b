"""The whole header: what the model is, its preparation, its network, its golden vectors, and what a user calls."""

from __future__ import annotations

import hashlib
import textwrap
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from string import Template

import numpy as np

from discrimen.network.export.cpp.literals import (
    array_text,
    check_namespace,
    comment_text,
    double_text,
    float_text,
    string_text,
)
from discrimen.network.export.cpp.network import NetworkText, network_text
from discrimen.network.frozen_file import FrozenModel, GoldenVectors
from discrimen.network.model_spec import ModelSpec
from discrimen.network.preparation import Preparation
from discrimen.output.files import complete_or_absent

CPP_SUFFIX = ".hpp"
DEFAULT_NAMESPACE = "discrimen_model"
N_GOLDEN = 8
"""How many golden vectors go into a header, at most."""


def write_cpp_header(
    frozen: FrozenModel, path: Path | str, *, namespace: str = DEFAULT_NAMESPACE, source_sha256: str = ""
) -> None:
    """Write a frozen model as one self-contained C++17 header; the same model gives the same bytes.

    Parameters
    ----------
    frozen : FrozenModel
        The model.
    path : Path
        The header to write.
    namespace : str
        Of all names in the header; two models in one program need two.
    source_sha256 : str
        SHA-256 of the frozen file that the model comes from, 64 hexadecimal digits; empty where there is none.

    Raises
    ------
    SettingsError
        If `namespace` is no name that C++ allows.
    DataError
        If a layer does not fit what comes out of the one before, or a weight is not finite.
    OutputError
        If the file cannot be written.
    """
    text = header_text(frozen, namespace=namespace, source_sha256=source_sha256)
    with complete_or_absent(path) as part:
        part.write_text(text, encoding="ascii")


def header_text(frozen: FrozenModel, *, namespace: str, source_sha256: str) -> str:
    """Return the header; see :func:`write_cpp_header`."""
    spec = frozen.spec
    check_namespace(namespace)
    network = network_text(frozen.layers, window_length=spec.preparation.window_length, n_classes=len(spec.classes))
    parts = {
        "namespace": namespace,
        "prologue": _prologue(spec, network, namespace, source_sha256),
        "description": _description(frozen, network, source_sha256),
        "preparation": _preparation(spec.preparation),
        "prepare_templates": _template("prepare.hpp.in"),
        "layer_templates": _template("layers.hpp.in"),
        "layers": network.layers,
        "network": network.network,
        "golden": _golden(frozen.golden),
    }
    return Template(_template("model.hpp.in")).substitute(parts, guard=_guard(namespace, parts))


def _template(name: str) -> str:
    return resources.files("discrimen.network.export.cpp").joinpath(name).read_text(encoding="ascii")


def _guard(namespace: str, parts: Mapping[str, str]) -> str:
    """Name the include guard after namespace and content: two models of one namespace clash loudly, never silently."""
    digest = hashlib.sha256("\n".join(parts.values()).encode()).hexdigest()[:12]
    return f"{namespace.replace('::', '_')}_{digest}_hpp".upper()


def _prologue(spec: ModelSpec, network: NetworkText, namespace: str, sha256: str) -> str:
    preparation = spec.preparation
    lines = [
        "A pulse shape discrimination model, whole: preparation, network, weights. Written by discrimen; do not edit.",
        "",
        f"  from        frozen model {sha256 or 'without a file'}",
        f"  trained     {_trained(spec) or 'at an unknown date'}",
        f"  classes     {', '.join(spec.classes)}",
        f"  input       raw records of at least {preparation.shortest_record} samples, "
        f"one every {preparation.sample_period_ns:g} ns, pulses that {'rise' if preparation.polarity > 0 else 'fall'}",
        f"  prepared    {_prepared(preparation)}",
        f"  network     {network.n_parameters} parameters",
        *(f"    {line}" for line in network.summary),
        "",
        "C++17 and its standard library; no heap, no exceptions, no state: any number of threads may call at once.",
        "",
        f"  if (!{namespace}::self_test()) {{ ... }}                 // once: this compiler computes what it should",
        f"  float scores[{namespace}::n_classes];",
        f"  if ({namespace}::classify(samples, n_samples, scores)) {{ ... }}",
    ]
    return "".join(f"// {comment_text(line)}".rstrip() + "\n" for line in lines)


def _prepared(preparation: Preparation) -> str:
    baseline = f"baseline {preparation.baseline_start}:{preparation.baseline_stop}"
    window = f"{preparation.window_length} samples from {preparation.window_start} on"
    alignment = preparation.alignment
    if alignment is not None:
        where = "between samples" if alignment.interpolate else "at a sample"
        window = (
            f"{preparation.window_length} samples, {alignment.position} of them before the crossing "
            f"of {alignment.fraction:g} of the peak ({where})"
        )
    scale = {"peak": "divided by the highest", "area": "divided by the sum", "none": "in ADC counts"}
    return f"{baseline}, {window}, {scale[preparation.scale]}"


def _trained(spec: ModelSpec) -> str:
    date = spec.provenance.get("date_utc", "")
    return date if isinstance(date, str) else ""


def _description(frozen: FrozenModel, network: NetworkText, sha256: str) -> str:
    spec = frozen.spec
    n_classes, n_thresholds = len(spec.classes), len(spec.thresholds)
    classes = [string_text(name) for name in spec.classes]
    thresholds = [f"Threshold{{{string_text(name)}, {double_text(value)}}}" for name, value in spec.thresholds.items()]
    lines = [
        f"inline constexpr std::size_t n_classes = {n_classes};",
        f"inline constexpr std::array<const char*, n_classes> class_names = {_listed(classes)};",
        f"inline constexpr double sample_period_ns = {double_text(spec.preparation.sample_period_ns)};",
        f"inline constexpr std::size_t shortest_record = {spec.preparation.shortest_record};  // samples",
        "",
        '// Named thresholds on the score of the class "neutron".',
        "struct Threshold {",
        "    const char* name;",
        "    double score;",
        "};",
        f"inline constexpr std::array<Threshold, {n_thresholds}> thresholds = {_listed(thresholds)};",
        "",
        "// Of the frozen file, and when its network was trained.",
        f"inline constexpr const char* sha256 = {string_text(sha256)};",
        f"inline constexpr const char* trained_utc = {string_text(_trained(spec))};",
        f"inline constexpr double golden_tolerance = {double_text(frozen.golden.tolerance)};",
        f"inline constexpr std::size_t network_stack_bytes = {network.stack_bytes};  // for the values between layers",
    ]
    if "neutron" in spec.classes:
        lines.insert(2, f"inline constexpr std::size_t neutron_class = {spec.neutron_class};")
    return "\n".join(lines) + "\n"


def _listed(words: list[str]) -> str:
    return "{" + "".join(f"\n    {word}," for word in words) + ("\n}" if words else "}")


def _preparation(preparation: Preparation) -> str:
    alignment = preparation.alignment
    fraction = np.float32(0 if alignment is None else alignment.fraction)
    position = np.float32(0 if alignment is None else alignment.position)
    interpolates = alignment is not None and alignment.interpolate
    lines = [
        f"inline constexpr int polarity = {preparation.polarity};",
        f"inline constexpr std::size_t baseline_start = {preparation.baseline_start};",
        f"inline constexpr std::size_t baseline_stop = {preparation.baseline_stop};",
        f"inline constexpr std::size_t window_start = {preparation.window_start};",
        f"inline constexpr std::size_t window_length = {preparation.window_length};",
        f"inline constexpr Scale scale = Scale::{preparation.scale};",
        f"inline constexpr bool aligned = {str(alignment is not None).lower()};",
        f"inline constexpr float alignment_fraction = {float_text(fraction)};",
        f"inline constexpr float alignment_position = {float_text(position)};",
        f"inline constexpr bool alignment_interpolates = {str(interpolates).lower()};",
    ]
    return "\n".join(lines) + "\n"


def _golden(golden: GoldenVectors) -> str:
    n_pulses, length = golden.samples.shape
    chosen = np.unique(np.linspace(0, n_pulses - 1, min(N_GOLDEN, n_pulses)).astype(int))
    samples, scores = (
        ",\n".join(textwrap.indent(f"{{{array_text(row)}}}", "    ") for row in rows[chosen])
        for rows in (golden.samples, golden.scores)
    )
    return (
        f"inline constexpr std::size_t n_golden = {len(chosen)};\n"
        f"inline constexpr std::size_t golden_length = {length};\n"
        f"inline constexpr std::int32_t golden_samples[n_golden][golden_length] = {{\n{samples}\n}};\n"
        f"inline constexpr double golden_scores[n_golden][n_classes] = {{\n{scores}\n}};\n"
    )
