"""Mutate a valid run file many times and read each mutation; run as a process of its own, so that a crash is seen.

Usage: ``python -m discrimen.formats.mutation FILE N_MUTATIONS SEED [FORMAT]``. Prints one JSON object: how many were
read, refused and read with damage reported, and every violation: a foreign exception, a hang, more samples than the
file can hold, waveforms of another length without a word of damage.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
import traceback
import warnings
from pathlib import Path
from types import FrameType

import numpy as np

from discrimen.errors import DiscrimenError
from discrimen.formats.base import ListModeReader, ReadOptions
from discrimen.formats.table import find_format
from discrimen.pulses.detector import DetectorSettings

MEMORY_BYTES = 4 * 2**30
HANG_S = 20
EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0xFFFF_FFFF, 2**63 - 1, 2**64 - 1)


class Hang(Exception):
    """A read that does not end."""


def _on_alarm(_number: int, _frame: FrameType | None) -> None:
    raise Hang


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """Return the content with one to three random faults, half of them near the start, where headers lie."""
    data = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        if not data:
            break
        reach = min(len(data), 256) if rng.random() < 0.5 else len(data)
        at = int(rng.integers(0, reach))
        length = int(rng.integers(1, 65))
        kind = rng.integers(0, 7)
        if kind == 0:
            data[at] ^= 1 << int(rng.integers(0, 8))
        elif kind == 1:
            width = int(rng.choice([1, 2, 4, 8]))
            value = int(EXTREMES[rng.integers(0, len(EXTREMES))]) % 256**width
            data[at : at + width] = value.to_bytes(width, "little")
        elif kind == 2:
            data[at : at + length] = rng.bytes(min(length, len(data) - at))
        elif kind == 3:
            del data[at:]
        elif kind == 4:
            del data[at : at + length]
        elif kind == 5:
            data[at:at] = data[at : at + length]
        else:
            data[at:at] = rng.bytes(length)
    return bytes(data)


def read_all(path: Path, format_name: str, valid_lengths: set[int], n_bytes: int) -> str:
    """Read a file to its end and return the outcome: read, refused, damage, or what was violated."""
    options = ReadOptions(settings=DetectorSettings(sample_period_ns=2.0))
    n_pulses, n_values, lengths = 0, 0, set()
    try:
        reader = find_format(path, format_name).open_reader(path, options)
        if isinstance(reader, ListModeReader):
            for charges in reader.event_chunks():
                n_pulses += len(charges)
                n_values += len(charges)
                float(np.nansum(charges.columns()["entry"]))
        else:
            for pulses in reader.chunks():
                n_pulses += len(pulses)
                n_values += pulses.samples.size
                lengths.add(pulses.n_samples)
                int(pulses.samples.sum(dtype=np.float64) * 0)
        report = reader.report
    except DiscrimenError as error:
        return "refused" if "\n" not in str(error) else f"error of several lines: {error!r}"
    except Hang:
        return f"hang: more than {HANG_S} s"
    except Exception:  # noqa: BLE001 - every foreign exception is a finding
        return f"foreign exception: {traceback.format_exc()}"
    if report.n_read != n_pulses:
        return f"report says {report.n_read} pulses, {n_pulses} came"
    if n_values > 64 * n_bytes:
        return f"{n_values} samples from a file of {n_bytes} bytes"
    if lengths - valid_lengths and not report.n_damaged:
        return f"waveforms of {sorted(lengths)} samples instead of {sorted(valid_lengths)}, and no damage reported"
    return "damage" if report.n_damaged else "read"


def main() -> None:
    """Mutate and read, and print the tally."""
    path, n_mutations, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    signal.signal(signal.SIGALRM, _on_alarm)
    warnings.simplefilter("error")
    content = path.read_bytes()
    format_name = find_format(path, sys.argv[4] if len(sys.argv) > 4 else None).name
    whole = find_format(path, format_name).open_reader(
        path, ReadOptions(settings=DetectorSettings(sample_period_ns=2.0))
    )
    # List mode has no waveforms whose length could be wrong.
    listed = isinstance(whole, ListModeReader)
    valid_lengths = set() if listed else {pulses.n_samples for pulses in whole.chunks()}
    rng = np.random.default_rng(seed)
    target = path.with_name(f"mutated{path.suffix}")
    tally = {"n_mutations": n_mutations, "read": 0, "damage": 0, "refused": 0}
    violations: list[str] = []
    for number in range(n_mutations):
        data = mutated(content, rng)
        # A new file each time: a reader may still hold the old one mapped.
        target.unlink(missing_ok=True)
        target.write_bytes(data)
        signal.alarm(HANG_S)
        outcome = read_all(target, format_name, valid_lengths, max(len(data), len(content)))
        signal.alarm(0)
        if outcome in tally:
            tally[outcome] += 1
        else:
            target.with_name(f"violation-{number}{path.suffix}").write_bytes(data)
            violations.append(f"mutation {number}: {outcome}")
    print(json.dumps({"format": format_name, **tally, "violations": violations}))


if __name__ == "__main__":
    main()
