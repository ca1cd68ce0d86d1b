"""Writing CoMPASS ``.csv`` files, with a settings file beside them that readers find by itself."""

from __future__ import annotations

from typing import Any, BinaryIO

from numpy.typing import NDArray

from discrimen.formats.compass.binary_layout import EventContent
from discrimen.formats.compass.writer import CompassWriter

_SLICE_ROWS = 10_000
_NAMES = {
    "board": "BOARD",
    "channel": "CHANNEL",
    "timestamp": "TIMETAG",
    "energy": "ENERGY",
    "calibrated_energy": "CALIB_ENERGY",
    "energy_short": "ENERGYSHORT",
    "flags": "FLAGS",
}


class CompassCsvWriter(CompassWriter):
    """Writer of one ``.csv`` file; see :class:`~discrimen.formats.compass.writer.CompassWriter`."""

    def _head(self, content: EventContent) -> bytes:
        names = [name for field, name in _NAMES.items() if field in _columns(content)]
        samples = ["SAMPLES"] if EventContent.WAVEFORM in content else []
        return (";".join([*names, *samples]) + "\n").encode()

    def _write_events(self, stream: BinaryIO, fields: dict[str, NDArray[Any]], samples: NDArray[Any]) -> None:
        assert self._content is not None
        names = _columns(self._content)
        for start in range(0, len(samples), _SLICE_ROWS):
            part = slice(start, start + _SLICE_ROWS)
            columns = [_texts(name, fields[name][part]) for name in names]
            rows = [";".join(map(str, row)) for row in samples[part].tolist()]
            if samples.shape[1]:
                columns.append(rows)
            stream.writelines((";".join(row) + "\n").encode() for row in zip(*columns, strict=True))


def _columns(content: EventContent) -> list[str]:
    left_out = {
        "energy": EventContent.ENERGY,
        "calibrated_energy": EventContent.CALIBRATED_ENERGY,
        "energy_short": EventContent.ENERGY_SHORT,
    }
    return [field for field in _NAMES if field not in left_out or left_out[field] in content]


def _texts(name: str, values: NDArray[Any]) -> list[str]:
    if name == "flags":
        return [f"0x{value:X}" for value in values.tolist()]
    return [repr(value) for value in (values if name == "calibrated_energy" else values.astype("u8")).tolist()]
