"""What the engine reaches on a GPU, beside what the machine can do at most: a table as JSON and Markdown.

Networks of random weights at their default options. Samples lie in the GPU's memory, in memory of the host that it
copies from, or in the program's; one block of 1,000 pulses is timed from host to host. ONNX Runtime's CUDA provider and
the network alone on JAX, of prepared samples that lie on the GPU, are timed beside where they find it. Without a GPU it
stops with one line.

    python benchmarks/gpu.py [-o bench-output/gpu] [--device cuda] [--pulses 4000000] [--only mlp,lstm]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.benchmark.timing import time_in_turns
from discrimen.errors import DeviceError, DiscrimenError
from discrimen.inference import engine
from discrimen.inference.load import load_model
from discrimen.inference.native import NativePredictor
from discrimen.inference.reference_predictor import run_exactly
from discrimen.network.frozen_file import FrozenModel, read_frozen, write_frozen
from discrimen.network.golden import golden_vectors
from discrimen.network.graph import chain
from discrimen.network.layers import Dense, Flatten
from discrimen.network.made_up import made_up_pulses
from discrimen.network.model_description import ModelDescription
from discrimen.output.provenance import software_versions, utc_now
from laboratory.random_networks import PULSE, networks

ARCHITECTURES = ("mlp", "lstm", "gru", "resnet", "neighbours")
BLOCK_PULSES = 1000
RIVAL_BATCHES = (1000, 10_000, 100_000)
_COPY_BYTES = 1 << 28
_CALLS, _BLOCK_CALLS = 15, 2000
_N_DIFFERENT, _N_COMPARED, TOLERANCE = 4096, 500, 1e-5
_PLACES = ("host", "device")
_Bind = Callable[[NDArray[Any]], Callable[[], object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What was measured of one network; rates in bytes of raw samples a second."""

    network: str
    ns_per_pulse: dict[str, float]  # by where samples and outputs lie: program, host, device
    bytes_hz: dict[str, float]
    block_us: dict[str, float]  # of 1,000 pulses, host to host: p50, p99
    rivals_ns_per_pulse: dict[str, float]  # the best of their batches
    error: float  # of 99 in 100 pulses against float64, in units of the largest output
    n_off: int  # pulses off by more than the tolerance: where two segments are equally high, either may be the hit one
    remarks: tuple[str, ...]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("-o", "--output", type=Path, default=Path("bench-output/gpu"))
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--pulses", type=int, default=4_000_000, help="of one channel; hits are fewer")
    parser.add_argument("--only", default=",".join(ARCHITECTURES))
    wished = parser.parse_args(arguments)
    try:
        result = measure(wished.only.split(","), wished.device, wished.pulses)
    except DiscrimenError as error:
        raise SystemExit(f"nothing was measured: {error}") from error
    wished.output.mkdir(parents=True, exist_ok=True)
    (wished.output / "gpu.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (wished.output / "gpu.md").write_text(table(result), encoding="utf-8")
    print(table(result))


def measure(names: Sequence[str], device: str, n_pulses: int) -> dict[str, Any]:
    """Return everything as plain data."""
    with tempfile.TemporaryDirectory() as folder:
        NativePredictor(freeze_small(Path(folder) / "small.discrimen"), device=device)  # before all that takes time
        paths = {name: Path(folder) / f"{name}.discrimen" for name in names}
        rows: list[dict[str, Any]] = []
        gpu, copies = "", {}
        for name, path in paths.items():
            networks()[name].freeze(path)
            predictor = NativePredictor(path, device=device)
            model = engine.Model.load(str(path), "", _engine_device(device))
            if not rows:
                gpu = predictor.backend
                rates = {place: engine.device_copy_bytes_hz(model, place == "device", _COPY_BYTES) for place in _PLACES}
                copies = {"host to device": rates["host"], "within the device": rates["device"]}
            print(name, file=sys.stderr)
            rows.append(asdict(row_of(name, path, device, model, n_pulses)))
    versions = software_versions("numpy", "onnxruntime", "jax", "keras")
    return {"gpu": gpu, "copy_bytes_hz": copies, "rows": rows, "versions": versions, "date_utc": utc_now()}


def row_of(name: str, path: Path, device: str, model: Any, n_pulses: int) -> Row:
    """Measure one network."""
    description = read_frozen(path).description
    pulses = np.ascontiguousarray(made_up_pulses(description.preparation, _N_DIFFERENT), np.int16)
    many = np.resize(pulses, (max(BLOCK_PULSES, n_pulses // pulses.shape[1]), *pulses.shape[1:]))
    times_ns = {place: engine.batch_ns(model, many, place, _CALLS) for place in ("program", *_PLACES)}
    per_pulse = {place: float(np.median(each)) / len(many) for place, each in times_ns.items()}
    off = errors(path, device, pulses[:_N_COMPARED])
    block_us = np.array(engine.batch_ns(model, many[:BLOCK_PULSES], "program", _BLOCK_CALLS)) / 1000
    rivals, remarks = rivals_of(name, path, device, pulses)
    return Row(
        network=name,
        ns_per_pulse=per_pulse,
        bytes_hz={place: pulses[0].nbytes / ns * 1e9 for place, ns in per_pulse.items()},
        block_us={"p50": float(np.median(block_us)), "p99": float(np.quantile(block_us, 0.99))},
        rivals_ns_per_pulse=rivals,
        error=float(np.quantile(off, 0.99)),
        n_off=int((off > TOLERANCE).sum()),
        remarks=remarks,
    )


def rivals_of(name: str, path: Path, device: str, pulses: NDArray[Any]) -> tuple[dict[str, float], tuple[str, ...]]:
    """Time what else computes on the GPU, each at its best batch size; say what is not there."""
    best: dict[str, float] = {}
    remarks = []
    for rival, binder in (("onnxruntime", _bind_onnxruntime), ("jax", _bind_jax)):
        try:
            bind = binder(name, path, device)
        except DiscrimenError as error:
            remarks.append(f"{rival}: {error}")
            continue
        best[rival] = float("inf")
        for size in RIVAL_BATCHES:
            call = bind(np.resize(pulses, (size, *pulses.shape[1:])))
            times = time_in_turns({rival: call}, seconds=1.0)[rival]
            best[rival] = min(best[rival], float(np.median(times)) / size)
    return best, tuple(remarks)


def _bind_onnxruntime(_: str, path: Path, device: str) -> _Bind:
    predictor = load_model(path, backend="onnxruntime", device=device).predictor
    return lambda batch: lambda: predictor.run(batch)


def _bind_jax(name: str, _: Path, device: str) -> _Bind:
    """Bind the network alone, of prepared samples that lie on the device."""
    from discrimen.keras_jax import forbid_cudnn, load_keras

    session = load_keras(device)
    with session.on_device():
        model = networks()[name].built(session.keras)
        forbid_cudnn(model)
    compiled = session.jax.jit(lambda prepared: model(prepared, training=False))

    def bind(batch: NDArray[Any]) -> Callable[[], object]:
        with session.on_device():
            prepared = session.jax.numpy.asarray(batch.astype(np.float32) / 1000)

        def call() -> object:
            with session.on_device():
                return session.jax.block_until_ready(compiled(prepared))

        call()  # compiles
        return call

    return bind


def errors(path: Path, device: str, pulses: NDArray[Any]) -> NDArray[np.float64]:
    """Return how far the outputs of each pulse are off the float64 reference, in units of the largest output."""
    model = read_frozen(path)
    found, exact = NativePredictor(path, device=device).run(pulses), run_exactly(model, pulses)
    off = [
        np.abs(one - other).max(axis=1) / max(1.0, float(np.nanmax(np.abs(other))))
        for one, other in zip(found, exact, strict=True)
    ]
    return np.asarray(np.max(off, axis=0), dtype=np.float64)


def freeze_small(path: Path) -> Path:
    """Freeze one layer, to ask for the device."""
    preparation = PULSE
    rng = np.random.default_rng(1)
    kernel = rng.normal(0, 0.1, (preparation.window_length, 2)).astype(np.float32)
    network = chain([Flatten(), Dense(kernel=kernel, bias=np.ones(2, np.float32), activation="linear")])
    description = ModelDescription(preparation=preparation)
    golden = golden_vectors(network, description, made_up_pulses(preparation, 64))
    write_frozen(FrozenModel(description, network, golden), path)
    return path


def table(result: dict[str, Any]) -> str:
    """Return the figures as Markdown, beside what is aimed at."""
    copies = result["copy_bytes_hz"]
    lines = [
        f"{result['gpu']}; a copy from the host reaches {copies['host to device'] / 1e9:.3g} GB/s, one within the "
        f"device {copies['within the device'] / 1e9:.3g} GB/s read and as much written.",
        "",
        "| network | ns/pulse, samples on the GPU | pinned | in the program | share of the copy on the GPU | share of "
        "the copy from the host | 1,000 pulses p50 us | p99 us | times the best rival | error | off |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in result["rows"]:
        ns, hz = row["ns_per_pulse"], row["bytes_hz"]
        rival = min(row["rivals_ns_per_pulse"].values(), default=float("nan")) / ns["host"]
        # A copy within the device reads and writes: samples that are only read are held against both.
        shares = hz["device"] / (2 * copies["within the device"]), hz["host"] / copies["host to device"]
        lines.append(
            f"| {row['network']} | {ns['device']:.3g} | {ns['host']:.3g} | {ns['program']:.3g} | {shares[0]:.0%} | "
            f"{shares[1]:.0%} | {row['block_us']['p50']:.3g} | {row['block_us']['p99']:.3g} | {rival:.3g} | "
            f"{row['error']:.1e} | {row['n_off']} of {_N_COMPARED} |"
        )
    remarks = [f"- {row['network']}: {remark}" for row in result["rows"] for remark in row["remarks"]]
    return "\n".join([*lines, "", *remarks, ""])


def _engine_device(device: str) -> str:
    return device.replace("gpu", "cuda")


if __name__ == "__main__":
    try:
        main()
    except DeviceError as error:
        raise SystemExit(str(error)) from error
