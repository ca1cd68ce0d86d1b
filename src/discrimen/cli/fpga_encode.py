"""``discrimen fpga train --task encode``: an encoder of few bits for a chip."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from discrimen.cli import common
from discrimen.runs.dataset import Dataset

if TYPE_CHECKING:
    from discrimen.fpga.encoder_run import EncoderConfig
    from discrimen.keras_jax import KerasSession


class Task(StrEnum):
    """What the network on chip is for."""

    CLASSIFY = "classify"
    ENCODE = "encode"


def train_encoder(
    session: KerasSession, config: EncoderConfig, read: Mapping[str, Dataset], output: Path, *, json: bool
) -> None:
    """Train an encoder, write its folder and say what came of it."""
    from discrimen.fpga.encoder_model import write_chip_encoder
    from discrimen.fpga.encoder_page import encoder_page
    from discrimen.fpga.encoder_run import train_encoder_for_chip
    from discrimen.fpga.training_page import PAGE_NAME
    from discrimen.output.stage_report import write_stage_report

    done = train_encoder_for_chip(
        session,
        config,
        training=read["training"],
        validation=read["--validation"],
        test=read.get("--test"),
        provenance={"files": {role.strip("-"): list(each.files) for role, each in read.items()}},
        log=common.log,
    )
    write_chip_encoder(done.chip, output, golden=done.runs[-1].labelled.values[:2000])
    write_stage_report(encoder_page(done), output, name=PAGE_NAME, values=done.as_dict())
    if json:
        common.emit_json({"output": str(output), **done.as_dict()})
        return
    judging = "held-out" if done.float_test is not None else "validation"
    reference, chosen = done.float_test or done.float_validation, done.chosen.test or done.chosen.validation
    print(f"float, {judging} run: {reference.in_words}")
    print(f"few bits, {judging} run: {chosen.in_words}; {done.chosen.size}")
    chip = done.chip
    print(f"code: {chip.n_words} words of {chip.word_bits} bits, {chip.compression:.1f} times fewer than the samples")
    print(f"encoder: {output}; report: {output / f'{PAGE_NAME}.html'}")
