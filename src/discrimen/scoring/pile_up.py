"""Pile-up in a run: which records hold a second pulse, and how many should by the rate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntFlag
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from discrimen.network.preparation import Preparation
from discrimen.pulse_shape.second_pulses import SinglePulses, seen_share
from discrimen.pulse_shape.single_records import learn_singles
from discrimen.pulse_shape.upright import Upright, blocks, crossing_fraction, upright
from discrimen.pulses import PulseFlag, Pulses
from discrimen.pulses.places import Place, board_and_channel, numbered_places

PileUpMode = Literal["flag", "veto"]
"""flag: a column; veto: such pulses are left out of the counts too."""

LEARNED_FROM = 20_000
"""Pulses from the start of a run that tell how its single pulses rise."""

_FEWEST_OF_A_CHANNEL = 200


class PileUp(IntFlag):
    """Who says that a record holds a second pulse; bits of the column ``pile_up``."""

    IN_RECORD = 0x1
    DIGITIZER = 0x2


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Learned:
    """What tells second pulses of one channel.

    Parameters
    ----------
    single : SinglePulses
        How single pulses rise.
    seen_share : float
        Of second pulses behind the first that are found.
    rest_ns : float
        From the edge of the pulse to the end of the record, in ns.
    """

    single: SinglePulses
    seen_share: float
    rest_ns: float


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PileUpSearch:
    """Search of a run for second pulses.

    Parameters
    ----------
    preparation : Preparation
        Baseline window and polarity.
    channels : mapping of Place to Learned
        Channels with pulses enough to be known on their own.
    others : Learned or None
        Of all channels together, for the others; None where too few pulses are clean.
    """

    preparation: Preparation
    channels: Mapping[Place, Learned]
    others: Learned | None

    def of(self, place: Place) -> Learned | None:
        """Return what is known of a channel."""
        return self.channels.get(place, self.others)

    def __call__(self, pulses: Pulses) -> NDArray[np.uint8]:
        """Return bits of :class:`PileUp`, shape (pulse,)."""
        found = np.zeros(len(pulses), np.uint8)
        if pulses.flags is not None:
            found[(pulses.flags & np.uint32(PulseFlag.PILE_UP)) != 0] |= np.uint8(PileUp.DIGITIZER)
        places, number = numbered_places(*board_and_channel(pulses).values())
        for at, place in enumerate(places):
            if (learned := self.of(place)) is not None:
                here = np.flatnonzero(number == at)
                parts = [_found(samples, self.preparation, learned) for samples in blocks(pulses.samples[here])]
                found[here[np.concatenate(parts)]] |= np.uint8(PileUp.IN_RECORD)
        return found


def learn_pile_up(chunks: Iterable[Pulses], preparation: Preparation) -> PileUpSearch:
    """Learn from the first pulses of a run how its single pulses rise, for each channel and for all together.

    Parameters
    ----------
    chunks : iterable of Pulses
        The run from its start; records of other lengths than the first one are left out.
    preparation : Preparation
        Of the model.
    """
    turned: list[Upright] = []
    board, channel = [], []
    left = LEARNED_FROM
    for chunk in chunks:
        pulses = chunk[:left]
        if turned and pulses.n_samples != turned[0].waveforms.shape[1]:
            continue
        turned.append(upright(pulses.samples, preparation))
        where = board_and_channel(pulses)
        board.append(where["board"])
        channel.append(where["channel"])
        left -= len(pulses)
        if not left:
            break
    if not turned:
        return PileUpSearch(preparation=preparation, channels={}, others=None)
    whole = Upright(
        waveforms=np.concatenate([each.waveforms for each in turned]),
        crossing=np.concatenate([each.crossing for each in turned]),
    )
    places, number = numbered_places(np.concatenate(board), np.concatenate(channel))
    channels = {}
    for at, place in enumerate(places):
        here = np.flatnonzero(number == at)
        some = Upright(waveforms=whole.waveforms[here], crossing=whole.crossing[here])
        if len(here) >= _FEWEST_OF_A_CHANNEL and (learned := _learned(some, preparation)) is not None:
            channels[place] = learned
    return PileUpSearch(preparation=preparation, channels=channels, others=_learned(whole, preparation))


def _learned(turned: Upright, preparation: Preparation) -> Learned | None:
    learned = learn_singles(turned, preparation)
    if learned is None:
        return None
    single, clean = learned
    waves, crossing = turned.waveforms, turned.crossing
    period_ns = preparation.sample_period_ns
    if clean.sum() < 2:
        return None
    seen = seen_share(
        single,
        waves[clean],
        crossing=crossing[clean],
        fraction=crossing_fraction(preparation),
        rng=np.random.default_rng(0),
    )
    rest_ns = (waves.shape[1] - float(np.median(crossing[clean]))) * period_ns
    return Learned(single=single, seen_share=seen, rest_ns=rest_ns)


def _found(samples: NDArray[np.generic], preparation: Preparation, learned: Learned) -> NDArray[np.bool_]:
    turned = upright(samples, preparation)
    waves = turned.waveforms
    return learned.single.found(waves, crossing=turned.crossing, height_adc=waves.max(axis=1))
