"""Compression of recorded pulses of germanium and of a silicon photomultiplier: ratio, energy, time, and what it costs.

The files hold 100 and 293 pulses. The first 70 % teach, the rest is judged and was never trained on; so few pulses say
whether the commands carry over to such records, and little of what a network could reach. Energy is the mean of samples
behind the pulse less that before it (germanium), or the integral over the pulse (SiPM); time is where the leading edge
crosses half of the highest sample. Both are compared pulse by pulse, recorded against decoded; the same measure between
two parts of the record without a pulse tells the noise of the energy. Principal components of the same records, as many
as there are numbers in the code, and no fewer bytes than the codes take, are judged in the same way.

Usage: python benchmarks/encode_real.py -o FOLDER [--data ../shared/data] [--json]
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import discrimen
from discrimen.formats.base import ReadOptions
from discrimen.formats.table import open_reader, open_writer
from discrimen.freezing.freeze import freeze
from discrimen.network.preparation import Preparation
from discrimen.network.prepare import choose_preparation, constant_fraction_crossing, prepare
from discrimen.pulses import concatenate
from discrimen.pulses.detector import DetectorSettings
from discrimen.training import Compression, TrainingConfig, train
from discrimen.training.tasks.compression import CHARGE_WEIGHT, noise_of
from encode_others import Components, lossless_bytes, told

TEACHING_SHARE = 0.7


@dataclass(frozen=True)
class Case:
    """A file, what it does not say of itself, how it is learned, and where in the record its energy lies."""

    path: str
    settings: DetectorSettings
    options: dict[str, Any]
    epochs: int
    before: slice
    pulse: slice
    is_step: bool
    charge_weight: float = CHARGE_WEIGHT


GERMANIUM: dict[str, Any] = {
    "epochs": 600,
    "before": slice(1600, 2600),
    "pulse": slice(3000, 4000),
    "is_step": True,
}
CASES = {
    "germanium": Case(
        path="lh5/LDQTA_r117_20200110T105115Z_cal_geds_raw.lh5",
        settings=DetectorSettings(sample_period_ns=16, polarity="positive", pretrigger_ns=43_000),
        options={"code": 3, "hidden": ()},
        **GERMANIUM,
    ),
    "germanium-8": Case(
        path="lh5/LDQTA_r117_20200110T105115Z_cal_geds_raw.lh5",
        settings=DetectorSettings(sample_period_ns=16, polarity="positive", pretrigger_ns=43_000),
        options={"code": 8, "hidden": ()},
        **GERMANIUM,
    ),
    "germanium-8-samples": Case(
        path="lh5/LDQTA_r117_20200110T105115Z_cal_geds_raw.lh5",
        settings=DetectorSettings(sample_period_ns=16, polarity="positive", pretrigger_ns=43_000),
        options={"code": 8, "hidden": ()},
        charge_weight=1e-3,
        **GERMANIUM,
    ),
    "SiPM": Case(
        path="wavedump/SiPM/2006272158/wave0.dat",
        settings=DetectorSettings(sample_period_ns=1, polarity="positive", pretrigger_ns=180),
        options={"code": 6, "hidden": (32,)},
        epochs=400,
        before=slice(0, 90),
        pulse=slice(190, 280),
        is_step=False,
    ),
}


def measured(case: Case, samples: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return energy (ADC counts, or their sum) and time (ns) of each record."""
    above = samples.astype(np.float64) - samples[:, case.before].mean(axis=1, keepdims=True, dtype=np.float64)
    energy = above[:, case.pulse].mean(axis=1) if case.is_step else above[:, case.pulse].sum(axis=1)
    period_ns = case.settings.sample_period_ns or 0.0
    return energy, constant_fraction_crossing(above.astype(np.float32), fraction=0.5).astype(np.float64) * period_ns


def noise_of_energy(case: Case, samples: NDArray[Any]) -> float:
    """Return the standard deviation of what the energy would be without a pulse, from two halves before it."""
    length = (case.before.stop - case.before.start) // 2
    first, second = (
        samples[:, start : start + length].mean(axis=1, dtype=np.float64)
        for start in (case.before.start, case.before.start + length)
    )
    spread = float((second - first).std())
    return spread if case.is_step else spread * (case.pulse.stop - case.pulse.start)


