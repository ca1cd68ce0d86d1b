"""Adapt a frozen model to pulses of another channel or detector: open runs in, a frozen file out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from discrimen.adaptation.adapted_file import predictor_for, write_adapted
from discrimen.adaptation.measured import join, measure_run
from discrimen.adaptation.recalibrate import Recalibration, Wishes, recalibrate_labelled, recalibrate_unlabelled
from discrimen.adaptation.seen import SeenPulses
from discrimen.errors import OutputError
from discrimen.formats.base import Reader
from discrimen.formats.channel_selection import ALL_CHANNELS, ChannelSelection
from discrimen.formats.settings_merge import common_settings
from discrimen.network.domain import OutsideTally
from discrimen.network.frozen_file import FrozenModel, require_frozen
from discrimen.output.provenance import sha256_of_file
from discrimen.output.summary import Summarised


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class Adaptation(Summarised):
    """A model that was adapted.

    Parameters
    ----------
    path : Path
        The new frozen file.
    model : FrozenModel
        What is in it.
    recalibration : Recalibration
        What was chosen, and how sure that is.
    outside : OutsideTally or None
        Pulses unlike those that the model had seen before; None if it did not know.
    """

    path: Path
    model: FrozenModel
    recalibration: Recalibration
    outside: OutsideTally | None


def adapt(
    model: Path | str,
    readers: Sequence[Reader],
    output: Path | str,
    *,
    labelled: bool = False,
    wishes: Wishes | None = None,
    selection: ChannelSelection = ALL_CHANNELS,
    seed: int = 0,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Adaptation:
    """Choose thresholds and the scale of the score again, and write them with the network into another frozen file.

    The waveforms are read chunk by chunk, and some are kept to learn the new domain from. Pulses that fall where those
    of the model's training rose are turned, if the settings of the files say so.

    Parameters
    ----------
    model : Path
        A ``*.discrimen``; it is never modified.
    readers : sequence of Reader
        Open runs of the new channel or detector.
    output : Path
        The ``*.discrimen`` to write.
    labelled : bool
        Whether to choose by the labels that the files hold; without, by the two bands that the pulses show.
    wishes : Wishes, optional
        By default a threshold for 95 % neutron efficiency, and a new scale.
    selection : ChannelSelection
        Which boards and channels.
    seed : int
        Of the draws behind the intervals.
    on_progress : callable
        Called with the number of pulses of each chunk.

    Raises
    ------
    FormatError
        If the model is no frozen one, or a run cannot be read.
    DataError
        If the model does not fit the pulses, or they do not tell what is asked.
    OutputError
        If the output is the model itself, or cannot be written.
    """
    model, output, wishes = Path(model), Path(output), wishes or Wishes()
    require_frozen(model, otherwise=", or --fine-tune it")
    if output.exists() and output.samefile(model):
        raise OutputError(f"{output}: this is the model to be adapted, it is not replaced; choose another output")
    settings = common_settings(readers)
    with predictor_for(model, settings.polarity) as predictor:
        seen = SeenPulses(predictor)
        measured = join(
            measure_run(reader, predictor, selection=selection, on_pulses=seen.add, on_progress=on_progress)
            for reader in readers
        )
    if labelled:
        recalibration = recalibrate_labelled(measured, wishes)
    else:
        recalibration = recalibrate_unlabelled(measured, wishes, rng=np.random.default_rng(seed))
    options = {**asdict(wishes), "seed": seed, **selection.as_attributes()}
    files = [_identity(reader) for reader in readers]
    adapted = write_adapted(
        model, output, recalibration, settings=settings, files=files, options=options, seen=seen.kept()
    )
    return Adaptation(path=output, model=adapted, recalibration=recalibration, outside=seen.outside)


def _identity(reader: Reader) -> dict[str, Any]:
    path = reader.info.path
    return {"name": path.name, "sha256": sha256_of_file(path), "n_pulses": reader.report.n_read}
