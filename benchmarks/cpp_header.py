"""The C++ header against the engine, with the same instruction set, in one program: time per pulse of 75 int16 samples.

Dense, convolutional and recurrent networks of random weights (the time does not depend on them), in batches of 4096
pulses and one pulse a call, preparation included, on one core. CMake builds the engine, g++ or $CXX the program.

Usage: python benchmarks/cpp_header.py [--flags "-O3 -march=native"] [--engine build/cpp] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from discrimen.network.export.cpp import write_cpp_header
from discrimen.network.frozen_file import FrozenModel, write_frozen
from discrimen.network.golden import golden_vectors
from discrimen.network.graph import chain
from discrimen.network.layers import Conv1D, Dense, Flatten, GlobalAveragePooling1D, Gru, Layer, Lstm, Reshape
from discrimen.network.made_up import made_up_pulses
from discrimen.network.model_description import ModelDescription
from discrimen.network.preparation import one_channel

CPP = Path(__file__).parents[1] / "cpp"
N_SAMPLES = 75
PROGRAM = r"""
#include "header.hpp"
#include "discrimen/model.hpp"

#include <chrono>
#include <cstdio>
#include <fstream>

// One side of the comparison: a model and what it needs.
template <class Model, class Workspace, class Pulses>
struct Side {
    Model model;
    Workspace workspace;
    std::vector<float> scores;

    explicit Side(Model loaded) : model(std::move(loaded)), workspace(model), scores(2 * 4096) {}

    double ns_per_pulse(Pulses pulses, std::size_t n_calls) {
        using Clock = std::chrono::steady_clock;
        const auto begin = Clock::now();
        for (std::size_t call = 0; call < n_calls; ++call) model.classify(pulses, workspace, scores.data());
        const double took = std::chrono::duration<double, std::nano>(Clock::now() - begin).count();
        return took / double(n_calls * pulses.n_pulses);
    }
};

// The best of many rounds, the two sides in turn: what the machine does when nobody else uses it.
template <class One, class Other, class OnePulses, class OtherPulses>
void compare(One& one, Other& other, OnePulses one_pulses, OtherPulses other_pulses) {
    const double first = one.ns_per_pulse(one_pulses, 1) * double(one_pulses.n_pulses);
    const auto n_calls = std::size_t(2e6 / first) + 1;
    double best[2] = {1e300, 1e300};
    for (int round = 0; round < 60; ++round) {
        best[0] = std::min(best[0], one.ns_per_pulse(one_pulses, n_calls));
        best[1] = std::min(best[1], other.ns_per_pulse(other_pulses, n_calls));
    }
    std::printf(" %.2f %.2f", best[0], best[1]);
}