def measure(name: str, case: Case, folder: Path, data: Path) -> dict[str, Any]:
    """Train, encode, decode and compare one file."""
    run = discrimen.read(data / case.path, options=ReadOptions(settings=case.settings))
    pulses, settings = run.pulses, run.settings
    n_teaching = int(TEACHING_SHARE * len(pulses))
    judged = folder / f"{name}.judged.lh5"
    with open_writer(judged, settings) as writer:
        writer.write(pulses[n_teaching:])
    config = TrainingConfig(
        task=Compression(charge_weight=case.charge_weight),
        architecture="dense_autoencoder",
        options=case.options,
        epochs=case.epochs,
        batch_size=8,
        learning_rate=0.003,
        learning_rate_decay="cosine",
        patience=None,
    )
    preparation = choose_preparation(settings, n_samples=pulses.n_samples, scale="none")
    train(pulses[:n_teaching], preparation, config, folder=folder / name, settings=settings, overwrite=True)
    freeze(folder / name, folder / f"{name}.discrimen")
    codes, back = folder / f"{name}.codes", folder / f"{name}.back.lh5"
    done = discrimen.encode(folder / f"{name}.discrimen", judged, codes, most_outside=1.0)
    discrimen.decode(folder / f"{name}.discrimen", codes, back)
    recorded, decoded = (concatenate(open_reader(path).chunks()).samples for path in (judged, back))
    was_encoded = (recorded != decoded).any(axis=1)
    return {
        "n_teaching": n_teaching,
        "n_judged": len(recorded),
        "n_not_encoded": done.runs[0].counts["n_not_encoded"],
        "bytes_a_code": (done.stored_bytes["codes"] + done.stored_bytes["baseline"]) / max(1, was_encoded.sum()),
        "ratio_of_the_file": done.ratio,
        **_differences(case, recorded[was_encoded], decoded[was_encoded]),
        "components": by_components(
            case, preparation, pulses.samples[:n_teaching], recorded[was_encoded], done.stored_bytes["codes"]
        ),
        "lossless_bytes": lossless_bytes(recorded),
    }


def by_components(
    case: Case, preparation: Preparation, learnt: NDArray[Any], judged: NDArray[Any], wanted_bytes: int
) -> dict[str, float]:
    """Judge principal components: as many as numbers in the code, at the bytes of the codes."""
    above, above_judged = (prepare(each, preparation) for each in (learnt, judged))
    unit_adc = noise_of(above.waveforms, preparation)
    components = Components.of(above.waveforms[:, 0].astype(np.float64), unit_adc)
    wanted = above_judged.waveforms[:, 0].astype(np.float64)
    found, n_bytes, _ = components.at_bytes(wanted, number=case.options["code"], wanted_bytes=wanted_bytes)
    back = np.clip(np.rint(found + above_judged.restoration.baseline_adc), 0, 2**16 - 1)
    return {"bytes_a_code": n_bytes / len(judged), **_differences(case, judged, back)}


def _differences(case: Case, recorded: NDArray[Any], decoded: NDArray[Any]) -> dict[str, float]:
    (energy, time_ns), (energy_back, time_back_ns) = measured(case, recorded), measured(case, decoded)
    change = energy_back / energy - 1
    low, middle, high = np.nanquantile(change, [0.1587, 0.5, 0.8413])
    early, late = np.nanquantile(time_back_ns - time_ns, [0.1587, 0.8413])
    return {
        "energy_bias": float(middle),
        "energy_spread": float((high - low) / 2),
        "energy_noise": noise_of_energy(case, recorded) / float(np.median(energy)),
        "time_spread_ns": float((late - early) / 2),
        "residual_rms_adc": float(np.sqrt(np.square(decoded.astype(float) - recorded).mean())),
        "residual_rms_adc_median": float(np.median(np.sqrt(np.square(decoded.astype(float) - recorded).mean(axis=1)))),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    parser.add_argument("--only", choices=CASES)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    chosen = {given.only: CASES[given.only]} if given.only else CASES
    result = {name: measure(name, case, given.output, given.data) for name, case in chosen.items()}
    if given.json:
        print(json.dumps(result, indent=2))
        return
    for name, found in result.items():
        print(name, {key: value for key, value in found.items() if key != "lossless_bytes"})
        print("\n".join(told(found["lossless_bytes"])))


if __name__ == "__main__":
    main()
