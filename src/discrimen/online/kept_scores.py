"""The file of scores that a stream leaves: made of its log when every source has stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from discrimen.errors import FormatError, OutputError, SettingsError
from discrimen.online.message import Kind, Message
from discrimen.online.result_log import ResultLog, messages_in
from discrimen.online.scorer import Scorer
from discrimen.output.provenance import command_line, utc_now
from discrimen.scoring.score_rows import ScoreRows
from discrimen.scoring.scores import open_score_writer, read_attributes

LOG_SUFFIX = ".log"
"""Behind the name of the file of scores, while the stream lasts."""


def log_of(output: Path) -> Path:
    """Return the name of the log of a file of scores."""
    return output.with_name(output.name + LOG_SUFFIX)


@contextmanager
def open_log(output: Path, scorer: Scorer) -> Iterator[ResultLog]:
    """Open the log of a file of scores, new or to go on with.

    Raises
    ------
    SettingsError
        If the model has other outputs than classes, which a file of scores does not hold.
    OutputError
        If the file of scores is there, without a log.
    FormatError
        If another model has begun the log, or it is damaged.
    """
    kinds = [each.kind for each in scorer.predictor.description.outputs]
    if kinds != ["classes"]:
        raise SettingsError(
            f"a file of scores holds one output of classes, this model gives {', '.join(kinds)}: send its results to "
            "an address"
        )
    log = log_of(output)
    # With a log beside it the file was complete, but a sender may not know that yet.
    if output.exists() and not log.exists():
        raise OutputError(f"{output} is there already: give another name, or move it away")
    _require_same_model(log, scorer.sha256)
    with ResultLog.open(log) as store:
        yield store


def is_finished(output: Path, scorer: Scorer) -> bool:
    """Tell whether a file of scores is complete and of this model and threshold."""
    if not output.exists() or log_of(output).exists():
        return False
    attributes = read_attributes(output)
    return all(attributes.get(name) == value for name, value in _identity(scorer).items())


def finish(output: Path, scorer: Scorer) -> int:
    """Make the file of scores of its log, remove that, and return how many scores there are; see `write_scores`."""
    log = log_of(output)
    n_written = write_scores(log, output, {**_identity(scorer), "date_utc": utc_now(), "command_line": command_line()})
    log.unlink()
    return n_written


def _identity(scorer: Scorer) -> dict[str, str]:
    return {"model_sha256": scorer.sha256, "threshold": str(scorer.threshold)}


def _require_same_model(log: Path, sha256: str) -> None:
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
