"""Run files: learn a reference of each channel from good ones, and watch others, chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.formats.base import Reader
from discrimen.formats.channel_selection import ALL_CHANNELS, ChannelSelection, ChannelSieve
from discrimen.inference.compatible import require_compatible, require_trained_channels
from discrimen.inference.load import Model
from discrimen.output.provenance import command_line, sha256_of_file, software_versions, utc_now
from discrimen.pulses import Pulses
from discrimen.pulses.places import Place, board_and_channel, numbered_places
from discrimen.reconstruction.quality.history import History
from discrimen.reconstruction.quality.learn import MOST_PULSES, MOST_SAMPLES, learn_channel, n_planted
from discrimen.reconstruction.quality.look import Looked, join, look
from discrimen.reconstruction.quality.reference import ChannelReference, QualityReference
from discrimen.reconstruction.quality.result import ChannelQuality, RunQuality
from discrimen.reconstruction.quality.watch import ChannelWatch
from discrimen.reconstruction.quality.windows import FALSE_ALARM_RATE, SCALES, WINDOW, block_of
from discrimen.runs.polarity import upright_chunks

PulseScores = Callable[[Pulses, NDArray[np.float32], NDArray[np.uint16]], None]
"""Takes pulses with the score and the marks of each."""


@dataclass(slots=True)
class _Gathered:
    """Pulses of one channel of the good runs."""

    looked: list[Looked] = field(default_factory=list)
    samples: list[NDArray[Any]] = field(default_factory=list)
    n_kept: int = 0
    n_raw: int = 0
    n_read: int = 0

    def add(self, samples: NDArray[Any], model: Model, adc_bits: int | None) -> None:
        """Take pulses until there are enough."""
        most = min(MOST_PULSES, MOST_SAMPLES // samples.shape[1])
        self.n_read += len(samples)
        kept = samples[: max(0, most - self.n_kept)]
        if len(kept):
            self.looked.append(look(kept, model.predictor, adc_bits=adc_bits))
            raw = kept[: max(0, n_planted(samples.shape[1]) - self.n_raw)]
            self.samples.append(raw)
            self.n_raw += len(raw)
            self.n_kept += len(kept)


def learn_quality(
    readers: Sequence[Reader],
    model: Model,
    *,
    window: int = WINDOW,
    selection: ChannelSelection = ALL_CHANNELS,
    seed: int = 0,
    on_progress: Callable[[int], None] = lambda _: None,
) -> QualityReference:
    """Learn what each channel is like from runs in which all was well.

    Parameters
    ----------
    readers : sequence of Reader
        Open runs, in the order of time; of each channel the first 200,000 pulses are taken, fewer of long records.
    model : Model
        An auto-encoder, or any model that gives the waveform that it was given.
    window : int
        Pulses of a window.
    selection : ChannelSelection
        Which boards and channels.
    seed : int
        Of the faults that are planted to learn what they do.
    on_progress : callable
        Called with the number of pulses of each chunk.

    Raises
    ------
    SettingsError
        If the model gives no waveform or has several channels.
    DataError
        If the pulses do not fit the model or differ in length, or a channel has too few that are usable.
    """
    block_of(window)
    model.description.preparation.only, model.description.waveform_at  # noqa: B018
    gathered: dict[Place, _Gathered] = {}
    lengths: dict[int, str] = {}
    adc_bits = None
    for reader in readers:
        adc_bits = reader.info.settings.adc_bits or model.description.settings.adc_bits
        for pulses in _chosen(upright_chunks(reader), reader, model, selection, on_progress):
            lengths.setdefault(pulses.n_samples, str(reader.info.path))
            for place, samples in _by_place(pulses):
                gathered.setdefault(place, _Gathered()).add(samples, model, adc_bits)
    if len(lengths) > 1:
        told = ", ".join(f"{length} samples in {path}" for length, path in lengths.items())
        raise DataError(f"the good runs have records of several lengths ({told}): choose one with --record-samples")
    names = ", ".join(str(reader.info.path) for reader in readers)
    if not gathered:
        raise DataError(f"{names}: no pulses of {selection}")
    channels = {
        place: _learn(gathered[place], model, adc_bits, window=window, seed=seed, where=f"{names}, {place}")
        for place in sorted(gathered)
    }
    origin = {
        "files": [{"name": reader.info.path.name, "sha256": sha256_of_file(reader.info.path)} for reader in readers],
        **selection.as_attributes(),
        "date_utc": utc_now(),
        "command_line": command_line(),
        "versions": software_versions("numpy", "scipy"),
        "n_read": {place.file_name: each.n_read for place, each in gathered.items()},
    }
    return QualityReference(
        channels=channels, window=window, n_samples=next(iter(lengths)), model_sha256=model.sha256, origin=origin
    )


def _learn(
    gathered: _Gathered, model: Model, adc_bits: int | None, *, window: int, seed: int, where: str
) -> ChannelReference:
    return learn_channel(
        np.concatenate(gathered.samples),
        join(gathered.looked),
        model.predictor,
        adc_bits=adc_bits,
        window=window,
        rng=np.random.default_rng(seed),
        where=where,
    )


def watch_quality(
    reader: Reader,
    model: Model,
    reference: QualityReference,
    *,
    false_alarm_rate: float = FALSE_ALARM_RATE,
    selection: ChannelSelection = ALL_CHANNELS,
    on_pulses: PulseScores = lambda *_: None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> RunQuality:
    """Watch every channel of a run, in constant memory but for one row of scores a window.

    Parameters
    ----------
    reader : Reader
        An open run.
    model : Model
        The one of the reference.
    reference : QualityReference
        What the channels were like.
    false_alarm_rate : float
        False alarms of a channel in so many pulses as a window has, at most.
    selection : ChannelSelection
        Which boards and channels.
    on_pulses : callable
        Called with the pulses of a channel in each chunk, and the score and marks of each.
    on_progress : callable
        Called with the number of pulses of each chunk.

    Raises
    ------
    SettingsError
        If the reference belongs to another model.
    DataError
        If the pulses do not fit the model or the reference, are of channels that the reference does not know, or too
        few for a single verdict.
    """
    if reference.model_sha256 != model.sha256:
        raise SettingsError(
            f"the reference was made with another model (SHA-256 {reference.model_sha256[:12]}..., here "
            f"{model.sha256[:12]}...): make it again with this one"
        )
    where, bits = str(reader.info.path), reader.info.settings.adc_bits or model.description.settings.adc_bits
    watches: dict[Place, tuple[ChannelWatch, History]] = {}
    for pulses in _chosen(reader.chunks(), reader, model, selection, on_progress):
        _require_known(pulses, reference, where=where)
        for place, samples in _by_place(pulses):
            if place not in watches:
                one = ChannelWatch(
                    reference.channels[place], model.predictor, window=reference.window,
                    false_alarm_rate=false_alarm_rate, adc_bits=bits,
                )  # fmt: skip
                watches[place] = one, History.of(reference.channels[place])
            watch, history = watches[place]
            verdicts, score, marks = watch.add(samples)
            own = pulses if len(samples) == len(pulses) else pulses[_is_of(pulses, place)]
            history.add(verdicts, own)
            on_pulses(own, score, marks)
    block = block_of(reference.window)
    if not any(watch.n_pulses >= block for watch, _ in watches.values()):
        told = ", ".join(f"{watch.n_pulses} of {place}" for place, (watch, _) in watches.items()) or "none"
        raise DataError(f"{where}: too few pulses for a verdict, which takes {block} of a channel: {told}")
    chosen = [place for place in reference.channels if selection.takes(place)]
    return RunQuality(
        path=reader.info.path,
        report=reader.report,
        channels=tuple(_channel_quality(place, *watches[place], block) for place in sorted(watches)),
        absent=tuple(place for place in chosen if place not in watches),
    )


def _channel_quality(place: Place, watch: ChannelWatch, history: History, block: int) -> ChannelQuality:
    judged = [scale for scale in watch.limits if scale * block <= watch.n_pulses]
    return ChannelQuality(
        place=place,
        n_pulses=watch.n_pulses,
        n_unjudged=watch.n_pending,
        n_marked=dict(watch.n_marked),
        windows=tuple(scale * block for scale in judged),
        windows_left_out=tuple(scale * block for scale in SCALES if scale not in judged),
        alarms=tuple(watch.alarms),
        history=history,
    )


def _chosen(
    chunks: Iterator[Pulses],
    reader: Reader,
    model: Model,
    selection: ChannelSelection,
    on_progress: Callable[[int], None],
) -> Iterator[Pulses]:
    """Yield the chosen pulses of a run, each chunk held against the model."""
    where, sieve = str(reader.info.path), ChannelSieve(selection, str(reader.info.path))
    for read in chunks:
        pulses = sieve(read)
        if len(pulses):
            require_compatible(model.description, pulses, reader.info.settings, where=where)
            require_trained_channels(
                model.description, pulses, where=where, way_out="train an auto-encoder on these channels too"
            )
            yield pulses
        on_progress(len(read))


def _by_place(pulses: Pulses) -> Iterator[tuple[Place, NDArray[Any]]]:
    """Yield each channel with its samples."""
    places, number = numbered_places(*board_and_channel(pulses).values())
    for at, place in enumerate(places):
        yield place, pulses.samples if len(places) == 1 else pulses.samples[number == at]


def _is_of(pulses: Pulses, place: Place) -> NDArray[np.bool_]:
    columns = board_and_channel(pulses)
    found: NDArray[np.bool_] = (columns["board"] == place.board) & (columns["channel"] == place.channel)
    return found


def _require_known(pulses: Pulses, reference: QualityReference, *, where: str) -> None:
    """Refuse records of another length than those of the reference, and channels that it does not know."""
    if pulses.n_samples != reference.n_samples:
        raise DataError(
            f"{where}: records of {pulses.n_samples} samples, but the reference was made from records of "
            f"{reference.n_samples}: cut longer ones with --record-samples {reference.n_samples}, or make it again"
        )
    strange = [place for place, _ in _by_place(pulses) if place not in reference.channels]
    if strange:
        known = ", ".join(map(str, reference.channels))
        raise DataError(
            f"{where}: the reference does not know {', '.join(map(str, strange))} (it knows {known}): choose others "
            "with --channel, or make it again"
        )
