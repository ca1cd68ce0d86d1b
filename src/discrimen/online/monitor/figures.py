"""What is drawn and watched of single pulses: energy, PSD, score, levels of the record, and what is wrong with them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.adaptation.measured import levels_of
from discrimen.errors import DataError, DiscrimenError
from discrimen.metrics import neutron_logits
from discrimen.network.model_description import ModelDescription
from discrimen.network.preparation import Preparation
from discrimen.online.monitor.bulletin import Bulletin
from discrimen.online.monitor.counts import NEUTRON, OTHER, PILE_UP, SATURATED, UNSCORED
from discrimen.pulses import Pulses
from discrimen.pulses.detector import DetectorSettings, validate_settings
from discrimen.pulses.rails import at_rail
from discrimen.scoring.pile_up import PileUpSearch, learn_pile_up
from discrimen.scoring.quantities import LIGHT, PSD, Gated

SINGLE_FROM = 3000
"""Pulses that tell how single pulses rise, so that second ones are seen."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Figures:
    """Figures of some pulses, each of shape (pulse,); NaN where a pulse has none.

    Parameters
    ----------
    places : list of (board, channel)
        Of each pulse.
    energy : ndarray of float
        In keVee where the detector is calibrated, else the height in ADC counts.
    psd, score : ndarray of float
        Pulse shape parameter; neutron score.
    logit, peak_adc, baseline_adc, noise_adc : ndarray of float64
        What drift looks at, see :class:`~discrimen.adaptation.measured.Measured`.
    kinds : ndarray of int
        What each counts as.
    saturated, piled_up, outside : ndarray of bool
        Whether the ADC cut it off, a second pulse is in the record (as the digitizer or the record itself says), it is
        unlike the training.
    upright : ndarray of float32, shape (pulse, sample)
        Above the baseline, upwards, in ADC counts.
    """

    places: list[tuple[int, int]]
    energy: NDArray[Any]
    psd: NDArray[Any]
    score: NDArray[Any]
    logit: NDArray[Any]
    peak_adc: NDArray[Any]
    baseline_adc: NDArray[Any]
    noise_adc: NDArray[Any]
    kinds: NDArray[Any]
    saturated: NDArray[np.bool_]
    piled_up: NDArray[np.bool_]
    outside: NDArray[np.bool_]
    upright: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.places)


