"""Measure what bringing the uneven cells of a DRS4 board to even times costs, and how fast it is.

Run from the repository: python benchmarks/drs4_resampling.py [--real FILE.dat] [--pulses N] [--picture PNG] [--json]

Pulses of BC501A (decay constants 3.16, 32.3 and 270 ns; tails of gammas and neutrons) with a Gaussian response are
sampled by cells of uneven widths, which are those of a real file if one is given. Four treatments see the same pulses
and noise:

- ideal: even cells, no resampling; what the others are compared with;
- as even: the samples of uneven cells taken for even ones;
- linear: straight lines between the samples;
- discrimen: what the reader does.

Of a real file with a periodic pick-up, the samples before the pulse are fitted with a sine and its overtones, record by
record; the scatter around the fit is noise and errors of time together. And the widths are turned by every number of
cells besides the trigger cell: the right turn leaves the least power at high frequencies.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfcx

from discrimen.formats.drs4.layout import N_CELLS, Board, read_layout
from discrimen.formats.drs4.resample import Resampler, even_period_ns
from discrimen.formats.table import open_reader

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.formats.drs4_file import event, head, uneven_widths

Values = NDArray[np.float64]
DECAYS_NS = np.array([3.16, 32.3, 270.0])
SHARES = {"gamma": np.array([0.86, 0.10, 0.04]), "neutron": np.array([0.74, 0.15, 0.11])}
RESPONSE_NS, HEIGHT, BASELINE, NOISE, START = 1.5, 12_000.0, 40_000.0, 25.0, 0.2
COLUMNS = ("noise", "height", "height_spread", "time_ps", "charge_spread_percent", "figure_of_merit")


def pulse(time_ns: Values, kind: str) -> Values:
    """Return a pulse of unit area at times from its start, each decay convolved with the Gaussian response."""
    total = np.zeros_like(time_ns)
    for decay, share in zip(DECAYS_NS, SHARES[kind], strict=True):
        argument = (RESPONSE_NS / decay - time_ns / RESPONSE_NS) / np.sqrt(2)
        safe = np.maximum(argument, -20.0)
        rising = np.exp(-0.5 * (time_ns / RESPONSE_NS) ** 2) * erfcx(safe)
        falling = 2 * np.exp(0.5 * (RESPONSE_NS / decay) ** 2 - np.maximum(time_ns, 0) / decay)
        total += share / (2 * decay) * np.where(argument > -20, rising, falling)
    return total


def crossing_ns(waveforms: Values, period_ns: float) -> Values:
    """Return the time at which each waveform passes 30 % of its height."""
    height = waveforms.max(axis=1)
    above = (waveforms > 0.3 * height[:, None]).argmax(axis=1)
    row = np.arange(len(waveforms))
    before, behind = waveforms[row, above - 1], waveforms[row, above]
    return (above - 1 + (0.3 * height - before) / (behind - before)) * period_ns


def tail_fraction(waveforms: Values, crossed_ns: Values, period_ns: float) -> tuple[Values, Values]:
    """Return the charge to 200 ns behind the crossing, and the share of it behind 20 ns."""
    time_ns = np.arange(waveforms.shape[1]) * period_ns - crossed_ns[:, None]
    inside = np.clip((200 - time_ns) / period_ns, 0, 1) * np.clip((time_ns + 10) / period_ns, 0, 1)
    late = inside * np.clip((time_ns - 20) / period_ns, 0, 1)
    long = (waveforms * inside).sum(axis=1)
    return long, (waveforms * late).sum(axis=1) / long


def simulate(
    board: Board, treat: Callable[[NDArray[np.uint16], Values, NDArray[np.int64]], Values], *, n: int, even: bool
):
    """Return the figures of one treatment."""
    rng = np.random.default_rng(8)
    period = even_period_ns(board)
    elapsed = np.concatenate([[0.0], np.cumsum(np.tile(board.widths_ns[0], 2))])
    cells = rng.integers(0, N_CELLS, n)
    time_ns = elapsed[cells[:, None] + np.arange(N_CELLS)] - elapsed[cells][:, None]
    time_ns = np.broadcast_to(np.arange(N_CELLS) * period, (n, N_CELLS)) if even else time_ns
    start_ns = START * N_CELLS * period + rng.uniform(0, period, n)
    found: dict[str, list[Values]] = {}
    for kind in SHARES:
        clean = pulse(time_ns - start_ns[:, None], kind)
        clean *= HEIGHT / pulse(np.linspace(0, 10, 1000), kind).max()
        noise = rng.normal(0, NOISE, clean.shape)
        both = {}
        for name, values in (("clean", clean), ("noisy", clean + noise), ("noise", noise)):
            raw = np.rint(BASELINE - values).astype(np.uint16)
            both[name] = BASELINE - treat(raw, time_ns, cells)
        crossed = crossing_ns(both["noisy"], period)
        charge, tail = tail_fraction(both["noisy"], crossed, period)
        inner = slice(8, int(0.15 * N_CELLS))
        for name, value in (
            ("noise", both["noise"][:, inner].std() / NOISE),
            ("height", both["clean"].max(axis=1) / HEIGHT),
            ("time", crossed - start_ns),
            ("charge", charge / charge.mean()),
            ("tail", tail),
        ):
            found.setdefault(name, []).append(np.atleast_1d(value))
    gamma, neutron = found["tail"]
    merit = (np.median(neutron) - np.median(gamma)) / (2.355 * (robust(gamma) + robust(neutron)))
    figures = (
        np.mean(found["noise"]),
        np.mean(found["height"]),
        np.std(np.concatenate(found["height"])),
        1e3 * np.mean([robust(each) for each in found["time"]]),
        100 * np.mean([robust(each) for each in found["charge"]]),
        merit,
    )
    return dict(zip(COLUMNS, map(float, figures), strict=True))


def robust(values: Values) -> float:
    """Return the standard deviation by the quartiles."""
    low, high = np.quantile(values, (0.25, 0.75))
    return float((high - low) / 1.349)


def linear(raw: NDArray[np.uint16], time_ns: Values, period: float) -> Values:
    grid = np.arange(N_CELLS) * period
    return np.stack([np.interp(grid, times, row) for times, row in zip(time_ns, raw, strict=True)])


def treatments(board: Board) -> dict[str, tuple[Callable[..., Values], bool]]:
    period, resampler = even_period_ns(board), Resampler(board, 0)
    return {
        "ideal": (lambda raw, time_ns, cells: raw.astype(float), True),
        "as even": (lambda raw, time_ns, cells: raw.astype(float), False),
        "linear": (lambda raw, time_ns, cells: linear(raw, time_ns, period), False),
        "discrimen": (lambda raw, time_ns, cells: resampler(raw, cells).astype(float), False),
    }


def real_records(path: Path) -> tuple[Board, NDArray[np.uint16], NDArray[np.int64]]:
    """Return the first board, and samples and trigger cells of its first channel."""
    with path.open("rb") as stream:
        layout = read_layout(stream, path)
        stream.seek(layout.first_event)
        content = stream.read()
    events = np.frombuffer(content, layout.event, len(content) // layout.event.itemsize)["board0"]
    return layout.boards[0], events["channels"]["samples"][:, 0].copy(), events["trigger_cell"].astype(np.int64)


def scatter(samples: Values, time_ns: Values, stop: int) -> float:
    """Return the scatter around a sine and its overtones before the pulse, in counts."""
    samples, time_ns = samples[:, 8:stop], time_ns[:, 8:stop]
    period = _pick_up_ns(samples[0] - samples[0].mean(), time_ns[0])
    left = []
    for row, times in zip(samples, time_ns, strict=True):
        phases = 2 * np.pi * times[:, None] / period * np.arange(1, 4)
        design = np.hstack([np.ones((len(times), 1)), times[:, None], np.cos(phases), np.sin(phases)])
        fitted = np.linalg.lstsq(design, row, rcond=None)[0]
        left.append(np.square(row - design @ fitted).mean())
    return float(np.sqrt(np.median(left)))


def _pick_up_ns(samples: Values, time_ns: Values) -> float:
    tried = np.linspace(5, 50, 20_000)
    waves = np.exp(-2j * np.pi * time_ns[:, None] / tried)
    return float(tried[np.abs(samples @ waves).argmax()])


def on_real(path: Path, stop: int) -> dict[str, float]:
    """Return the scatter of the records of a file by treatment."""
    board, raw, cells = real_records(path)
    period = even_period_ns(board)
    grid = np.broadcast_to(np.arange(N_CELLS) * period, raw.shape)
    turned = {
        name: Resampler(board, 0)(raw, at).astype(float) for name, at in (("d", cells), ("w", (cells + 1) % N_CELLS))
    }
    elapsed = np.concatenate([[0.0], np.cumsum(np.tile(board.widths_ns[0], 2))])
    time_ns = elapsed[cells[:, None] + np.arange(N_CELLS)] - elapsed[cells][:, None]
    return {
        "at their own times": scatter(raw.astype(float), time_ns, stop),
        "as even": scatter(raw.astype(float), grid, stop),
        "linear": scatter(linear(raw, time_ns, period), grid, stop),
        "discrimen": scatter(turned["d"], grid, stop),
        "turned by one cell too many": scatter(turned["w"], grid, stop),
    }


def turns(path: Path, n_records: int = 150) -> dict[str, float]:
    """Return which turn leaves the least power above 0.4 of the sampling rate, and how much the next one leaves."""
    board, raw, cells = real_records(path)
    raw, cells, resampler = raw[:n_records], cells[:n_records], Resampler(board, 0)
    power = []
    for turn in range(N_CELLS):
        even = resampler(raw, (cells + turn) % N_CELLS).astype(float)
        spectrum = np.fft.rfft((even - even.mean(axis=1, keepdims=True)) * np.hanning(N_CELLS), axis=1)
        power.append(float(np.square(np.abs(spectrum[:, 2 * N_CELLS // 5 :])).sum()))
    ordered = np.sort(power)
    return {"best": float(np.argmin(power)), "next_over_best": float(ordered[1] / ordered[0])}


def speed(n_events: int) -> dict[str, float]:
    """Return how fast a file of four channels is read, and its ratio to numpy.interp alone, record by record."""
    rng = np.random.default_rng(4)
    channels = {number: uneven_widths(0.2, seed=number) for number in range(1, 5)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.dat"
        with path.open("wb") as file:
            file.write(head({1: channels}))
            for number in range(n_events):
                samples = {each: rng.integers(2000, 60_000, N_CELLS, dtype=np.uint16) for each in channels}
                file.write(event(number, {1: (int(rng.integers(N_CELLS)), samples)}))
        path.read_bytes()
        start = time.perf_counter()
        n_pulses = sum(len(chunk) for chunk in open_reader(path).chunks())
        took_s = time.perf_counter() - start
        size = path.stat().st_size
    times, records = np.cumsum(channels[1].astype(float)), rng.integers(0, 65_536, (3000, N_CELLS), dtype=np.uint16)
    start = time.perf_counter()
    linear(records, np.broadcast_to(times, records.shape), 0.2)
    line_s = (time.perf_counter() - start) / len(records)
    return {
        "pulses_per_s": n_pulses / took_s,
        "megabytes_per_s": size / took_s / 1e6,
        "ratio_to_interp": line_s * n_pulses / took_s,
    }


def draw(path: Path, file: Path) -> None:
    """Draw a stretch of a real record: its samples at their times, taken for even, and as the reader gives them."""
    from discrimen.output.style import BLUE, GREY, VERMILION, house_style, new_figure

    board, raw, cells = real_records(file)
    period, record = even_period_ns(board), 0
    elapsed = np.cumsum(np.roll(board.widths_ns[0], -int(cells[record])))
    time_ns = np.concatenate([[0.0], elapsed[:-1]])
    volts = 1e3 * (raw[record] / 65_536 - 0.5)
    even = 1e3 * (Resampler(board, 0)(raw[record : record + 1], cells[record : record + 1])[0] / 65_536 - 0.5)
    shown = slice(540, 700)
    with house_style():
        figure = new_figure(9, 4.2)
        axes = figure.add_subplot()
        axes.plot(np.arange(N_CELLS)[shown] * period, volts[shown], color=GREY, linewidth=1, label="taken for even")
        axes.plot(np.arange(N_CELLS)[shown] * period, even[shown], color=BLUE, label="as read")
        axes.plot(time_ns[shown], volts[shown], ".", color=VERMILION, label="samples at their times")
        axes.set_xlabel("time in record (ns)")
        axes.set_ylabel("voltage (mV)")
        axes.legend()
        figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--real", type=Path, help="a file of a DRS4 board with a pick-up before the pulse")
    parser.add_argument("--before", type=int, default=500, help="samples before the pulse of the real file")
    parser.add_argument("--pulses", type=int, default=2000, help="of each kind")
    parser.add_argument("--events", type=int, default=20_000, help="of the file whose reading is timed")
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    widths = uneven_widths(1.0).astype(float) if options.real is None else real_records(options.real)[0].widths_ns[0]
    results: dict[str, object] = {}
    for period_ns in (0.2, 0.5, 1.0):
        board = Board(1, (1,), (widths / widths.mean() * period_ns)[None])
        results[f"{period_ns:g} ns"] = {
            name: simulate(board, treat, n=options.pulses, even=even)
            for name, (treat, even) in treatments(board).items()
        }
    if options.real is not None:
        results["real, scatter in counts"] = on_real(options.real, options.before)
        results["real, turn of the cells"] = turns(options.real)
        if options.picture is not None:
            draw(options.picture, options.real)
    results["speed"] = speed(options.events)
    print(json.dumps(results) if options.json else text(results))


def text(results: dict[str, object]) -> str:
    lines = []
    for title, values in results.items():
        lines.append(title)
        for name, value in values.items():  # type: ignore[attr-defined]
            shown = value.items() if isinstance(value, dict) else [("", value)]
            lines.append(f"  {name:<28}" + "  ".join(f"{key} {number:,.4g}".strip() for key, number in shown))
    return "\n".join(lines)


if __name__ == "__main__":
    main()
