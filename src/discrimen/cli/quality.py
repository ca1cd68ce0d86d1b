"""``discrimen quality``: whether the signals of each channel still are what they were, and what is wrong if not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from discrimen.cli import common
from discrimen.cli.failed_files import FailedFiles
from discrimen.cli.input_options import with_input_options
from discrimen.formats.inputs import InputOptions
from discrimen.inference.load import Model, load_model
from discrimen.reconstruction.quality.pulse_scores import pulse_scores_writer
from discrimen.reconstruction.quality.reference import QualityReference
from discrimen.reconstruction.quality.report import write_quality
from discrimen.reconstruction.quality.result import ChannelQuality, RunQuality
from discrimen.reconstruction.quality.run import learn_quality, watch_quality
from discrimen.reconstruction.quality.text import HEADING, alarm_row, others, told, told_left_out
from discrimen.reconstruction.quality.watch import Alarm
from discrimen.reconstruction.quality.windows import FALSE_ALARM_RATE, WINDOW

REFERENCE_SUFFIX = ".json"
_ALARMS_SHOWN, _COLUMNS_SHOWN = 5, 5


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(with_input_options(quality))


def quality(
    model: common.ModelArgument,
    reference: Annotated[
        Path, typer.Argument(help="A run in which all was well, or what -o kept of one.", show_default=False)
    ],
    files: Annotated[list[Path] | None, typer.Argument(help="Runs to watch.", show_default=False)] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Keep the reference in this file (.json).", show_default=False)
    ] = None,
    also: Annotated[
        list[Path] | None, typer.Option("--also", help="Another run in which all was well; repeatable.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Folder for a page with pictures of the scores over time.", show_default=False)
    ] = None,
    pulses: Annotated[
        Path | None, typer.Option(help="Write the score of every pulse to this file (.h5).", show_default=False)
    ] = None,
    window: Annotated[
        int | None, typer.Option(help=f"Pulses of a window when a reference is made.  [default: {WINDOW}]")
    ] = None,
    false_alarm_rate: Annotated[
        float, typer.Option(help="False alarms a window of a channel where nothing changed, at most.")
    ] = FALSE_ALARM_RATE,
    device: common.DeviceOption = "cpu",
    backend: common.BackendOption = None,
    threads: common.ThreadsOption = None,
    json: common.JsonOption = False,
    *,
    inputs: InputOptions,
) -> None:
    """Watch signals without labels, by an auto-encoder; status 1 on an alarm. docs/quality.md."""
    _require_sense(reference, files, output, report=report, pulses=pulses, window=window, also=also)
    loaded = load_model(model, device=device, backend=backend, threads=threads)
    known = _reference(reference, also or [], loaded, inputs, window or WINDOW)
    if output is not None:
        known.write(output)
        common.log(f"{output}: reference of {len(known.channels)} channel{'s' if len(known.channels) > 1 else ''}")
    failures = FailedFiles(len(files or []))
    runs: list[RunQuality] = []
    with pulse_scores_writer(pulses, model_sha256=loaded.sha256) as keep:
        for number, path in enumerate(files or []):
            with failures.noting(path):
                reader = inputs.open_whole(path)
                with common.progress(path.name, total=reader.info.n_entries) as tick:
                    runs.append(
                        watch_quality(
                            reader,
                            loaded,
                            known,
                            false_alarm_rate=false_alarm_rate,
                            selection=inputs.selection,
                            on_pulses=keep.of_run(number),
                            on_progress=tick,
                        )
                    )
                _tell(runs[-1], json=json)
    written = write_quality(runs, known, report, false_alarm_rate=false_alarm_rate) if report and runs else ()
    if json:
        common.emit_json(_as_dict(model, loaded, known, output or reference, runs, failures, false_alarm_rate))
    elif written:
        print(f"report: {written[1]}")
    failures.exit_if_any()
    if any(run.n_alarms for run in runs):
        raise typer.Exit(1)


def _require_sense(
    reference: Path,
    files: list[Path] | None,
    output: Path | None,
    *,
    report: Path | None,
    pulses: Path | None,
    window: int | None,
    also: list[Path] | None,
) -> None:
    """Refuse options that do nothing."""
    if not files and output is None:
        raise typer.BadParameter("nothing to do: give runs to watch, or -o to keep the reference")
    if output is not None and output.suffix != REFERENCE_SUFFIX:
        raise typer.BadParameter(f"expected a name that ends in {REFERENCE_SUFFIX}, got {output}")
    if not files and (report is not None or pulses is not None):
        raise typer.BadParameter("--report and --pulses do nothing without runs to watch")
    if reference.suffix == REFERENCE_SUFFIX and (window is not None or also or output is not None):
        raise typer.BadParameter("--window, --also and -o do nothing where the reference is kept already")


def _reference(path: Path, also: list[Path], model: Model, inputs: InputOptions, window: int) -> QualityReference:
    if path.suffix == REFERENCE_SUFFIX:
        return QualityReference.read(path)
    readers = [inputs.open_whole(each) for each in (path, *also)]
    with common.progress("learning", total=common.total_entries(readers)) as tick:
        known = learn_quality(readers, model, window=window, selection=inputs.selection, on_progress=tick)
    for reader in readers:
        common.log_left_out(reader.info.path, reader.report)
    for line in told_left_out(known):
        common.log(line)
    return known


def _tell(run: RunQuality, *, json: bool) -> None:
    common.log_left_out(run.path, run.report)
    for line in told(run):
        common.log(line)
    if json:
        return
    console = common.stdout_console()
    for channel in run.channels:
        for line in _lines(run.path, channel):
            console.print(line, markup=False, soft_wrap=True)


def _lines(path: Path, channel: ChannelQuality) -> list[str]:
    n_alarms = len(channel.alarms)
    if not channel.windows:
        return [
            f"{path}, {channel.place}: not judged, too few pulses here or in the reference; {channel.n_pulses} read"
        ]
    count = "no alarm" if not n_alarms else f"{n_alarms} alarm{'s' if n_alarms > 1 else ''}"
    lines = [f"{path}, {channel.place}: {count} in {channel.n_pulses} pulses"]
    if n_alarms:
        lines += alarm_lines(channel.alarms[:_ALARMS_SHOWN])
    if n_alarms > _ALARMS_SHOWN:
        lines.append(f"  and {n_alarms - _ALARMS_SHOWN} alarms more")
    return lines


def alarm_lines(alarms: Sequence[Alarm]) -> list[str]:
    """Return alarms as lines of text: a table, and below each what else is likely."""
    heading, *rows = common.aligned([each[:_COLUMNS_SHOWN] for each in (HEADING, *map(alarm_row, alarms))])
    lines = [f"  {heading}"]
    for alarm, row in zip(alarms, rows, strict=True):
        lines.append(f"  {row}")
        if alarm.fault.also:
            lines.append(f"    or {others(alarm.fault)}")
    return lines


def _as_dict(
    model: Path,
    loaded: Model,
    known: QualityReference,
    reference: Path,
    runs: list[RunQuality],
    failures: FailedFiles,
    false_alarm_rate: float,
) -> dict[str, Any]:
    return {
        "model": str(model),
        "model_sha256": loaded.sha256,
        "reference": str(reference),
        "window": known.window,
        "false_alarm_rate": false_alarm_rate,
        "channels": {
            place.file_name: {"n_pulses": each.n_pulses, "n_usable": each.n_usable, "n_marked": each.n_marked}
            for place, each in known.channels.items()
        },
        "n_alarms": sum(run.n_alarms for run in runs),
        "runs": [run.as_dict() for run in runs],
        "failed": failures.as_list(),
    }
