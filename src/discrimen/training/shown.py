"""What is shown of a network while it learns, and in the end: pictures of what it makes of some validation pulses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from discrimen.metrics.latents import Latents, latent_plane, latents_of
from discrimen.network.outputs import Output
from discrimen.network.preparation import Preparation
from discrimen.network.prepare import prepare
from discrimen.output.latent_pictures import draw_correlation, draw_latent_plane
from discrimen.output.waveform_pairs import WaveformPair, draw_waveform_pairs
from discrimen.pulses import Label
from discrimen.pulses.hits import Hits
from discrimen.pulses.side_by_side import side_by_side
from discrimen.training.examples import Examples
from discrimen.training.fit import all_outputs, first_output
from discrimen.training.plots import pixels, roc_image, score_image
from discrimen.training.tasks import Task

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NEUTRON = "neutron"
_MOST_POINTS = 4000
Images = Mapping[str, NDArray[np.uint8]]
"""Red, green, blue by name, each of shape (height, width, 3)."""


class Shown(Protocol):
    """Makes pictures of what a network gives."""

    def images(self, model: Any, /) -> Images:
        """Return pictures by name, of the model as it is now."""


class NothingShown:
    """Of a network whose task has no pictures."""

    def images(self, _: Any) -> Images:
        """Return none."""
        return {}


@dataclass(frozen=True, slots=True, eq=False)
class ShownScores:
    """ROC curve and histogram of neutron scores.

    Parameters
    ----------
    validation : Examples
        With classes.
    neutron : int
        Number of the class.
    """

    validation: Examples
    neutron: int

    def images(self, model: Any) -> Images:
        """Return the two; none for scores that are no numbers."""
        scores = first_output(model, self.validation)[:, self.neutron]
        if self.validation.labels is None or not np.isfinite(scores).all():
            return {}
        labels = (self.validation.labels == self.neutron).astype(np.int32)
        return {"roc": roc_image(scores, labels), "scores": score_image(scores, labels)}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ShownCodes:
    """Pulses that went in and came out, and their codes.

    Parameters
    ----------
    examples : Examples
        Some of those that judge.
    divisor : ndarray of float, shape (example,)
        From prepared scale to ADC counts.
    label : ndarray of int8, shape (example,), or None
        The classes, where they are known.
    size : ndarray of float, shape (example,)
        Light or height.
    size_name : str
        With its unit.
    sample_period_ns : float
        Between two samples.
    code_at : int or None
        Which output is the code.
    """

    examples: Examples
    divisor: NDArray[Any]
    label: NDArray[Any] | None
    size: NDArray[Any]
    size_name: str
    sample_period_ns: float
    code_at: int | None

    def images(self, model: Any) -> Images:
        """Return the pictures; those of values that are no numbers are left out."""
        return {name: pixels(figure) for name, figure in self.figures(model).items()}

    def figures(self, model: Any) -> dict[str, Figure]:
        """Return the pictures as figures: ``reconstruction``, ``latents`` and ``correlation``."""
        outputs = all_outputs(model, self.examples)
        drawn = {}
        if np.isfinite(outputs[0]).all():
            drawn["reconstruction"] = self._pulses(outputs[0])
        if self.code_at is not None and np.isfinite(outputs[self.code_at]).all():
            code = outputs[self.code_at]
            latents = latents_of(code, self.label)
            drawn["correlation"] = draw_correlation(latents.correlation, active=latents.active)
            if code.shape[1] > 1:
                plane = latent_plane(code, latents)
                drawn["latents"] = draw_latent_plane(
                    plane.points, plane.names, classes=self._classes(), size=self.size, size_name=self.size_name
                )
        return drawn

    def latents(self, model: Any) -> Latents | None:
        """Measure the codes; None where the network gives none, or no numbers."""
        if self.code_at is None:
            return None
        code = all_outputs(model, self.examples)[self.code_at]
        return latents_of(code, self.label) if np.isfinite(code).all() else None

    def _classes(self) -> dict[str, NDArray[np.bool_]]:
        if self.label is None:
            return {}
        return {kind.name.lower(): np.asarray(self.label == kind) for kind in (Label.GAMMA, Label.NEUTRON)}

    def _pulses(self, waveforms: NDArray[np.float32]) -> Figure:
        given, wanted = self.examples.waveforms, self.examples.targets
        clean = not np.array_equal(np.where(np.isnan(wanted), given, wanted), given)
        pairs = []
        for shown in side_by_side(self.size, self.label):
            at, channel = shown.index, int(np.argmax(given[shown.index].max(axis=1)))
            recorded, found, target = (
                self.divisor[at] * each[at, channel].astype(np.float64) for each in (given, waveforms, wanted)
            )
            several = f", channel {channel}" if given.shape[1] > 1 else ""
            unit = self.size_name.split("(")[-1].rstrip(")")
            pairs.append(
                WaveformPair(
                    title=f"{shown.class_name or 'pulse'}, {self.size[at]:.4g} {unit}{several}",
                    input=recorded,
                    output=found,
                    others={"clean": target} if clean else {},
                    class_name=shown.class_name,
                    minus="clean" if clean else "output",
                )
            )
        return draw_waveform_pairs(pairs, sample_period_ns=self.sample_period_ns)


def shown_of(
    task: Task, outputs: tuple[Output, ...], pulses: Hits, validation: Examples, preparation: Preparation
) -> Shown:
    """Choose what is shown.

    Parameters
    ----------
    task : Task
        Of the training.
    outputs : tuple of Output
        Of the model.
    pulses : Hits
        All of them.
    validation : Examples
        Those that judge.
    preparation : Preparation
        Of the model.
    """
    if outputs[0].kind == "classes":
        asked = NEUTRON in task.classes and validation.labels is not None
        return ShownScores(validation, task.classes.index(NEUTRON)) if asked else NothingShown()
    if outputs[0].kind != "waveform" or outputs[0].shape != preparation.shape:
        return NothingShown()
    chosen = validation[np.unique(np.linspace(0, len(validation) - 1, _MOST_POINTS).astype(np.int64))]
    known, at = pulses.info.columns(), chosen.pulse
    present = None if pulses.present is None else pulses.present[at]
    divisor = prepare(pulses.samples[at], preparation, present=present).restoration.divisor
    light = known.get("energy_kevee")
    height_adc = chosen.waveforms.max(axis=(1, 2)) * divisor
    codes = [number for number, output in enumerate(outputs) if output.kind == "code"]
    return ShownCodes(
        examples=chosen,
        divisor=divisor,
        label=None if "label" not in known else known["label"][at],
        size=height_adc if light is None else light[at],
        size_name="height (ADC counts)" if light is None else "light (keVee)",
        sample_period_ns=preparation.sample_period_ns,
        code_at=codes[0] if codes else None,
    )
