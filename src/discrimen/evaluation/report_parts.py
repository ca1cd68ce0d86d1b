"""Parts of a report beside its figures of merit: what was judged, the training behind it, histograms, single pulses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.network.height_curve import Cut
from discrimen.network.thresholds import ChosenThreshold
from discrimen.pulses.detector import GatesNs


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedRun:
    """Pulses of one run: by their name for people, and their number."""

    name: str
    n_gamma: int
    n_neutron: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedData:
    """What was judged.

    Parameters
    ----------
    runs : tuple of JudgedRun
        In the order of the files.
    files : tuple of mapping
        Name, SHA-256 and number of pulses of each file, where they are known.
    n_unlabelled : int
        Pulses that were left out because nobody knows what they are.
    """

    runs: tuple[JudgedRun, ...]
    files: tuple[Mapping[str, Any], ...] = ()
    n_unlabelled: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LossCurve:
    """Cross-entropy of each epoch of the training in nats, on the training and on the validation pulses.

    The training loss is averaged while the weights change, and may hold the weights of pulses; the validation loss is
    that at the end of the epoch.
    """

    loss: tuple[float, ...]
    validation_loss: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class WorstPulse:
    """A pulse that the network takes for the other class.

    Parameters
    ----------
    position : int
        Among the judged pulses.
    entry : int or None
        Position of the event in its file, where the file tells.
    run : str
        Name of its run.
    is_neutron : bool
        The truth.
    neutron_score : float
        What the network says.
    light_kevee : float or None
        Its light, where it is known.
    waveform_adc : ndarray of float64, shape (sample,)
        Whole record above its baseline, pulse upwards.
    """

    position: int
    entry: int | None
    run: str
    is_neutron: bool
    neutron_score: float
    light_kevee: float | None
    waveform_adc: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class WorstPulses:
    """The pulses that the network is surest of, and wrong, the worst first; gammas, then neutrons.

    Parameters
    ----------
    pulses : tuple of WorstPulse
        A few of each class.
    sample_period_ns : float
        Time between samples in ns.
    mean_shapes : mapping of str to ndarray of float64, shape (sample,)
        Mean waveform of each class that is there, of pulses with the crossing at `crossing_sample`, over its peak.
    crossing_sample : int
        Where the mean shapes have their constant-fraction crossing.
    crossing_samples : tuple of float
        Where each of the pulses has its own; NaN without one.
    """

    pulses: tuple[WorstPulse, ...]
    sample_period_ns: float
    mean_shapes: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    crossing_sample: int = 0
    crossing_samples: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PsdHistogram:
    """PSD by true class, in the bins of the figure of merit's fit."""

    psd_edges: NDArray[np.float64]
    gamma_counts: NDArray[np.int64]
    neutron_counts: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ScoreHistogram:
    """Neutron score of the network by true class, in bins that are equal in the logit of the score.

    Scores beyond the outer edges are counted in the outer bins.
    """

    score_edges: NDArray[np.float64]
    gamma_counts: NDArray[np.int64]
    neutron_counts: NDArray[np.int64]
    n_gamma_unclassified: int
    n_neutron_unclassified: int


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PsdMap:
    """PSD against light by true class.

    Parameters
    ----------
    method : str
        Whose gates: ``charge_nominal`` or ``charge_best``.
    gates : GatesNs
        In ns relative to the constant-fraction crossing.
    light_unit : str
        ``keVee``, or ``ADC ns`` (long charge) without a calibration.
    light_edges : ndarray of float64, shape (light bin + 1,)
        Equal in the logarithm.
    psd_edges : ndarray of float64, shape (psd bin + 1,)
        Equal.
    gamma_counts, neutron_counts : ndarray of int64, shape (light bin, psd bin)
        Pulses.
    gamma_called_neutron, neutron_called_gamma : ndarray of int64, shape (light bin, psd bin)
        Those of them that the network takes for the other class.
    threshold : float or HeightCurve
        Least neutron score of what the network calls a neutron.
    threshold_name : str
        ``even`` for 0.5, or the name of the model's own.
    """

    method: str
    gates: GatesNs
    light_unit: str
    light_edges: NDArray[np.float64]
    psd_edges: NDArray[np.float64]
    gamma_counts: NDArray[np.int64]
    neutron_counts: NDArray[np.int64]
    gamma_called_neutron: NDArray[np.int64]
    neutron_called_gamma: NDArray[np.int64]
    threshold: Cut
    threshold_name: str

    @property
    def decision(self) -> str:
        """The threshold with its name, in words."""
        return str(ChosenThreshold(self.threshold, self.threshold_name))


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelTrust:
    """The labels of one data set.

    Parameters
    ----------
    file : str
        The data set.
    method : str
        That gave its labels.
    contamination, highest : mapping of str to float
        Share of wrong labels of each class: the estimate, and the upper end of its interval.
    n_labelled : mapping of str to int
        Pulses of each label.
    unlabelled_share : float or None
        Of the pulses of the run; None where the record does not say.
    """

    file: str
    method: str
    contamination: Mapping[str, float]
    highest: Mapping[str, float]
    n_labelled: Mapping[str, int]
    unlabelled_share: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelBound:
    """What a leakage against labels says of the truth.

    Parameters
    ----------
    efficiency : float
        Of the neutrons, relative to the labels.
    leakage : float
        Relative to the labels.
    low, high : float
        Between what limits the share of the true gammas among the labelled pulses lies that pass, however the wrong
        labels fall.
    """

    efficiency: float
    leakage: float
    low: float
    high: float
