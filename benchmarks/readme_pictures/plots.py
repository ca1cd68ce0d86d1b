"""Pictures that are drawn from the results of commands, in letters that can be read on a telephone."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

import h5py
import numpy as np

import discrimen
from discrimen.output.style import (
    BLUE,
    GAMMA_COLOUR,
    GREY,
    NEUTRON_COLOUR,
    VERMILION,
    house_style,
    new_figure,
    plain_logarithm,
)
from discrimen.pulses import Label
from readme_pictures.carry_out import carry_out

ROOT = Path(__file__).resolve().parents[2]
CLUSTER = (
    "discrimen batch slurm demo-output/demo.discrimen run_*.BIN -o scores --jobs jobs --time 01:00:00",
    "sh jobs/submit -n",
    "discrimen classify demo-output/demo.discrimen run_*.BIN -o scores --cluster local",
)
_LETTERS = 1.5
_COLUMNS = 66
_AT_KEVEE = 60.0


def new_picture(height_inches: float) -> Any:
    """Return an empty figure of 1200 pixels width."""
    return new_figure(10.0, height_inches)


def save(figure: Any, target: Path) -> None:
    """Write it."""
    figure.savefig(target, dpi=120, format="png")


def draw_named(scores: Path, target: Path) -> None:
    """Show a run in the plane of charge comparison, each pulse coloured by the score of the network."""
    with h5py.File(scores) as file:
        light, psd, score = (file[name][:] for name in ("energy_kevee", "psd", "score_neutron"))
    with house_style(font_scale=_LETTERS):
        figure = new_picture(6.0)
        axes = figure.subplots()
        shown = axes.scatter(light, psd, c=score, s=5, cmap="cividis", vmin=0, vmax=1, linewidths=0, rasterized=True)
        axes.set_xscale("log")
        plain_logarithm(axes.xaxis)
        axes.set_xlim(22, 2000)
        axes.set_ylim(-0.12, 0.42)
        axes.set_xlabel("light (keVee)")
        axes.set_ylabel("PSD of charge comparison")
        figure.colorbar(shown, label="neutron score of the network")
        save(figure, target)


def draw_speed(_: Path, target: Path) -> None:
    """Show the time of a pulse in batches, by each engine: the table of docs/measurements.md has it, in one run."""
    page = (ROOT / "docs/measurements.md").read_text(encoding="utf-8")
    onnxruntime, native = _times(page, "MLP 75-10-4-2, batches: ONNX Runtime / native")
    openvino, _ = _times(page, "the same: OpenVINO / native")
    least = {"discrimen": native, "OpenVINO": openvino, "ONNX Runtime": onnxruntime}
    with house_style(font_scale=_LETTERS):
        figure = new_picture(3.4)
        axes = figure.subplots()
        bars = axes.barh(list(least), list(least.values()), color=[VERMILION, BLUE, BLUE])
        axes.bar_label(bars, [f" {value:.0f} ns" for value in least.values()])
        axes.invert_yaxis()
        axes.set_xlim(right=1.18 * max(least.values()))
        axes.set_xlabel("time of a pulse in batches, one core (ns)")
        save(figure, target)


def _times(page: str, row: str) -> tuple[float, float]:
    """Return the two times in brackets of a row of a table."""
    found = re.search(rf"^\| {re.escape(row)} \|.*\(([\d.]+) / ([\d.]+) ns", page, re.MULTILINE)
    if found is None:
        raise ValueError(f"docs/measurements.md: no row {row!r} with (... / ... ns)")
    return float(found[1]), float(found[2])


def draw_cluster(folder: Path, target: Path) -> None:
    """Show what the commands for a cluster print."""
    batch, missing, classify = CLUSTER
    lines = []
    for command, step in ((batch, "before"), (missing, "before"), (classify, "dask"), (missing, "after")):
        printed = carry_out(folder, command if step != "after" else f"true; {command}").replace(f"{folder}/", "")
        told = printed.strip().splitlines()
        lines += [f"$ {command}", *([told[-2].rstrip(":")] if step == "dask" else told), ""]
    wrapped = [
        (part, line.startswith("$"))
        for line in lines
        for part in textwrap.wrap(line, _COLUMNS, subsequent_indent="    ") or [""]
    ][:-1]
    with house_style():
        figure = new_picture(0.33 * len(wrapped) + 0.4)
        figure.set_layout_engine("none")
        figure.set_facecolor("#1b1b1b")
        for number, (line, is_typed) in enumerate(wrapped):
            colour = "#ffffff" if is_typed else "#9fd3f2"
            height = 1 - (number + 0.9) / (len(wrapped) + 1)
            figure.text(0.02, height, line, family="monospace", size=15.5, color=colour)
        save(figure, target)


def draw_denoised(folder: Path, target: Path) -> None:
    """Show the tail of a neutron before and after."""
    recorded, clean, denoised = (discrimen.read(folder / name) for name in ("run.lh5", "run.clean.lh5", "denoised.lh5"))
    entries = denoised.pulses.column("entry")
    with h5py.File(folder / "run.truth.h5") as truth:
        light, label = truth["energy_kevee"][:][entries], truth["label"][:][entries]
    nearest = np.where(label == Label.NEUTRON, abs(light - _AT_KEVEE), np.inf)
    at = int(np.argmin(nearest))
    time_ns = 10.0 * np.arange(recorded.pulses.samples.shape[1])
    true = clean.pulses.samples[entries[at]].astype(float)
    baseline = true[:12].mean()
    with house_style(font_scale=_LETTERS):
        figure = new_picture(5.0)
        axes = figure.subplots()
        axes.plot(
            time_ns, baseline - recorded.pulses.samples[entries[at]].astype(float), "o", color=GREY, label="recorded"
        )
        axes.plot(time_ns, baseline - true, "-", color="black", linewidth=2, label="without noise (truth)")
        axes.plot(
            time_ns,
            baseline - denoised.pulses.samples[at].astype(float),
            "--",
            color=NEUTRON_COLOUR,
            linewidth=3,
            label="denoised",
        )
        axes.set_ylim(-12, 42)
        axes.set_xlabel("time in record (ns)")
        axes.set_ylabel("ADC counts")
        axes.set_title(f"the tail of a neutron of {light[at]:.0f} keVee")
        axes.legend(loc="upper right")
        save(figure, target)


def draw_fpga(_: Path, target: Path) -> None:
    """Show leakage against size, by the table of docs/figures/fpga.md: its commands take ten minutes."""
    page = (ROOT / "docs/figures/fpga.md").read_text(encoding="utf-8").split("## ")[1]
    number = r"([\d.,]+)"
    row = re.compile(rf"^\| `--beta [^|]*\| [^|]*\| {number} \| {number} \[{number}, {number}\]", re.MULTILINE)
    found = np.array([[float(cell.replace(",", "")) for cell in cells] for cells in row.findall(page)])
    float_network = float(re.search(rf"^\| float[^|]*\| - \| - \| {number}", page, re.MULTILINE)[1])
    size, leakage, low, high = found[found[:, 1] < 20].T
    with house_style(font_scale=_LETTERS):
        figure = new_picture(4.6)
        axes = figure.subplots()
        axes.errorbar(size, leakage, (leakage - low, high - leakage), fmt="o", color=BLUE, markersize=9, capsize=5,
                      label="few bits, in look-up tables")  # fmt: skip
        axes.axhline(
            float_network, color=VERMILION, linestyle="--", linewidth=2.5, label="the same network in floating point"
        )
        axes.set_ylim(0, 10)
        axes.set_xlim(left=0)
        axes.set_xlabel("look-up tables of the network (7-series)")
        axes.set_ylabel("gamma leakage (%)")
        axes.set_title("50-100 keVee, 95 % of the neutrons kept")
        axes.legend(loc="upper left")
        save(figure, target)


def draw_germanium(folder: Path, target: Path) -> None:
    """Show where hits were found, and how far from the truth."""
    with h5py.File(folder / "positions.h5") as file, h5py.File(folder / "hits.h5") as hits:
        found = np.stack([file[f"{axis}_mm"][:] for axis in "xyz"], axis=1)
        true = np.stack([hits[f"columns/{axis}_mm"][:] for axis in "xyz"], axis=1)[file["entry"][:]]
        sector = file["segment"][:] % 6
    distance = np.linalg.norm(found - true, axis=1)
    distance = distance[np.isfinite(distance)]
    with house_style(font_scale=_LETTERS):
        figure = new_picture(5.2)
        left, right = figure.subplots(1, 2, width_ratios=(1.15, 1))
        left.scatter(found[:, 0], found[:, 1], c=sector, s=7, cmap="cividis", linewidths=0)
        left.set_aspect("equal")
        left.set_xlabel("x (mm)")
        left.set_ylabel("y (mm)")
        left.set_title("hits of 300 keV, located")
        right.hist(distance, bins=np.arange(0, 4.01, 0.1), color=GAMMA_COLOUR)
        median = float(np.median(distance))
        right.axvline(median, color=VERMILION, linewidth=3, label=f"median {median:.2f} mm")
        right.set_xlabel("distance from the truth (mm)")
        right.set_ylabel("hits")
        right.legend(loc="upper right")
        save(figure, target)
