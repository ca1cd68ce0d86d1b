"""Which commands make each picture. Those of `shown` stand in the README, word by word; a test looks."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from readme_pictures import pages, plots
from readme_pictures.carry_out import carry_out

DEMO = "discrimen demo -o demo-output"


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A picture.

    Parameters
    ----------
    draw : callable
        Makes it of the folder in which the commands were given.
    shown : tuple of str
        The commands that the README states. Those that `draw` itself gives, because they go on or are measured, belong
        here too, and not to `given`.
    given : tuple of str
        What is given before the picture is drawn, in this order.
    """

    draw: Callable[[Path, Path], None]
    shown: tuple[str, ...]
    given: tuple[str, ...] = ()


def _project(name: str, source: str, number: int, n_pulses: int) -> tuple[str, str]:
    raw = f"{name}/DAQ/run_{number}/RAW"
    run = f"{raw}/DataR_run_{number}.BIN"
    return f"mkdir -p {raw}", f"discrimen simulate -o {run} --spectrum {source} -n {n_pulses} --seed {number}"


_RUN = ("discrimen run --mixed CF252 --gamma CO60 -o OUT", "discrimen rerun OUT --classify LATER")
_NAMED = ("discrimen classify demo-output/demo.discrimen run_7.BIN --settings demo-output/detector.yaml -o scores.h5",)
_AUDIT = (
    "discrimen label co60.BIN --method gamma -o gammas.lh5",
    "discrimen label selected.BIN --method neutron -o neutrons.lh5",
    "discrimen audit gammas.lh5 neutrons.lh5 -o audit",
)
_DENOISE = (
    "discrimen simulate -o train.lh5 --clean train.clean.lh5 -n 300000 --energy-min-kevee 20 --energy-max-kevee 550",
    "discrimen train train.lh5 --clean train.clean.lh5 --task reconstruction --architecture mlp --option hidden=512,256"
    " --epochs 40 --batch-size 256 --learning-rate-decay cosine -o model",
    "discrimen freeze model -o denoiser.discrimen",
    "discrimen denoise denoiser.discrimen run.lh5 -o denoised.lh5",
)
_GERMANIUM = (
    "discrimen simulate --detector greta-a --energy-kev 40:2000 -n 100000 --clean clean.h5 -o train.h5",
    "discrimen train train.h5 --clean clean.h5 --task position --window 18:56 --epochs 20 --batch-size 500"
    " --learning-rate 0.002 --learning-rate-decay cosine --validation-share 0.03 -o model",
    "discrimen freeze model -o greta.discrimen",
    "discrimen locate greta.discrimen hits.h5 -o positions.h5",
)

STORIES = {
    "demo": Story(draw=lambda folder, target: _copy(folder / "demo-output/demo.png", target), shown=()),
    "run": Story(
        draw=lambda folder, target: pages.picture_run(folder / "OUT/index.html", target),
        shown=_RUN,
        given=(
            *_project("CF252", "Cf-252", 1, 100_000),
            *_project("CO60", "Co-60", 2, 60_000),
            *_project("LATER", "Cf-252", 3, 50_000),
            *_RUN,
        ),
    ),
    "named": Story(
        draw=lambda folder, target: plots.draw_named(folder / "scores.h5", target),
        shown=_NAMED,
        given=("discrimen simulate -o run_7.BIN -n 30000 --neutron-fraction 0.3 --seed 7", *_NAMED),
    ),
    "audit": Story(
        draw=lambda folder, target: pages.picture_audit(folder / "audit/audit.html", target),
        shown=_AUDIT,
        given=(
            "discrimen simulate -o co60.BIN -n 8000 --neutron-fraction 0 --seed 1",
            "discrimen simulate -o selected.BIN -n 8000 --neutron-fraction 1 --baseline-adc 14984 --seed 2",
            *_AUDIT,
        ),
    ),
    "cpp": Story(draw=plots.draw_speed, shown=()),
    "online": Story(
        draw=pages.picture_monitor,
        shown=(pages.STREAM, pages.MONITOR),
        given=("discrimen simulate -o source.BIN -n 400000 --n-channels 16 --neutron-fraction 0.3 --seed 7",),
    ),
    "cluster": Story(
        draw=plots.draw_cluster,
        shown=plots.CLUSTER,
        given=tuple(f"discrimen simulate -o run_{number}.BIN -n 20000 --seed {number}" for number in range(1, 7)),
    ),
    "denoised": Story(
        draw=plots.draw_denoised,
        shown=_DENOISE,
        given=(
            "discrimen simulate -o run.lh5 --clean run.clean.lh5 -n 20000 --energy-min-kevee 20 --energy-max-kevee 550"
            " --seed 2",
            *_DENOISE,
        ),
    ),
    "fpga": Story(draw=plots.draw_fpga, shown=()),
    "germanium": Story(
        draw=plots.draw_germanium,
        shown=_GERMANIUM,
        given=("discrimen simulate --detector greta-a --energy-kev 300 -n 2000 --seed 7 -o hits.h5", *_GERMANIUM),
    ),
}


def make(name: str, work: Path, target: Path) -> None:
    """Give the commands of a picture, as far as they were not given before, and draw it.

    Parameters
    ----------
    name : str
        Of a story.
    work : Path
        Each story has a folder in it.
    target : Path
        Picture to write.
    """
    story, folder, demo = STORIES[name], work / name, work / "demo"
    for each in (folder, demo):
        each.mkdir(parents=True, exist_ok=True)
    if any("demo-output" in command for command in story.shown) or name == "demo":
        carry_out(demo, DEMO)
        if name != "demo" and not (folder / "demo-output").exists():
            (folder / "demo-output").symlink_to(demo / "demo-output")
    for command in story.given:
        carry_out(folder, command, may_fail=command.startswith("discrimen audit"))
    story.draw(folder, target)


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
