"""The table of classic methods: a new one is a module with its tuning, and one row here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from discrimen.pulse_shape.base import Merit, Method, Waveforms
from discrimen.pulse_shape.boosted_tree import train_boosted_tree
from discrimen.pulse_shape.frequency_gradient import tune_frequency_gradient
from discrimen.pulse_shape.gatti import tune_gatti
from discrimen.pulse_shape.pulse_gradient import tune_pulse_gradient
from discrimen.pulse_shape.template_likelihood import tune_template_likelihood


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Tuning:
    """What a method may be tuned with.

    Parameters
    ----------
    waveforms : ndarray of float32, shape (pulse, sample)
        Aligned; see :mod:`discrimen.pulse_shape.base`.
    is_neutron : ndarray of bool, shape (pulse,)
        The class of each.
    sample_period_ns : float
        Time between samples in ns.
    merit : callable
        Judges the scores.
    seed : int
        Of whatever is drawn.
    """

    waveforms: Waveforms
    is_neutron: NDArray[np.bool_]
    sample_period_ns: float
    merit: Merit
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassicMethod:
    """One row of the table.

    Parameters
    ----------
    name : str
        In data.
    title : str
        In text and pictures.
    heading : str
        Of a narrow column, on two lines.
    tune : callable
        From what it may be tuned with to the tuned method.
    by_energy : bool
        Whether it is tuned again for each range of energy, or once for all of them.
    """

    name: str
    title: str
    heading: str
    tune: Callable[[Tuning], Method]
    by_energy: bool = True


def _labelled(tune: Callable[..., Method]) -> Callable[[Tuning], Method]:
    """Adapt a method that learns from the classes."""
    return lambda given: tune(
        given.waveforms, given.is_neutron, sample_period_ns=given.sample_period_ns, merit=given.merit
    )


def _unlabelled(tune: Callable[..., Method]) -> Callable[[Tuning], Method]:
    """Adapt a method that needs the classes for its merit alone."""
    return lambda given: tune(given.waveforms, sample_period_ns=given.sample_period_ns, merit=given.merit)


CLASSIC_METHODS: tuple[ClassicMethod, ...] = (
    ClassicMethod(
        name="gatti",
        title="Gatti-De Martini filter",
        heading="linear\nfilter",
        tune=_labelled(tune_gatti),
    ),
    ClassicMethod(
        name="pulse_gradient",
        title="Pulse gradient",
        heading="pulse\ngradient",
        tune=_unlabelled(tune_pulse_gradient),
    ),
    ClassicMethod(
        name="frequency_gradient",
        title="Frequency gradient",
        heading="frequency\ngradient",
        tune=_unlabelled(tune_frequency_gradient),
    ),
    ClassicMethod(
        name="template_likelihood",
        title="Template likelihood",
        heading="template\nlikelihood",
        tune=_labelled(tune_template_likelihood),
    ),
    ClassicMethod(
        name="boosted_tree",
        title="Boosted tree",
        heading="boosted\ntree",
        tune=lambda given: train_boosted_tree(given.waveforms, given.is_neutron, seed=given.seed),
        by_energy=False,
    ),
)
"""All of them, in the order of their columns."""
