"""The report of a watch: a page with the alarms, the scores over time of each channel, and what was counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from discrimen.output.pictures import Picture, picture
from discrimen.output.stage_report import PageTable, StagePage, write_stage_report
from discrimen.output.tables import table_of
from discrimen.reconstruction.quality.picture import draw_history
from discrimen.reconstruction.quality.reference import QualityReference
from discrimen.reconstruction.quality.result import ChannelQuality, RunQuality
from discrimen.reconstruction.quality.text import HEADING, alarm_row, told

NAME = "quality"
_MOST_PICTURES = 24

_NOTES = (
    "A score is how far the mean of a statistic over a window has gone, in units of its limit. Windows of several "
    "lengths are judged; a picture shows the one that has gone furthest.",
    "The limits are such that good pulses pass any of them at most at the rate that was wished. They hold for pulses "
    "like those of the reference: another source or threshold changes the statistics height and gain.",
    "A fault has begun up to a window before its alarm. Its name is the most likely of those that were planted into "
    "the reference, and its size a rough one.",
)


def write_quality(
    runs: Sequence[RunQuality], reference: QualityReference, folder: Path, *, false_alarm_rate: float
) -> tuple[Path, ...]:
    """Write ``quality.json``, ``quality.html`` and the pictures into a folder.

    Parameters
    ----------
    runs : sequence of RunQuality
        At least one.
    reference : QualityReference
        What they were compared with.
    folder : Path
        Made if need be.
    false_alarm_rate : float
        That was wished.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    MissingExtraError
        If matplotlib or Jinja is not installed.
    """
    shown = list(_shown(runs))
    pictures, left_out = shown[:_MOST_PICTURES], len(shown) - _MOST_PICTURES
    notes = [*_NOTES, *(line for run in runs for line in told(run))]
    if left_out > 0:
        notes.append(f"{left_out} channels with lower scores have no picture here.")
    page = StagePage(
        title="Quality of the signals",
        done=(_done(runs, reference, false_alarm_rate),),
        tables=tuple(_tables(runs)),
        notes=tuple(notes),
        pictures=tuple(_picture(number, run, channel) for number, (run, channel) in enumerate(pictures, start=1)),
        origin={"reference": reference.origin},
    )
    values = {
        "window": reference.window,
        "false_alarm_rate": false_alarm_rate,
        "model_sha256": reference.model_sha256,
        "reference": reference.origin,
        "runs": [run.as_dict() for run in runs],
    }
    return write_stage_report(page, folder, name=NAME, values=values)


def _done(runs: Sequence[RunQuality], reference: QualityReference, false_alarm_rate: float) -> str:
    n_alarms = sum(run.n_alarms for run in runs)
    n_pulses = sum(channel.n_pulses for run in runs for channel in run.channels)
    files = ", ".join(str(each["name"]) for each in reference.origin["files"])
    return (
        f"{n_alarms} alarm{'' if n_alarms == 1 else 's'} in {n_pulses} pulses of "
        f"{', '.join(run.path.name for run in runs)}, compared with {files}; wished was at most one false alarm in "
        f"{1 / false_alarm_rate:.6g} windows of {reference.window} pulses of a channel."
    )


def _tables(runs: Sequence[RunQuality]) -> Iterator[PageTable]:
    alarms = [
        (f"{run.path.name}, {channel.place}", *alarm_row(alarm))
        for run in runs
        for channel in run.channels
        for alarm in channel.alarms
    ]
    if alarms:
        yield PageTable(
            "Alarms", table_of(("channel", *HEADING), alarms), "Places and windows in pulses of the channel."
        )
    counted = [
        (
            f"{run.path.name}, {channel.place}",
            str(channel.n_pulses),
            str(len(channel.alarms)),
            f"{channel.history.largest:.3g}",
            *map(str, channel.n_marked.values()),
            ", ".join(map(str, channel.windows)),
        )
        for run in runs
        for channel in run.channels
    ]
    marks = (name.lower().replace("_", " ") for name in runs[0].channels[0].n_marked)
    yield PageTable(
        "Channels", table_of(("channel", "pulses", "alarms", "largest score", *marks, "windows judged"), counted)
    )


def _shown(runs: Sequence[RunQuality]) -> Iterator[tuple[RunQuality, ChannelQuality]]:
    """Yield every channel, those with the highest scores first."""
    pairs = [(run, channel) for run in runs for channel in run.channels]
    yield from sorted(pairs, key=lambda pair: -pair[1].history.largest)


def _picture(number: int, run: RunQuality, channel: ChannelQuality) -> Picture:
    caption = (
        f"{run.path.name}, {channel.place}: above the largest score and the alarms (shaded), below every statistic, "
        "those that are matched to a fault and the marks of single pulses."
    )
    name = f"{NAME}_{number}_{channel.place.file_name}"
    return picture(draw_history(channel.history, channel.alarms), name=name, caption=caption)
