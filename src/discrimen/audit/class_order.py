"""Class order: whether the classes come at random within each run, and their share is the same all along."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb, erfc, log, sqrt

import numpy as np
from numpy.typing import NDArray

from discrimen.audit.blocks import Block, listed
from discrimen.audit.finding import Finding, Severity
from discrimen.errors import require_module

N_PARTS = 10
LEAST_IN_PART = 20
FALSE_ALARMS = 1e-3
"""Chance that one of the checks here says something of a clean data set."""

_EXACT_UP_TO = 1000
_LARGE_SPREAD = 0.25
_NOTED_SPREAD = 0.05
_MEND_ORDER = (
    "take pulses of both classes in turn; training shuffles them, but whatever drifts in time (gain, baseline, rate) "
    "now tells the class, and blocks of time hold one class only"
)


@dataclass(frozen=True, slots=True)
class Order:
    """How the classes follow each other in a block.

    Parameters
    ----------
    n_stretches, expected_stretches : int, float
        Stretches of pulses of one class, and how many a random order has on average.
    longest : int
        Pulses of the longest stretch, of the class where it is the more improbable.
    longest_start : int
        Where in the block it begins.
    p_value : float
        Chance of an order as clumped as this one if it were random.
    """

    n_stretches: int
    expected_stretches: float
    longest: int
    longest_start: int
    p_value: float


def order_of(is_neutron: NDArray[np.bool_]) -> Order:
    """Count the stretches of one class (Wald and Wolfowitz, Ann. Math. Stat. 11 (1940) 147).

    Parameters
    ----------
    is_neutron : ndarray of bool, shape (pulse,)
        In the order of the file, both classes present.
    """
    starts = np.concatenate([[0], np.flatnonzero(np.diff(is_neutron)) + 1])
    lengths = np.diff(np.append(starts, len(is_neutron)))
    n_neutron = int(np.count_nonzero(is_neutron))
    n_gamma = len(is_neutron) - n_neutron
    # A long stretch of the rarer class is shorter than those of the other class: each has its own longest one.
    by_longest, longest = min(
        _longest_of(is_neutron, starts, lengths, label=label, share=n_of_label / len(is_neutron))
        for label, n_of_label in ((False, n_gamma), (True, n_neutron))
    )
    by_number = _few_stretches(len(starts), n_gamma, n_neutron)
    return Order(
        n_stretches=len(starts),
        expected_stretches=1 + 2 * n_gamma * n_neutron / len(is_neutron),
        longest=int(lengths[longest]),
        longest_start=int(starts[longest]),
        p_value=min(1.0, 3 * min(by_longest, by_number)),
    )


def _longest_of(
    is_neutron: NDArray[np.bool_], starts: NDArray[np.int64], lengths: NDArray[np.int64], *, label: bool, share: float
) -> tuple[float, int]:
    """Return the chance of a stretch of a class as long as its longest, and which one that is."""
    members = np.flatnonzero(is_neutron[starts] == label)
    longest = int(members[lengths[members].argmax()])
    # The expected number of stretches that long bounds the chance of one.
    expected = (len(is_neutron) * (1 - share) + 1) * share ** int(lengths[longest])
    return float(expected), longest


def part_counts(is_neutron: NDArray[np.bool_], n_parts: int = N_PARTS) -> NDArray[np.int64]:
    """Count both classes in equal parts of a stretch of pulses: shape (part, class), gamma first."""
    parts = np.array_split(is_neutron, n_parts)
    return np.array([[np.count_nonzero(~part), np.count_nonzero(part)] for part in parts], dtype=np.int64)


def check_class_order(blocks: tuple[Block, ...]) -> list[Finding]:
    """Check order and balance within each block and between blocks."""
    total = sum(len(block) for block in blocks)
    n_neutron = sum(block.n_neutron for block in blocks)
    if n_neutron in (0, total):
        return [_only_one_class(total, "neutrons" if n_neutron else "gammas")]
    mixed = [block for block in blocks if block.one_class is None]
    findings = [finding for block in mixed for finding in _check_block(block, n_blocks=len(mixed))]
    share = n_neutron / total
    findings += _check_one_class_blocks(blocks, share=share)
    findings += _check_balance_of_blocks(mixed)
    return findings + _check_balance_of_all(total, n_neutron)


def _check_block(block: Block, *, n_blocks: int) -> list[Finding]:
    found = []
    order = order_of(block.is_neutron)
    if order.p_value < FALSE_ALARMS / n_blocks:
        found.append(_clumped(block, order))
    n_parts = min(N_PARTS, len(block) // LEAST_IN_PART)
    if n_parts < 2:
        return found
    counts = part_counts(block.is_neutron, n_parts)
    shares = counts[:, 1] / counts.sum(axis=1)
    spread = float(shares.max() - shares.min())
    p_value = homogeneity(counts)
    if p_value < FALSE_ALARMS / n_blocks and spread > _NOTED_SPREAD:
        found.append(_uneven_parts(block, counts, p_value))
    return found


def _check_one_class_blocks(blocks: tuple[Block, ...], *, share: float) -> list[Finding]:
    single = [block for block in blocks if block.one_class is not None]
    likely = max(share, 1 - share)
    improbable = [block for block in single if len(block) * log(likely) < log(FALSE_ALARMS / len(blocks))]
    told = single if len(single) == len(blocks) else improbable
    if not told:
        return []
    return [
        Finding(
            check="one-class-runs",
            severity=Severity.WARNING,
            what="runs hold one class only, so that whatever differs between runs tells the class",
            how_many=f"{len(told)} of {len(blocks)} runs",
            where=listed([f"{block.name}: {len(block)} {_plural(block)}" for block in told]),
            mend="training shuffles, so the order does no harm; read what the give-away tests say, use the same "
            "channel, gain and threshold for both classes, and judge the network on a run with both",
            numbers={"runs": [{"name": block.name, "n_gamma": block.n_gamma, "n_neutron": block.n_neutron}
                              for block in told]},
        )
    ]  # fmt: skip


def _check_balance_of_blocks(mixed: list[Block]) -> list[Finding]:
    large = [block for block in mixed if len(block) >= LEAST_IN_PART]
    if len(large) < 2:
        return []
    counts = np.array([[block.n_gamma, block.n_neutron] for block in large])
    shares = counts[:, 1] / counts.sum(axis=1)
    if homogeneity(counts) >= FALSE_ALARMS or shares.max() - shares.min() <= _NOTED_SPREAD:
        return []
    return [
        Finding(
            check="class-balance-of-runs",
            severity=Severity.WARNING,
            what=f"the share of neutrons differs between runs, from {shares.min():.0%} to {shares.max():.0%}",
            how_many=f"{len(large)} runs",
            where=listed([f"{block.name}: {share:.0%}" for block, share in zip(large, shares, strict=True)]),
            mend="split by run, and read what the give-away tests say: what differs between runs hints at the class",
            numbers={"neutron_share": shares.tolist(), "runs": [block.name for block in large]},
        )
    ]


def _check_balance_of_all(total: int, n_neutron: int) -> list[Finding]:
    rare = min(n_neutron, total - n_neutron)
    if rare / total >= 0.05:
        return []
    name = "neutrons" if n_neutron == rare else "gammas"
    return [
        Finding(
            check="class-balance",
            severity=Severity.WARNING,
            what=f"{name} are rare: a network that never says so is right in {1 - rare / total:.1%} of all pulses",
            how_many=f"{rare} of {total} pulses",
            where="the whole data set",
            mend=f"add {name}, or balance the training part; judge by gamma leakage, not by accuracy",
            numbers={"n_gamma": total - n_neutron, "n_neutron": n_neutron},
        )
    ]


def homogeneity(counts: NDArray[np.int64]) -> float:
    """Return the p-value of Pearson's chi-square that all rows of counts (row, class) have the same shares."""
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    if (expected == 0).any():
        return 1.0
    special = require_module("scipy.special", extra="analysis")
    return float(special.chdtrc(len(counts) - 1, ((counts - expected) ** 2 / expected).sum()))


