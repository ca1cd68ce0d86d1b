"""Time per pulse of the C++ header: preparation and network, one record of 75 int16 samples after the other, one core.

Networks of every architecture with random weights (the time does not depend on them), compiled with g++ or $CXX.

Usage: python benchmarks/cpp_header.py [--flags "-O3 -march=native"] [--json]
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
from pathlib import Path

from discrimen.freezing.freeze import golden_pulses
from discrimen.freezing.from_keras import layers_of
from discrimen.inference.reference_predictor import score_exactly
from discrimen.keras_jax import load_keras
from discrimen.models import ARCHITECTURES, build_model
from discrimen.network.export.cpp import write_cpp_header
from discrimen.network.frozen_file import FrozenModel, GoldenVectors
from discrimen.network.model_spec import ModelSpec
from discrimen.network.preparation import Preparation

N_SAMPLES = 75
PROGRAM = """
#include <chrono>
#include <cstdio>
#include <vector>

// The best of 15 rounds of about 5 ms: what the machine does when nobody else uses it.
template <typename Classify>
double best_ns(const std::vector<std::int16_t>& samples, std::size_t n_pulses, std::size_t n_samples,
               Classify classify) {
    using clock = std::chrono::steady_clock;
    std::size_t n_calls = 64;
    double best = 1e300;
    for (int round = 0; round < 15;) {
        float sum = 0;
        const auto begin = clock::now();
        for (std::size_t call = 0; call < n_calls; ++call) {
            float scores[2];
            classify(samples.data() + call % n_pulses * n_samples, n_samples, scores);
            sum += scores[0];
        }
        const double took_ns = std::chrono::duration<double, std::nano>(clock::now() - begin).count();
        volatile float used = sum;
        static_cast<void>(used);
        if (took_ns < 5e6) {
            n_calls *= 2;
            continue;
        }
        best = took_ns / static_cast<double>(n_calls) < best ? took_ns / static_cast<double>(n_calls) : best;
        ++round;
    }
    return best;
}

template <typename Raw, typename Classify>
void report(const char* name, bool healthy, const Raw& raw, std::size_t n_pulses, Classify classify) {
    constexpr std::size_t n_samples = sizeof raw[0] / sizeof raw[0][0];
    std::vector<std::int16_t> samples;
    for (const auto& pulse : raw) {
        for (const auto sample : pulse) {
            samples.push_back(static_cast<std::int16_t>(sample));
        }
    }
    std::printf("%s %d %.1f\\n", name, healthy ? 1 : 0, best_ns(samples, n_pulses, n_samples, classify));
}

#define REPORT(model)                                                                               \\
    report(#model, model::self_test(), model::detail::golden_samples, model::detail::n_golden,      \\
           [](const std::int16_t* samples, std::size_t n_samples, float* scores) {                  \\
               model::classify(samples, n_samples, scores);                                         \\
           })

"""


def write_model(name: str, folder: Path) -> None:
    """Write the header of one architecture as it is built: baseline of 12 samples, window of the whole record."""
    session = load_keras("cpu")
    with session.on_device():
        layers = layers_of(build_model(session.keras, name, {}, window_length=N_SAMPLES))
    preparation = Preparation(
        sample_period_ns=10.0, polarity=-1, baseline_start=0, baseline_stop=12, window_length=N_SAMPLES
    )
    spec = ModelSpec(preparation=preparation)
    samples = golden_pulses(preparation)[:, :N_SAMPLES]
    golden = GoldenVectors(samples, score_exactly(layers, spec, samples), 1e-5)
    write_cpp_header(FrozenModel(spec, layers, golden), folder / f"{name}.hpp", namespace=name)


def measure(folder: Path, flags: list[str]) -> dict[str, float]:
    """Compile one program with all models and return the time per pulse in ns."""
    compiler = os.environ.get("CXX") or shutil.which("g++")
    if compiler is None:
        sys.exit("there is no C++ compiler: install g++ or set CXX")
    includes = "".join(f'#include "{name}.hpp"\n' for name in ARCHITECTURES)
    calls = "".join(f"    REPORT({name});\n" for name in ARCHITECTURES)
    (folder / "main.cpp").write_text(f"{includes}{PROGRAM}int main() {{\n{calls}}}\n")
    program = folder / "main"
    subprocess.run([compiler, "-std=c++17", *flags, folder / "main.cpp", "-o", program], check=True)
    said = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in said.splitlines()]
    sick = [name for name, healthy, _ in rows if healthy != "1"]
    if sick:
        sys.exit(f"compiled with {' '.join(flags)}, these do not pass their own test: {', '.join(sick)}")
    return {name: float(took) for name, _, took in rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--flags", default="-O3 -march=native", help="options of the compiler")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in ARCHITECTURES:
            write_model(name, Path(folder))
        took_ns = measure(Path(folder), shlex.split(arguments.flags))
    if arguments.json:
        print(json.dumps({"flags": arguments.flags, "ns_per_pulse": took_ns}))
        return
    print(f"time per pulse of {N_SAMPLES} samples, {arguments.flags}")
    for name, took in took_ns.items():
        print(f"  {name:8} {took:10.0f} ns")


if __name__ == "__main__":
    main()
