"""Blocks of pulses through a model: one message in, one message of results out."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.inference.base import Predictor
from discrimen.network.domain import Outside
from discrimen.network.height_curve import thresholds_of
from discrimen.network.prepare import heights_of
from discrimen.network.thresholds import ChosenThreshold
from discrimen.online.delivery import as_result
from discrimen.online.message import Message
from discrimen.scoring.quantities import NO_CLASS, class_numbers

_PERIOD_TOLERANCE = 1e-6


@dataclass(slots=True)
class Scorer:
    """A model at work on messages.

    Parameters
    ----------
    predictor : Predictor
        The model.
    sha256 : str
        Of its file.
    threshold : ChosenThreshold or None
        From which neutron score on a pulse counts as neutron; None for a model without classes.

    Attributes
    ----------
    n_pulses, n_neutron, n_unscored : int
        Pulses that came, that count as neutron, and that could not be scored.
    refused : dict of str to int
        Pulses of messages that do not fit the model, by reason; their results are NaN.
    """

    predictor: Predictor
    sha256: str
    threshold: ChosenThreshold | None = None
    n_pulses: int = 0
    n_neutron: int = 0
    n_unscored: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    _told: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        names = ("name", "kind", "unit", "shape", "names", "n_values")
        outputs = [{name: getattr(each, name) for name in names} for each in self.predictor.description.outputs]
        self._told = json.dumps({"model_sha256": self.sha256, "outputs": outputs}).encode()

    def as_dict(self) -> dict[str, Any]:
        """Return what was counted as plain data, ready for JSON."""
        return {
            "n_pulses": self.n_pulses,
            "n_neutron": self.n_neutron,
            "n_not_scored": self.n_unscored,
            "refused": self.refused,
        }

    def __call__(self, message: Message) -> Message:
        """Return the results of some pulses, in their order."""
        description = self.predictor.description
        n_pulses, n_values = message.head.n_pulses, sum(output.n_values for output in description.outputs)
        values = np.full((n_pulses, n_values), np.nan, np.float32)
        outside, numbers = np.empty(0, np.uint16), np.empty(0, np.int8)
        if self.threshold is not None:
            numbers = np.full(n_pulses, NO_CLASS, np.int8)
        problem = self._unfit(message)
        if problem:
            self.refused[problem] = self.refused.get(problem, 0) + n_pulses
        else:
            values, outside, numbers = self._computed(message.samples, values, numbers)
        self.n_pulses += n_pulses
        self.n_unscored += int(np.count_nonzero(np.isnan(values[:, 0]))) if n_values else 0
        if self.threshold is not None:
            self.n_neutron += int(np.count_nonzero(numbers == description.neutron_class))
        parts = (message.parts[0], values, outside, numbers, self._told)
        return Message(as_result(message.head, n_values=n_values), parts)

    def _computed(
        self, samples: NDArray[Any], values: NDArray[np.float32], numbers: NDArray[np.int8]
    ) -> tuple[NDArray[np.float32], NDArray[np.uint16], NDArray[np.int8]]:
        description = self.predictor.description
        if self.threshold is None:
            outputs = self.predictor.run(samples)
            return np.concatenate(outputs, axis=1, out=values), np.empty(0, np.uint16), numbers
        scores, outside, height_adc = self.predictor.judge(samples)
        if outside is not None:
            scores[(outside & Outside.EDGE_IN_BASELINE) != 0] = np.nan
        if height_adc is None and description.follows_height:
            height_adc = heights_of(samples, description.preparation)
        least = thresholds_of(self.threshold.value, height_adc, n_pulses=len(scores))
        neutron = description.neutron_class
        numbers = class_numbers(scores, is_neutron=scores[:, neutron] >= least, neutron_class=neutron)
        return scores, np.empty(0, np.uint16) if outside is None else outside, numbers

    def _unfit(self, message: Message) -> str:
        """Say why a message does not fit the model; nothing if it does."""
        head, preparation = message.head, self.predictor.description.preparation
        period_ns = preparation.sample_period_ns
        if not abs(head.sample_period_ns - period_ns) <= _PERIOD_TOLERANCE * period_ns:
            return f"sampled every {head.sample_period_ns:g} ns, the model was trained at {period_ns:g} ns"
        if head.n_channels != preparation.n_channels:
            return f"{head.n_channels} channels a pulse, the model takes {preparation.n_channels}"
        if head.n_samples < preparation.shortest_record:
            return f"records of {head.n_samples} samples, the model needs {preparation.shortest_record}"
        samples = message.samples
        return "" if samples.dtype.kind != "f" or np.isfinite(samples).all() else "samples that are no finite numbers"
