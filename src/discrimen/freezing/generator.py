"""What is frozen of a generator: its decoder, with the library of its training pulses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from discrimen.errors import DiscrimenError, FormatError
from discrimen.network.frozen_file import FrozenModel
from discrimen.network.generator import unpack_generator
from discrimen.network.model_description import ModelDescription
from discrimen.network.parts import decoder_of
from discrimen.training.model_folder import ModelFolder
from discrimen.training.tasks import Generation


def is_generator(description: ModelDescription) -> bool:
    """Tell whether a model was trained to make pulses."""
    task = description.provenance.get("training", {}).get("task", {})
    return bool(task.get("name") == Generation.name)


def generator_of(whole: FrozenModel, folder: Path) -> FrozenModel:
    """Return the decoder of a frozen conditional auto-encoder, with what it needs to make pulses.

    Parameters
    ----------
    whole : FrozenModel
        Encoder and decoder.
    folder : Path
        Of the trained model, or its ``model.keras``.

    Raises
    ------
    FormatError
        If the folder lacks the library, or it cannot be read.
    """
    path = ModelFolder(folder if folder.is_dir() else folder.parent).generator
    if not path.is_file():
        raise FormatError(
            "a generator needs the library of its training pulses, which is written when the training ends: freeze the "
            "folder of a finished training",
            path,
        )
    try:
        generator = unpack_generator(path.read_bytes())
    except (DiscrimenError, ValueError, OSError) as error:
        raise FormatError(f"this is no library of a generator: {error}", path) from error
    decoder = decoder_of(whole)
    # A decoder alone knows no detector; one that makes pulses does.
    description = replace(decoder.description, settings=whole.description.settings)
    return replace(decoder, description=description, generator=generator)
