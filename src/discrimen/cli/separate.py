"""``discrimen separate``: piled-up pulses, each on its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from discrimen.cli import common
from discrimen.cli.given_options import refuse_idle
from discrimen.cli.input_options import with_input_options
from discrimen.cli.outside_options import MostOutsideOption, share_outside
from discrimen.formats.base import Reader
from discrimen.formats.inputs import InputOptions
from discrimen.formats.pile_up_text.reader import traces_in
from discrimen.inference.load import load_model
from discrimen.network.model_description import ModelDescription
from discrimen.output.provenance import sha256_of_file
from discrimen.pulses import concatenate
from discrimen.reconstruction.separate import SeparationOptions, separate_runs
from discrimen.reconstruction.separated_runs import SeparatedRun
from discrimen.reconstruction.separation_judged import Judged, Quality
from discrimen.runs.components import Components, components_beside, read_components


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(with_input_options(separate))


def separate(
    model: common.ModelArgument,
    files: Annotated[
        list[Path],
        typer.Argument(help="Run files of any readable format, or folders of piled-up traces.", show_default=False),
    ],
    context: typer.Context,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="File to write, .lh5; without it pulses are counted.", show_default=False),
    ] = None,
    classifier: Annotated[
        Path | None,
        typer.Option(help="Model that gives every pulse a neutron score.", show_default=False),
    ] = None,
    components: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="The truth, a file for each run file, as simulate --components writes it: says how right the parts "
            "are; repeatable. Found by itself in folders of traces.",
            show_default=False,
        ),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            help="Probability of a single pulse from which on a record stays whole; by default the model's own; 1: "
            "every record is piled up.",
            min=0,
            max=1,
            show_default=False,
        ),
    ] = None,
    fit: Annotated[
        int, typer.Option("--fit", metavar="N", help="Where the truth is known: fit templates to so many.", min=0)
    ] = 300,
    in_place: Annotated[
        bool,
        typer.Option("--in-place", help="Leave second pulses where they lie; by default moved to where first ones do."),
    ] = False,
    as_float: Annotated[
        bool, typer.Option("--float", help="Write float32; by default whole counts of the input's type.")
    ] = False,
    most_outside: MostOutsideOption = None,
    accept: Annotated[
        bool, typer.Option("--accept", help="Take every run, however unlike the training its pulses are.")
    ] = False,
    device: common.DeviceOption = "cpu",
    backend: common.BackendOption = None,
    threads: common.ThreadsOption = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Write a page about it: what was counted, pictures of records and parts, and how right these are "
            "where the truth is known.",
            show_default=False,
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace a file that is there.")] = False,
    json: common.JsonOption = False,
    *,
    inputs: InputOptions,
) -> None:
    """Find piled-up pulses and take them apart; the inputs are never modified. docs/separate.md."""
    allowed = share_outside(most_outside, accept=accept)
    if output is None:
        refuse_idle(context, ("classifier", "in_place", "as_float", "overwrite"), without="--output")
    loaded = load_model(model, device=device, backend=backend, threads=threads)
    scorer = None if classifier is None else load_model(classifier, device=device, threads=threads)
    files = [each for path in files for each in traces_in(path)]
    readers = [inputs.open(path) for path in files]
    if output is not None:
        common.refuse_to_replace(output, files, overwrite=overwrite)
    truth = _truth(components or (), readers, inputs)
    if truth is None:
        refuse_idle(context, ("fit",), without="--components")
    with common.progress("separating", total=common.total_entries(readers)) as tick:
        done = separate_runs(
            readers,
            loaded.predictor,
            output,
            classifier=None if scorer is None else scorer.predictor,
            components=truth,
            options=SeparationOptions(
                threshold=threshold, in_place=in_place, as_float=as_float, most_outside=allowed, n_fitted=fit
            ),
            on_progress=tick,
        )
    common.log_stage(model, loaded.description, done.runs)
    for run in done.runs:
        _log_seen(run, loaded.description)
    pages: tuple[Path, ...] = ()
    if report is not None:
        # Its plots are an extra of its own; separating is not.
        from discrimen.reconstruction.separated_page import write_separation

        again = [inputs.open(path) for path in files]
        pages = write_separation(done, again, loaded.predictor, report, components=truth, threshold=threshold)
    if json:
        scored = None if scorer is None else {"model": str(classifier), "model_sha256": scorer.sha256}
        about = {"model": str(model), "model_sha256": loaded.sha256, "classifier": scored}
        common.emit_json({**about, **done.as_dict(), "report": list(map(str, pages))})
        return
    for run in done.runs:
        print("\n".join(_told(run)))
    where = "nothing written (no -o)" if output is None else f"written to {output}"
    print(f"{where}, {done.seconds:.2f} s")
    common.print_report(pages)


def _truth(components: Sequence[Path], readers: Sequence[Reader], inputs: InputOptions) -> list[Components] | None:
    if not components:
        return components_beside(readers, inputs.open)
    if len(components) != len(readers):
        raise typer.BadParameter(f"--components: {len(components)} files for {len(readers)} runs; give one for each")
    return [
        read_components(inputs.open(path), concatenate(reader.chunks()))
        for path, reader in zip(components, readers, strict=True)
    ]


def _log_seen(run: SeparatedRun, description: ModelDescription) -> None:
    """Say so where figures are of records that the model was trained on."""
    if run.judged is None:
        return
    trained = {str(file.get("sha256")) for file in description.provenance.get("files", ())}
    if sha256_of_file(run.path) in trained:
        common.log(f"{run.path}: the model was trained on these records: the figures say how well it learnt them")


def _told(run: SeparatedRun) -> list[str]:
    counts = run.counts
    lines = [run.told()]
    lines += [f"  refused: {counts.told()}"] if counts["n_refused"] else []
    if run.n_outside:
        lines.append(f"  {run.n_outside} records are unlike those of the training")
    if run.n_unlike_classifier:
        lines.append(f"  {run.n_unlike_classifier} written pulses are unlike those that the classifier knows")
    return lines if run.judged is None else lines + _judged(run.judged)


def _judged(judged: Judged) -> list[str]:
    lines = []
    if judged.n_alone:
        lines.append(f"  false alarms: {judged.n_false_alarms} of {judged.n_alone} records of one pulse")
    lines.append(f"  found: {judged.n_found} of {judged.n_two} records of two pulses")
    lines.append(f"  {'':22}{'records':>9}{'NRMSE':>9}{'median':>9}{'charge':>9}{'delay (ns)':>12}")
    lines.append(_row("all", judged.everything))
    lines.append(_row("one pulse in each part", judged.singles))
    if judged.fit is not None:
        lines.append(_row("those fitted, network", judged.network))
        lines.append(_row(f"  fit (ridge {judged.ridge:g})", judged.fit))
    for row in judged.by_distance:
        lines.append(_row(f"{row.low_ns:g}-{row.high_ns:g} ns", row.network))
        if row.fit is not None and row.fit.n_records:
            lines.append(_row("  fit", row.fit))
    return lines


def _row(name: str, quality: Quality) -> str:
    cells = [f"{quality.n_records:>9}"]
    for value, width, digits in (
        (quality.nrmse, 9, 4),
        (quality.median, 9, 4),
        (quality.charge_spread, 9, 4),
        (quality.delay_spread_ns, 12, 2),
    ):
        cells.append(f"{'-':>{width}}" if value is None else f"{value:>{width}.{digits}f}")
    return f"  {name:22}" + "".join(cells)
