"""A Keras model to a frozen network."""

from __future__ import annotations

from typing import Any

from discrimen.errors import SettingsError
from discrimen.freezing.batch_norm import folded
from discrimen.freezing.draft import Draft
from discrimen.freezing.keras_graph import graph_of, walked
from discrimen.freezing.promised import ending
from discrimen.network.graph import Network
from discrimen.network.layers import Flatten, Permute
from discrimen.network.model_description import ModelDescription
from discrimen.network.preparation import Preparation
from discrimen.network.prepare.arrangement import arrangement_for


def network_of(model: Any, description: ModelDescription, *, from_logits: bool = False) -> Network:
    """Translate a Keras model.

    Parameters
    ----------
    model : keras.Model
        Sequential or functional, built, with its weights; models within it are taken apart. Its outputs are those of
        the description, in order.
    description : ModelDescription
        The model's description.
    from_logits : bool
        Whether the network was trained to give the values before the activations of its outputs: it may end in linear
        values then.

    Returns
    -------
    Network
        Layers that do nothing when scores are computed (dropout, noise) are left out, batch normalisation is folded
        into its neighbours; the last activations are left to the outputs.

    Raises
    ------
    SettingsError
        If the model has several inputs or does not give what its description promises, or a layer or one of its
        options has no counterpart.
    """
    draft, values = drafted(model, description.preparation)
    if len(values) != len(description.outputs):
        names = ", ".join(output.name for output in description.outputs)
        raise SettingsError(
            f"model '{model.name}' gives {len(values)} outputs, its description has {len(description.outputs)}: {names}"
        )
    ends = [
        ending(draft, value, output, from_logits=from_logits)
        for value, output in zip(values, description.outputs, strict=True)
    ]
    return draft.network(folded(draft, ends))


def drafted(model: Any, preparation: Preparation) -> tuple[Draft, tuple[int, ...]]:
    """Translate a Keras model without its last activations taken away and before layers are joined.

    Parameters
    ----------
    model : keras.Model
        See :func:`network_of`.
    preparation : Preparation
        How pulses become its input.

    Returns
    -------
    draft : Draft
        The network.
    values : tuple of int
        What each output of the model gives.

    Raises
    ------
    SettingsError
        See :func:`network_of`.
    """
    graph = graph_of(model)
    if len(graph.inputs) != 1:
        names = ", ".join(str(tensor.name) for tensor in graph.inputs)
        raise SettingsError(
            f"model '{model.name}' has {len(graph.inputs)} inputs ({names}), one can be frozen: let it take all "
            "channels in one array (channel, sample)"
        )
    dtype = str(graph.inputs[0].dtype)
    if dtype not in ("float32", "float64"):
        raise SettingsError(
            f"model '{model.name}' takes {dtype}, expected float32: build it again with keras.Input of dtype='float32'"
        )
    draft = Draft(preparation.shape)
    values = walked(draft, model, (_laid_out(draft, graph, preparation),))
    draft.origin = "the network"
    return draft, tuple(values)


def _laid_out(draft: Draft, graph: Any, preparation: Preparation) -> int:
    """Append what turns prepared pulses into what the model takes."""
    arrangement = arrangement_for(tuple(graph.inputs[0].shape[1:]), preparation)
    if arrangement == "channel_sample":
        return 0
    return draft.add(Flatten() if arrangement == "flat" else Permute(), 0)
