"""``discrimen generate``: pulses of asked class and size, made by a frozen generator."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from discrimen.cli import common
from discrimen.formats.table import open_reader
from discrimen.reconstruction.generate import PulseGenerator
from discrimen.reconstruction.generated_run import generate_run
from discrimen.reconstruction.generation_options import GenerationOptions, Prior
from discrimen.runs.dataset import load_dataset

if TYPE_CHECKING:
    from discrimen.reconstruction.judge_generated import GeneratorJudgement


HeightOption = Annotated[
    float | None,
    typer.Option(help="The same for the height, of a generator trained by it (--condition).", show_default=False),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(generate)


def generate(
    model: Annotated[Path, typer.Argument(help="A frozen generator (.discrimen).", show_default=False)],
    output: Annotated[
        Path,
        typer.Option("-o", "--output", help="Run file: .lh5, .BIN, .csv, .dat, .root, .fast.", show_default=False),
    ],
    n_pulses: Annotated[int, typer.Option("-n", "--n-pulses", help="How many.")] = 100_000,
    class_name: Annotated[
        str | None, typer.Option("--class", metavar="NAME", help="Only gammas, or only neutrons.", show_default=False)
    ] = None,
    neutron_share: Annotated[
        float | None, typer.Option(help="Share of neutrons; by default that of the training.", show_default=False)
    ] = None,
    energy_min_kevee: Annotated[
        float | None, typer.Option(help="Least light; by default that of the training.", show_default=False)
    ] = None,
    energy_max_kevee: Annotated[
        float | None, typer.Option(help="Most light; by default that of the training.", show_default=False)
    ] = None,
    energy_kevee: Annotated[float | None, typer.Option(help="The same light for all.", show_default=False)] = None,
    height_min_adc: HeightOption = None,
    height_max_adc: HeightOption = None,
    height_adc: HeightOption = None,
    rate_hz: Annotated[float, typer.Option(help="Of the time stamps.")] = 1000.0,
    prior: Annotated[
        Prior, typer.Option(help="Codes near those of training pulses, or standard normal ones. docs/generate.md")
    ] = "posterior",
    seed: Annotated[int, typer.Option(help="The same seed gives the same pulses.")] = 0,
    judge: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN",
            help="Also compare the generator with these pulses, not those of its training; of known class and light "
            "where it was trained by these.",
            show_default=False,
        ),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="With --judge: where to write the page.", show_default=False)
    ] = None,
    output_format: Annotated[
        str | None, typer.Option("--format", help="Format to write, where the suffix does not tell it.")
    ] = None,
    json: common.JsonOption = False,
) -> None:
    """Generate pulses into a run file; class and light, or height, go into a file next to it. docs/generate.md."""
    options = GenerationOptions(
        n_pulses=n_pulses,
        class_name=class_name,
        neutron_share=neutron_share,
        energy_min_kevee=energy_min_kevee,
        energy_max_kevee=energy_max_kevee,
        energy_kevee=energy_kevee,
        height_min_adc=height_min_adc,
        height_max_adc=height_max_adc,
        height_adc=height_adc,
        rate_hz=rate_hz,
        prior=prior,
        seed=seed,
    )
    if (judge is None) != (report is None):
        raise typer.BadParameter("--judge RUN and --report FOLDER need each other: what to compare with, and where to")
    with common.progress("generating", total=n_pulses) as tick:
        done = generate_run(model, output, options=options, format_name=output_format, on_progress=tick)
    judged = None if judge is None or report is None else _judged(model, judge, report, options)
    if json:
        found = {} if judged is None else {"judged": judged.as_dict(), "report": str(report)}
        common.emit_json({"model": str(model), "seed": seed, **done.as_dict(), **found})
        return
    counts = " and ".join(f"{count} {name}s" for name, count in done.counts.items())
    print(f"{counts} written to {done.run} in {done.seconds:.2f} s, {done.asked} to {done.truth}")
    print(f"the generator was trained on {done.n_training} pulses, and knows no more than these")
    if judged is not None:
        for name, area in judged.told_apart.items():
            beside = judged.real_apart[name]
            print(
                f"real against generated, {name}: AUC {area.value:.3f} ({area.low:.3f} to {area.high:.3f}); "
                f"real against real: {beside.value:.3f}"
            )
        worst = max(judged.tests, key=lambda test: test.distance)
        print(
            f"{len(judged.tests)} two-sample tests; the largest distance is {worst.distance:.3f}: {worst.quantity} of "
            f"{worst.class_name}s, {worst.told_range}\npage in {report}"
        )


def _judged(model: Path, run: Path, report: Path, options: GenerationOptions) -> GeneratorJudgement:
    """Compare with real pulses, and leave the page."""
    from discrimen.reconstruction.generated_page import write_judgement
    from discrimen.reconstruction.judge_generated import JudgingOptions, judge_generator

    classes = PulseGenerator(model).generator.condition.classes
    dataset = load_dataset([open_reader(run)], labelled=bool(classes))
    wishes = JudgingOptions(prior=options.prior, seed=options.seed)
    judged = judge_generator(model, dataset.pulses, dataset.settings, options=wishes)
    write_judgement(judged, report, model=model, real=run.name, settings=dataset.settings)
    return judged
