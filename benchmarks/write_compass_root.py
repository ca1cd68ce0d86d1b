"""Write a CoMPASS ROOT file (TArrayS, zlib level 1, ROOT's own baskets) from waveforms, with CERN's ROOT.

python benchmarks/write_compass_root.py WAVEFORMS.npy FILE.root
"""

from __future__ import annotations

import array
import sys

import numpy as np
import ROOT


def main() -> None:
    waveforms = np.load(sys.argv[1], mmap_mode="r")
    file = ROOT.TFile(sys.argv[2], "RECREATE")
    file.SetCompressionSettings(101)
    tree = ROOT.TTree("Data_R", "CoMPASS RAW events TTree")
    values = {name: array.array("H", [0]) for name in ("Channel", "Board", "Energy", "EnergyShort")}
    timestamp, flags, samples = array.array("Q", [0]), array.array("I", [0x4000]), ROOT.TArrayS()
    for name, value in values.items():
        tree.Branch(name, value, f"{name}/s")
    tree.Branch("Timestamp", timestamp, "Timestamp/l")
    tree.Branch("Flags", flags, "Flags/i")
    tree.Branch("Samples", samples)
    for number, waveform in enumerate(waveforms):
        values["Channel"][0] = number % 2
        values["Energy"][0] = int(waveform.max() - waveform.min())
        values["EnergyShort"][0] = values["Energy"][0] // 2
        timestamp[0] += 1 + 7919 * number % 1_000_003
        samples.Set(len(waveform), np.ascontiguousarray(waveform, dtype=np.int16))
        tree.Fill()
    tree.Write()
    file.Close()


if __name__ == "__main__":
    main()
