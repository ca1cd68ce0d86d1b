"""The two charts of time per signal against batch size, training and inference: CPU and GPU, every architecture.

Networks of random weights at their default options; from raw int16 samples to outputs by the native engine, and steps
of Adam by Keras on JAX. One core, all cores and the first GPU are measured one after another, each in a process of its
own; where lines cross is marked in the pictures and printed. What this machine lacks is said, and leaves no line.

    python benchmarks/batch_charts.py [-o bench-output/batch-charts] [--only mlp,lstm] [--seconds 1] [--batch 1,1000]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from discrimen.errors import DeviceError, DiscrimenError
from discrimen.output.provenance import software_versions, utc_now
from discrimen.output.style import BLUE, GREEN, VERMILION, house_style, new_figure
from laboratory.batch_series import (
    DECADES,
    TASKS,
    SeriesPoint,
    Task,
    crossing,
    inference_points,
    training_points,
)
from laboratory.limits import available_memory_bytes, cpu_name
from laboratory.random_networks import Network, networks

ONE_CORE, ALL_CORES, GPU = "CPU, one core", "CPU, all cores", "GPU"
_LOOKS = {ONE_CORE: (BLUE, "o"), ALL_CORES: (GREEN, "s"), GPU: (VERMILION, "D")}
_PANELS_IN_A_ROW = 3
_NO_DEVICE = 3
"""Status of a process whose device is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One line of a chart: its points, and why it is shorter than wished or not there."""

    network: str
    task: Task
    place: str
    points: tuple[SeriesPoint, ...]
    remark: str | None


def measure(network: str, task: Task, place: str, *, model: Path, batch: str, seconds: float) -> Series:
    """Measure a line in a process of its own, which may run out of memory alone."""
    command = [sys.executable, __file__, "--line", network, task, place, str(model), "--batch", batch]
    done = subprocess.run([*command, "--seconds", str(seconds)], capture_output=True, text=True, check=False)
    said = [json.loads(line) for line in done.stdout.splitlines() if line.startswith(("{", '"'))]
    points = tuple(SeriesPoint(**each) for each in said if isinstance(each, dict))
    remark = next((each for each in said if isinstance(each, str)), None)
    if done.returncode and remark is None:
        last = next(iter(reversed(done.stderr.strip().splitlines())), "")
        remark = (
            f"ended with status {done.returncode} behind batch {points[-1].batch_size if points else 0}: {last[:200]}"
        )
    return Series(network=network, task=task, place=place, points=points, remark=remark)


def line(network: Network, task: Task, place: str, model: Path, sizes: Sequence[int], seconds: float) -> int:
    """Print the points of a line as they come."""
    cores = sorted(os.sched_getaffinity(0))
    if place == ONE_CORE:
        os.sched_setaffinity(0, cores[:1])
    if place != GPU:
        most = int(0.6 * available_memory_bytes())
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    device, threads = ("cuda" if place == GPU else "cpu"), (1 if place == ONE_CORE else len(cores))
    try:
        points: Iterator[SeriesPoint | str] = (
            inference_points(model, network, device=device, threads=threads, batch_sizes=sizes, seconds=seconds)
            if task == "inference"
            else training_points(network, device=device, batch_sizes=sizes, seconds=seconds)
        )
        for point in points:
            print(json.dumps(point if isinstance(point, str) else asdict(point)), flush=True)
    except DeviceError as error:
        print(json.dumps(" ".join(str(error).split())))
        return _NO_DEVICE
    return 0


def draw(task: Task, lines: Sequence[Series], machine: str) -> Figure:
    """Draw a panel for each architecture, with the batch size where its last two lines cross."""
    names = list(dict.fromkeys(each.network for each in lines))
    n_rows = -(-len(names) // _PANELS_IN_A_ROW)
    with house_style():
        figure = new_figure(12.0, 1.5 + 2.9 * n_rows)
        panels = figure.subplots(n_rows, min(len(names), _PANELS_IN_A_ROW), squeeze=False, sharex=True).ravel()
        for axes, name in zip(panels, names, strict=False):
            own = {each.place: each.points for each in lines if each.network == name and each.points}
            for place, points in own.items():
                colour, marker = _LOOKS[place]
                times_us = [point.best_ns_per_signal / 1000 for point in points]
                axes.plot([point.batch_size for point in points], times_us, color=colour, marker=marker, label=place)
            axes.set(xscale="log", yscale="log", title=name.replace("_", " "))
            axes.grid(visible=True)
            where, words = crossing_of(own)
            if where is not None:
                axes.axvline(where, color="0.3", linestyle=":")
            axes.text(0.98, 0.95, words, transform=axes.transAxes, ha="right", va="top", fontsize=10)
        for axes in panels[len(names) :]:
            axes.set_axis_off()
        shown = {
            label: handle for axes in panels for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
        }
        figure.legend(shown.values(), shown.keys(), loc="outside upper center", ncols=3)
        of_what = "signals to a call" if task == "inference" else "signals to a step of the optimizer"
        figure.supxlabel(f"{of_what}\n{machine}", fontsize=11)
        figure.supylabel(f"{task}: time per signal (us), best round", fontsize=11)
    return figure


def crossing_of(own: Mapping[str, Sequence[SeriesPoint]]) -> tuple[float | None, str]:
    """Say from which batch size on the GPU is quicker than all cores; without a GPU, all cores than one."""
    slower, faster = (ALL_CORES, GPU) if GPU in own else (ONE_CORE, ALL_CORES)
    if not {slower, faster} <= own.keys():
        return None, ""
    where = crossing(own[slower], own[faster])
    words = faster.removeprefix("CPU, ")
    if where is None:
        return None, f"{words}: never quicker"
    return where, f"{words} quicker\nfrom {where:,.0f} on"


def best(points: Sequence[SeriesPoint]) -> str:
    """Return the least time per signal, and at which batch size."""
    if not points:
        return "-"
    least = min(points, key=lambda point: point.best_ns_per_signal)
    return f"{least.best_ns_per_signal / 1000:.3g} at {least.batch_size:,}"


def table(lines: Sequence[Series]) -> list[str]:
    """Return the best of each line and the crossing, as Markdown."""
    places = [place for place in _LOOKS if any(each.place == place and each.points for each in lines)]
    rows = [f"| {' | '.join(['network', 'task', *(f'{place} (us)' for place in places), 'crossing'])} |"]
    rows.append("|---" * (len(places) + 3) + "|")
    for task in TASKS:
        for name in dict.fromkeys(each.network for each in lines if each.task == task):
            own = {each.place: each.points for each in lines if (each.network, each.task) == (name, task)}
            found = [best(own.get(place, ())) for place in places]
            words = crossing_of({place: points for place, points in own.items() if points})[1].replace("\n", " ")
            rows.append(f"| {' | '.join([name, task, *found, words])} |")
    return rows


def machine_of(lines: Sequence[Series]) -> str:
    """Name the CPU and, where a GPU computed, the GPU."""
    text = f"{cpu_name()}, {len(os.sched_getaffinity(0))} cores"
    if any(each.place == GPU and each.points for each in lines):
        asked = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
        named = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.splitlines()
        text += f"; {named[0] if named else 'a GPU'}"
    return text


def write(folder: Path, lines: Sequence[Series]) -> None:
    """Write the figures as JSON and Markdown, and both charts."""
    folder.mkdir(parents=True, exist_ok=True)
    machine = machine_of(lines)
    values: dict[str, Any] = {"machine": machine, "lines": [asdict(each) for each in lines]}
    values |= {"versions": software_versions("numpy", "keras", "jax"), "date_utc": utc_now()}
    (folder / "batch-charts.json").write_text(json.dumps(values, indent=1))
    (folder / "batch-charts.md").write_text("\n".join([f"{machine}", "", *table(lines), ""]))
    for task in TASKS:
        own = [each for each in lines if each.task == task]
        if any(each.points for each in own):
            draw(task, own, machine).savefig(folder / f"{task}.png", dpi=110)


def parsed() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("-o", "--output", type=Path, default=Path("bench-output/batch-charts"))
    parser.add_argument("--only", help="architectures, with commas between them")
    parser.add_argument("--task", choices=TASKS, action="append", help="by default both")
    parser.add_argument("--batch", default=",".join(map(str, DECADES)), help="batch sizes, growing")
    parser.add_argument("--seconds", type=float, default=1.0, help="for each batch size, about")
    parser.add_argument("--line", nargs=4, metavar=("NETWORK", "TASK", "PLACE", "MODEL"), help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    """Measure line after line, write, print."""
    wished = parsed()
    known = networks()
    if wished.line is not None:
        name, task, place, model = wished.line
        sizes = tuple(map(int, wished.batch.split(",")))
        return line(known[name], task, place, Path(model), sizes, wished.seconds)
    names = list(known) if wished.only is None else wished.only.split(",")
    if unknown := [name for name in names if name not in known]:
        raise SystemExit(f"no such architecture: {', '.join(unknown)}; known are {', '.join(known)}")
    lines: list[Series] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            model = Path(folder) / f"{name}.discrimen"
            known[name].freeze(model)
            for task in wished.task or TASKS:
                for place in _LOOKS:
                    print(f"{name}, {task}, {place}", file=sys.stderr)
                    lines.append(measure(name, task, place, model=model, batch=wished.batch, seconds=wished.seconds))
                    write(wished.output, lines)
    print(f"{machine_of(lines)}\n")
    print("\n".join(table(lines)))
    for each in lines:
        if each.remark is not None:
            print(f"\n{each.network}, {each.task}, {each.place}: {each.remark}", end="")
    print(f"\n\ncharts in {wished.output}")
    return 0


if __name__ == "__main__":
    np.seterr(all="ignore")
    try:
        raise SystemExit(main())
    except DiscrimenError as error:
        raise SystemExit(str(error)) from error
