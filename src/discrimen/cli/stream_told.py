"""What ``discrimen stream`` says to people when it ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from discrimen.cli import common


def tell_full(output: object) -> None:
    """Say that there is no room for the results."""
    common.log(f"the disk of {output} is full: the stream waits, and so does the sender, until there is room again")


def tell(result: Mapping[str, Any], output: str) -> None:
    """Print what came and what was wrong with it."""
    print(f"{result['n_pulses']} pulses: {result['n_neutron']} neutrons, {result['n_not_scored']} not scored")
    for reason, count in result["refused"].items():
        print(f"{count} pulses do not fit the model: {reason}")
    for source, ledger in result.get("sources", {}).items():
        wrong = [f"{name} {ledger[name]}" for name in ("n_lost", "missing_ps", "overlap_ps") if ledger[name]]
        if wrong:
            print(f"source {source}: {', '.join(wrong)}")
    if result.get("n_garbage"):
        print(f"{result['n_garbage']} messages could not be read")
    if result.get("n_disk_full"):
        print(f"the disk was full {result['n_disk_full']} times")
    for each in result.get("files", [{"output": output, **result}]):
        if "n_written" in each:
            print(f"{each['n_written']} scores written to {each['output']}")
    if not result["is_complete"]:
        print("ended before all was done; the same command goes on from here")
