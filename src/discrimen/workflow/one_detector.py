"""Whether all runs hold waveforms of one detector, and say enough of it, as a network of one detector needs them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from discrimen.errors import DataError, DiscrimenError, SettingsError
from discrimen.formats.base import ListModeReader
from discrimen.formats.compass.files import channel_and_serial
from discrimen.formats.table import open_reader


@dataclass(frozen=True, slots=True)
class Detector:
    """What tells detectors apart in the inspection of a run file; `what` is for people."""

    place: tuple[int | None, int | None]
    serial: str | None
    n_samples: int
    sample_period_ns: float | None
    polarity: str | None

    @property
    def what(self) -> str:
        """For people."""
        board, channel = self.place
        place = f"board {board or 0} channel {channel or 0}"
        card = "" if self.serial is None else f" of digitizer {self.serial}"
        at = "" if self.sample_period_ns is None else f" of {self.sample_period_ns:g} ns"
        goes = "" if self.polarity is None else f", {self.polarity}"
        return f"{place}{card}, {self.n_samples} samples{at}{goes}"


def require_waveforms(paths: Iterable[Path]) -> None:
    """Refuse list mode before anything is done; what cannot be read at all is left to the inspection.

    Raises
    ------
    DataError
        If a file holds list mode.
    """
    for path in paths:
        try:
            reader = open_reader(path)
        except DiscrimenError:
            continue
        if isinstance(reader, ListModeReader):
            raise DataError(
                f"{path}: holds list mode, charges without waveforms, and a network needs waveforms; record them, or "
                "label the list by 'discrimen label --method band'"
            )


def require_one_detector(inspections: Mapping[Path, Mapping[str, Any]]) -> None:
    """Refuse runs of several detectors: other places, digitizers, sampling or polarity.

    Parameters
    ----------
    inspections : mapping of Path to mapping
        What ``discrimen inspect --json`` says of each run file.

    Raises
    ------
    DataError
        With what the first run has and what another one has.
    """
    first: tuple[Path, Detector] | None = None
    for path, found in inspections.items():
        detectors = _detectors(path, found)
        lengths = sorted({each.n_samples for each in detectors})
        if len(lengths) == len(detectors) > 1 and len({each.place for each in detectors}) == 1:
            raise DataError(
                f"{path}: holds records of {' and '.join(map(str, lengths))} samples, and a network sees one length: "
                f"cut them with --record-samples {lengths[0]}, or leave the shorter ones out by a larger number "
                "(record_samples in run.yaml)"
            )
        if len(detectors) > 1:
            told = "; ".join(each.what for each in detectors[:3])
            raise DataError(
                f"{path}: holds {len(detectors)} detectors ({told}); a run is made for one: choose it with --channel "
                "(and --board), or channel and board in run.yaml"
            )
        if first is None:
            first = path, detectors[0]
        elif detectors[0] != first[1]:
            raise DataError(
                f"runs of two detectors: {first[0]} has {first[1].what}; {path} has {detectors[0].what}; give the runs "
                "of one detector, or choose its channel with --channel (channel in run.yaml)"
            )


def require_settings(inspections: Mapping[Path, Mapping[str, Any]]) -> None:
    """Refuse runs of which is not known what every step needs, before the first step fails for it.

    Parameters
    ----------
    inspections : mapping of Path to mapping
        What ``discrimen inspect --json`` says of each run file to learn from.

    Raises
    ------
    SettingsError
        With what is missing, and how to give it.
    """
    for path, found in inspections.items():
        known = found["settings"]
        missing = {
            "sample_period_ns: NS": any(each["sample_period_ns"] is None for each in found["channels"]),
            "polarity: negative (or positive)": known.get("polarity") is None,
            "pretrigger_ns: NS": known.get("baseline") is None and known.get("pretrigger_ns") is None,
        }
        options = [option for option, lacks in missing.items() if lacks]
        if options:
            raise SettingsError(
                f"{path}: too little is known of the detector; write these lines into run.yaml, then discrimen rerun: "
                f"{', '.join(options)}; or give discrimen run --sample-period-ns and so on with --overwrite, or a "
                "detector file with --settings"
            )


def _detectors(path: Path, found: Mapping[str, Any]) -> list[Detector]:
    channels = found.get("channels") or []
    if not channels:
        raise DataError(f"{path}: holds no pulses (of the channel that was chosen)")
    named = channel_and_serial(path)
    serial = None if named is None else named[1]
    polarity = found["settings"].get("polarity")
    return [
        Detector((each["board"], each["channel"]), serial, each["n_samples"], each["sample_period_ns"], polarity)
        for each in channels
    ]
