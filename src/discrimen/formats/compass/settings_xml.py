"""The XML of settings.xml: reading it safely, and writing a small one in the structure of CoMPASS.

What is written is read by :mod:`discrimen.formats.compass.settings` and by daq2lh5. That program looks the sampling
rate up by the name of the board, wants each value to carry its type, and takes channels with a single value for
disabled: hence the model names, the ``xsi:type`` attributes, and two values in each channel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, TreeBuilder, indent, tostring
from xml.parsers import expat

from discrimen.errors import SettingsError
from discrimen.pulses.detector import DetectorSettings

MAX_BYTES = 64 * 2**20
"""A settings.xml of sixteen 64-channel boards is well below this; anything larger is something else."""

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_MODELS = {1.0: "DT5751", 2.0: "DT5730", 4.0: "DT5725", 10.0: "DT5724"}
"""The CAEN family with DPP firmware of each sampling period in ns; only a name for readers that go by it."""
_N_CHANNELS = 16


@dataclass(frozen=True, slots=True)
class WrittenBoard:
    """What was written of one board.

    Parameters
    ----------
    sample_period_ns : float or None
        Sampling period.
    n_samples : int
        Samples of its longest waveform.
    """

    sample_period_ns: float | None
    n_samples: int


def parse_plain_xml(path: Path) -> Element:
    """Parse XML that declares no document type, and so has no entities of its own that could grow.

    Raises
    ------
    SettingsError
        If it cannot be read, is not well-formed, declares a document type or is larger than :data:`MAX_BYTES`.
    """
    builder = TreeBuilder()
    parser = expat.ParserCreate()
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data

    def refuse(*_: object) -> None:
        raise SettingsError(f"{path}: expected plain XML, got a document type declaration; CoMPASS writes none")

    parser.StartDoctypeDeclHandler = refuse
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise SettingsError(f"{path}: larger than {MAX_BYTES} bytes; this is no settings.xml of CoMPASS")
        parser.Parse(content, True)
        return builder.close()
    except OSError as error:
        raise SettingsError(f"{path}: cannot read: {error.strerror}; name another with --companion") from error
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise SettingsError(f"{path}: no well-formed XML: {error}; name another with --companion") from error


def settings_xml(boards: Mapping[int, WrittenBoard], settings: DetectorSettings) -> str:
    """Return a settings.xml with the boards 0 up to the highest written one.

    Parameters
    ----------
    boards : mapping of int to WrittenBoard
        By board number. Boards between them that wrote nothing are listed like the lowest one, because the place in
        the list is the number.
    settings : DetectorSettings
        Polarity, pre-trigger, ADC bits and gates, the same for all boards.
    """
    written = boards or {0: WrittenBoard(settings.sample_period_ns, 0)}
    root = Element("configuration", {"xmlns:xsi": _XSI, "xmlns:xs": "http://www.w3.org/2001/XMLSchema"})
    for number in range(max(written) + 1):
        _add_board(root, number, written.get(number, written[min(written)]), settings)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n' + tostring(root, encoding="unicode") + "\n"


def _add_board(root: Element, number: int, facts: WrittenBoard, settings: DetectorSettings) -> None:
    board = SubElement(root, "board")
    period_ns = facts.sample_period_ns
    texts = {
        "id": str(number),
        "modelName": _MODELS.get(period_ns or 0.0, "unknown"),
        "serialNumber": str(number),
        "label": settings.name or f"board {number}",
    }
    if settings.adc_bits is not None:
        texts["adcBitCount"] = str(settings.adc_bits)
    if period_ns is not None:
        texts["sampleTime"] = f"{1000 * period_ns:.12g}"
    for tag, text in texts.items():
        SubElement(board, tag).text = text
    entries = SubElement(board, "parameters")
    for key, value in _parameters(facts, settings).items():
        entry = SubElement(entries, "entry")
        SubElement(entry, "key").text = key
        _typed(SubElement(entry, "value"), value)
    for index in range(_N_CHANNELS):
        channel = SubElement(board, "channel")
        SubElement(channel, "index").text = str(index)
        values = SubElement(channel, "values")
        for key, switch in {"SRV_PARAM_CH_ENABLED": "true", "SW_PARAMETER_CH_LABEL": "CH"}.items():
            entry = SubElement(values, "entry")
            SubElement(entry, "key").text = key
            _typed(entry, switch)


def _parameters(facts: WrittenBoard, settings: DetectorSettings) -> dict[str, str | float]:
    parameters: dict[str, str | float] = {"SRV_PARAM_WAVEFORMS": "true"}
    if facts.sample_period_ns is not None:
        parameters["SRV_PARAM_RECLEN"] = facts.n_samples * facts.sample_period_ns
    if settings.polarity is not None:
        parameters["SRV_PARAM_CH_POLARITY"] = f"POLARITY_{settings.polarity.upper()}"
    if settings.pretrigger_ns is not None:
        parameters["SRV_PARAM_CH_PRETRG"] = settings.pretrigger_ns
    gates = settings.gates
    if gates is not None and gates.gate_start_ns <= 0:
        parameters["SRV_PARAM_CH_GATEPRE"] = -gates.gate_start_ns
        parameters["SRV_PARAM_CH_GATESHORT"] = gates.short_gate_end_ns - gates.gate_start_ns
        parameters["SRV_PARAM_CH_GATE"] = gates.long_gate_end_ns - gates.gate_start_ns
    return parameters


def _typed(parent: Element, value: str | float) -> None:
    kind = "xs:double" if isinstance(value, float) else "xs:boolean" if value in ("true", "false") else "xs:string"
    SubElement(parent, "value", {"xsi:type": kind}).text = str(value)
