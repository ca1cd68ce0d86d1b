"""A model's description: which output is which, and what it refuses to say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.network.networks import NETWORKS
from tests.network.pulses import FALLING

from discrimen.errors import SettingsError
from discrimen.network.model_description import ModelDescription, read_description, write_description
from discrimen.network.outputs import Output, class_scores
from discrimen.network.part_template import PartTemplate

CODE = Output(name="code", kind="code", shape=(3,), unit="1")
FLAGS = class_scores(("clean", "pile-up"), name="flags")
SCORES = class_scores(("gamma", "neutron"))


@pytest.mark.parametrize("name", ["two classes", "independent classes", "two channels", "everything at once"])
def test_a_description_comes_back(tmp_path: Path, name: str) -> None:
    described = replace(NETWORKS[name]()[1], architecture={"name": name}, provenance={"seed": 3})
    write_description(described, tmp_path / "description.json")
    assert read_description(tmp_path / "description.json") == described


def test_the_template_of_parts_comes_back(tmp_path: Path) -> None:
    template = PartTemplate(values=(0.0,) * 170 + (0.1, 1.0, 0.7) + (0.0,) * 20, least_distance=2.5)
    described = ModelDescription(preparation=FALLING, part_template=template)
    write_description(described, tmp_path / "description.json")
    assert read_description(tmp_path / "description.json") == described


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"values": [1.0] * 100}, "176 finite values and more that rise above 0, got 100"),
        ({"values": [float("nan")] * 200}, "finite values"),
        ({"least_distance": 0.0}, "positive distance on, got 0.0 samples"),
        ({"least_distance": None}, "no template of a pulse"),
        ({"colour": 1}, "no template of a pulse"),
    ],
)
def test_no_template_of_parts_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        PartTemplate.from_dict({"values": [1.0] * 200, "least_distance": 3.0} | change)


@pytest.mark.parametrize("outputs", [(), (SCORES, SCORES)])
def test_each_output_needs_a_name_of_its_own(outputs: tuple[Output, ...]) -> None:
    with pytest.raises(SettingsError, match="each output needs a name of its own"):
        ModelDescription(preparation=FALLING, outputs=outputs)


def test_the_first_classes_are_the_scores() -> None:
    described = ModelDescription(preparation=FALLING, outputs=(CODE, SCORES, FLAGS))
    assert described.scores_at == 1
    assert described.scores == SCORES
    assert (described.classes, described.neutron_class) == (("gamma", "neutron"), 1)
    assert replace(described, outputs=(class_scores(("neutron", "gamma")),)).neutron_class == 0


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(SettingsError, match=r"give probabilities of classes; this one gives code \(code\)"):
        _ = ModelDescription(preparation=FALLING, outputs=(CODE,)).scores
    with pytest.raises(SettingsError, match="a class neutron; this one has clean, pile-up"):
        _ = ModelDescription(preparation=FALLING, outputs=(FLAGS,)).neutron_class


def test_thresholds_on_the_neutron_score_are_replaced() -> None:
    described = ModelDescription(preparation=FALLING, outputs=(CODE, SCORES)).with_thresholds({"a": 0.7, "b": 0.9})
    assert dict(described.thresholds) == {"a": 0.7, "b": 0.9}
    assert dict(described.with_thresholds({"c": 0.1}).thresholds) == {"c": 0.1}
    assert described.outputs[0] == CODE


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "cannot read the model description"),
        ("[]", "got a JSON list"),
        ("{}", "version 2, got None; train or freeze it again"),
        ('{"discrimen_model": 1}', "version 2, got 1"),
        ('{"discrimen_model": 2}', "lacks 'preparation'"),
        ('{"discrimen_model": 2, "preparation": {}}', "no preparation of a model"),
    ],
)
def test_no_description_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "description.json"
    path.write_text(text)
    with pytest.raises(SettingsError, match=said):
        read_description(path)
    with pytest.raises(SettingsError, match="cannot read"):
        read_description(tmp_path / "absent.json")
