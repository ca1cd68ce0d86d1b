"""What ``discrimen drift`` watches: all chosen channels of the runs together, or each on its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from discrimen.adaptation.drift_run import StoredReference, read_reference, reference_of_runs, watch_run
from discrimen.cli import common
from discrimen.errors import DataError, FormatError, SettingsError
from discrimen.formats.channel_selection import ChannelSelection, selection_of_each
from discrimen.formats.inputs import InputOptions
from discrimen.inference.load import Model
from discrimen.metrics.drift import Drift
from discrimen.pulses.array import listed
from discrimen.pulses.places import Place

REFERENCE_SUFFIX = ".json"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Watched:
    """Channels that are judged together.

    Parameters
    ----------
    place : Place or None
        The channel, or None for all that are chosen.
    model : Model
        Whose score is watched.
    stored : StoredReference
        What to compare with.
    selection : ChannelSelection
        Which pulses.
    """

    place: Place | None
    model: Model
    stored: StoredReference
    selection: ChannelSelection

    @classmethod
    def by(
        cls,
        model: Model,
        reference: Path,
        inputs: InputOptions,
        *,
        place: Place | None = None,
        selection: ChannelSelection | None = None,
    ) -> Watched:
        """Read the reference, or make it from a run: of all chosen channels, or of one."""
        chosen = inputs.selection if selection is None else selection
        if reference.suffix == REFERENCE_SUFFIX:
            return cls(place=place, model=model, stored=read_reference(reference), selection=chosen)
        reader = inputs.open_whole(reference)
        with common.progress(reference.name, total=reader.info.n_entries) as tick:
            stored = reference_of_runs([reader], model, selection=chosen, on_progress=tick)
        return cls(place=place, model=model, stored=stored, selection=chosen)

    @property
    def where(self) -> dict[str, int]:
        """Board and channel, where it is one."""
        return {} if self.place is None else self.place._asdict()

    def named(self, path: Path) -> str:
        """Name what is watched in a run, for people."""
        return str(path) if self.place is None else f"{path}, {self.place}"

    def watch(self, path: Path, inputs: InputOptions, *, window: int, false_alarm_rate: float) -> list[Drift]:
        """Judge a run, window by window."""
        reader = inputs.open_whole(path)
        with common.progress(self.named(path), total=reader.info.n_entries) as tick:
            verdicts = list(
                watch_run(
                    reader,
                    self.model,
                    self.stored,
                    window=window,
                    false_alarm_rate=false_alarm_rate,
                    selection=self.selection,
                    on_progress=tick,
                )
            )
        common.log_left_out(path, reader.report)
        return verdicts


def each_watched(models: Mapping[str, Model], reference: Path, inputs: InputOptions) -> list[Watched]:
    """Return what watches each channel that the reference knows: a run, or a folder of references.

    Raises
    ------
    FormatError
        If the folder holds no references of channels.
    SettingsError
        If there is no model for a channel, or several.
    DataError
        If the run does not tell channels, or one of them has too few pulses for a reference.
    """
    if reference.suffix == REFERENCE_SUFFIX:
        raise SettingsError(f"{reference}: a reference of all channels together: make one of each with -o FOLDER")
    if not reference.is_dir():
        places = selection_of_each([inputs.open(reference)])
        return [
            Watched.by(_model_for(place, models), reference, inputs, place=place, selection=selection)
            for place, selection in places.items()
        ]
    files = {Place.of_file_name(path.stem): path for path in reference.glob(f"*{REFERENCE_SUFFIX}")}
    known = {place: path for place, path in files.items() if place is not None and inputs.selection.takes(place)}
    if not known:
        raise FormatError(f"expected references of channels (b0_ch0{REFERENCE_SUFFIX}), found none", reference)
    return [
        Watched.by(_model_for(place, models), known[place], inputs, place=place, selection=_only(place))
        for place in sorted(known)
    ]


def require_known_channels(path: Path, watched: Sequence[Watched], inputs: InputOptions) -> None:
    """Refuse to pass over a channel of a run that nothing watches.

    Raises
    ------
    DataError
        If there is one.
    """
    known = {each.place for each in watched}
    if None in known:
        return
    strange = [place for place in selection_of_each([inputs.open(path)]) if place not in known]
    if strange:
        raise DataError(f"{path}: no reference for {', '.join(map(str, strange))}: choose others with --channel")


def _only(place: Place) -> ChannelSelection:
    return ChannelSelection(boards=(place.board,), channels=(place.channel,))


def _model_for(place: Place, models: Mapping[str, Model]) -> Model:
    if "" in models:
        return models[""]
    found = [name for name, model in models.items() if place in listed(model.description.settings)]
    if len(found) != 1:
        told = " and ".join(found) or "none"
        raise SettingsError(f"expected one model for {place} in the folder, got {told}; --channel chooses others")
    return models[found[0]]
