"""``discrimen classify``: scores for run files of any readable format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from discrimen.cli import common
from discrimen.cli.classify_cluster import ClusterWork, one_thread_each
from discrimen.cli.cluster_options import OnCluster, with_cluster_options
from discrimen.cli.failed_files import FailedFiles
from discrimen.cli.input_options import with_input_options
from discrimen.cli.outside_options import MostOutsideOption, share_outside
from discrimen.cluster.classify import ScoringSetup
from discrimen.errors import SettingsError
from discrimen.formats.inputs import InputOptions
from discrimen.inference.load import Model
from discrimen.output.files import complete_or_absent
from discrimen.scoring.classification import Classification
from discrimen.scoring.classify import classify_run
from discrimen.scoring.discriminator import (
    ChannelDiscriminators,
    Discriminator,
    choose_thresholds,
    discriminators_of,
    for_one_or_each,
    load_models,
)
from discrimen.scoring.outputs import is_complete, plan_outputs
from discrimen.scoring.pile_up import PileUpMode
from discrimen.scoring.run_sample import RunSample
from discrimen.scoring.run_scoring import ScoringWish
from discrimen.scoring.scores import SCORE_SUFFIXES
from discrimen.scoring.text import summary_lines, warning_lines
from discrimen.training.extension import extended_note

Kind = Literal["h5", "parquet", "root", "csv", "mfm"]
"""Kind of a file of scores."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(with_cluster_options(with_input_options(classify)))


def classify(
    model: common.ModelsArgument,
    files: Annotated[list[Path], typer.Argument(help="Run files of any readable format.", show_default=False)],
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            help="File of scores (.h5, .parquet, .root, .csv, .mfm), or a folder of them.",
            show_default=False,
        ),
    ],
    to: Annotated[
        Kind | None,
        typer.Option(
            help="Kind of the files in a folder, by default h5; root makes friend trees, mfm NEDACOMP frames.",
            show_default=False,
        ),
    ] = None,
    threshold: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER|NAME",
            help="Least neutron score of a neutron, or the name of a stored one. By default the only one that the "
            "model stores, or 0.5.",
            show_default=False,
        ),
    ] = None,
    most_outside: MostOutsideOption = None,
    accept: Annotated[
        bool, typer.Option("--accept", help="Take every run, however many of its pulses are unlike those.")
    ] = False,
    pile_up: Annotated[
        PileUpMode | None,
        typer.Option(
            help="Look for second pulses in the records, which takes time: flag writes the column pile_up, veto leaves "
            "such pulses out of the counts too. docs/pile-up.md",
            show_default=False,
        ),
    ] = None,
    psd: Annotated[
        bool,
        typer.Option(help="Write light (or charge) and PSD of each pulse, where gates are known; about 1 us a pulse."),
    ] = True,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="PNG|FOLDER",
            help="Draw each run: PSD against energy by class, spectra, rates; a folder for several files.",
            show_default=False,
        ),
    ] = None,
    device: common.DeviceOption = "cpu",
    backend: common.BackendOption = None,
    threads: common.ThreadsOption = None,
    compress: Annotated[
        bool, typer.Option(help="Smaller .h5 files, slower to write (.parquet and .root always are compressed).")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option(help="Replace scores of another model, input, threshold or choice.")
    ] = False,
    json: common.JsonOption = False,
    *,
    inputs: InputOptions,
    on_cluster: OnCluster | None,
) -> None:
    """Score every pulse; inputs are never modified, and outputs that are complete are not made again."""
    _require_same_kind(output, to)
    outputs = plan_outputs(files, output, suffix=None if to is None else f".{to}")
    pictures = _pictures(plot, files, with_psd=psd)
    models = load_models(model, device=device, backend=backend, threads=threads)
    loaded = _with_thresholds(model, models, threshold)
    wish = ScoringWish(
        selection=inputs.selection,
        most_outside=share_outside(most_outside, accept=accept),
        pile_up=pile_up,
        with_psd=psd,
    )
    extended = {name: extended_note(each.description.provenance) for name, each in loaded.parts.items()}
    failures = FailedFiles(len(files))
    told: dict[str, Any] = {}
    if on_cluster is None:
        how = _How(inputs=inputs, loaded=loaded, wish=wish, compress=compress, overwrite=overwrite, quiet=json)
        results = list(_score_here(files, outputs, pictures, how=how, failures=failures))
    else:
        if plot is not None:
            raise typer.BadParameter("--plot draws where the command is given: leave it out on a cluster")
        setup = ScoringSetup(
            model=model.absolute(),
            model_sha256=loaded.sha256,
            threshold=threshold,
            device=device,
            backend=backend,
            threads=threads or one_thread_each(loaded),
            inputs=inputs,
            wish=wish,
            compress=compress,
        )
        work = ClusterWork(setup=setup, on_cluster=on_cluster, output=output, quiet=json)
        results, told["cluster"] = work.classify(
            files, outputs, discriminators=loaded, overwrite=overwrite, failures=failures
        )
    if not all(result["skipped"] for result in results):
        for name, each in loaded.parts.items():
            common.log_unknown_domain(model / name, each.description)
            if (note := extended[name]) is not None:
                common.log(f"{model / name}: {note}")
    if json:
        common.emit_json(
            {
                "model": str(model),
                "model_sha256": loaded.sha256,
                "threshold": loaded.thresholds,
                "threshold_name": for_one_or_each({name: each.threshold.name for name, each in loaded.parts.items()}),
                "learnt_from_thinned_pulses": for_one_or_each(extended),
                "files": results,
                **told,
                "failed": failures.as_list(),
            }
        )
    failures.exit_if_any()


