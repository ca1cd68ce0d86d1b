"""Separation of piled-up pulses by a network beside a regularised fit of templates, on NPPD traces and on BC501A.

NPPD (simulated elsewhere, --nppd FOLDER with ELEMENT/Type2 in it): every tenth trace of each element is held out by
its position; the rest of all elements trains. Then each element is left out as a whole. BC501A read by NUMEXO2: pairs
at 0 to 400 ns, 60 to 1000 keVee. All networks are trained and run by the commands of docs/separate.md.

Usage: python benchmarks/separate.py -o FOLDER [--nppd ../shared/data/pileup] [--pulses 60000] [--epochs 50]
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.formats.table import open_reader
from discrimen.inference.native import NativePredictor
from discrimen.network.prepare import prepare
from discrimen.output.style import BLACK, GAMMA_COLOUR, GREY, NEUTRON_COLOUR, house_style, new_figure
from discrimen.pulse_shape.template import Template
from discrimen.pulses import Label, concatenate
from discrimen.reconstruction.part_pulses import PartWriter
from discrimen.reconstruction.parts import Kind, Parted, part_records
from discrimen.reconstruction.phase import Phases
from discrimen.reconstruction.template_fit import choose_ridge, fit_two
from discrimen.runs.components import read_components
from discrimen.training.tasks.separation import above_baseline

NETWORK = ("--task", "separation", "--architecture", "mlp", "--learning-rate-decay", "cosine", "--patience", "0")
SPECTRUM = ("--energy-min-kevee", "60", "--energy-max-kevee", "1000", "--pileup-delay-max-ns", "400")
DISTANCES_NS = (0, 10, 20, 30, 50, 100, 200, 400)
RATIOS = (0.0, 0.1, 0.3, 1.0, 3.0, 10.0, np.inf)
LEAST_KEVEE, LEAST_NS = 100.0, 100.0
HELD_OUT = 7
"""Traces whose position ends in this digit are held out; those that end in 0 and 5 have served to choose the recipe."""


def command(*arguments: object) -> dict[str, Any]:
    """Run discrimen and return what it says."""
    line = [sys.executable, "-m", "discrimen", *map(str, arguments), "--json"]
    ended = subprocess.run(line, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise SystemExit(f"{' '.join(line)}\n{ended.stderr[-2000:]}")
    told: dict[str, Any] = json.loads(ended.stdout)
    return told


def separator(folder: Path, name: str, data: list[object], *more: object) -> Path:
    """Train and freeze."""
    command("train", *data, *NETWORK, *more, "-o", folder / name, "--overwrite", "--accept")
    command("freeze", folder / name, "-o", folder / f"{name}.discrimen")
    return folder / f"{name}.discrimen"


def nppd(source: Path, folder: Path, *, epochs: int, gain: float) -> dict[str, Any]:
    """Judge the held-out tenth, and each element by a network of the others."""
    elements = sorted(path.name for path in source.iterdir() if (path / "Type2").is_dir())
    stems = ("feature", "label1", "label2")
    held: dict[str, list[str]] = {stem: [] for stem in stems}
    for element in elements:
        (folder / element / "Type2").mkdir(parents=True, exist_ok=True)
        for stem in stems:
            rows = (source / element / "Type2" / f"{stem}_train.csv").read_text().splitlines(keepends=True)
            held[stem] += rows[HELD_OUT::10]
            kept = "".join(row for number, row in enumerate(rows) if number % 10 != HELD_OUT)
            (folder / element / "Type2" / f"{stem}_train.csv").write_text(kept)
    (folder / "held" / "Type2").mkdir(parents=True, exist_ok=True)
    for stem, rows in held.items():
        (folder / "held" / "Type2" / f"{stem}_test.csv").write_text("".join(rows))
    network = ("--option", "hidden=512,512", "--epochs", epochs, "--split", "pulse")
    how = (*network, "--scale", "none", "--part-gain", gain, "--part-moved", "0.4")
    model = separator(folder, "nppd", [folder / each / "Type2" for each in elements], *how)
    result = {"held_out_tenth": judged(model, folder / "held" / "Type2")}
    for element in elements:
        others = [source / each / "Type2" for each in elements if each != element]
        model = separator(folder, f"without_{element}", list(others), *how)
        result[f"{element} by a network of {', '.join(each for each in elements if each != element)}"] = judged(
            model, source / element / "Type2"
        )
    return result


def judged(model: Path, data: Path) -> dict[str, Any]:
    """Return what `separate` says."""
    told = command("separate", model, data, "--threshold", "1", "--accept", "--fit", "400")
    (file,) = told["files"]
    found: dict[str, Any] = file["judged"]
    return found


class Bc501a:
    """Simulated pairs, the network's parts of them and those of the fit."""

    def __init__(self, folder: Path, *, n_pulses: int, n_judged: int, epochs: int) -> None:
        self.folder = folder
        for name, number, share, seed in (
            ("train", n_pulses, 1.0, 1),
            ("classes", n_pulses, 0.7, 2),
            ("judge", n_judged, 0.7, 3),
        ):
            where = ("-o", folder / f"{name}.lh5", "--components", folder / f"{name}.parts.lh5")
            command("simulate", *where, "-n", number, *SPECTRUM, "--pileup-fraction", share, "--seed", seed)
        batch = ("--batch-size", "256", "--split", "pulse")
        self.model = separator(
            folder,
            "bc501a",
            [folder / "train.lh5", "--components", folder / "train.parts.lh5"],
            *("--option", "hidden=512,256", "--epochs", epochs, *batch),
        )
        self.separated("classes")
        how = ("--architecture", "mlp", "--option", "hidden=64,32", "--epochs", 40, *batch[:2])
        decay = ("--learning-rate-decay", "cosine", "--accept", "--overwrite")
        command("train", folder / "classes.separated.lh5", *how, *decay, "-o", folder / "classifier")
        command("freeze", folder / "classifier", "-o", folder / "classifier.discrimen")
        self.pulses = concatenate(open_reader(folder / "judge.lh5").chunks())
        self.truth = read_components(open_reader(folder / "judge.parts.lh5"), self.pulses)
        self.predictor = NativePredictor(self.model, threads=1)
        self.parted = part_records(self.predictor, self.pulses.samples, adc_bits=14)
        self.preparation = self.predictor.description.preparation
        self.wanted = above_baseline(self.truth.records, self.preparation)

    def separated(self, name: str) -> None:
        """Write the separated pulses of a run, with their true classes."""
        run, parts = self.folder / f"{name}.lh5", self.folder / f"{name}.parts.lh5"
        output = self.folder / f"{name}.separated.lh5"
        how = ("--components", parts, "-o", output, "--accept", "--fit", "0", "--overwrite")
        command("separate", self.model, run, *how)

    def fitted(self, at: NDArray[np.int64], train_at: NDArray[np.int64]) -> tuple[Parted, NDArray[np.int64], float]:
        """Fit gamma and neutron templates to some records; the ridge is chosen on others."""
        prepared = prepare(self.pulses.samples, self.preparation)
        records = prepared.waveforms[:, 0] * prepared.restoration.divisor[:, np.newaxis].astype(np.float32)
        assert self.truth.label is not None
        first, label = self.wanted[:, 0], self.truth.label[:, 0]
        templates = [Template.of(first[label == kind][:3000]) for kind in (Label.GAMMA, Label.NEUTRON)]
        ridge = choose_ridge(records[train_at], self.wanted[train_at].astype(np.float64), templates)
        found = fit_two(records[at], templates, ridge=ridge)
        order = np.argsort(found.crossing, axis=1)
        parts = np.take_along_axis(found.parts, order[:, :, np.newaxis], axis=1).astype(np.float32)
        # What the templates leave belongs to the pulses: shared by their size, as with the network.
        share = np.maximum(parts, 0) + 1e-3 * np.abs(records[at]).max(axis=1)[:, np.newaxis, np.newaxis]
        parts += share / share.sum(axis=1, keepdims=True) * (records[at] - parts.sum(axis=1))[:, np.newaxis]
        parted = Parted(
            kind=np.full(len(at), Kind.PAIR, np.int8),
            waves_adc=parts,
            crossing=np.take_along_axis(found.crossing, order, axis=1).astype(np.float32),
            baseline_adc=prepared.restoration.baseline_adc[at, 0],
            single=np.zeros(len(at), np.float32),
            outside=None,
        )
        return parted, np.take_along_axis(found.template, order, axis=1), ridge

    def classes(self, parted: Parted, at: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the class of each part of some records by the classifier, -1 where a record is not parted."""
        writer = PartWriter(
            preparation=self.preparation,
            calibration=None,
            gates=None,
            classifier=NativePredictor(self.folder / "classifier.discrimen", threads=1),
            in_place=False,
            as_float=False,
            adc_bits=14,
            run=None,
            where="judge",
        )
        numbered = self.pulses[at].replace(entry=np.arange(len(at)))
        written = writer.written(numbered, parted, label=None)
        found = np.full((len(at), 2), -1)
        pair = parted.is_pair[written.column("entry")]
        rows, part = written.column("entry")[pair], written.column("part")[pair]
        found[rows, part] = written.column("neutron_score")[pair] >= 0.5
        return found

    def rows(self, parted: Parted, classes: NDArray[np.int64], at: NDArray[np.int64]) -> list[dict[str, Any]]:
        """Return the figures of one way by distance, for pairs above 100 keVee each."""
        assert self.truth.label is not None
        assert self.truth.energy_kevee is not None
        assert self.truth.time_offset_ns is not None
        label, light = self.truth.label[at], self.truth.energy_kevee[at]
        delay_ns, wanted = self.truth.time_offset_ns[at, 1], self.wanted[at]
        phases = Phases.learn(parted.crossing[parted.is_pair])
        time = parted.crossing if phases is None else phases.times(parted.crossing)
        late = (time[:, 1] - time[:, 0]) * self.preparation.sample_period_ns - delay_ns
        true_charge = wanted.sum(axis=2)
        charge = parted.waves_adc.sum(axis=2) / np.where(true_charge > 0, true_charge, np.nan) - 1
        bright = light.min(axis=1) >= LEAST_KEVEE
        rows = []
        for low, high in [*itertools.pairwise(DISTANCES_NS), (LEAST_NS, np.inf)]:
            records = bright & (delay_ns >= low) & (delay_ns < high)
            inside = records & parted.is_pair
            # A record that was not parted is not right.
            right = (classes == label)[records].all(axis=1)
            rows.append(
                {
                    "low_ns": float(low),
                    "high_ns": None if np.isinf(high) else float(high),
                    "n_records": int(records.sum()),
                    "n_parted": int(inside.sum()),
                    "both_right": _mean(right),
                    "charge_first": _spread(charge[inside, 0]),
                    "charge_second": _spread(charge[inside, 1]),
                    "delay_ns": _spread(late[inside]),
                    "delay_bias_ns": float(np.median(late[inside])) if inside.any() else None,
                }
            )
        return rows

    def efficiency(self) -> dict[str, Any]:
        """Return false alarms, and the share of pairs that are found by distance and ratio of light."""
        assert self.truth.energy_kevee is not None
        assert self.truth.time_offset_ns is not None
        two = self.truth.n_pulses[:, 1] > 0
        valid = np.isin(self.parted.kind, (Kind.SINGLE, Kind.PAIR, Kind.MORE, Kind.UNCLEAR))
        found = self.parted.kind != Kind.SINGLE
        ratio = self.truth.energy_kevee[:, 1] / self.truth.energy_kevee[:, 0]
        table = []
        for low, high in itertools.pairwise(DISTANCES_NS):
            near = two & valid & (self.truth.time_offset_ns[:, 1] >= low) & (self.truth.time_offset_ns[:, 1] < high)
            cells = [near & (ratio >= least) & (ratio < most) for least, most in itertools.pairwise(RATIOS)]
            table.append({"low_ns": low, "high_ns": high, "found": [_mean(found[cell]) for cell in cells]})
        alone = ~two & valid
        return {
            "n_alone": int(alone.sum()),
            "n_false_alarms": int(found[alone].sum()),
            "n_two_taken_for_more": int((two & (self.parted.kind == Kind.MORE)).sum()),
            "by_distance": table,
        }

    def measure(self, n_fitted: int) -> dict[str, Any]:
        """Return all figures."""
        pairs = np.flatnonzero((self.truth.n_pulses[:, 1] > 0) & self.parted.is_pair)
        train_at, at = pairs[:100], pairs[100 : 100 + n_fitted]
        every = np.arange(len(self.pulses))
        classes = self.classes(self.parted, every)
        fit, templates, ridge = self.fitted(at, train_at)
        of_some = _rows_of(self.parted, at)
        return {
            "efficiency": self.efficiency(),
            "network": self.rows(self.parted, classes, every),
            "same records": {
                "ridge": ridge,
                "network": self.rows(of_some, classes[at], at),
                "fit, class of the template": self.rows(fit, templates, at),
                "fit, classifier": self.rows(fit, self.classes(fit, at), at),
            },
        }

    def draw(self, path: Path) -> None:
        """Draw a gamma behind a neutron and the reverse: record, parts and truth."""
        assert self.truth.label is not None
        assert self.truth.energy_kevee is not None
        assert self.truth.time_offset_ns is not None
        time_ns = self.preparation.sample_period_ns * np.arange(self.wanted.shape[2])
        delay = self.truth.time_offset_ns[:, 1]
        with house_style():
            figure = new_figure(11, 4.2)
            for axes, kinds in zip(figure.subplots(1, 2), ((1, 0), (0, 1)), strict=True):
                good = self.parted.is_pair & (self.truth.label == kinds).all(axis=1) & (delay > 55) & (delay < 85)
                light = self.truth.energy_kevee
                row = int(np.flatnonzero(good & (light.min(axis=1) > 150) & (light.max(axis=1) < 400))[0])
                record = self.parted.waves_adc[row].sum(axis=0)
                axes.plot(time_ns, record, "-", color=GREY, linewidth=3, label="record")
                for part, kind in enumerate(kinds):
                    colour, name = (NEUTRON_COLOUR, "neutron") if kind else (GAMMA_COLOUR, "gamma")
                    axes.plot(time_ns, self.wanted[row, part], "-", color=BLACK, linewidth=1.2)
                    told = f"{name}, {light[row, part]:.0f} keVee"
                    axes.plot(time_ns, self.parted.waves_adc[row, part], "--", color=colour, linewidth=2, label=told)
                axes.plot([], [], "-", color=BLACK, linewidth=1.2, label="truth")
                axes.set_title(f"{delay[row]:.0f} ns apart")
                axes.set_xlabel("time (ns)")
                axes.set_xlim(100, 500)
                axes.set_yscale("symlog", linthresh=30)
                axes.set_ylim(-15, 4000)
                axes.legend(loc="upper right")
            figure.axes[0].set_ylabel("above the baseline (ADC counts)")
            figure.savefig(path, dpi=110)


def _rows_of(parted: Parted, at: NDArray[np.int64]) -> Parted:
    names = ("kind", "waves_adc", "crossing", "baseline_adc", "single")
    return Parted(outside=None, **{name: getattr(parted, name)[at] for name in names})


def _mean(values: NDArray[Any]) -> float | None:
    return float(values.mean()) if len(values) else None


def _spread(values: NDArray[Any]) -> float | None:
    known = values[np.isfinite(values)]
    return float(np.diff(np.quantile(known, (0.16, 0.84)))[0] / 2) if len(known) else None


def main() -> None:
    """Measure, draw and tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--nppd", type=Path, help="folder with ELEMENT/Type2; without it BC501A alone")
    parser.add_argument("--pulses", type=int, default=60_000, help="0 leaves BC501A out")
    parser.add_argument("--judged", type=int, default=20_000)
    parser.add_argument("--fitted", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--nppd-epochs", type=int, default=400)
    parser.add_argument("--gain", type=float, default=0.1)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    result: dict[str, Any] = {}
    if options.nppd is not None:
        result["nppd"] = nppd(options.nppd, options.output, epochs=options.nppd_epochs, gain=options.gain)
    if options.pulses:
        bench = Bc501a(options.output, n_pulses=options.pulses, n_judged=options.judged, epochs=options.epochs)
        result["bc501a"] = bench.measure(options.fitted)
        bench.draw(options.output / "separate.png")
    text = json.dumps(result, indent=2)
    (options.output / "separate.json").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
