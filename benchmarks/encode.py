"""Compression by a network: what it saves and what it loses where it matters, by light, against bytes.

Simulated BC501A read by NUMEXO2 (75 samples of 14 bits). Three runs: one trains the auto-encoders and the teacher, one
an independent network of another architecture, one is judged. Each auto-encoder is frozen, and its codes file is
written and read by the stages behind `discrimen encode` and `decode`. Losses are paired: the same fixed networks judge
the recorded and the decoded pulses. Beside it are principal components of the same bytes (in the stabilised scale, the
number of components of the least error), and lossless codecs.

Usage: python benchmarks/encode.py -o FOLDER [--training 200000] [--pulses 200000] [--epochs 25] [--seed 1]
       [--curve 8:0.03,10:0.015,12:0.008] [--json]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import discrimen
from discrimen.formats.table import open_reader
from discrimen.freezing.freeze import freeze
from discrimen.inference.native import NativePredictor
from discrimen.network.prepare import choose_preparation, prepare
from discrimen.pulses import Pulses, concatenate
from discrimen.runs.simulated import simulate_run
from discrimen.simulation.config import SimulationConfig
from discrimen.training import Classification, Compression, TrainingConfig, train
from discrimen.training.tasks.compression import noise_of
from encode_judged import Judge, Records, of_row
from encode_others import Components, lossless_bytes, told
from encode_pictures import draw_curve, draw_pulses

CURVE = "8:0.03,10:0.015,12:0.008"
"""Numbers in the code, and what a bit counts in the loss."""
CHOSEN = 1
TEACHER_SEED, INDEPENDENT_SEED, CODER_SEED = 0, 5, 0
HIDDEN = (256, 128)
NUMBERS_OF_COMPONENTS = (4, 5, 6, 7, 8, 10, 12)
Point = tuple[int, float]


class Bench:
    """The three runs, and the networks that judge."""

    def __init__(self, folder: Path, *, n_training: int, n_pulses: int, seed: int) -> None:
        self.folder, self.seed = folder, seed
        self.training = self._run("training", n_training, seed)
        self.judged = self._run("judged", n_pulses, seed + 1)
        self.settings = discrimen.read(folder / "training.lh5").settings
        shape = {"n_samples": self.training.n_samples, "scale": "none"}
        self.preparation = choose_preparation(self.settings, **shape)
        self.teacher = self._classifier("teacher", self.training, seed=TEACHER_SEED, architecture="patches")
        other = self._run("independent", n_training, seed + 3)
        hidden = {"architecture": "mlp", "options": {"hidden": (40, 20)}}
        self.independent = self._classifier("independent", other, seed=INDEPENDENT_SEED, **hidden)

    def _run(self, name: str, n_pulses: int, seed: int) -> Pulses:
        path = self.folder / f"{name}.lh5"
        if not path.exists():
            config = SimulationConfig(n_pulses=n_pulses, energy_min_kevee=20, energy_max_kevee=550, seed=seed)
            simulate_run(config, path)
        return discrimen.read(path, label_by="truth").pulses

    def _classifier(self, name: str, pulses: Pulses, *, seed: int, **network: Any) -> Path:
        path = self.folder / f"{name}.discrimen"
        if not path.exists():
            config = TrainingConfig(
                task=Classification(), epochs=25, learning_rate_decay="cosine", seed=seed, **network
            )
            preparation = choose_preparation(self.settings, n_samples=pulses.n_samples)
            where = {"folder": self.folder / name, "settings": self.settings, "overwrite": True}
            train(pulses, preparation, config, **where)
            freeze(self.folder / name, path)
        return path

    def coder(self, point: Point, *, epochs: int) -> Path:
        """Train an auto-encoder and freeze it."""
        code, rate_weight = point
        name = f"code{code}_rate{rate_weight:g}"
        path = self.folder / f"{name}.discrimen"
        if not path.exists():
            config = TrainingConfig(
                task=Compression(teacher=str(self.teacher), rate_weight=rate_weight),
                architecture="dense_autoencoder",
                options={"code": code, "hidden": HIDDEN},
                epochs=epochs,
                batch_size=256,
                learning_rate_decay="cosine",
                patience=None,
                seed=CODER_SEED,
            )
            where = {"folder": self.folder / name, "settings": self.settings, "overwrite": True}
            train(self.training, self.preparation, config, **where)
            freeze(self.folder / name, path)
        return path

    def through_codes(self, model: Path) -> tuple[NDArray[Any], dict[str, Any]]:
        """Return the judged records as they come back, and what the codes file takes."""
        codes, back = (self.folder / f"{model.stem}{suffix}" for suffix in (".codes", ".back.lh5"))
        done = discrimen.encode(model, self.folder / "judged.lh5", codes, most_outside=1.0)
        discrimen.decode(model, codes, back)
        return concatenate(open_reader(back).chunks()).samples, done.as_dict()

    def above(self, samples: NDArray[Any]) -> NDArray[np.float64]:
        """Return records above their baseline, upwards."""
        return prepare(samples, self.preparation).waveforms[:, 0].astype(np.float64)


def by_components(bench: Bench, wanted_bytes: int) -> tuple[NDArray[Any], dict[str, Any]]:
    """Return the judged records through principal components of the same bytes, the number of them of least error."""
    learnt, judged = bench.above(bench.training.samples), bench.above(bench.judged.samples)
    unit_adc = noise_of(learnt[:, np.newaxis].astype(np.float32), bench.preparation)
    components = Components.of(learnt, unit_adc)
    best: tuple[float, NDArray[Any], dict[str, Any]] | None = None
    for number in NUMBERS_OF_COMPONENTS:
        found, n_bytes, step = components.at_bytes(judged, number=number, wanted_bytes=wanted_bytes)
        error = components.error(judged, found)
        if best is None or error < best[0]:
            best = error, found, {"n_components": number, "n_bytes": n_bytes, "step": step}
    assert best is not None
    baseline_adc = prepare(bench.judged.samples, bench.preparation).restoration.baseline_adc
    records = baseline_adc + bench.preparation.only.polarity * best[1]
    return np.clip(np.rint(records), 0, 2**14 - 1).astype(np.uint16), best[2]


def measure(bench: Bench, curve: Sequence[Point], *, epochs: int) -> dict[str, Any]:
    """Return all figures."""
    judge = Judge(
        recorded=Records(bench.judged.samples, bench.preparation, bench.settings),
        light=bench.judged.column("energy_kevee"),
        labels=bench.judged.column("label"),
        networks={"teacher": NativePredictor(bench.teacher), "independent": NativePredictor(bench.independent)},
    )
    rows, decoded = [], {}
    for point in curve:
        model = bench.coder(point, epochs=epochs)
        records, size = bench.through_codes(model)
        decoded[point] = records
        other, how = by_components(bench, size["stored_bytes"]["codes"])
        rows.append(
            {
                "code": point[0],
                "rate_weight": point[1],
                **{name: size[name] for name in ("ratio", "bits_a_pulse", "waveform_bytes", "column_bytes")},
                "not_encoded": size["files"][0]["n_not_encoded"],
                "ranges": judge.ranges(records),
                "components": {**how, "ranges": judge.ranges(other)},
            }
        )
    chosen = curve[min(CHOSEN, len(curve) - 1)]
    draw_curve(rows, bench.folder / "encode.png")
    draw_pulses(judge, decoded[chosen], bench.folder / "encode_pulses.png")
    return {
        "n_training": len(bench.training),
        "n_judged": len(bench.judged),
        "recorded": judge.recorded_figures(),
        "curve": rows,
        "lossless_bytes": lossless_bytes(bench.judged.samples[:50_000]),
    }


def lines(result: Mapping[str, Any]) -> list[str]:
    """Return the tables as text."""
    told_lines = [f"{result['n_training']} training pulses, {result['n_judged']} judged", "recorded:"]
    told_lines += [f"  {name}: {values}" for name, values in result["recorded"].items()]
    for row in result["curve"]:
        told_lines.append(
            f"code of {row['code']}, {row['bits_a_pulse']:.1f} bits a pulse, {row['ratio']:.1f} times fewer bytes "
            f"(a bit counts {row['rate_weight']:g}; {row['not_encoded']} kept as recorded)"
        )
        told_lines += [f"  {of_row(each)}" for each in row["ranges"]]
        told_lines.append(f" {row['components']['n_components']} principal components of the same bytes")
        told_lines += [f"  {of_row(each)}" for each in row["components"]["ranges"]]
    return [*told_lines, "lossless:", *told(result["lossless_bytes"])]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--training", type=int, default=200_000)
    parser.add_argument("--pulses", type=int, default=200_000)
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--curve", default=CURVE)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    bench = Bench(given.output, n_training=given.training, n_pulses=given.pulses, seed=given.seed)
    points = [point.split(":") for point in given.curve.split(",")]
    result = measure(bench, [(int(code), float(rate)) for code, rate in points], epochs=given.epochs)
    print(json.dumps(result, indent=2) if given.json else "\n".join(lines(result)))


if __name__ == "__main__":
    main()
