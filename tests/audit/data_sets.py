"""Clean simulated data sets, and one planted fault at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from discrimen.audit import Audit, audit_dataset
from discrimen.pulses import Pulses, concatenate
from discrimen.runs.dataset import Dataset
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.settings import detector_settings
from discrimen.simulation.simulate import simulate

N_PULSES = 3000


def clean_pulses(seed: int, *, n_pulses: int = N_PULSES, n_channels: int = 3, **options: object) -> Pulses:
    return simulate(SimulationConfig(n_pulses=n_pulses, n_channels=n_channels, seed=seed, **options))  # type: ignore[arg-type]


def data_set(*files: Pulses, digitizer: str = "NUMEXO2") -> Dataset:
    """A data set of one file each, called run0, run1 and so on."""
    numbered = [pulses.replace(run=np.full(len(pulses), number)) for number, pulses in enumerate(files)]
    return Dataset(
        pulses=concatenate(numbered),
        settings=detector_settings(SimulationConfig(n_pulses=1, digitizer=digitizer)),
        files=tuple(
            {"name": f"run{number}", "sha256": str(number), "n_pulses": len(pulses)}
            for number, pulses in enumerate(files)
        ),
        n_unlabelled=0,
    )


def checks(*files: Pulses, digitizer: str = "NUMEXO2", seed: int = 0) -> dict[str, str]:
    """Severity of each finding, by the name of its check."""
    return severities(audit_dataset(data_set(*files, digitizer=digitizer), seed=seed))


def severities(audit: Audit) -> dict[str, str]:
    return {finding.check: finding.severity.value for finding in audit.findings}


def change_neutrons(pulses: Pulses, change: Callable[[np.ndarray], np.ndarray]) -> Pulses:
    """Change the samples (int64) of the neutrons only."""
    samples = pulses.samples.astype(np.int64)
    neutron = pulses.column("label") == 1
    samples[neutron] = change(samples[neutron])
    return pulses.replace(samples=np.clip(samples, 0, 16383).astype(np.uint16))
