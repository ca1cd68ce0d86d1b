"""``discrimen freeze``: a trained model to one data file, and to files for other runtimes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from discrimen.cli import common
from discrimen.cpp_export import CPP_SUFFIX, DEFAULT_NAMESPACE, check_namespace, write_cpp_header
from discrimen.freezing.freeze import freeze as freeze_model
from discrimen.freezing.to_onnx import freeze_to_onnx
from discrimen.inference.onnx_source import ONNX_SUFFIX
from discrimen.inference.reference_predictor import ReferencePredictor
from discrimen.provenance import sha256_of_file
from discrimen.spec.frozen_file import SUFFIX, read_frozen


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(freeze)


def freeze(
    model: Annotated[
        Path,
        typer.Argument(
            help="Folder of a trained model, a .keras in it, or a .discrimen to make other files from.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File to write (.discrimen).", show_default=False)
    ] = None,
    onnx: Annotated[
        Path | None,
        typer.Option("--onnx", help="Also write it as ONNX, preparation included (.onnx).", show_default=False),
    ] = None,
    cpp: Annotated[
        Path | None,
        typer.Option("--cpp", help="Also write it as one C++17 header, whole (.hpp).", show_default=False),
    ] = None,
    cpp_namespace: Annotated[
        str, typer.Option("--cpp-namespace", help="Namespace of the C++ header.")
    ] = DEFAULT_NAMESPACE,
    json: common.JsonOption = False,
) -> None:
    """Freeze a trained model, preparation included, into one file that is data alone and proves itself on loading."""
    _require_new_names(model, output, {ONNX_SUFFIX: onnx, CPP_SUFFIX: cpp})
    if cpp is None and cpp_namespace != DEFAULT_NAMESPACE:
        raise typer.BadParameter("--cpp-namespace names a C++ header: say where to write it, for example --cpp X.hpp")
    check_namespace(cpp_namespace)
    result, lines = _frozen(model, output)
    if onnx is not None:
        written = freeze_to_onnx(result["output"], onnx)
        result["onnx"] = str(written.path)
        result["worst_difference_of_onnx"] = written.worst_difference
        lines.append(f"{written.path}: {_onnx_check(written.worst_difference)}")
    if cpp is not None:
        write_cpp_header(read_frozen(result["output"]), cpp, namespace=cpp_namespace, source_sha256=result["sha256"])
        result |= {"cpp": str(cpp), "cpp_namespace": cpp_namespace}
        lines.append(f"{cpp}: C++17 header, namespace {cpp_namespace}")
    if json:
        common.emit_json(result)
        return
    for line in lines:
        common.stdout_console().print(line, markup=False)


def _require_new_names(model: Path, output: Path | None, others: Mapping[str, Path | None]) -> None:
    """Refuse options that do not fit each other; `others` are the files to make beside the frozen one, by suffix."""
    wanted = {suffix: path for suffix, path in others.items() if path is not None}
    if model.suffix == SUFFIX:
        if output is not None:
            raise typer.BadParameter(f"{model} is frozen already: leave out --output, or give the trained model")
        if not wanted:
            raise typer.BadParameter(f"{model} is frozen already: say what to make of it, for example --onnx X.onnx")
    elif output is None:
        raise typer.BadParameter(f"expected where to write the frozen model: give -o X{SUFFIX}")
    if output is not None:
        wanted[SUFFIX] = output
    for suffix, path in wanted.items():
        if path.suffix != suffix:
            raise typer.BadParameter(f"expected a name that ends in {suffix}, got {path}")


def _frozen(model: Path, output: Path | None) -> tuple[dict[str, Any], list[str]]:
    """Freeze the model, or take the file that is frozen already; return the result and lines for people."""
    if output is None:
        ReferencePredictor(model)  # checks it as everybody does
        return _described(model), []
    done = freeze_model(model, output)
    result = _described(done.path) | {"worst_difference_to_keras": done.worst_difference}
    line = (
        f"{done.path}: {', '.join(result['layers'])}; "
        f"{result['n_golden']} golden vectors, at most {done.worst_difference:.2g} off Keras"
    )
    return result, [line]


def _described(path: Path) -> dict[str, Any]:
    frozen = read_frozen(path)
    return {
        "output": str(path),
        "n_bytes": path.stat().st_size,
        "sha256": sha256_of_file(path),
        "layers": [type(layer).__name__ for layer in frozen.layers],
        "n_golden": len(frozen.golden.samples),
    }


def _onnx_check(worst_difference: float | None) -> str:
    if worst_difference is None:
        return "not checked, for onnxruntime is not installed: pip install 'discrimen[onnx]'"
    return f"computed by ONNX Runtime, at most {worst_difference:.2g} off the golden vectors"
