"""A model for each channel: whose scores a pulse gets, which channels and models are refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.scoring.small_model import N_LONG, long_records, write_run, write_small_model

from discrimen.errors import DataError, SettingsError
from discrimen.formats.base import ReadOptions
from discrimen.formats.channel_selection import ALL_CHANNELS, ChannelSelection
from discrimen.formats.table import open_reader
from discrimen.network.domain import learn_domain
from discrimen.network.frozen_file import FrozenModel, read_frozen, write_frozen
from discrimen.network.height_curve import Cut, HeightCurve
from discrimen.network.outputs import class_scores
from discrimen.pulses import Pulses
from discrimen.pulses.detector import ChannelSettings, DetectorSettings
from discrimen.scoring.classify import Classification, classify_run
from discrimen.scoring.discriminator import (
    ChannelDiscriminators,
    Discriminator,
    choose_thresholds,
    discriminators_of,
    load_models,
)
from discrimen.scoring.pile_up import PileUpMode
from discrimen.scoring.scores import read_attributes, read_scores

CURVE = HeightCurve((100.0, 1000.0), (0.2, 0.9))
GATES = {"gate_start_ns": -20, "short_gate_end_ns": 30, "long_gate_end_ns": 300}


def write_model_of(
    folder: Path,
    *channels: int,
    name: str | None = None,
    sign: float = 1.0,
    threshold: Cut | None = None,
    known: Pulses | None = None,
    classes: tuple[str, ...] = ("gamma", "neutron"),
) -> Path:
    """Freeze the small network for some channels, its weights times `sign`, after pulses that it `known`s."""
    folder.mkdir(exist_ok=True)
    path = write_small_model(folder / (name or f"b0_ch{channels[0]}.discrimen"), threshold=threshold)
    frozen = read_frozen(path)
    description = frozen.description
    listed = tuple(ChannelSettings(channel=each) for each in channels) or None
    outputs = description.outputs if classes == description.classes else (class_scores(classes),)
    changed = replace(
        description,
        settings=DetectorSettings(channels=listed),
        outputs=outputs,
        domain=None if known is None else learn_domain(known.samples, description.preparation),
    )
    write_frozen(FrozenModel(changed, frozen.network, frozen.golden), path)
    return path
