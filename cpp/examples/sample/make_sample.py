"""Make the sample model and its records: ``python cpp/examples/sample/make_sample.py [FOLDER]``.

The reference network (MLP 75-10-4-2) for simulated BC501A read by NUMEXO2, with a threshold by height that keeps 95 %
of the neutrons; and 200 pulses that it has not seen, 100 gammas and then 100 neutrons, as int16 one after the other.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import discrimen
from discrimen.pulses import Label

N_OF_A_CLASS = 100


def main(folder: Path) -> None:
    """Write ``bc501a_10ns.discrimen`` and ``bc501a_10ns.raw``."""
    with TemporaryDirectory() as scratch:
        runs = [Path(scratch) / f"run{number}.lh5" for number in range(3)]
        for seed, (run, n_pulses) in enumerate(zip(runs, (126_000, 60_000, 2_000), strict=True), start=31):
            discrimen.simulate(run, n_pulses, seed=seed)
        training, tuning, others = (discrimen.read(run, label_by="truth") for run in runs)
        model = discrimen.train(training, Path(scratch) / "model", architecture="mlp", seed=1)
        discrimen.freeze(model, folder / "bc501a_10ns.discrimen", calibration=tuning, neutron_efficiencies=(0.95,))
    labels = others.pulses.column("label")
    chosen = np.concatenate([np.flatnonzero(labels == label)[:N_OF_A_CLASS] for label in (Label.GAMMA, Label.NEUTRON)])
    (folder / "bc501a_10ns.raw").write_bytes(others.pulses.samples[chosen].astype("<i2").tobytes())


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
