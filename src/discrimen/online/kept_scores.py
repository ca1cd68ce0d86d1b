"""The file of scores that a stream leaves: made of its log when every source has stopped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from discrimen.errors import FormatError
from discrimen.online.message import Kind, Message
from discrimen.online.result_log import messages_in
from discrimen.scoring.score_rows import ScoreRows
from discrimen.scoring.scores import open_score_writer

LOG_SUFFIX = ".log"
"""Behind the name of the file of scores, while the stream lasts."""


def log_of(output: Path) -> Path:
    """Return the name of the log of a file of scores."""
    return output.with_name(output.name + LOG_SUFFIX)


def require_same_model(log: Path, sha256: str) -> None:
    """Refuse to go on with a log that another model has begun.

    Raises
    ------
    FormatError
        If it is one.
    """
    for message in messages_in(log) if log.exists() else ():
        if message.head.kind == Kind.RESULTS:
            if _told(message)["model_sha256"] != sha256:
                raise FormatError("the log was begun with another model: finish with that one, or move it away", log)
            return


def write_scores(log: Path, output: Path, attributes: Mapping[str, str]) -> int:
    """Write the results of a log as a file of scores, whose suffix says its kind, and return how many there are.

    Parameters
    ----------
    log : Path
        With results of a model that has one output, of classes.
    output : Path
        See :func:`~discrimen.scoring.scores.open_score_writer`.
    attributes : mapping of str to str
        Provenance.

    Raises
    ------
    FormatError
        If the log is damaged, or holds no results.
    OutputError
        If the file system refuses.
    """
    results = (message for message in messages_in(log) if message.head.kind == Kind.RESULTS)
    first = next(results, None)
    if first is None:
        raise FormatError("the log holds no results", log)
    classes = _told(first)["outputs"][0]["names"]
    n_pulses = 0
    with open_score_writer(output, classes=classes, attributes=attributes, n_entries=None) as writer:
        for message in (first, *results):
            writer.write(_rows(message))
            n_pulses += message.head.n_pulses
    return n_pulses


def _told(message: Message) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(bytes(message.parts[4]))
    return told


def _rows(message: Message) -> ScoreRows:
    columns = message.columns
    outside = np.frombuffer(message.parts[2], np.dtype("<u2"))
    return ScoreRows(
        entry=columns["entry"].astype(np.int64),
        score=message.values,
        timestamp_ps=columns["timestamp_ps"],
        board=columns["board"].astype(np.int32),
        channel=columns["channel"].astype(np.int32),
        flags=columns["flags"],
        outside=outside if len(outside) else None,
        class_number=np.frombuffer(message.parts[3], np.int8),
    )