class Measurer:
    """Measures the pulses of bulletins of one model.

    Parameters
    ----------
    model : bytes
        The JSON of a bulletin that describes it.
    settings : DetectorSettings
        Of the detector that is watched: its calibration and gates, where it has them.

    Attributes
    ----------
    classes : tuple of str
        Of the model; empty if it has none.
    energy_label : str
        Name and unit of the energy.
    missing : str
        Why energy or PSD are not known; empty where they are.

    Raises
    ------
    DataError
        If the description cannot be read.
    """

    def __init__(self, model: bytes, settings: DetectorSettings) -> None:
        try:
            told = json.loads(model)
            own = validate_settings(told["settings"], source="bulletin")
            self.description = ModelDescription(preparation=Preparation.from_dict(told["preparation"]), settings=own)
            self.classes = tuple(map(str, told["classes"]))
            self.neutron_class = int(told["neutron_class"])
            self.sha256, self.threshold = str(told["sha256"]), str(told["threshold"])
            self.knows_domain = bool(told["knows_domain"])
        except (KeyError, ValueError, TypeError, AttributeError, DiscrimenError) as error:
            raise DataError(f"the model of a bulletin cannot be read: {type(error).__name__}: {error}") from error
        self._settings = settings
        self._adc_bits = settings.adc_bits or own.adc_bits
        self._gated = None
        self.missing = ""
        if self.description.preparation.n_channels == 1:
            self._gated = Gated(settings, self.description)
        else:
            self.missing = "pulses of several channels have neither height nor PSD here"
        self._first: list[Pulses] = []
        self._second_pulses: PileUpSearch | None = None
        self.is_calibrated = settings.calibration is not None
        self.energy_label = "light (keVee)" if self.is_calibrated else "height (ADC counts)"

    def measure(self, bulletin: Bulletin) -> Figures:
        """Return the figures of the pulses of a bulletin."""
        given, told = bulletin.examples, bulletin.told
        columns, n_pulses = given.columns, len(given)
        unknown = np.full(n_pulses, np.nan)
        pulses = Pulses(
            samples=given.samples if told.n_samples else np.zeros((n_pulses, 1), np.uint16),
            sample_period_ns=told.sample_period_ns or None,
            timestamp_ps=columns["timestamp_ps"],
            board=columns["board"].astype(np.int32),
            channel=columns["channel"].astype(np.int32),
            flags=columns["flags"],
        )
        peak, baseline, noise, upright = self._levels(pulses)
        energy, psd = self._plane(pulses, peak)
        score, logit = unknown, unknown
        if given.scores.shape[1] == len(self.classes) > self.neutron_class:
            score = given.scores[:, self.neutron_class]
            logit = self._logits(given.scores)
        saturated = (columns["flags"] & SATURATED) != 0
        cut = at_rail(pulses.samples.max(axis=1), pulses.samples.min(axis=1), adc_bits=self._adc_bits)
        return Figures(
            places=list(zip(columns["board"].tolist(), columns["channel"].tolist(), strict=True)),
            energy=energy,
            psd=psd,
            score=score,
            logit=np.where(saturated, np.nan, logit),
            peak_adc=peak,
            baseline_adc=baseline,
            noise_adc=noise,
            kinds=self._kinds(given.numbers, n_pulses),
            saturated=saturated if cut is None else saturated | cut,
            piled_up=self._piled_up(pulses),
            outside=given.outside != 0 if len(given.outside) else np.zeros(n_pulses, np.bool_),
            upright=upright,
        )

    def _levels(self, pulses: Pulses) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[np.float32]]:
        unknown = np.full(len(pulses), np.nan)
        if self._gated is None:
            return unknown, unknown, unknown, pulses.samples.astype(np.float32)
        try:
            peak, baseline, noise = levels_of(pulses, self.description.preparation)
        except DiscrimenError as error:
            self.missing = str(error)
            return unknown, unknown, unknown, pulses.samples.astype(np.float32)
        polarity = np.float32(self.description.preparation.only.polarity)
        upright = (pulses.samples.astype(np.float32) - baseline[:, np.newaxis].astype(np.float32)) * polarity
        return peak.astype(np.float64), baseline.astype(np.float64), noise, upright

    def _plane(self, pulses: Pulses, peak: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        unknown = np.full(len(pulses), np.nan)
        if self._gated is None:
            return peak, unknown
        gated = self._gated(pulses)
        self.missing = self._gated.missing or ""
        energy = gated.get(LIGHT, unknown) if self.is_calibrated else peak
        return np.asarray(energy, np.float64), np.asarray(gated.get(PSD, unknown), np.float64)

    def _piled_up(self, pulses: Pulses) -> NDArray[np.bool_]:
        """Say which records hold a second pulse: by flags alone, until it is known how single pulses rise."""
        flagged = np.asarray((pulses.column("flags") & PILE_UP) != 0)
        if self._gated is None or self.missing or not len(pulses):
            return flagged
        if self._second_pulses is None:
            self._first.append(pulses)
            if sum(map(len, self._first)) >= SINGLE_FROM:
                self._second_pulses = learn_pile_up(self._first, self.description.preparation)
                self._first = []
            return flagged
        return np.asarray(self._second_pulses(pulses) != 0)

    def _logits(self, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        if len(self.classes) == 2:
            return neutron_logits(scores, neutron_class=self.neutron_class)
        clipped = np.clip(scores[:, self.neutron_class].astype(np.float64), 1e-12, 1 - 1e-12)
        return np.asarray(np.log(clipped / (1 - clipped)))

    def _kinds(self, numbers: NDArray[np.int8], n_pulses: int) -> NDArray[Any]:
        if not len(numbers):
            return np.full(n_pulses, OTHER)
        return np.where(numbers < 0, UNSCORED, np.where(numbers == self.neutron_class, NEUTRON, OTHER))
