"""What a model gives that knows hits of one and of two interactions: names of its outputs, and where they are."""

from __future__ import annotations

from dataclasses import dataclass

from discrimen.network.model_description import ModelDescription

POSITION, SECOND, SHARE, INTERACTIONS = "position", "second_position", "share", "interactions"
"""Outputs: place of the interaction with more energy, of the other one, share of the energy in the first, how many."""
ONE, TWO = "one", "two"
"""Classes of the last one."""
FALSE_PAIRS = "false_pairs_5_percent"
"""Threshold on the probability of two, above which 5 % of the single interactions of the validation part lay."""
FALSE_SHARE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionOutputs:
    """Numbers of the outputs of a model.

    Parameters
    ----------
    second, share, interactions : int
        By their names above.
    """

    second: int
    share: int
    interactions: int

    @classmethod
    def of_model(cls, description: ModelDescription) -> InteractionOutputs | None:
        """Return them, None for a model that knows one interaction only."""
        places = {output.name: number for number, output in enumerate(description.outputs)}
        if not {SECOND, SHARE, INTERACTIONS} <= set(places):
            return None
        if description.outputs[places[INTERACTIONS]].names != (ONE, TWO):
            return None
        return cls(second=places[SECOND], share=places[SHARE], interactions=places[INTERACTIONS])
