"""Waveforms of a LeCroy oscilloscope (.trc), one a file or many in sequence mode, as an .npz with samples in mV.

Usage: python from_lecroy.py C1*.trc -o run.npz. Tested with lecroyparser 1.4.2.
"""

import argparse
from pathlib import Path

import lecroyparser
import numpy as np


def read(path: Path) -> tuple[np.ndarray, np.ndarray | None, float]:
    """Return samples in mV (segment, sample), times of a sequence in ps, and the sampling period in ns."""
    scope = lecroyparser.ScopeData(str(path))
    n_segments = max(1, int(scope.parseInt32(144)))
    if len(scope.y) % n_segments:
        raise SystemExit(f"{path}: {len(scope.y)} samples are no {n_segments} segments of equal length: cut off?")
    times_ps = None
    if scope.trigTimeArray:
        # Of each segment: its trigger after the first one's, and its first sample after its trigger, in s.
        at = scope.posWAVEDESC + scope.waveDescriptor + scope.userText
        pairs = np.frombuffer(scope.data, f"{scope.endianness}f8", 2 * n_segments, at).reshape(-1, 2)
        times_ps = np.rint(pairs[:, 0] * 1e12).astype(np.int64)
    samples_mv = np.asarray(scope.y.reshape(n_segments, -1) * 1000, np.float32)
    return samples_mv, times_ps, round(float(scope.horizInterval) * 1e9, 6)


def main() -> None:
    """Read all files, which must have one length and one sampling period, and write them as one run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("-o", "--output", required=True, type=Path)
    given = parser.parse_args()
    parts = [read(path) for path in given.files]
    kinds = {(part[0].shape[1], part[2]) for part in parts}
    if len(kinds) > 1:
        raise SystemExit(f"files of several lengths and sampling periods: {sorted(kinds)}; take them apart")
    arrays = {"samples": np.concatenate([part[0] for part in parts]), "sample_period_ns": parts[0][2]}
    # The times of a file count from its own first segment: of several files they are not one clock.
    if len(parts) == 1 and parts[0][1] is not None:
        arrays["timestamp_ps"] = parts[0][1]
    np.savez(given.output, **arrays)


if __name__ == "__main__":
    main()
