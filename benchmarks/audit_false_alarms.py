"""How often the audit says something of a clean data set: simulated pulses of many kinds, 50 seeds of each.

Clean: both classes have the same spectrum, electronics and trigger, and come at random. Counted are findings of
severity error or warning. Beside each count stands how many the significance of the checks allows on average, were
each to use it up.

Natural: the same with the spectra of Cf-252 and AmBe, which differ between the classes. Warnings of that are due;
counted are errors, on which training would refuse to start.

    python benchmarks/audit_false_alarms.py [--seeds 50] [--first-seed 1000] [--json]
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from discrimen.audit import Severity, audit_dataset
from discrimen.audit.class_order import FALSE_ALARMS as ORDER
from discrimen.audit.energy_ranges import FALSE_ALARMS as RANGES
from discrimen.audit.give_aways import false_alarms
from discrimen.metrics import wilson_interval
from discrimen.pulses.detector import DetectorSettings
from discrimen.runs.dataset import Dataset
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.settings import detector_settings
from discrimen.simulation.simulate import simulate
from discrimen.simulation.sources import SpectrumName


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One kind of clean data set."""

    detector: str = "BC501A"
    digitizer: str = "NUMEXO2"
    n_pulses: int = 3000
    neutron_fraction: float = 0.5
    n_runs: int = 1
    spectrum: SpectrumName = "exponential"
    settings_known: bool = True

    def data_set(self, seed: int) -> Dataset:
        config = SimulationConfig(
            detector=self.detector,
            digitizer=self.digitizer,
            n_pulses=self.n_pulses,
            neutron_fraction=self.neutron_fraction,
            n_channels=3,
            spectrum=self.spectrum,
            seed=seed,
        )
        pulses = simulate(config)
        runs = np.array_split(np.arange(self.n_pulses), self.n_runs)
        return Dataset(
            pulses=pulses.replace(run=np.repeat(np.arange(self.n_runs), [len(run) for run in runs])),
            settings=detector_settings(config) if self.settings_known else DetectorSettings(),
            files=tuple({"name": f"run{i}", "sha256": str(i), "n_pulses": len(run)} for i, run in enumerate(runs)),
            n_unlabelled=0,
        )

    @property
    def allowed(self) -> float:
        """Alarms in a data set on average, were every check to use up its significance: order, parts, runs of one
        class, balance of runs; leaks; ranges of energy."""
        n_neutron = round(self.n_pulses * self.neutron_fraction)
        return 4 * ORDER + false_alarms(self.n_pulses - n_neutron, n_neutron) + RANGES


DETECTORS = ("BC501A", "EJ-309", "EJ-276", "stilbene")
CASES = (
    *(Case(detector=detector) for detector in DETECTORS),
    *(Case(digitizer=digitizer) for digitizer in ("DT5730", "DT5751")),
    *(Case(n_pulses=n) for n in (10, 40, 200, 600, 20_000)),
    *(Case(detector="EJ-276", digitizer="DT5751", n_pulses=n) for n in (40, 600, 3000)),
    *(Case(n_pulses=n, neutron_fraction=share) for n in (300, 3000) for share in (0.1, 0.9)),
    *(Case(n_pulses=n, n_runs=6) for n in (300, 6000)),
    Case(n_pulses=6000, n_runs=6, neutron_fraction=0.1),
    *(Case(detector="EJ-309", digitizer=digitizer, settings_known=False) for digitizer in ("NUMEXO2", "DT5751")),
)
NATURAL = tuple(
    Case(digitizer=digitizer, n_pulses=n, spectrum=spectrum, neutron_fraction=0.3)
    for spectrum in ("Cf-252", "AmBe")
    for digitizer in ("NUMEXO2", "DT5751")
    for n in (300, 2000)
)


def alarms(case: Case, seed: int, *, severities: tuple[Severity, ...]) -> dict[str, str]:
    """Severity of each finding that counts, by the name of its check."""
    found = audit_dataset(case.data_set(seed), seed=seed).findings
    return {finding.check: finding.severity.value for finding in found if finding.severity in severities}


def count(cases: tuple[Case, ...], seeds: range, *, severities: tuple[Severity, ...], talk: bool) -> dict[str, Any]:
    """Audit each case with every seed."""
    rows = []
    for case in cases:
        found = {seed: told for seed in seeds if (told := alarms(case, seed, severities=severities))}
        rows.append(asdict(case) | {"alarms": found, "allowed": case.allowed * len(seeds)})
        if talk:
            checks = Counter(f"{severity} {check}" for told in found.values() for check, severity in told.items())
            settings = "" if case.settings_known else ", settings unknown"
            print(
                f"{case.detector:9} {case.digitizer:8} {case.spectrum:11} {case.n_pulses:6} pulses, "
                f"{case.neutron_fraction:.0%} neutrons, {case.n_runs} runs{settings}: {len(found)} of {len(seeds)} "
                f"(allowed {rows[-1]['allowed']:.2f}) {', '.join(f'{n} {check}' for check, n in checks.items())}",
                flush=True,
            )
    share = wilson_interval(sum(len(row["alarms"]) for row in rows), len(rows) * len(seeds))
    if talk:
        print(
            f"in all: {share.n_counted} of {share.n_total}, {share.value:.2%} "
            f"(95 % interval {share.low:.2%} to {share.high:.2%}); allowed {sum(row['allowed'] for row in rows):.1f}",
            flush=True,
        )
    return {"cases": rows, "total": asdict(share)}


def main() -> None:
    """Audit every case with every seed, print the counts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--first-seed", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    seeds, talk = range(arguments.first_seed, arguments.first_seed + arguments.seeds), not arguments.json
    result = {
        "clean": count(CASES, seeds, severities=(Severity.ERROR, Severity.WARNING), talk=talk),
        "natural": count(NATURAL, seeds, severities=(Severity.ERROR,), talk=talk),
    }
    if arguments.json:
        print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