def _few_stretches(n_stretches: int, n_gamma: int, n_neutron: int) -> float:
    total = n_gamma + n_neutron
    if total <= _EXACT_UP_TO:
        ways = sum(_ways(number, n_gamma, n_neutron) for number in range(2, n_stretches + 1))
        return ways / comb(total, n_gamma)
    mean = 1 + 2 * n_gamma * n_neutron / total
    variance = (mean - 1) * (mean - 2) / (total - 1)
    return 0.5 * erfc((mean - n_stretches) / sqrt(2 * variance)) if variance > 0 else 1.0


def _ways(n_stretches: int, n_gamma: int, n_neutron: int) -> int:
    half = n_stretches // 2
    if n_stretches % 2 == 0:
        return 2 * comb(n_gamma - 1, half - 1) * comb(n_neutron - 1, half - 1)
    return comb(n_gamma - 1, half) * comb(n_neutron - 1, half - 1) + comb(n_gamma - 1, half - 1) * comb(
        n_neutron - 1, half
    )


def _clumped(block: Block, order: Order) -> Finding:
    label = "neutrons" if block.is_neutron[order.longest_start] else "gammas"
    share, longest = order.n_stretches / order.expected_stretches, order.longest / len(block)
    severity = Severity.WARNING
    if share < 0.5 or longest > 0.1:
        severity = Severity.ERROR
    elif share > 0.9 and longest < 0.01:
        # Sure in a large set, but harmless: events of several pulses are of one class more often than not.
        severity = Severity.NOTE
    return Finding(
        check="class-order",
        severity=severity,
        what="the classes do not come at random: there are long runs of one class",
        how_many=f"{order.n_stretches} runs of one class where chance gives {order.expected_stretches:.0f}; "
        f"the longest has {order.longest} pulses",
        where=f"{block.name}; the longest: {label} {order.longest_start}..{order.longest_start + order.longest - 1}",
        mend=_MEND_ORDER,
        numbers={
            "n_runs_of_one_class": order.n_stretches,
            "expected_runs_of_one_class": order.expected_stretches,
            "longest_run": order.longest,
            "longest_run_start": order.longest_start,
            "p_value": order.p_value,
        },
    )


def _uneven_parts(block: Block, counts: NDArray[np.int64], p_value: float) -> Finding:
    shares = counts[:, 1] / counts.sum(axis=1)
    spread = float(shares.max() - shares.min())
    return Finding(
        check="class-balance-of-parts",
        severity=Severity.ERROR if spread > _LARGE_SPREAD else Severity.WARNING,
        what=f"the share of neutrons changes along the file, from {shares.min():.0%} to {shares.max():.0%}",
        how_many=f"{len(counts)} equal parts of {len(block)} pulses",
        where=f"{block.name}; neutrons in each part: {', '.join(f'{share:.0%}' for share in shares)}",
        mend=_MEND_ORDER,
        numbers={"n_gamma": counts[:, 0].tolist(), "n_neutron": counts[:, 1].tolist(), "p_value": p_value},
    )


def _only_one_class(total: int, name: str) -> Finding:
    return Finding(
        check="one-class",
        severity=Severity.ERROR,
        what=f"there are only {name}: nothing to tell apart",
        how_many=f"{total} pulses",
        where="the whole data set",
        mend="give the files of the other class too",
        numbers={"n_pulses": total},
    )


def _plural(block: Block) -> str:
    return "neutrons" if block.n_neutron else "gammas"
