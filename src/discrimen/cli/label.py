"""``discrimen label``: run files to a data set with labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from discrimen.cli import common
from discrimen.cli.cluster_options import with_inputs_of_cluster
from discrimen.errors import DataError, SettingsError
from discrimen.formats.base import Reader
from discrimen.formats.inputs import InputOptions
from discrimen.labelling import label_all, label_by_truth
from discrimen.labelling.contamination import labels_path
from discrimen.output.files import refuse_inputs
from discrimen.pulses import Label, Pulses
from discrimen.runs.conversion import convert_runs
from discrimen.simulation.truth import read_truth, truth_path

Method = Literal["truth", "gamma", "neutron", "band", "tof", "source"]
"""Who says what a pulse is."""

_METHODS_OF: Mapping[str, tuple[Method, ...]] = {
    "--truth": ("truth",),
    "--purity": ("band",),
    "--least-efficiency": ("band",),
    "--energy-range": ("band", "source"),
    "--plot": ("band", "tof"),
    **dict.fromkeys(
        (
            "--flight-path-m",
            "--accidental-neutron-share",
            "--neutron-window-ns",
            "--flat-range-ns",
            "--start-channel",
            "--start-board",
            "--start-window-ns",
            "--tick-ps",
        ),
        ("tof",),
    ),
    "--gamma-run": ("source", "band"),
}
"""Which methods listen to an option; with any other it would be ignored without a word."""
_PURITY, _LEAST_EFFICIENCY = 0.99, 0.5


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(with_inputs_of_cluster(label, files="files"))


def label(
    files: Annotated[list[Path], typer.Argument(help="Run files of any readable format.", show_default=False)],
    method: Annotated[
        Method,
        typer.Option(
            help="truth: from the truth next to a simulated run; gamma, neutron: every pulse of the files is one; "
            "band: by charge comparison, in a run of both; tof: by time of flight; source: mixed runs against "
            "--gamma-run, no single pulse known.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="Data set to write (.lh5); for list mode, a table of labels (.h5). May be left out with band, tof and "
            "source.",
            show_default=False,
        ),
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(help="Truth of the run, if it does not lie next to it.", show_default=False)
    ] = None,
    purity: Annotated[float, typer.Option(help="Band: least share of right labels in each class.")] = _PURITY,
    least_efficiency: Annotated[
        float, typer.Option(help="Band: where a purer cut would keep less of the class, the slice is left out.")
    ] = _LEAST_EFFICIENCY,
    energy_range: Annotated[
        str | None,
        typer.Option(
            metavar="LOW:HIGH",
            help="Band, source: in keVee if calibrated, else of the long charge (ADC ns, in list mode the "
            "digitizer's); by default from the 5 % to the 99.9 % quantile.",
            show_default=False,
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot",
            metavar="PNG",
            callback=common.png_only,
            help="Band: draw plane, cuts and purity; time of flight: draw spectrum and windows.",
            show_default=False,
        ),
    ] = None,
    flight_path_m: Annotated[
        float | None, typer.Option(help="Time of flight: from the source to the detector.", show_default=False)
    ] = None,
    accidental_neutron_share: Annotated[
        float | None,
        typer.Option(
            help="Time of flight: neutrons among accidental pulses; if not known, each counts as a wrong label.",
            show_default=False,
        ),
    ] = None,
    neutron_window_ns: Annotated[
        str | None,
        typer.Option(
            metavar="LOW:HIGH",
            help="Time of flight: of the neutrons, in ns after the gamma flash; by default 0.5 to 15 MeV.",
            show_default=False,
        ),
    ] = None,
    flat_range_ns: Annotated[
        str | None,
        typer.Option(
            metavar="LOW:HIGH",
            help="Time of flight: where only accidentals lie, in ns after the gamma flash (negative: before); by "
            "default before the flash or, if nothing was measured there, behind the neutrons.",
            show_default=False,
        ),
    ] = None,
    start_channel: Annotated[
        int | None,
        typer.Option(
            help="Time of flight: channel of the start detector; times are those since its pulses, corrected for walk.",
            show_default=False,
        ),
    ] = None,
    start_board: Annotated[
        int | None, typer.Option(help="Time of flight: board of the start detector.", show_default=False)
    ] = None,
    start_window_ns: Annotated[
        str | None,
        typer.Option(
            metavar="LOW:HIGH",
            help="Time of flight: in which a pulse belongs to a start, in ns after it [-200:400].",
            show_default=False,
        ),
    ] = None,
    tick_ps: Annotated[
        float | None,
        typer.Option(
            help="Length of a tick of time stamps that count ticks: of ABCD's waveforms, or for time of flight.",
            show_default=False,
        ),
    ] = None,
    gamma_run: Annotated[
        list[Path] | None,
        typer.Option(
            help="Source: a run of a pure gamma source; repeatable. FILES are the mixed runs. Band: a control.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Band, time of flight, source: of the repetitions that give intervals.", min=0)
    ] = 0,
    json: common.JsonOption = False,
    *,
    inputs: InputOptions,
) -> None:
    """Give every pulse a label and write the data set that `train` and `evaluate` take."""
    if tick_ps is not None and inputs.all_take(files, "tick_ps"):
        inputs, tick_ps = replace(inputs, read=replace(inputs.read, tick_ps=tick_ps)), None
    given = {
        "--truth": truth is not None,
        "--purity": purity != _PURITY,
        "--least-efficiency": least_efficiency != _LEAST_EFFICIENCY,
        "--energy-range": energy_range is not None,
        "--plot": plot is not None,
        "--flight-path-m": flight_path_m is not None,
        "--accidental-neutron-share": accidental_neutron_share is not None,
        "--neutron-window-ns": neutron_window_ns is not None,
        "--flat-range-ns": flat_range_ns is not None,
        "--start-channel": start_channel is not None,
        "--start-board": start_board is not None,
        "--start-window-ns": start_window_ns is not None,
        "--tick-ps": tick_ps is not None,
        "--gamma-run": bool(gamma_run),
    }
    _refuse_options_of_others(method, [option for option, is_given in given.items() if is_given])
    _check_outputs(output, plot, [*files, *(gamma_run or []), *([] if truth is None else [truth])])
    readers = [inputs.open(path) for path in files]
    if method == "band":
        _label_by_band(
            readers,
            output,
            purity,
            least_efficiency,
            _parse_range(energy_range),
            gamma_runs=[inputs.open(path) for path in gamma_run or []],
            plot=plot,
            seed=seed,
            json=json,
        )
        return
    if method == "tof":
        from discrimen.cli.label_tof import label_runs_by_tof, print_flight_labels, start_options
        from discrimen.labelling.time_of_flight import FlightOptions

        if flight_path_m is None and neutron_window_ns is None:
            raise typer.BadParameter(
                "--method tof needs the flight path, or --neutron-window-ns", param_hint="--flight-path-m"
            )
        flight = FlightOptions(
            flight_path_m=flight_path_m,
            accidental_neutron_share=accidental_neutron_share,
            neutron_window_ns=_parse_times(neutron_window_ns, "--neutron-window-ns"),
            flat_range_ns=_parse_times(flat_range_ns, "--flat-range-ns"),
        )
        start = start_options(start_channel, start_board, _parse_times(start_window_ns, "--start-window-ns"), tick_ps)
        by_tof, run_flight = label_runs_by_tof(readers, output, options=flight, start=start, plot=plot, seed=seed)
        if json:
            common.emit_json(by_tof)
        else:
            print_flight_labels(by_tof, run_flight)
        return
    if method == "source":
        _label_by_source(
            [inputs.open(path) for path in gamma_run or []],
            readers,
            output,
            _parse_range(energy_range),
            seed=seed,
            json=json,
        )
        return
    if output is None:
        raise typer.BadParameter(f"--method {method} needs a data set to write", param_hint="--output")
    labellers = [_labeller(method, path, truth) for path in files]
    counts = dict.fromkeys(Label, 0)

    def counting(labeller: Callable[[Pulses], Pulses], pulses: Pulses) -> Pulses:
        labelled = labeller(pulses)
        for label in Label:
            counts[label] += int((labelled.column("label") == label).sum())
        return labelled

    with common.progress("labelling", total=common.total_entries(readers)) as tick:
        transforms = [partial(counting, labeller) for labeller in labellers]
        reports = convert_runs(readers, output, transforms=transforms, format_name="lh5", on_progress=tick).reports
    # Estimates of a data set that had this name before would be taken for those of the new labels.
    labels_path(output).unlink(missing_ok=True)
    for file, report in zip(files, reports, strict=True):
        common.log_left_out(file, report)
    result = {"output": str(output), "method": method} | {
        f"n_{label.name.lower()}": count for label, count in counts.items()
    }
    if json:
        common.emit_json(result)
    else:
        gammas, neutrons = counts[Label.GAMMA], counts[Label.NEUTRON]
        common.stdout_console().print(f"{gammas} gammas and {neutrons} neutrons written to {output}", markup=False)


def _refuse_options_of_others(method: Method, given: Sequence[str]) -> None:
    for option in given:
        if method not in _METHODS_OF[option]:
            meant = " and ".join(_METHODS_OF[option])
            raise typer.BadParameter(f"belongs to --method {meant}, --method {method} ignores it", param_hint=option)


def _check_outputs(output: Path | None, plot: Path | None, inputs: Sequence[Path]) -> None:
    """Refuse, before anything is read, to write over an input or the two outputs over each other."""
    for path in (output, plot):
        if path is not None:
            refuse_inputs(path, inputs)
    if output is not None and plot is not None and output.resolve() == plot.resolve():
        raise typer.BadParameter("picture and data set need names of their own", param_hint="--plot")


def _label_by_band(
    readers: list[Reader],
    output: Path | None,
    purity: float,
    least_efficiency: float,
    energy_range: tuple[float, float] | None,
    *,
    gamma_runs: list[Reader],
    plot: Path | None,
    seed: int,
    json: bool,
) -> None:
    # Imported here: these methods fit, the others must not pay for it.
    from discrimen.cli.label_band import label_runs_by_band, print_bands
    from discrimen.labelling.band import BandOptions

    options = BandOptions(purity=purity, least_efficiency=least_efficiency, energy_range=energy_range)
    result, bands = label_runs_by_band(readers, output, options=options, plot=plot, seed=seed, gamma_runs=gamma_runs)
    if json:
        common.emit_json(result)
    else:
        print_bands(result, bands)


def _label_by_source(
    gamma_runs: list[Reader],
    mixed_runs: list[Reader],
    output: Path | None,
    energy_range: tuple[float, float] | None,
    *,
    seed: int,
    json: bool,
) -> None:
    from discrimen.cli.label_source import label_runs_by_source, print_source_labels
    from discrimen.labelling.source import SourceOptions

    if not gamma_runs:
        raise typer.BadParameter("--method source needs runs of a pure gamma source", param_hint="--gamma-run")
    options = SourceOptions(energy_range=energy_range)
    result, found = label_runs_by_source(gamma_runs, mixed_runs, output, options=options, seed=seed)
    if json:
        common.emit_json(result)
    else:
        print_source_labels(result, found)


def _parse_range(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.split(":"))
    except ValueError as error:
        raise SettingsError(f"--energy-range {text}: expected LOW:HIGH, for example 100:2000") from error
    if not 0 < low < high:
        raise SettingsError(f"--energy-range {text}: expected two positive numbers in ascending order")
    return low, high


def _parse_times(text: str | None, option: str) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.split(":"))
    except ValueError as error:
        raise SettingsError(f"{option} {text}: expected LOW:HIGH in ns, for example -50:-5") from error
    if not low < high:
        raise SettingsError(f"{option} {text}: expected two times in ascending order")
    return low, high


def _labeller(method: Method, run: Path, truth: Path | None) -> Callable[[Pulses], Pulses]:
    if method == "truth":
        beside = truth or truth_path(run)
        if not beside.is_file():
            raise DataError(
                f"{run}: there is no truth of a simulated run in {beside}; name it with --truth, or label the pulses "
                "of a pure source with --method gamma or neutron"
            )
        return partial(label_by_truth, truth=read_truth(beside))
    return partial(label_all, label=Label[method.upper()])
