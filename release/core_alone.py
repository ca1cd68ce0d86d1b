"""Run inside a bare environment: a CoMPASS run is scored and each format of the core is read, by the wheel alone."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np

import discrimen
from discrimen.errors import MissingExtraError
from discrimen.formats.table import known_formats, open_reader, open_writer

EXTRAS = ("scipy", "sklearn", "matplotlib", "keras", "jax", "uproot", "pyarrow", "pandas", "onnx", "numba", "dask")
MODEL, RECORDS, RUN = "bc501a_10ns.discrimen", "bc501a_10ns.raw", Path("DAQ/run_1/RAW/SDataR_run_1.BIN")
N_SAMPLES = 75


def main() -> None:
    """Check where the package comes from, then use it."""
    prefix = Path(sys.prefix).resolve()
    assert prefix in Path(discrimen.__file__).resolve().parents, discrimen.__file__
    assert not [name for name in EXTRAS if find_spec(name)], "an extra is installed"
    classify(write_run())
    read_formats()


def write_run() -> discrimen.Pulses:
    """Write the records of the sample as a run of CoMPASS."""
    samples = np.fromfile(RECORDS, "<i2").reshape(-1, N_SAMPLES).astype(np.uint16)
    number = np.arange(len(samples))
    pulses = discrimen.Pulses(
        samples=samples,
        sample_period_ns=10.0,
        timestamp_ps=1_000_000_000 * (number + 1),
        board=np.zeros(len(samples), np.int32),
        channel=np.zeros(len(samples), np.int32),
        flags=np.zeros(len(samples), np.uint32),
    )
    RUN.parent.mkdir(parents=True)
    with open_writer(RUN, discrimen.DetectorSettings(polarity="negative")) as writer:
        writer.write(pulses)
    return pulses


def classify(pulses: discrimen.Pulses) -> None:
    """Score the run by the command, and compare with the reference in float64."""
    command = Path(sys.executable).parent / "discrimen"
    options = ("--most-outside", "1")
    subprocess.run(
        [command, "classify", MODEL, RUN, "-o", "scores.h5", *options], check=True, stdout=subprocess.DEVNULL
    )
    given = discrimen.read_scores("scores.h5")
    expected = discrimen.load(MODEL, backend="reference").predictor.predict(pulses.samples)
    assert len(given) == len(pulses), f"expected {len(pulses)} scores, got {len(given)}"
    off = float(np.abs(given.rows.score - expected).max())
    assert off < 1e-5, f"scores differ by {off} from the reference"
    print(f"{RUN}: {len(given)} pulses scored by the native engine, within {off:.0e} of the reference in float64")


def read_formats() -> None:
    """Write and read each format that the core writes, and name the extra of those that need one."""
    pulses = discrimen.read(RUN).pulses
    run = pulses.replace(samples=pulses.samples[:, : N_SAMPLES - 1])  # GEB wants an even number
    for known in known_formats():
        if known.open_writer is None:
            continue
        path = Path(f"{known.name}{known.suffixes[0]}")
        try:
            with open_writer(path, discrimen.DetectorSettings(polarity="negative"), format_name=known.name) as writer:
                writer.write(run)
        except MissingExtraError as error:
            print(f"{known.name}: {error}")
            continue
        n_pulses = sum(len(chunk) for chunk in open_reader(path, format_name=known.name).chunks())
        assert n_pulses == len(run), f"{known.name}: wrote {len(run)} pulses, read {n_pulses}"
        print(f"{known.name}: {n_pulses} pulses written and read")


if __name__ == "__main__":
    main()
