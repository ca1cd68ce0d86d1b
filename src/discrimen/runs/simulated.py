"""A simulated run as a file of any format that can be written, with its truth next to it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from discrimen.errors import OutputError
from discrimen.formats.lh5 import reader as lh5
from discrimen.formats.table import open_writer
from discrimen.output.summary import Summarised
from discrimen.pulses import Label
from discrimen.pulses.detector import DetectorSettings
from discrimen.runs.components import components_of
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.settings import detector_settings
from discrimen.simulation.simulate import SimulatedBlock, simulate_blocks_with_truth
from discrimen.simulation.truth import TruthWriter, require_free_truth, truth_path


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SimulatedRun(Summarised):
    """Where a simulated run lies and what it holds."""

    run: Path
    truth: Path
    settings: DetectorSettings
    n_gamma: int
    n_neutron: int

    def summary(self) -> dict[str, str]:
        """Return where the run lies and what it holds, for people."""
        pulses = f"{self.n_gamma} gamma, {self.n_neutron} neutron"
        return {"run": str(self.run), "truth": str(self.truth), "pulses": pulses, **self.settings.summary()}


def simulate_run(
    config: SimulationConfig,
    output: Path,
    *,
    format_name: str | None = None,
    clean: Path | None = None,
    components: Path | None = None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> SimulatedRun:
    """Simulate pulses into a run file and their truth into a file next to it.

    Parameters
    ----------
    config : SimulationConfig
        What to simulate.
    output : Path
        The run file.
    format_name : str, optional
        Format of the run file; by default its suffix decides.
    clean : Path, optional
        Where to write the same run without the noise of the electronics (float32, so a native file), to train a
        denoiser with.
    components : Path, optional
        Where to write each pulse of every record on its own, clean (a native file, see
        :mod:`discrimen.runs.components`), to train a network that separates piled-up pulses with.
    on_progress : callable
        Called with the number of pulses of each block.

    Raises
    ------
    OutputError
        If the format cannot be written, a file that was not simulated has the name, or the file system refuses.
    """
    require_free_truth(output)
    for besides, what in ((clean, "clean records"), (components, "components")):
        _require_own_name(besides, output, what=what)
    if clean is not None and components is not None and clean.resolve() == components.resolve():
        raise OutputError(f"{clean}: clean records and components need a file each")
    settings = detector_settings(config)
    truth = TruthWriter()
    n_neutron = 0
    with (
        open_writer(output, settings, format_name=format_name) as writer,
        nullcontext() if clean is None else open_writer(clean, settings) as clean_writer,
        nullcontext() if components is None else open_writer(components, settings) as components_writer,
    ):
        for block in simulate_blocks_with_truth(config):
            pulses = block.pulses
            writer.write(pulses)
            if clean_writer is not None:
                clean_writer.write(block.clean)
            if components_writer is not None:
                components_writer.write(components_of(block))
            truth.add(pulses, pile_up=_pile_up(block), flight=_flight(block))
            n_neutron += int((pulses.column("label") == Label.NEUTRON).sum())
            on_progress(len(pulses))
    truth.write(truth_path(output), run=output.name)
    return SimulatedRun(
        run=output,
        truth=truth_path(output),
        settings=settings,
        n_gamma=config.n_pulses - n_neutron,
        n_neutron=n_neutron,
    )


def _require_own_name(clean: Path | None, output: Path, *, what: str) -> None:
    """Refuse a file of clean records that cannot be one, or would replace another."""
    if clean is None:
        return
    if clean.suffix.lower() not in lh5.FORMAT.suffixes:
        raise OutputError(f"{clean}: {what} are no whole counts; give a native file, {lh5.FORMAT.suffixes[0]}")
    if clean.resolve() in (output.resolve(), truth_path(output).resolve()):
        raise OutputError(f"{clean}: the run itself, or its truth, has this name; choose another for {what}")


def _pile_up(block: SimulatedBlock) -> dict[str, NDArray[Any]]:
    second = block.pile_up
    return {
        "entry": block.pulses.column("entry")[second.pulse],
        "delay_ns": second.delay_ns,
        "energy_kevee": second.energy_kevee,
        "label": second.label,
    }


def _flight(block: SimulatedBlock) -> dict[str, NDArray[Any]]:
    if block.flight is None:
        return {}
    return {name: getattr(block.flight, name) for name in ("neutron_energy_mev", "is_accidental")}
