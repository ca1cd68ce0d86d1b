"""Pulses of a run with their scores, classes and flags, chunk by chunk: one model for all channels, or one for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError
from discrimen.formats.base import Reader
from discrimen.formats.channel_selection import ChannelSelection, ChannelSieve
from discrimen.inference.base import Judgement
from discrimen.inference.compatible import require_compatible, require_trained_channels
from discrimen.inference.verdict import Verdict
from discrimen.network.domain import Outside, OutsideTally
from discrimen.network.height_curve import thresholds_of
from discrimen.network.model_description import ModelDescription
from discrimen.network.prepare import heights_of
from discrimen.pulses import Pulses
from discrimen.pulses.array import listed
from discrimen.pulses.places import Place, board_and_channel, numbered_places
from discrimen.runs.polarity import PolarityCheck
from discrimen.scoring.discriminator import Discriminator, Discriminators, follows_height, places_of
from discrimen.scoring.pile_up import Learned, PileUpSearch, learn_pile_up
from discrimen.scoring.quantities import class_numbers
from discrimen.scoring.score_rows import ScoreRows


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Some pulses with their scores, classes and flags."""

    pulses: Pulses
    judgement: Judgement
    class_number: NDArray[np.int8]
    pile_up: NDArray[np.uint8] | None

    def rows(self, measured: Mapping[str, NDArray[np.float32]]) -> ScoreRows:
        """Return what is written."""
        return ScoreRows(
            entry=self.pulses.column("entry"),
            timestamp_ps=self.pulses.timestamp_ps,
            board=self.pulses.board,
            channel=self.pulses.channel,
            flags=self.pulses.flags,
            score=self.judgement.scores,
            outside=self.judgement.outside,
            pile_up=self.pile_up,
            height_adc=self.judgement.height_adc,
            class_number=self.class_number,
            **measured,
        )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ModelJudge:
    """One model at work on a run.

    Parameters
    ----------
    discriminator : Discriminator
        The model with its threshold.
    reader : Reader
        Of the run.
    verdict : Verdict
        Whether the run is like the pulses of its training.
    polarity : PolarityCheck
        By the polarity of the model.
    search : PileUpSearch or None
        For second pulses, where they are looked for.
    with_height : bool
        Whether heights are wanted.
    """

    discriminator: Discriminator
    reader: Reader
    verdict: Verdict
    polarity: PolarityCheck
    search: PileUpSearch | None
    with_height: bool

    @classmethod
    def on(
        cls,
        discriminator: Discriminator,
        reader: Reader,
        *,
        most_outside: float,
        selection: ChannelSelection | None,
        places: tuple[Place, ...] | None,
        with_height: bool,
    ) -> ModelJudge:
        """Make ready; pile-up is learnt from the `selection`, of `places` only where the model is not for all."""
        description, info = discriminator.description, reader.info
        where = str(info.path) if places is None else f"{info.path}, {places_of(description)}"
        search = None if selection is None else _learned(reader, description, selection, places)
        polarity = PolarityCheck(info.path, "positive" if description.preparation.only.polarity > 0 else "negative")
        verdict = Verdict.on(description, info, most_outside, where=where)
        return cls(
            discriminator=discriminator,
            reader=reader,
            verdict=verdict,
            polarity=polarity,
            search=search,
            with_height=with_height,
        )

    def __call__(self, pulses: Pulses) -> Judged:
        """Score some pulses.

        Raises
        ------
        DataError
            If the model was not trained for them, or too many are unlike those of its training.
        """
        description, where = self.discriminator.description, self.verdict.where
        require_compatible(description, pulses, self.reader.info.settings, where=where)
        if self.verdict.most_outside < 1:
            require_trained_channels(description, pulses, where=where, way_out="give --accept")
        self.polarity(pulses)
        scores, outside, height_adc = self.discriminator.predictor.judge(pulses.samples)
        if outside is not None:
            scores[(outside & Outside.EDGE_IN_BASELINE) != 0] = np.nan
        self.verdict.add(pulses, outside)
        if height_adc is None and self.with_height:
            height_adc = heights_of(pulses.samples, description.preparation)
        neutron = description.neutron_class
        least = thresholds_of(self.discriminator.threshold.value, height_adc, n_pulses=len(scores))
        numbers = class_numbers(scores, is_neutron=scores[:, neutron] >= least, neutron_class=neutron)
        kept = Judgement(scores, outside, height_adc if self.with_height else None)
        return Judged(pulses, kept, numbers, None if self.search is None else self.search(pulses))


