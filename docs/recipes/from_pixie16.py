"""Traces of XIA Pixie-16 list-mode files (.bin), as an .npz with samples in ADC counts.

Usage: python from_pixie16.py run*.bin --sample-period-ns 2 -o run.npz. Tested with pypixie16 3.1.0. Time stamps are
counted in ticks of 8 ns where a sample lasts 4 ns (modules of 250 MHz), of 10 ns otherwise (100 and 500 MHz).
"""

import argparse
from collections import Counter
from pathlib import Path

import numpy as np
from pixie16.read.list_mode.list_mode_data_reader import events_from_files_generator


def main() -> None:
    """Read all files and write the traces of the most frequent length as one run; they must fit into memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("-o", "--output", required=True, type=Path)
    parser.add_argument("--sample-period-ns", required=True, type=float, help="2, 4 or 10; the files do not say")
    given = parser.parse_args()
    events = list(events_from_files_generator(given.files))
    lengths = Counter(len(event.trace) for event in events if len(event.trace))
    if not lengths:
        raise SystemExit(f"{len(events)} events, none with a trace")
    length, n_pulses = lengths.most_common(1)[0]
    print(f"{len(events)} events, {n_pulses} with traces of {length} samples; left out: {len(events) - n_pulses}")
    kept = [event for event in events if len(event.trace) == length]
    tick_ns = 8 if given.sample_period_ns == 4 else 10
    np.savez(
        given.output,
        samples=np.stack([event.trace for event in kept]),
        sample_period_ns=given.sample_period_ns,
        # The library has multiplied by 10 ns.
        timestamp_ps=np.array([int(event.timestamp) // 10 * tick_ns * 1000 for event in kept], np.int64),
        energy=np.array([event.energy for event in kept], np.float64),
        board=np.array([event.slot for event in kept], np.int32),
        channel=np.array([event.channel for event in kept], np.int32),
    )


if __name__ == "__main__":
    main()
