"""Which pulses a report shows: a gamma and a neutron at two sizes, the worst ones, and a cloud of codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.evaluation.waveforms.measured import Measured, waveforms_of
from discrimen.evaluation.waveforms.report import ShownPlane, ShownPulse
from discrimen.inference.base import Predictor
from discrimen.metrics.latents import Latents, latent_plane
from discrimen.pulses import Label, Pulses
from discrimen.pulses.side_by_side import side_by_side

N_WORST = 6
_QUANTILES = (0.15, 0.75)
_MOST_POINTS = 4000
_CLASS_NAMES = {int(label): label.name.lower() for label in (Label.GAMMA, Label.NEUTRON)}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class View:
    """What pulses are chosen from; see :func:`discrimen.evaluation.waveforms.evaluate.evaluate_waveforms`."""

    predictor: Predictor
    pulses: Pulses
    clean: NDArray[Any] | None
    light_kevee: NDArray[np.float64] | None
    measured: Measured

    @property
    def size(self) -> NDArray[np.float64]:
        """Light, or else the root mean square of the reference, of each pulse."""
        if self.light_kevee is not None:
            return self.light_kevee
        return np.sqrt(self.measured.errors.reference_square_adc2)

    def pulses_of_both_classes(self, places: NDArray[np.intp]) -> tuple[ShownPulse, ...]:
        """Return a gamma and a neutron of little light, and of much."""
        label = None if self.pulses.label is None else self.pulses.label[places]
        chosen: dict[int, None] = {}
        for quantile in _QUANTILES:
            shown = side_by_side(self.size[places], label, quantile=quantile, n_unlabelled=4)
            chosen |= dict.fromkeys(int(places[each.index]) for each in shown)
        return self._shown(list(chosen))

    def worst(self, groups: Sequence[NDArray[np.intp]]) -> tuple[ShownPulse, ...]:
        """Return those whose residual is largest beside the median of their group."""
        residual = np.sqrt(self.measured.errors.residual_square_adc2)
        beside = np.full(len(residual), -np.inf)
        for places in groups:
            if len(places):
                beside[places] = residual[places] / max(float(np.median(residual[places])), 1e-12)
        order = np.argsort(-beside, kind="stable")[:N_WORST]
        return self._shown([int(place) for place in order if np.isfinite(beside[place])])

    def plane(self, latents: Latents, places: NDArray[np.intp]) -> ShownPlane | None:
        """Return some pulses in the plane that shows most; None for a code of one number."""
        code = self.measured.code
        if code is None or code.shape[1] < 2:
            return None
        some = places[np.unique(np.linspace(0, len(places) - 1, _MOST_POINTS).astype(np.intp))]
        return ShownPlane(
            plane=latent_plane(code[some], latents),
            label=None if self.pulses.label is None else self.pulses.label[some],
            size=self.size[some],
            size_name="rms of the pulse (ADC counts)" if self.light_kevee is None else "light (keVee)",
        )

    def _shown(self, places: list[int]) -> tuple[ShownPulse, ...]:
        if not places:
            return ()
        clean = None if self.clean is None else self.clean[places]
        waveforms, _, _ = waveforms_of(self.predictor, self.pulses.samples[places], clean)
        residual = np.sqrt(self.measured.errors.residual_square_adc2)
        label = self.pulses.label
        return tuple(
            ShownPulse(
                position=place,
                class_name="" if label is None else _CLASS_NAMES.get(int(label[place]), ""),
                light_kevee=None if self.light_kevee is None else float(self.light_kevee[place]),
                residual_rms_adc=float(residual[place]),
                recorded_adc=waveforms.recorded[number].round(2),
                given_adc=waveforms.given[number].round(2),
                clean_adc=None if clean is None else waveforms.reference[number].round(2),
            )
            for number, place in enumerate(places)
        )