class RunJudge:
    """The models at work on a run: that for all channels, or of each pulse that of its channel.

    Parameters
    ----------
    discriminators : Discriminators
        The models with their thresholds.
    reader : Reader
        Of the run.
    selection : ChannelSelection
        The channels that are chosen.
    most_outside : float
        Share of the pulses of each model that may be unlike those of its training.
    with_pile_up : bool
        Whether to look for second pulses.
    """

    def __init__(
        self,
        discriminators: Discriminators,
        reader: Reader,
        *,
        selection: ChannelSelection,
        most_outside: float,
        with_pile_up: bool,
    ) -> None:
        self._parts, self._path = discriminators.parts, str(reader.info.path)
        self._for_all = "" in self._parts
        self.trained = {
            place: number
            for number, each in enumerate(self._parts.values())
            for place in listed(each.description.settings)
        }
        self._judges = [
            ModelJudge.on(
                each,
                reader,
                most_outside=most_outside,
                selection=selection if with_pile_up else None,
                places=None if self._for_all else listed(each.description.settings),
                with_height=follows_height(discriminators),
            )
            for each in self._parts.values()
        ]

    @property
    def descriptions(self) -> ModelDescription | dict[Place, ModelDescription]:
        """What the models are: of the one for all, or by channel."""
        each = [judge.discriminator.description for judge in self._judges]
        return each[0] if self._for_all else {place: each[number] for place, number in self.trained.items()}

    @property
    def outside(self) -> dict[str, OutsideTally]:
        """Pulses unlike those of the training, by the name of the model; empty where the models do not know them."""
        tallies = {name: judge.verdict.tally for name, judge in zip(self._parts, self._judges, strict=True)}
        return {name: tally for name, tally in tallies.items() if tally is not None}

    @property
    def polarity_checks(self) -> list[PolarityCheck]:
        """One for each model."""
        return [judge.polarity for judge in self._judges]

    def learned(self, place: Place) -> Learned | None:
        """Return what tells second pulses of a channel."""
        search = self._judges[0 if self._for_all else self.trained[place]].search
        return None if search is None else search.of(place)

    def __call__(self, pulses: Pulses) -> Judged:
        """Score some pulses; see :class:`ModelJudge`.

        Raises
        ------
        DataError
            If there is no model for a channel, or as :class:`ModelJudge`.
        """
        if self._for_all:
            return self._judges[0](pulses)
        number = self._numbers(pulses)
        met: list[int] = np.unique(number).tolist()
        if len(met) == 1:
            return self._judges[met[0]](pulses)
        at = [np.flatnonzero(number == each) for each in met]
        return _joined(pulses, at, [self._judges[each](pulses[own]) for each, own in zip(met, at, strict=True)])

    def require_inside(self) -> None:
        """Refuse the run, which has been read, if it is too unlike the training of a model."""
        for judge in self._judges:
            judge.verdict.require_inside()

    def _numbers(self, pulses: Pulses) -> NDArray[np.int64]:
        """Return which model each pulse is for."""
        if pulses.channel is None:
            raise DataError(
                f"{self._path}: the file does not tell the channel of its pulses, and there is a model for each"
            )
        places, number = numbered_places(*board_and_channel(pulses).values())
        strange = [place for place in places if place not in self.trained]
        if strange:
            raise DataError(
                f"{self._path}: pulses of {', '.join(map(str, strange))}, for which there is no model (there are for "
                f"{', '.join(map(str, sorted(self.trained)))}): choose among these with --channel and --board, or "
                "train one for each that is missing"
            )
        model_of_place = np.array([self.trained[place] for place in places])
        return model_of_place[number]


def _joined(pulses: Pulses, at: Sequence[NDArray[np.intp]], parts: Sequence[Judged]) -> Judged:
    """Put the pulses of all models back into the order of the run."""
    order = np.argsort(np.concatenate(at))

    def column(values: Sequence[NDArray[Any] | None]) -> Any:
        there = [each for each in values if each is not None]
        return np.concatenate(there)[order] if there else None

    judgement = Judgement(*(column(each) for each in zip(*(part.judgement for part in parts), strict=True)))
    numbers = column([part.class_number for part in parts])
    return Judged(pulses, judgement, numbers, column([part.pile_up for part in parts]))


def _learned(
    reader: Reader, description: ModelDescription, selection: ChannelSelection, places: tuple[Place, ...] | None
) -> PileUpSearch:
    """Learn from the first chosen pulses what tells second ones."""
    info, sieve = reader.info, ChannelSieve(selection, str(reader.info.path))

    def compatible() -> Iterator[Pulses]:
        for pulses in map(sieve, reader.chunks()):
            own = pulses if places is None else _of_places(pulses, places)
            if len(own):
                require_compatible(description, own, info.settings, where=str(info.path))
                yield own

    return learn_pile_up(compatible(), description.preparation)


def _of_places(pulses: Pulses, places: tuple[Place, ...]) -> Pulses:
    met, number = numbered_places(*board_and_channel(pulses).values())
    return pulses[np.isin(number, [at for at, place in enumerate(met) if place in places])]
