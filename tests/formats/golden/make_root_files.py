"""Write the golden ROOT files with CERN's ROOT: what uproot reads but cannot write.

Run with the PyPI package `root` installed: ``python tests/formats/golden/make_root_files.py [FOLDER]``.
Every number follows from its place by the formulas below, which the tests repeat.
"""

from __future__ import annotations

import array
import sys
from collections.abc import Callable
from pathlib import Path

import ROOT

N_ENTRIES = 60
BASKET_BYTES = 640


def compass_length(entry: int) -> int:
    """Samples of an event: mixed lengths, some without waveform."""
    return (40, 40, 24, 40, 0)[entry % 5]


def compass_sample(entry: int, sample: int) -> int:
    """16-bit samples, above 32767 in odd places."""
    return (16 * entry + sample) % 65536 if sample % 2 == 0 else 65535 - entry - sample


def compass_flags(entry: int) -> int:
    """Event 7 is fake, 8 lost the clock, 9 piled up, 11 saturates the input."""
    return {7: 0x8, 8: 0x80000, 9: 0x8000, 11: 0x400}.get(entry, 0x4000)


def write_compass(path: Path, length: Callable[[int], int] = compass_length) -> None:
    """Write the tree Data_R with the branches and types of CoMPASS; `length` gives the samples of each event."""
    file = ROOT.TFile(str(path), "RECREATE")
    tree = ROOT.TTree("Data_R", "CoMPASS RAW events TTree")
    channel, board, energy, short = (array.array("H", [0]) for _ in range(4))
    timestamp, flags, probe = array.array("Q", [0]), array.array("I", [0]), array.array("i", [0])
    samples = ROOT.TArrayS()
    tree.Branch("Channel", channel, "Channel/s", BASKET_BYTES)
    tree.Branch("Timestamp", timestamp, "Timestamp/l", BASKET_BYTES)
    tree.Branch("Board", board, "Board/s", BASKET_BYTES)
    tree.Branch("Energy", energy, "Energy/s", BASKET_BYTES)
    tree.Branch("EnergyShort", short, "EnergyShort/s", BASKET_BYTES)
    tree.Branch("Flags", flags, "Flags/i", BASKET_BYTES)
    tree.Branch("Probe", probe, "Probe/I", BASKET_BYTES)
    tree.Branch("Samples", samples, BASKET_BYTES)
    for entry in range(N_ENTRIES):
        channel[0], board[0], timestamp[0] = entry % 8, entry % 2, 10**15 + 1_000_003 * entry
        energy[0], short[0], flags[0], probe[0] = 100 + entry, 50 + entry, compass_flags(entry), 1
        samples.Set(length(entry))
        for sample in range(length(entry)):
            value = compass_sample(entry, sample)
            samples[sample] = value - 65536 if value > 32767 else value
        tree.Fill()
    tree.Write()
    file.Close()


def write_vectors(path: Path) -> None:
    """Write the tree `events` with a waveform in every way a tree can hold one, in a folder of the file."""
    file = ROOT.TFile(str(path), "RECREATE")
    file.mkdir("run1").cd()
    tree = ROOT.TTree("events", "pulses")
    count, fixed, plane = array.array("i", [0]), array.array("H", [0] * 75), array.array("h", [0] * 12)
    counted, time = array.array("h", [0] * 32), array.array("d", [0])
    vectors = {
        "vector_short": ROOT.std.vector["short"](),
        "vector_ushort": ROOT.std.vector["unsigned short"](),
        "vector_int": ROOT.std.vector["int"](),
        "vector_float": ROOT.std.vector["float"](),
        "vector_double": ROOT.std.vector["double"](),
        "vector_long": ROOT.std.vector["long long"](),
    }
    tree.Branch("time_ns", time, "time_ns/D")
    tree.Branch("n", count, "n/I")
    tree.Branch("counted", counted, "counted[n]/S")
    tree.Branch("fixed", fixed, "fixed[75]/s")
    tree.Branch("plane", plane, "plane[3][4]/S")
    for name, vector in vectors.items():
        tree.Branch(name, vector)
    for entry in range(N_ENTRIES):
        length = 32 if entry % 3 else 20
        count[0], time[0] = length, 8.5 * entry
        for sample in range(75):
            fixed[sample] = 60000 + entry + sample
        for vector in vectors.values():
            vector.clear()
        for sample in range(length):
            counted[sample] = entry - sample
            for name, vector in vectors.items():
                vector.push_back(entry + sample if name == "vector_ushort" else entry - sample)
        tree.Fill()
    tree.Write()
    file.Close()


def write_nested(path: Path) -> None:
    """Write the tree `events` with one waveform a channel: nested vectors of 0 to 3 channels, and a fixed grid."""
    file = ROOT.TFile(str(path), "RECREATE")
    tree = ROOT.TTree("events", "channels side by side")
    waves, channels = ROOT.std.vector["std::vector<short>"](), ROOT.std.vector["unsigned short"]()
    grid = array.array("H", [0] * 60)
    ticks = array.array("q", [0])
    tree.Branch("waves", waves, BASKET_BYTES, 99)
    tree.Branch("channels", channels, BASKET_BYTES, 99)
    tree.Branch("grid", grid, "grid[3][20]/s", BASKET_BYTES)
    tree.Branch("ticks", ticks, "ticks/L", BASKET_BYTES)
    for entry in range(N_ENTRIES):
        waves.clear()
        channels.clear()
        for place in range(entry % 4):
            waves.push_back(ROOT.std.vector["short"]([entry - sample - 100 * place for sample in range(24)]))
            channels.push_back(5 + 2 * place)
        for place in range(3):
            for sample in range(20):
                grid[20 * place + sample] = 1000 * place + entry + sample
        ticks[0] = 7 * entry
        tree.Fill()
    tree.Write()
    file.Close()


def write_rntuple(path: Path) -> None:
    """Write the RNTuple `events`."""
    model = ROOT.RNTupleModel.Create()
    model.MakeField["std::uint64_t"]("ticks")
    model.MakeField["std::uint16_t"]("channel")
    model.MakeField["std::vector<std::uint16_t>"]("wave")
    writer = ROOT.RNTupleWriter.Recreate(model, "events", str(path))
    entry_values = writer.CreateEntry()
    for entry in range(N_ENTRIES):
        entry_values["ticks"] = 5 * entry
        entry_values["channel"] = entry % 3
        entry_values["wave"] = ROOT.std.vector["std::uint16_t"]([40000 + entry + sample for sample in range(24)])
        writer.Fill(entry_values)
    del writer


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    ROOT.gROOT.SetBatch(True)
    write_compass(folder / "compass_data_r.root")
    write_compass(folder / "compass_regular.root", length=lambda entry: 24)
    write_vectors(folder / "waveform_branches.root")
    write_nested(folder / "nested.root")
    write_rntuple(folder / "rntuple.root")
