"""Time daq2lh5 on one CoMPASS file: decoding into its tables in memory, nothing written.

Run by read_compass.py with the Python of a virtual environment that holds legend-daq2lh5:
python daq2lh5_compass.py RUN.BIN SETTINGS.xml
"""

from __future__ import annotations

import json
import sys
import time


def main(run_file: str, settings_file: str) -> None:
    import daq2lh5
    from daq2lh5.compass.compass_streamer import CompassStreamer

    streamer = CompassStreamer(settings_file)
    n_pulses = 0
    start = time.perf_counter()
    streamer.open_stream(run_file, buffer_size=8192)
    while chunk := streamer.read_chunk():
        for buffer in chunk:
            # One of the tables holds the file header.
            n_pulses += buffer.loc if "waveform" in buffer.lgdo else 0
            buffer.loc = 0
    elapsed_s = time.perf_counter() - start
    print(json.dumps({"version": daq2lh5.__version__, "n_pulses": n_pulses, "elapsed_s": elapsed_s}))


if __name__ == "__main__":
    main(*sys.argv[1:3])
