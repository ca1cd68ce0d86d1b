"""A Keras model to the layers of a frozen network."""

from __future__ import annotations

from typing import Any

from discrimen.freezing.batch_norm import folded
from discrimen.freezing.keras_graph import chain_of
from discrimen.freezing.slots import with_slots
from discrimen.network.layers import Layer


def layers_of(model: Any) -> tuple[Layer, ...]:
    """Translate a Keras model: a chain of layers, with or without residual additions.

    Parameters
    ----------
    model : keras.Model
        Sequential or functional, built, with its weights; models within it are taken apart.

    Returns
    -------
    tuple of Layer
        In the order of computation; layers that do nothing when scores are computed (dropout, noise) are left out,
        batch normalisation is folded into its neighbours.

    Raises
    ------
    SettingsError
        If the model is no such chain, or a layer or one of its options has no counterpart.
    """
    return folded(with_slots(chain_of(model)))
