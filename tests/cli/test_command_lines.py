"""The command line that made it stands in every kind of output."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.scoring.small_model import write_small_model
from tests.workflow.command_lines import command_line_of, without_command_line

import discrimen
from discrimen.calibration.detector_file import settings_yaml
from discrimen.output.pictures import picture
from discrimen.output.stage_report import StagePage, write_stage_report
from discrimen.output.style import new_figure

Run = Callable[..., tuple[int, str, str]]


def test_every_kind_of_file_says_which_command_line_made_it(run: Run, tmp_path: Path) -> None:
    model = write_small_model(tmp_path.parent / "small.discrimen")
    made = tmp_path / "made"
    for command in [
        ["simulate", "-n", 50, "-o", made / "run.lh5"],
        ["simulate", "-n", 50, "-o", made / "tree.root"],
        ["inspect", made / "run.lh5", "--plot", made / "inspect.png"],
        *(["classify", model, made / "run.lh5", "-o", made / f"scores.{kind}"] for kind in ("h5", "csv", "parquet")),
        ["classify", model, made / "tree.root", "-o", made / "scores.root", "--plot", made / "scores.png"],
    ]:
        status, _, err = run(*command)
        assert status == 0, err
    drawn = picture(new_figure(1, 1), name="nothing", caption="")
    write_stage_report(StagePage(title="x", done=(), pictures=(drawn,)), made, name="stage", values={})
    (made / "detector.yaml").write_text(settings_yaml(discrimen.DetectorSettings(), remarks=[]))
    kinds = {path.suffix for path in made.iterdir()}
    assert kinds == {".lh5", ".h5", ".root", ".png", ".csv", ".parquet", ".html", ".json", ".pdf", ".yaml"}
    assert without_command_line(made) == []
    assert f"-o {made / 'scores.csv'}" in str(command_line_of(made / "scores.csv"))
