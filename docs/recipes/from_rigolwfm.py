"""Waveforms of Rigol and other oscilloscopes, one a file and channel, as an .npz with samples in mV.

Usage: python from_rigolwfm.py *.wfm -o run.npz. Tested with RigolWFM 1.6.0.
"""

import argparse
from pathlib import Path

import numpy as np
import RigolWFM.wfm


def main() -> None:
    """Read all channels of all files, which must have one length and one sampling period, and write them as one run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("-o", "--output", required=True, type=Path)
    given = parser.parse_args()
    samples_mv, channel, kinds = [], [], set()
    for path in given.files:
        waveform = RigolWFM.wfm.Wfm.from_file(str(path))
        for each in (each for each in waveform.channels if each.enabled and each.volts is not None):
            samples_mv.append(np.asarray(each.volts * 1000, np.float32))
            kinds.add((len(each.volts), round(float(each.seconds_per_point) * 1e9, 6)))
            channel.append(each.channel_number)
    if len(kinds) != 1:
        raise SystemExit(
            f"expected one length and one sampling period in ns, got {sorted(kinds)}; take the files apart"
        )
    ((_, period_ns),) = kinds
    np.savez(given.output, samples=np.stack(samples_mv), sample_period_ns=period_ns, channel=np.array(channel))


if __name__ == "__main__":
    main()