@dataclass(frozen=True, slots=True, kw_only=True)
class _How:
    """How each run file is scored in this process."""

    inputs: InputOptions
    loaded: Discriminator | ChannelDiscriminators
    wish: ScoringWish
    compress: bool
    overwrite: bool
    quiet: bool


def _score_here(
    files: Sequence[Path],
    outputs: Sequence[Path],
    pictures: Sequence[Path | None],
    *,
    how: _How,
    failures: FailedFiles,
) -> Iterator[dict[str, Any]]:
    """Score run files one by one, and say what each gave."""
    for path, scores, picture in zip(files, outputs, pictures, strict=True):
        with failures.noting(path):
            reader = how.inputs.open_whole(path)
            there = picture is None or picture.exists()
            if not how.overwrite and is_complete(scores, how.wish.identity(reader.info, how.loaded)) and there:
                _say(how.quiet, f"{path}: scores are complete in {scores}, skipped")
                yield {"input": str(path), "output": str(scores), "skipped": True}
                continue
            sample = None if picture is None else RunSample()
            with common.progress(path.name, total=reader.info.n_entries) as tick:
                done = classify_run(
                    reader, how.loaded, scores, wish=how.wish, sample=sample, compress=how.compress, on_progress=tick
                )
            for line in warning_lines(path, done):
                common.log(line)
            if sample is not None and picture is not None:
                _draw(sample, picture, done, path)
            for line in summary_lines(path, done, how.loaded, picture):
                _say(how.quiet, line)
            drawn = None if picture is None else str(picture)
            yield {"input": str(path), "skipped": False, "picture": drawn, **done.as_dict()}


def _require_same_kind(output: Path, to: Kind | None) -> None:
    """Refuse a file name that says another kind than --to."""
    suffix = output.suffix.lower()
    if to is not None and suffix in SCORE_SUFFIXES and not output.is_dir() and suffix != f".{to}":
        raise typer.BadParameter(f"--to {to} contradicts the name {output.name}: leave one of the two out")


def _with_thresholds(
    path: Path, models: Mapping[str, Model], wish: str | None
) -> Discriminator | ChannelDiscriminators:
    """Give each model the threshold that a number or a name stands for."""
    try:
        thresholds = choose_thresholds(models, wish)
    except SettingsError as error:
        raise typer.BadParameter(str(error)) from error
    return discriminators_of(path, models, thresholds)


def _pictures(plot: Path | None, files: list[Path], *, with_psd: bool) -> list[Path | None]:
    """Name one picture for each input."""
    if plot is None:
        return [None] * len(files)
    if not with_psd:
        raise typer.BadParameter("--plot draws the PSD: leave out --no-psd")
    if plot.suffix.lower() == ".png" and not plot.is_dir():
        if len(files) > 1:
            raise typer.BadParameter(f"--plot {plot}: {len(files)} files need a folder of pictures")
        return [plot]
    if plot.suffix and not plot.is_dir():
        raise typer.BadParameter(f"--plot: a picture is a .png file, got {plot.name}")
    return [plot / f"{path.name}.png" for path in files]


def _draw(sample: RunSample, picture: Path, done: Classification, path: Path) -> None:
    from discrimen.scoring.picture import draw_run

    with complete_or_absent(picture) as part:
        draw_run(sample, part, title=f"{path.name}: {done.n_neutron} neutrons, {done.n_gamma} gammas")


def _say(json: bool, line: str) -> None:
    if not json:
        print(line)
