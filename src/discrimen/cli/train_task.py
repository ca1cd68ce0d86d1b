"""``discrimen train``: what the network is trained for, and what the files must hold for that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from discrimen.audit import Severity, audit_dataset, require_sound
from discrimen.audit.without_classes import audit_without_classes, record_without_classes
from discrimen.cli import common
from discrimen.cli.input_options import parse_pairs
from discrimen.errors import DataError, SettingsError
from discrimen.formats.base import Reader
from discrimen.labelling.contamination import NAMES
from discrimen.network.condition import SizeName
from discrimen.runs.dataset import Dataset
from discrimen.training import Classification, Compression, Generation, Quantity, Reconstruction, Regression, Separation
from discrimen.training.split import Split
from discrimen.training.tasks import Interactions, Task
from discrimen.training.tasks.generation import LEAST
from discrimen.training.tasks.regression import position

TaskName = Literal[
    "classification", "reconstruction", "compression", "regression", "position", "generation", "separation"
]

TeacherOption = Annotated[
    Path | None,
    typer.Option(
        metavar="X.discrimen",
        help="With --task compression: a frozen classifier whose judgement the decoded pulses must keep. "
        "docs/encode.md",
        show_default=False,
    ),
]
TeacherWeightOption = Annotated[
    float, typer.Option(help="With --teacher: what the square of a change of its logit counts in the loss.")
]
RateWeightOption = Annotated[
    float, typer.Option(help="With --task compression: what a bit of the code counts in the loss; more: fewer bits.")
]
ChargeWeightOption = Annotated[
    float, typer.Option(help="With --task compression: what errors of charges count, in units of their noise.")
]

PartMovedOption = Annotated[
    float,
    typer.Option(
        help="With --task separation: in this share of the examples the second pulse is moved later, for distances "
        "that are rare in the data."
    ),
]


InteractionsOption = Annotated[
    int,
    typer.Option(
        min=1,
        max=2,
        help="With --task position: most interactions in a segment that the network knows; 2 gives the place of the "
        "second and the probability that there is one. docs/positions.md",
    ),
]

ConditionName = Literal["class,light", "class,height", "light", "height"]
ConditionOption = Annotated[
    ConditionName,
    typer.Option(
        help="With --task generation: what pulses are asked for by. Without class all are of one kind, and labels are "
        "not looked at; height is the highest sample above the baseline in ADC counts, which needs no calibration."
    ),
]
FewestOption = Annotated[
    int,
    typer.Option(
        help=f"With --task generation: so many pulses of each class will do, {LEAST} at least. docs/generate.md"
    ),
]


def generation_of(condition: ConditionName, *, beta: float, fewest: int) -> Generation:
    """Return the task of what pulses are asked for by."""
    size: SizeName = "energy_kevee" if condition.endswith("light") else "height_adc"
    return Generation(NAMES if condition.startswith("class") else (), beta=beta, size=size, fewest=fewest)


def chosen_task(
    name: TaskName,
    *,
    quantities: Sequence[str],
    with_error: bool,
    teacher: Path | None,
    teacher_weight: float,
    rate_weight: float,
    charge_weight: float,
    beta: float,
    condition: ConditionName,
    fewest: int,
    part_gain: float,
    part_moved: float,
    interactions: int,
) -> Task:
    """Return the task of the options.

    Parameters
    ----------
    name : TaskName
        Which.
    quantities : sequence of str
        ``COLUMN=UNIT`` each.
    with_error : bool
        Whether the network gives the standard deviation of each quantity too.
    teacher, teacher_weight, rate_weight, charge_weight
        Of :class:`~discrimen.training.Compression`.
    beta, condition, fewest
        Of a generator.
    part_gain : float
        Of a separation: how far the parts of a record are given gains of their own.
    part_moved : float
        Of a separation: share of the examples whose second part is moved later.
    interactions : int
        Most interactions in a segment that positions should be of.

    Raises
    ------
    typer.BadParameter
        If the options do not fit the task.
    """
    if name == "position" and quantities and interactions > 1:
        raise typer.BadParameter("--quantity does nothing with --interactions 2: leave it out")
    if name != "regression":
        for option, given in (("--quantity", bool(quantities) and name != "position"), ("--with-error", with_error)):
            if given:
                raise typer.BadParameter(f"{option} does nothing without --task regression: leave it out")
        weights = {"teacher_weight": teacher_weight, "rate_weight": rate_weight, "charge_weight": charge_weight}
        makers: dict[str, Callable[[], Task]] = {
            "classification": Classification,
            "reconstruction": Reconstruction,
            "compression": lambda: Compression(teacher=None if teacher is None else str(teacher), **weights),
            "generation": lambda: generation_of(condition, beta=beta, fewest=fewest),
            "separation": lambda: Separation(gain=part_gain, moved_share=part_moved),
            "position": lambda: (
                Regression((position(), *_quantities(quantities, with_error=True)))
                if interactions == 1
                else Interactions()
            ),
        }
        return _made(makers[name])
    if not quantities:
        raise typer.BadParameter("--task regression needs --quantity COLUMN=UNIT, for example energy_kevee=keVee")
    return _made(lambda: Regression(_quantities(quantities, with_error=with_error)))


def _quantities(pairs: Sequence[str], *, with_error: bool) -> tuple[Quantity, ...]:
    units = parse_pairs(pairs, example="--quantity energy_kevee=keVee")
    return tuple(Quantity(name=each, unit=unit, with_error=with_error) for each, unit in units.items())


def _made(make: Callable[[], Task]) -> Task:
    try:
        return make()
    except SettingsError as error:
        raise typer.BadParameter(str(error)) from error


def require_columns(readers: Sequence[Reader], task: Task) -> None:
    """Look into the beginning of each file for what the task learns from, before anything is read in full.

    Raises
    ------
    DataError
        If a file lacks it.
    """
    wanted = ["label"] if task.classes else []
    if isinstance(task, Regression):
        wanted = [name for quantity in task.quantities for name in quantity.target_columns]
    if isinstance(task, Generation) and task.size == "energy_kevee":
        wanted.append("energy_kevee")
    for reader in readers if wanted else ():
        first = next(iter(reader.chunks()), None)
        missing = [] if first is None else [name for name in wanted if name not in first.columns()]
        if missing == ["label"] and first is not None:
            raise DataError(f"{reader.info.path}: the pulses have no labels; make a data set with 'discrimen label'")
        if missing and first is not None:
            raise DataError(
                f"{reader.info.path}: the pulses have no column '{missing[0]}'; they have: "
                f"{', '.join(first.columns()) or 'none'}"
            )


def audited(dataset: Dataset, parted: Split, task: Task, *, accept: bool) -> dict[str, Any]:
    """Look at the data first; errors stop the training unless they are accepted.

    Tests that part classes are done where the task has some.

    Returns
    -------
    dict
        What a model keeps of it.
    """
    record: Mapping[str, Any]
    if task.classes:
        audit = audit_dataset(dataset, validation=parted.validation)
        if not accept:
            require_sound(audit)
        findings, record = audit.findings, audit.record()
    else:
        findings = audit_without_classes(dataset, validation=parted.validation, accept=accept)
        record = record_without_classes(findings, dataset)
    for finding in findings:
        if finding.severity != Severity.NOTE:
            common.log(f"{finding.severity.upper()} {finding.check}: {finding.what} ({finding.how_many})")
    return dict(record)
