"""What ran where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from discrimen.cluster.receipt import Receipt


def by_worker(receipts: Iterable[Receipt]) -> list[dict[str, Any]]:
    """Return host, process, jobs, pulses and seconds of each worker, the busiest first."""
    rows: dict[tuple[str, int], dict[str, Any]] = {}
    for receipt in receipts:
        row = rows.setdefault(
            (receipt.host, receipt.process),
            {"host": receipt.host, "process": receipt.process, "n_jobs": 0, "n_pulses": 0, "seconds": 0.0},
        )
        row["n_jobs"] += 1
        row["n_pulses"] += receipt.n_pulses
        row["seconds"] += receipt.seconds
    return sorted(rows.values(), key=lambda row: -row["seconds"])


def where_lines(receipts: Sequence[Receipt], *, seconds: float, n_again: int) -> Iterable[str]:
    """Say what ran where, by machine."""
    workers = by_worker(receipts)
    hosts: dict[str, list[dict[str, Any]]] = {}
    for worker in workers:
        hosts.setdefault(worker["host"], []).append(worker)
    n_pulses = sum(receipt.n_pulses for receipt in receipts)
    again = f", {n_again} handed in again" if n_again else ""
    yield f"{len(receipts)} jobs{again}, {n_pulses:,} pulses in {seconds:.1f} s by {len(workers)} worker processes:"
    for host, rows in hosts.items():
        busy_s = sum(row["seconds"] for row in rows)
        n_jobs, n_read = (sum(row[name] for row in rows) for name in ("n_jobs", "n_pulses"))
        yield f"  {host}: {len(rows)} processes, {n_jobs} jobs, {n_read:,} pulses, {busy_s:.1f} s of work"
