"""The library of a generator: units of the spread, its place in the frozen file, and what is refused."""

from __future__ import annotations

import json
import struct
from dataclasses import fields, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.reconstruction.small_generator import (
    N_CODE,
    STABILISATION,
    heights_alone,
    small_generator,
    write_small_generator,
)

from discrimen.errors import DataError, FormatError, SettingsError
from discrimen.network.condition import HEIGHT
from discrimen.network.frozen_file import read_frozen
from discrimen.network.generator import Library, Stabilisation, pack_generator, unpack_generator


def test_units_of_the_spread_lead_back_to_counts() -> None:
    above = np.array([-20, -3, 0, 1e-3, 5, 300, 9000], np.float32)
    units = STABILISATION.to_units(above)
    assert units[0] == pytest.approx(-20 / 3)
    np.testing.assert_allclose(STABILISATION.to_adc(units), above, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(STABILISATION.to_adc(units, polarity=-1), -above, rtol=1e-4, atol=1e-4)


def test_a_poisson_pulse_has_a_spread_of_one_unit_whatever_its_height() -> None:
    rng = np.random.default_rng(1)
    for height in (20, 200, 2000):
        recorded = 2.0 * rng.poisson(height / 2.0, 50_000) + rng.normal(0, 3, 50_000)
        assert STABILISATION.to_units(recorded).std() == pytest.approx(1, abs=0.04)


@pytest.mark.parametrize("wrong", [(0.0, 1.0), (1.0, -1.0), (float("nan"), 1.0)])
def test_a_spread_that_cannot_be_is_refused(wrong: tuple[float, float]) -> None:
    with pytest.raises(SettingsError, match="must be positive"):
        Stabilisation(*wrong)


def test_a_generator_comes_back_from_its_frozen_file(tmp_path: Path) -> None:
    generator = small_generator()
    back = read_frozen(write_small_generator(tmp_path / "g.discrimen")).generator
    assert back is not None
    assert back.as_dict() == generator.as_dict()
    for each in fields(Library):
        np.testing.assert_array_equal(getattr(back.library, each.name), getattr(generator.library, each.name))


def test_a_labelled_generator_is_written_as_it_always_was() -> None:
    # Of the version that knew classes and light alone.
    digest = "a8be658d0965dcb453e32c99d70459250c9d3063224f8c934c986803f6ee430a"
    assert sha256(pack_generator(small_generator())).hexdigest() == digest


def test_a_generator_without_classes_and_light_says_that_it_has_heights(tmp_path: Path) -> None:
    generator = heights_alone()
    back = read_frozen(write_small_generator(tmp_path / "g.discrimen", generator=generator)).generator
    assert back is not None
    assert (back.condition.classes, back.condition.groups, back.condition.size) == ((), ("pulse",), HEIGHT)
    assert back.as_dict() == generator.as_dict()
    assert back.as_dict()["height_adc"] == [[30.0, 300.0]]
    np.testing.assert_array_equal(back.library.size, generator.library.size)
    assert b"kevee" not in pack_generator(generator)


def test_a_library_of_another_decoder_is_refused(tmp_path: Path) -> None:
    library = small_generator().library
    longer = np.zeros((len(library.label), N_CODE + 1), np.float16)
    other = small_generator(library=replace(library, code_mean=longer, code_log_variance=longer))
    with pytest.raises(FormatError, match="codes of 6 numbers and records of 40 samples, the network takes"):
        read_frozen(write_small_generator(tmp_path / "g.discrimen", generator=other))


def altered(**changes: Any) -> bytes:
    """Return a section whose head says something else."""
    section = pack_generator(small_generator())
    (length,) = struct.unpack_from("<I", section)
    head = json.loads(section[4 : 4 + length])
    for path, value in changes.items():
        *names, last = path.split("__")
        at = head
        for name in names:
            at = at[name]
        at[last] = value
    text = json.dumps(head).encode()
    return struct.pack("<I", len(text)) + text + section[4 + length :]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"arrays__residual__shape": [10**9, 40]}, "reaches beyond its section"),
        ({"arrays__residual__shape": [600, 39]}, "bytes too many|not as long"),
        ({"arrays__residual__type": "|O"}, "array 'residual' of type"),
        ({"n_training": [10]}, "2 classes, but not how many pulses"),
        ({"condition__classes": ["gamma", "neutron", "alpha"]}, "3 classes"),
        ({"sample_type": "U8"}, "samples are numbers"),
        ({"stabilisation": {}}, "no generator"),
        ({"condition__size": "area"}, "the size of a pulse is one of energy_kevee, height_adc, got 'area'"),
        ({"condition__size": "height_adc"}, "no generator"),
        ({"arrays__size": {"type": "<f4", "shape": [600]}}, "array 'size' of type"),
    ],
)
def test_a_section_that_contradicts_itself_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises((DataError, SettingsError), match=said):
        unpack_generator(altered(**changes))


def test_a_library_out_of_order_or_not_finite_is_refused() -> None:
    library = small_generator().library
    with pytest.raises(DataError, match="not sorted"):
        replace(library, size=library.size[::-1].copy())
    residual = library.residual.copy()
    residual[3, 3] = np.nan
    with pytest.raises(DataError, match="no finite numbers"):
        replace(library, residual=residual)
