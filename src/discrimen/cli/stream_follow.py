"""The part of ``discrimen stream`` that follows run files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from discrimen.cli import common
from discrimen.cli.stream_told import tell_full
from discrimen.formats.base import Growth, Reader
from discrimen.formats.inputs import InputOptions
from discrimen.online.follow import Ended, FileGrowth, Follower, continuation_of
from discrimen.online.kept_scores import finish, is_finished, open_log
from discrimen.online.scorer import Scorer


def follow_files(
    path: Path, output: Path, scorer: Scorer, *, inputs: InputOptions, idle_s: float, is_ended: Callable[[], bool]
) -> dict[str, Any]:
    """Follow a run file and those that continue it, each into a file of scores of its own, and return what was done."""
    files: list[dict[str, Any]] = []
    is_complete = True
    while True:
        scores = output if not files else output.with_name(f"{output.stem}_{len(files)}{output.suffix}")
        told = _follow(path, scores, scorer, inputs=inputs, idle_s=idle_s, is_ended=is_ended)
        files.append({"input": str(path), "output": str(scores), **told})
        is_complete = told["is_complete"]
        path = continuation_of(path)
        if not is_complete or not path.exists():
            break
    n_full = sum(each.get("n_disk_full", 0) for each in files)
    return {**scorer.as_dict(), "n_disk_full": n_full, "files": files, "is_complete": is_complete}


def _follow(
    path: Path, scores: Path, scorer: Scorer, *, inputs: InputOptions, idle_s: float, is_ended: Callable[[], bool]
) -> dict[str, Any]:
    if is_finished(scores, scorer):
        common.log(f"{path}: scores are complete in {scores}, skipped")
        return {"is_complete": True, "skipped": True}

    def open_reader(growth: Growth) -> Reader:
        return replace(inputs, read=replace(inputs.read, growth=growth)).open(path)

    common.log(f"following {path}")
    growth = FileGrowth(path, is_ended, idle_s=idle_s)
    with open_log(scores, scorer) as store:
        follower = Follower(path, open_reader, scorer, store, growth, on_full=lambda: tell_full(scores))
        try:
            reader = follower.run()
        except Ended:
            return {**_counts(follower), "is_complete": False}
    common.log_left_out(path, reader.report)
    return {
        **_counts(follower),
        "n_damaged": reader.report.n_damaged,
        "n_written": finish(scores, scorer),
        "is_complete": True,
    }


def _counts(follower: Follower) -> dict[str, Any]:
    return {
        **follower.ledger.as_dict(),
        "n_messages_before": follower.n_before,
        "n_disk_full": follower.n_full,
    }
