"""What ``discrimen classify`` says of live time, rates and pile-up."""

from __future__ import annotations

from collections.abc import Iterator

from discrimen.scoring.classification import Classification
from discrimen.scoring.odd_channels import odd_channels
from discrimen.scoring.rates import PileUpShares, RunTime

_WORTH_LOOKING = 1e-3


def rate_lines(done: Classification) -> Iterator[str]:
    """Say in words how long the run was live, its rates, how much pile-up there is and which channels are odd."""
    if isinstance(done.time, str):
        yield f"no live time and no rates: {done.time}"
    else:
        yield from _time_lines(done.time)
    if done.tally.losses:
        flagged = ", ".join(f"{count} {name.lower()}" for name, count in done.tally.losses.items())
        yield (
            f"the digitizer flags events that it lost others at ({flagged}): how many, the file does not say, and the "
            "rates do not contain them"
        )
    yield from _pile_up_lines(done.pile_up)
    yield from odd_channels(done.tally)


def _time_lines(time: RunTime) -> Iterator[str]:
    low, high = time.dead_shares
    dead = f"{low:.3%}" if f"{low:.3%}" == f"{high:.3%}" else f"{low:.3%} to {high:.3%} by channel"
    if time.dead_time_from == "settings":
        why = f"{time.dead_time_ns:g} ns a pulse, from the settings"
    else:
        length = "" if time.dead_time_ns is None else f" of {time.dead_time_ns:g} ns"
        why = f"taking each record{length} for dead; dead_time_ns in --settings says better"
    yield f"real time {time.real_time_s:.6g} s, dead {dead} ({why})"
    yield (
        f"rates of live time: {time.total('pulses')}, neutrons {time.total('neutrons')}, gammas {time.total('gammas')}"
    )


def _pile_up_lines(shares: PileUpShares) -> Iterator[str]:
    told = f"; the digitizer flags {shares.told:.3%}" if shares.told else ""
    if shares.found is not None:
        found = f"pile-up: a second pulse found in {shares.found:.3%} +- {shares.found_error:.3%} of the records"
        expected = (
            ""
            if shares.expected is None or shares.expected_found is None
            else f"; by the rate {shares.expected:.3%} have one and {shares.expected_found:.3%} show it"
        )
        yield f"{found}{expected}{told}"
    elif shares.expected is not None and (shares.expected > _WORTH_LOOKING or shares.told):
        yield (
            f"pile-up: by the rate {shares.expected:.3%} of the records hold a second pulse{told}; --pile-up flag or "
            "veto looks for them"
        )
