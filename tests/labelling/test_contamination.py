from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from discrimen.errors import FormatError, SettingsError
from discrimen.labelling.contamination import (
    check_contamination,
    labels_path,
    pooled_contamination,
    read_label_noise,
)
from discrimen.output.provenance import sha256_of_file


def beside(folder: Path, found: Any) -> Path:
    dataset = folder / "set.lh5"
    labels_path(dataset).write_text(found if isinstance(found, str) else json.dumps(found))
    return dataset


def test_what_is_not_given_is_pure_and_text_is_understood() -> None:
    assert check_contamination({"neutron": "0.1"}) == {"gamma": 0.0, "neutron": 0.1}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"alpha": 0.1}, "got alpha"),
        ({"gamma": "much"}, "got 'much'"),
        ({"gamma": -0.1}, "at least 0"),
        ({"neutron": 1.0}, "below 1"),
        ({"neutron": float("nan")}, "below 1"),
        ({"gamma": 0.5, "neutron": 0.5}, "say nothing"),
    ],
)
def test_shares_that_do_not_fit_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        check_contamination(given)


def test_several_data_sets_count_by_their_pulses() -> None:
    pooled = pooled_contamination(
        [{"gamma": 0.0, "neutron": 0.2}, {"gamma": 0.1, "neutron": 0.0}],
        [{"gamma": 300, "neutron": 100}, {"gamma": 100, "neutron": 300}],
    )
    assert pooled == pytest.approx({"gamma": 0.025, "neutron": 0.05})


def test_a_label_that_does_not_occur_is_pure() -> None:
    assert pooled_contamination([{"gamma": 0.0, "neutron": 0.2}], [{"gamma": 5, "neutron": 0}])["neutron"] == 0


def test_nothing_beside_the_data_set_means_nothing_known(tmp_path: Path) -> None:
    assert read_label_noise(tmp_path / "set.lh5") is None


def test_labels_by_source_are_correctable(tmp_path: Path) -> None:
    found = {"method": "source", "source": {"contamination": {"gamma": 0.0, "neutron": 0.6}}}
    noise = read_label_noise(beside(tmp_path, found))
    assert noise is not None
    assert noise.correctable
    assert noise.contamination == {"gamma": 0.0, "neutron": 0.6}


@pytest.mark.parametrize(("share", "correctable"), [(0.2, True), (None, False)])
def test_accidentals_of_unknown_kind_give_a_limit_and_no_estimate(
    tmp_path: Path, share: float | None, correctable: bool
) -> None:
    windows = {"gamma": {"contamination": 0.01}, "neutron": {"contamination": 0.05}}
    found = {"method": "tof", "time_of_flight": {**windows, "options": {"accidental_neutron_share": share}}}
    noise = read_label_noise(beside(tmp_path, found))
    assert noise is not None
    assert noise.correctable is correctable
    assert noise.contamination == {"gamma": 0.01, "neutron": 0.05}
    assert ("--accidental-neutron-share" in noise.reason) is not correctable


def test_bands_are_pooled_over_labelled_slices_and_are_not_correctable(tmp_path: Path) -> None:
    def cut(purity: float, n: int, labelled: bool = True) -> dict[str, Any]:
        return {"purity": purity, "n_accepted": n, "labelled": labelled}

    slices = [
        {"gamma": cut(0.98, 100), "neutron": cut(0.99, 50)},
        {"gamma": cut(1.0, 300), "neutron": cut(0.5, 1000, labelled=False)},
    ]
    noise = read_label_noise(beside(tmp_path, {"method": "band", "bands": {"channels": [{"slices": slices}]}}))
    assert noise is not None
    assert not noise.correctable
    assert noise.contamination == pytest.approx({"gamma": 0.005, "neutron": 0.01})


@pytest.mark.parametrize("found", ["no json", "[]", {"method": "guess"}, {"method": "source"}])
def test_what_was_not_written_by_label_is_refused(tmp_path: Path, found: Any) -> None:
    with pytest.raises(FormatError, match=r"set\.lh5\.labels\.json.*label again"):
        read_label_noise(beside(tmp_path, found))


def test_estimates_of_a_data_set_that_was_replaced_are_refused(tmp_path: Path) -> None:
    dataset = beside(tmp_path, {})
    dataset.write_bytes(b"labels")
    found = {"method": "source", "source": {"contamination": {"neutron": 0.6}}}
    beside(tmp_path, {**found, "output_sha256": sha256_of_file(dataset)})
    assert read_label_noise(dataset) is not None
    dataset.write_bytes(b"other labels")
    with pytest.raises(FormatError, match="replaced or changed"):
        read_label_noise(dataset)
