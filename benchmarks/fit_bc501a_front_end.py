"""Fit the front end and the component intensities of BC501A to the digitised mean pulses, and draw the overlay.

Run from the repository: python benchmarks/fit_bc501a_front_end.py [--data FOLDER] [--picture PNG]

What the fit assumes
    - Three decay components with the known constants 3.16, 32.3 and 270 ns; their shares are free, one set for gammas
      and one for neutrons, not negative.
    - One linear front end for both: a Gaussian, a single-pole low pass and one damped oscillation (the ringing of the
      impedance mismatch). Transit-time spread and single-electron width are those of the simulated photomultiplier and
      are part of the Gaussian.
    - Averaging did not smear the pulses: time walk and trigger jitter end up in the Gaussian.
    - Onset and height of each mean pulse are free; the baseline is the mean of the first 28 samples.
    - The record ends 150 ns after the onset, so the share of the 270 ns component rests on a level of about
      1 % (neutron) and 0.1 % (gamma) of the peak, the latter no better than the digitisation of the plot.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares, nnls

from discrimen.simulation.digitizer import FrontEnd, Ringing
from discrimen.simulation.photosensor import PHOTOMULTIPLIER
from discrimen.simulation.scintillator import BC501A_GAMMA

NAMES = ("time_constant_ns", "sigma_ns", "cosine_per_ns", "sine_per_ns", "decay_ns", "period_ns", "onset_g", "onset_n")
START = (5.0, 2.2, -0.042, -0.016, 20.0, 22.0, 38.7, 39.4)
LOWER = (0.5, 0.1, -2.0, -2.0, 2.0, 15.0, 30.0, 30.0)
UPPER = (9.0, 4.0, 2.0, 2.0, 60.0, 30.0, 50.0, 50.0)
BASELINE_SAMPLES = 28


def read_mean_pulses(folder: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return time in ns, and gamma and neutron pulse scaled to a peak of one, shape (sample, 2)."""
    table = np.loadtxt(folder / "bc501a" / "bc501a_mean_pulse_digitised.csv", delimiter=",")
    pulses = table[:, 1:] - table[:BASELINE_SAMPLES, 1:].mean(axis=0)
    return table[:, 0], pulses / pulses.max(axis=0)


def front_end(parameters: NDArray[np.float64]) -> FrontEnd:
    ringing = Ringing(**dict(zip(NAMES[2:6], map(float, parameters[2:6]), strict=True)))
    return FrontEnd(time_constant_ns=float(parameters[0]), sigma_ns=float(parameters[1]), ringing=ringing)


def components(filters: FrontEnd, time_ns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what one photoelectron of each decay component gives on average, shape (sample, component)."""
    sensor = PHOTOMULTIPLIER
    smear = float(np.hypot(sensor.single_electron_sigma_ns, sensor.transit_time_spread_ns))
    response = filters.response(extra_sigma_ns=smear)
    return np.stack([response.then_low_pass(tau).at(time_ns) for tau in BC501A_GAMMA.times_ns], axis=1)


def model(
    parameters: NDArray[np.float64], time_ns: NDArray[np.float64], pulses: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the best pulses for these parameters and the weights of their components, each (.., 2)."""
    filters = front_end(parameters)
    fitted, weights = [], []
    for column in range(2):
        basis = components(filters, time_ns - parameters[6 + column])
        weight, _ = nnls(basis, pulses[:, column])
        fitted.append(basis @ weight)
        weights.append(weight)
    return np.stack(fitted, axis=1), np.stack(weights, axis=1)


def fit(time_ns: NDArray[np.float64], pulses: NDArray[np.float64]) -> NDArray[np.float64]:
    result = least_squares(
        lambda parameters: (model(parameters, time_ns, pulses)[0] - pulses).ravel(),
        START,
        bounds=(LOWER, UPPER),
        x_scale=np.maximum(np.abs(START), 0.05),
    )
    return np.asarray(result.x)


def draw(time_ns: NDArray[np.float64], pulses: NDArray[np.float64], fitted: NDArray[np.float64], path: Path) -> None:
    figure, axes = plt.subplots(3, 1, figsize=(8, 8), sharex=True, layout="constrained", height_ratios=(3, 2, 1.4))
    styles = (("gamma", "#0072B2", "o"), ("neutron", "#D55E00", "s"))
    for column, (name, colour, marker) in enumerate(styles):
        residual = 100 * (fitted[:, column] - pulses[:, column])
        label = f"{name}, model (rms residual {np.sqrt((residual**2).mean()):.2f} % of peak)"
        for axis in axes[:2]:
            axis.plot(
                time_ns, pulses[:, column], marker, ms=3, mfc="none", color=colour, label=f"{name}, measured mean"
            )
            axis.plot(time_ns, fitted[:, column], "-", lw=1.3, color=colour, label=label)
        axes[2].plot(time_ns, residual, "-" if column == 0 else "--", lw=1.2, color=colour, label=name)
    axes[0].set(ylabel="pulse / peak", title="BC501A with a DT5751: measured mean pulses and the simulator's model")
    axes[0].legend(frameon=False)
    axes[1].set(ylabel="pulse / peak", yscale="log", ylim=(8e-4, 1.3))
    axes[2].set(ylabel="model - measured\n(% of peak)", xlabel="time in the record (ns)", xlim=(25, 191))
    axes[2].axhline(0, color="0.6", lw=0.8)
    axes[2].legend(frameon=False, ncols=2)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)


def main() -> None:
    root = Path(__file__).resolve().parents[1]
    parser = argparse.ArgumentParser(description="Fit the BC501A front end to the digitised mean pulses.")
    parser.add_argument("--data", type=Path, default=root.parent / "shared" / "data")
    parser.add_argument("--picture", type=Path, default=root / "docs" / "pictures" / "bc501a_mean_pulses.png")
    arguments = parser.parse_args()
    time_ns, pulses = read_mean_pulses(arguments.data)
    parameters = fit(time_ns, pulses)
    fitted, weights = model(parameters, time_ns, pulses)
    for name, value in zip(NAMES, parameters, strict=True):
        print(f"{name:18s} {value:9.4f}")
    for column, name in enumerate(("gamma", "neutron")):
        residual = 100 * (fitted[:, column] - pulses[:, column])
        shares = ", ".join(f"{share:.4f}" for share in weights[:, column] / weights[:, column].sum())
        rms, worst = np.sqrt((residual**2).mean()), np.abs(residual).max()
        print(f"{name:8s} shares {shares}; residual rms {rms:.3f} %, largest {worst:.2f} % of peak")
    draw(time_ns, pulses, fitted, arguments.picture)
    print(f"drawn: {arguments.picture}")


if __name__ == "__main__":
    main()
