"""``discrimen simulate``: pulses with known truth, in any format that can be written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from discrimen.cli import common
from discrimen.cli.given_options import given_options, refuse_idle
from discrimen.cli.simulate_germanium import (
    GERMANIUM_ONLY,
    BasisOption,
    CloudOption,
    EnergyOption,
    NoiseOption,
    SecondDistanceOption,
    SecondShareOption,
    ShareOfPairsOption,
    TimeConstantOption,
    simulate_germanium,
)
from discrimen.cli.simulate_like import (
    READING,
    fit_like,
    only_fits,
    print_fit,
    read_options,
    refuse_targets,
    refuse_unused,
    write_fit,
)
from discrimen.formats.base import ReadOptions
from discrimen.runs.simulated import simulate_run
from discrimen.simulation.config import SimulationConfig
from discrimen.simulation.detector_file import DetectorFile, is_detector_file, read_detector_file
from discrimen.simulation.digitizer import DIGITIZERS
from discrimen.simulation.germanium.crystal import BUILT_IN, is_crystal
from discrimen.simulation.scintillator import DETECTORS
from discrimen.simulation.sources import SPECTRA


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(simulate)


def simulate(
    context: typer.Context,
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            help="Run file; its suffix tells the format. With --like, .yaml writes the detector file alone.",
            show_default=False,
        ),
    ],
    n_pulses: Annotated[int, typer.Option("-n", "--n-pulses", help="How many.")] = 100_000,
    detector: Annotated[
        str,
        typer.Option(
            help=f"One of {', '.join(DETECTORS)}, a detector file that --like has written, or a germanium crystal: "
            f"{', '.join(BUILT_IN)} or its YAML file."
        ),
    ] = "BC501A",
    like: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="RUN",
            help="Fit the detector to this unlabelled run of it (repeatable), of the scintillator --detector, else the "
            "one that fits best.",
            show_default=False,
        ),
    ] = None,
    settings: Annotated[
        Path | None, typer.Option(help="YAML file of detector settings of the run of --like.", show_default=False)
    ] = None,
    sample_period_ns: Annotated[
        float | None, typer.Option(help="Of the run of --like, where its file does not say.", show_default=False)
    ] = None,
    polarity: Annotated[
        str | None, typer.Option(help="Of the run of --like; by default seen.", show_default=False)
    ] = None,
    digitizer: Annotated[
        str, typer.Option(help=f"One of {', '.join(DIGITIZERS)}; by default NUMEXO2-NEDA for an .mfm file.")
    ] = "NUMEXO2",
    spectrum: Annotated[str, typer.Option(help=f"Of the light: {', '.join(SPECTRA)}.")] = "exponential",
    neutron_fraction: Annotated[
        float | None, typer.Option(help="Share of neutrons; by default a half, none for a gamma source.")
    ] = None,
    energy_min_kevee: Annotated[float, typer.Option(help="Least light of a pulse.")] = 30.0,
    energy_max_kevee: Annotated[float, typer.Option(help="Most light of a pulse.")] = 2000.0,
    photoelectrons_per_kev: Annotated[
        float | None, typer.Option(help="Per keVee of light; that of the scintillator by default.", show_default=False)
    ] = None,
    gamma_tail_rise: Annotated[
        float, typer.Option(help="Growth of the gammas' delayed light per factor e below 300 keVee; 0.1 is 10 %.")
    ] = 0.0,
    noise_adc: Annotated[float | None, typer.Option(help="Rms noise; the digitizer's own by default.")] = None,
    noise_corner_mhz: Annotated[
        float | None,
        typer.Option(
            help="Below it noise is more 1/f than white, at the same rms; by default white.", show_default=False
        ),
    ] = None,
    gain_adc_per_kevee: Annotated[float | None, typer.Option(help="Peak height of a keVee.")] = None,
    gain_spread: Annotated[float, typer.Option(help="Relative spread of the gain from pulse to pulse.")] = 0.0,
    baseline_adc: Annotated[float | None, typer.Option(help="The digitizer's own by default.")] = None,
    baseline_spread_adc: Annotated[float | None, typer.Option(help="From pulse to pulse.")] = None,
    trigger_jitter_ns: Annotated[float, typer.Option(help="In addition to the phase of the sampling clock.")] = 0.0,
    pileup_fraction: Annotated[
        float | None, typer.Option(help="Share of records with a second pulse; by default none.")
    ] = 0.0,
    pileup_delay_max_ns: Annotated[
        float | None,
        typer.Option(help="Longest delay of these; by default up to the end of the record.", show_default=False),
    ] = None,
    rate_hz: Annotated[float, typer.Option(help="Pulses per second while the digitizer is live.")] = 1000.0,
    n_channels: Annotated[int, typer.Option(help="Channels the pulses are dealt to.")] = 1,
    n_runs: Annotated[
        int, typer.Option(help="Runs one after the other in the file, distinguished by its column run.")
    ] = 1,
    first_run: Annotated[
        int | None, typer.Option(help="Number of the first run; one run has none by default.", show_default=False)
    ] = None,
    channel_gain_spread: Annotated[float, typer.Option(help="Relative, from channel to channel.")] = 0.0,
    channel_noise_spread: Annotated[float, typer.Option(help="Relative, from channel to channel.")] = 0.0,
    channel_baseline_spread_adc: Annotated[float, typer.Option(help="From channel to channel.")] = 0.0,
    channel_delay_spread_ns: Annotated[
        float, typer.Option(help="Of the time of flight, from channel to channel.")
    ] = 0.0,
    run_gain_spread: Annotated[float, typer.Option(help="Relative drift of each channel from run to run.")] = 0.0,
    run_noise_spread: Annotated[float, typer.Option(help="Relative drift of each channel from run to run.")] = 0.0,
    run_baseline_spread_adc: Annotated[float, typer.Option(help="Drift of each channel from run to run.")] = 0.0,
    flight_path_m: Annotated[
        float | None,
        typer.Option(help="From the source to the detector: measure times of flight.", show_default=False),
    ] = None,
    time_resolution_ns: Annotated[float, typer.Option(help="Standard deviation of the time of flight.")] = 1.0,
    accidental_fraction: Annotated[
        float, typer.Option(help="Share of pulses at random times of the window, with a flight path.")
    ] = 0.0,
    accidental_neutron_fraction: Annotated[
        float | None, typer.Option(help="Share of neutrons among these; by default that of all.", show_default=False)
    ] = None,
    tof_window_ns: Annotated[float, typer.Option(help="Times of flight from 0 to this are measured.")] = 400.0,
    tof_delay_ns: Annotated[float, typer.Option(help="Time that is measured when nothing flies.")] = 100.0,
    clean: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also write the records without the noise of the electronics (.lh5; .h5 of germanium): train --task "
            "reconstruction --clean FILE. docs/denoise.md",
            show_default=False,
        ),
    ] = None,
    components: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also write each pulse of a piled-up record on its own (.lh5): train --task separation "
            "--components FILE. docs/separate.md",
            show_default=False,
        ),
    ] = None,
    record_llr: Annotated[
        bool,
        typer.Option(
            "--record-llr",
            help="Give each pulse the likelihood ratio of its record: some 10 ms a pulse of processor time.",
        ),
    ] = False,
    seed: Annotated[int, typer.Option(help="The same seed gives the same pulses.")] = 0,
    setup_seed: Annotated[
        int | None,
        typer.Option(
            help="Of what channels and runs differ in: the same one gives the same detectors. By default the seed.",
            show_default=False,
        ),
    ] = None,
    energy_kev: EnergyOption = None,
    share_of_pairs: ShareOfPairsOption = None,
    second_share: SecondShareOption = None,
    second_distance_mm: SecondDistanceOption = None,
    noise_kev: NoiseOption = None,
    cloud_parts: CloudOption = None,
    time_constant_ns: TimeConstantOption = None,
    basis_mm: BasisOption = None,
    output_format: Annotated[
        str | None, typer.Option("--format", help="Format to write, where the suffix does not tell it.")
    ] = None,
    json: common.JsonOption = False,
) -> None:
    """Simulate pulses of known kind into a run file; the truth goes into a file next to it."""
    if is_crystal(detector):
        wishes: dict[str, Any] = {
            "energy_kev": energy_kev,
            "share_of_pairs": share_of_pairs,
            "second_share": second_share,
            "second_distance_mm": second_distance_mm,
            "noise_kev": noise_kev,
            "cloud_parts": cloud_parts,
            "time_constant_ns": time_constant_ns,
            "basis_mm": basis_mm,
        }
        simulate_germanium(context, output, wishes, json=json)
        return
    refuse_idle(context, GERMANIUM_ONLY, without="--detector of germanium")
    values: dict[str, Any] = {
        "detector": detector,
        "digitizer": digitizer,
        "spectrum": spectrum,
        "neutron_fraction": neutron_fraction,
        "energy_min_kevee": energy_min_kevee,
        "energy_max_kevee": energy_max_kevee,
        "photoelectrons_per_kev": photoelectrons_per_kev,
        "gamma_tail_rise": gamma_tail_rise,
        "noise_adc": noise_adc,
        "noise_corner_mhz": noise_corner_mhz,
        "gain_adc_per_kevee": gain_adc_per_kevee,
        "gain_spread": gain_spread,
        "baseline_adc": baseline_adc,
        "baseline_spread_adc": baseline_spread_adc,
        "trigger_jitter_ns": trigger_jitter_ns,
        "pileup_fraction": pileup_fraction,
        "pileup_delay_max_ns": pileup_delay_max_ns,
        "rate_hz": rate_hz,
        "n_channels": n_channels,
        "n_runs": n_runs,
        "first_run": first_run,
        "channel_gain_spread": channel_gain_spread,
        "channel_noise_spread": channel_noise_spread,
        "channel_baseline_spread_adc": channel_baseline_spread_adc,
        "channel_delay_spread_ns": channel_delay_spread_ns,
        "run_gain_spread": run_gain_spread,
        "run_noise_spread": run_noise_spread,
        "run_baseline_spread_adc": run_baseline_spread_adc,
        "flight_path_m": flight_path_m,
        "time_resolution_ns": time_resolution_ns,
        "accidental_fraction": accidental_fraction,
        "accidental_neutron_fraction": accidental_neutron_fraction,
        "tof_window_ns": tof_window_ns,
        "tof_delay_ns": tof_delay_ns,
        "record_llr": record_llr,
        "seed": seed,
        "setup_seed": setup_seed,
    }
    given = given_options(context)
    if "digitizer" not in given:
        values["digitizer"] = _default_digitizer(output, output_format, digitizer)
    written: dict[str, Any] = {}
    file: DetectorFile | None
    if like:
        options = read_options(settings, sample_period_ns=sample_period_ns, polarity=polarity)
        file, written = _fitted(output, like, options, values=values, given=given, json=json)
        if only_fits(output):
            return
    else:
        refuse_idle(context, READING, without="--like RUN")
        file = read_detector_file(detector) if is_detector_file(detector) else None
    config = SimulationConfig(n_pulses=n_pulses, **values) if file is None else _of_file(file, n_pulses, values, given)
    with common.progress("simulating", total=n_pulses) as tick:
        done = simulate_run(
            config, output, format_name=output_format, clean=clean, components=components, on_progress=tick
        )
    result = {
        "output": str(done.run),
        "truth": str(done.truth),
        "clean": None if clean is None else str(clean),
        "components": None if components is None else str(components),
        "n_gamma": done.n_gamma,
        "n_neutron": done.n_neutron,
        "settings": done.settings.model_dump(exclude_none=True),
        "seed": seed,
    }
    result |= {"like": written} if written else {}
    if json:
        common.emit_json(result)
    else:
        line = f"{done.n_gamma} gammas and {done.n_neutron} neutrons written to {done.run}, truth to {done.truth}"
        common.stdout_console().print(line, markup=False)


def _default_digitizer(output: Path, output_format: str | None, otherwise: str) -> str:
    """Return what fills the frames of NEDA where these are written."""
    is_mfm = output_format == "mfm" if output_format else output.suffix.lower() == ".mfm"
    return "NUMEXO2-NEDA" if is_mfm else otherwise


def _fitted(
    output: Path,
    like: list[Path],
    options: ReadOptions,
    *,
    values: Mapping[str, Any],
    given: Mapping[str, str],
    json: bool,
) -> tuple[DetectorFile, dict[str, Any]]:
    """Fit a detector, write its file and picture, and say so, in JSON where nothing else follows."""
    alone = only_fits(output)
    if alone:
        refuse_unused(given)
    path = output if alone else output.with_name(f"{output.stem}.detector.yaml")
    refuse_targets(path, like)
    detector = values["detector"] if "detector" in given else None
    gain = values["gain_adc_per_kevee"]
    fit = fit_like(like, detector, options, gain_adc_per_kevee=gain, seed=values["seed"])
    written = write_fit(fit, path)
    if not json:
        print_fit(fit, written)
    elif alone:
        common.emit_json(written)
    return fit.file, written


def _of_file(
    file: DetectorFile, n_pulses: int, values: Mapping[str, Any], given: Mapping[str, str]
) -> SimulationConfig:
    """Return the configuration of a detector file, with the options that were given instead of its values."""
    if "digitizer" in given:
        raise typer.BadParameter("--digitizer does nothing with a detector file, which has its own: leave it out")
    changes = {name: value for name, value in values.items() if name in given and name != "detector"}
    return file.config(n_pulses, **changes)
