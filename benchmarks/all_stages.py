"""One run through all stages of auto-encoders by commands alone, and every frozen model on three engines.

Trains a plain and a variational auto-encoder, a coder, a generator and a separator on one run without labels and
without light, freezes them, and runs evaluate, denoise, encode, decode, quality, separate and generate with them. Then
the records of the run go through Keras, the native engine and ONNX Runtime: told are the largest differences to Keras,
for each output, beside the tolerance that the frozen file has.

Usage: python benchmarks/all_stages.py RUN -o FOLDER [--epochs N] [--records N] [--json] [-- INPUT OPTIONS OF THE RUN]
       python benchmarks/all_stages.py ../shared/data/wavedump/SiPM/2006272158/wave0.dat -o FOLDER \
           -- --sample-period-ns 1 --polarity positive --pretrigger-ns 100
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

import discrimen
from discrimen.inference.load import load_model
from discrimen.network.frozen_file import read_frozen
from discrimen.network.prepare import choose_preparation
from discrimen.pulse_shape.upright import upright
from discrimen.scoring.pile_up import learn_pile_up
from discrimen.training.model_folder import load_model_folder

DENSE = ["--architecture", "dense_autoencoder", "--option", "code=6"]
TRAININGS = {
    "autoencoder": ["--task", "reconstruction", *DENSE, "--option", "hidden=32"],
    "variational": [
        *("--task", "reconstruction", "--architecture", "variational_autoencoder"),
        *("--option", "code=6", "--option", "hidden=32"),
    ],
    "coder": ["--task", "compression", *DENSE, "--option", "hidden=32", "--scale", "none"],
    "generator": ["--task", "generation", "--condition", "height", *DENSE, "--option", "hidden=64,64"],
    "separator": ["--task", "separation", "--architecture", "mlp", "--option", "hidden=256,128"],
}
SECOND_PULSES = ["--delay-min-ns", "-150", "--gain-min", "0.3"]
"""Dark pulses of one photoelectron do not trigger, but lie on those that do, before them too."""


@dataclass(frozen=True)
class Commands:
    """Runs commands in a folder, and keeps what each said and took."""

    folder: Path
    told: list[dict[str, Any]]

    def __call__(self, *words: str, allowed: tuple[int, ...] = (0,)) -> str:
        """Run one command; a status that is not allowed ends it all."""
        shown = shlex.join(["discrimen", *words])
        print(f"$ {shown}", file=sys.stderr)
        begin_s = perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "discrimen", *words], cwd=self.folder, capture_output=True, text=True, check=False
        )
        took = {"command": shown, "status": done.returncode, "seconds": perf_counter() - begin_s}
        self.told.append(took | {"said": done.stdout.strip().splitlines()[-12:]})
        if done.returncode not in allowed:
            raise SystemExit(f"{shown}\nstatus {done.returncode}: {done.stderr.strip()[-2000:]}")
        return done.stdout


def all_stages(run: Path, folder: Path, inputs: list[str], *, epochs: int, n_records: int) -> list[dict[str, Any]]:
    """Run the commands; returns what each said."""
    folder.mkdir(parents=True, exist_ok=True)
    call, given = Commands(folder, []), [str(run.resolve()), *inputs]
    call("convert", *given, "-o", "recorded.lh5", "--overwrite")
    overlaid = ["-o", "train.lh5", "--components", "train.parts.lh5", "-n", str(n_records), "--share", "0:0.7"]
    call("overlay", *given, *overlaid, *SECOND_PULSES, "--overwrite")
    judged = ["-o", "test.lh5", "--components", "test.parts.lh5", "-n", "3000", "--share", "0.7:1"]
    call("overlay", *given, *judged, "--pileup-fraction", "0.7", *SECOND_PULSES, "--overwrite")
    how = ["--learning-rate-decay", "cosine", "--patience", "0", "--accept", "--overwrite"]
    for name, task in TRAININGS.items():
        piled_up = name == "separator"
        data = ["train.lh5", "--components", "train.parts.lh5"] if piled_up else given
        length = [
            "--epochs",
            str(max(1, epochs // 8) if piled_up else epochs),
            "--batch-size",
            "128" if piled_up else "8",
        ]
        call("train", *data, *task, *how, *length, "-o", name)
        call("freeze", name, "-o", f"{name}.discrimen", "--onnx", f"{name}.onnx")
    for name in ("autoencoder", "variational"):
        call("evaluate", f"{name}.discrimen", *given, "-o", f"{name}-report")
    call("denoise", "autoencoder.discrimen", *given, "-o", "denoised.lh5", "--accept", "--overwrite")
    call("encode", "coder.discrimen", *given, "-o", "run.codes", "--accept", "--overwrite")
    call("decode", "coder.discrimen", "run.codes", "-o", "decoded.lh5", "--overwrite")
    call("quality", "autoencoder.discrimen", *given, "-o", "quality.json", "--window", "100")
    call("quality", "autoencoder.discrimen", "quality.json", *given, allowed=(0, 1))
    call("separate", "separator.discrimen", "test.lh5", "--components", "test.parts.lh5", "--accept", "--fit", "0")
    call("separate", "separator.discrimen", *given, "-o", "pulses.lh5", "--accept", "--overwrite")
    call("generate", "generator.discrimen", "-o", "generated.lh5", "-n", "2000")
    call("generate", "generator.discrimen", "-o", "asked.lh5", "-n", "2000", "--height-adc", str(asked_adc(folder)))
    return call.told


def asked_adc(folder: Path) -> float:
    """Return a height that the generator knows: in the middle of those of its training, by their logarithm."""
    generator = read_frozen(folder / "generator.discrimen").generator
    assert generator is not None
    return round(float(np.exp(generator.condition.log_mean)), 1)


def figures(folder: Path) -> dict[str, Any]:
    """Say which records the search for second pulses and the separator find, and how high generated pulses are."""
    run, parts = discrimen.read(folder / "recorded.lh5"), discrimen.read(folder / "pulses.lh5").pulses
    preparation = choose_preparation(run.settings, n_samples=run.pulses.n_samples)
    rises = learn_pile_up([run.pulses], preparation)(run.pulses) > 0
    entry, second = run.pulses.column("entry"), parts.column("part") == 1
    separated, kept = (np.isin(entry, of) for of in (parts.column("entry")[second], parts.column("entry")))
    asked = discrimen.read(folder / "asked.lh5").pulses
    heights = upright(asked.samples, preparation).waveforms.max(axis=1)
    return {
        "n_piled_up_by_rises": int(rises.sum()),
        "n_of_these_separated": int((rises & separated).sum()),
        "n_of_these_refused": int((rises & ~kept).sum()),
        "n_separated_without_rise": int((separated & ~rises).sum()),
        "asked_height_adc": asked_adc(folder),
        "generated_height_adc": np.quantile(heights, [0.1587, 0.5, 0.8413]).tolist(),
    }


def engines(folder: Path, samples: NDArray[Any]) -> list[dict[str, Any]]:
    """Compare native engine, ONNX Runtime and Keras on recorded pulses, for each frozen model and output."""
    found = []
    for name in TRAININGS:
        frozen = read_frozen(folder / f"{name}.discrimen")
        given = samples if frozen.generator is None else _codes(frozen.generator)
        keras = _of_keras(folder / name, given, generates=frozen.generator is not None)
        sides = {
            engine: load_model(folder / path).predictor.run(given)
            for engine, path in (("native", f"{name}.discrimen"), ("onnx", f"{name}.onnx"))
        }
        for number, output in enumerate(frozen.description.outputs):
            row = {"model": name, "output": output.name, "n_pulses": len(given)}
            row["largest"] = float(np.nanmax(np.abs(keras[number])))
            row["tolerance"] = frozen.golden.tolerances[number]
            for engine, values in sides.items():
                row[f"{engine}_off"] = float(np.nanmax(np.abs(values[number] - keras[number])))
            found.append(row)
    return found


def _codes(generator: Any) -> NDArray[np.float32]:
    """Return what a decoder takes: codes and condition of the training pulses."""
    library = generator.library
    return np.concatenate(
        [library.code_mean.astype(np.float32), generator.condition.rows(library.label, library.size)], axis=1
    )


def _of_keras(folder: Path, samples: NDArray[Any], *, generates: bool) -> tuple[NDArray[np.float32], ...]:
    if not generates:
        return load_model(folder).predictor.run(samples)
    model = load_model_folder(folder)[0]
    return (np.asarray(model.get_layer("decoder").predict(samples, verbose=0)),)


def main() -> None:
    """Run and print."""
    words = sys.argv[1:]
    cut = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args(words[:cut])
    inputs = words[cut + 1 :]
    told = all_stages(chosen.run, chosen.output, inputs, epochs=chosen.epochs, n_records=chosen.records)
    compared = engines(chosen.output, _recorded(chosen.output))
    if chosen.json:
        print(json.dumps({"stages": told, "engines": compared, "figures": figures(chosen.output)}))
        return
    for each in told:
        print(f"$ {each['command']}   # status {each['status']}, {each['seconds']:.1f} s")
        print("\n".join(f"    {line}" for line in each["said"]))
    print("\n".join(f"{name}: {value}" for name, value in figures(chosen.output).items()))
    print(f"{'model':12} {'output':16} {'pulses':>6} {'largest':>9} {'tolerance':>10} {'native':>9} {'ONNX':>9}")
    for row in compared:
        print(
            f"{row['model']:12} {row['output']:16} {row['n_pulses']:6} {row['largest']:9.3g} {row['tolerance']:10.2g} "
            f"{row['native_off']:9.2g} {row['onnx_off']:9.2g}"
        )


def _recorded(folder: Path) -> NDArray[Any]:
    """Return the records of the run, as `convert` writes them."""
    samples: NDArray[Any] = discrimen.read(folder / "recorded.lh5").pulses.samples
    return samples


if __name__ == "__main__":
    main()