int main(int count, char** arguments) {
    std::ifstream in(arguments[1], std::ios::binary);
    std::vector<std::int16_t> samples(4096 * 75);
    in.read(reinterpret_cast<char*>(samples.data()), std::streamsize(samples.size() * sizeof samples[0]));
    const std::string set = header_model::embedded().instruction_set();
    for (int i = 2; i < count; ++i) {
        discrimen::LoadOptions options;
        options.instruction_set = set;
        Side<header_model::Model, header_model::Workspace, header_model::Pulses> one(
            header_model::Model::load(arguments[i]));
        Side<discrimen::Model, discrimen::Workspace, discrimen::Pulses> other(
            discrimen::Model::load(arguments[i], options));
        std::printf("%s", set.c_str());
        for (const std::size_t n_pulses : {4096, 1})
            compare(one, other, header_model::contiguous(samples.data(), n_pulses, 75),
                    discrimen::contiguous(samples.data(), n_pulses, 75));
        std::printf("\n");
    }
}
"""


def networks() -> dict[str, Sequence[Layer]]:
    """Give networks of the usual sizes."""
    rng = np.random.default_rng(1)

    def weights(*shape: int) -> NDArray[np.float32]:
        return rng.normal(0, 0.4, shape).astype(np.float32)

    def dense(inputs: int, outputs: int, activation: str = "linear") -> Dense:
        return Dense(kernel=weights(inputs, outputs), bias=weights(outputs), activation=activation)

    def conv(inputs: int) -> Conv1D:
        return Conv1D(kernel=weights(5, inputs, 8), bias=weights(8), padding="same", activation="relu")

    steps = Reshape(steps=N_SAMPLES, channels=1)
    lstm = Lstm(kernel=weights(1, 64), recurrent_kernel=weights(16, 64), bias=weights(64))
    gru = Gru(kernel=weights(1, 48), recurrent_kernel=weights(16, 48), bias=weights(48), recurrent_bias=weights(48))
    return {
        "mlp 75-10-4-2": (Flatten(), dense(75, 10, "relu"), dense(10, 4, "relu"), dense(4, 2)),
        "mlp 75-200-200-2": (Flatten(), dense(75, 200, "relu"), dense(200, 200, "relu"), dense(200, 2)),
        "cnn 8x5, 8x5": (steps, conv(1), conv(8), GlobalAveragePooling1D(), dense(8, 2)),
        "lstm 16": (steps, lstm, dense(16, 2)),
        "gru 16": (steps, gru, dense(16, 2)),
    }


def build(folder: Path, flags: Sequence[str], engine: Path) -> Path:
    """Build the engine and the program."""
    compiler, cmake = os.environ.get("CXX") or shutil.which("g++"), shutil.which("cmake")
    cmake = cmake or str(Path(sys.executable).with_name("cmake"))
    if compiler is None:
        sys.exit("there is no C++ compiler: install g++ or set CXX")
    options = ["-DDISCRIMEN_TESTS=OFF", "-DDISCRIMEN_EXAMPLES=OFF", "-DDISCRIMEN_FUZZ=OFF"]
    subprocess.run([cmake, "-S", CPP, "-B", engine, *options], check=True, stdout=sys.stderr)
    subprocess.run([cmake, "--build", engine, "--target", "discrimen"], check=True, stdout=sys.stderr)
    (folder / "main.cpp").write_text(PROGRAM)
    command = [compiler, "-std=c++17", *flags, f"-I{CPP / 'include'}", folder / "main.cpp", "-o", folder / "main"]
    library = engine.resolve()
    subprocess.run([*command, f"-L{library}", "-ldiscrimen", f"-Wl,-rpath,{library}"], check=True)
    return folder / "main"


def write_models(folder: Path) -> list[Path]:
    """Freeze the networks, and write 4096 pulses of int16 beside them as ``samples``."""
    preparation = one_channel(
        sample_period_ns=10.0, polarity=-1, baseline_start=0, baseline_stop=12, window_length=N_SAMPLES
    )
    description = ModelDescription(preparation=preparation)
    golden = made_up_pulses(preparation, 64)
    paths = []
    for name, layers in networks().items():
        network = chain(layers)
        paths.append(folder / f"{name}.discrimen")
        write_frozen(FrozenModel(description, network, golden_vectors(network, description, golden)), paths[-1])
    made_up_pulses(preparation, 4096).astype(np.int16).tofile(folder / "samples")
    return paths


def measure(folder: Path, flags: Sequence[str], engine: Path) -> dict[str, dict[str, float | str]]:
    """Return times per pulse in ns, by network."""
    paths = write_models(folder)
    write_cpp_header(paths[0], folder / "header.hpp")
    program = build(folder, flags, engine)
    said = subprocess.run([program, folder / "samples", *paths], capture_output=True, text=True, check=True).stdout
    keys = ("instruction_set", "header_ns", "engine_ns", "header_one_pulse_ns", "engine_one_pulse_ns")
    rows = [line.split() for line in said.splitlines()]
    return {
        path.stem: {key: word if key == keys[0] else float(word) for key, word in zip(keys, row, strict=True)}
        for path, row in zip(paths, rows, strict=True)
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--flags", default="-O3 -march=native", help="options of the compiler for the header")
    parser.add_argument("--engine", type=Path, default=Path("build/cpp"), help="folder to build the engine in")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        times = measure(Path(folder), shlex.split(arguments.flags), arguments.engine)
    if arguments.json:
        print(json.dumps({"flags": arguments.flags, "networks": times}))
        return
    print(f"header with {arguments.flags}, ns per pulse: header, engine, header / engine")
    for name, row in times.items():
        print(f"{name:18} {row['instruction_set']:9}", end="")
        for what in ("ns", "one_pulse_ns"):
            header, engine = (float(row[f"{side}_{what}"]) for side in ("header", "engine"))
            print(f"   {header:9.1f} {engine:9.1f} {header / engine:5.2f}", end="")
        print()


if __name__ == "__main__":
    main()
