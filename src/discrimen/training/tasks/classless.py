"""What the tasks without classes share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discrimen.errors import SettingsError

if TYPE_CHECKING:
    from discrimen.training.config import TrainingConfig


def refuse_options_of_classes(task: str, config: TrainingConfig) -> None:
    """Refuse what only classification knows.

    Raises
    ------
    SettingsError
        If such an option is given.
    """
    reasons = {
        "contamination": (config.contamination is not None, "corrects labels of classes"),
        "balance": (config.balance != "none", "weighs classes"),
        "augment": (bool(config.augment), "changes the pulses, but not what is to be learned of them"),
        "extend_down": (config.extends, "changes the light of the pulses, but not what is to be learned of them"),
    }
    for option, (given, reason) in reasons.items():
        if given:
            raise SettingsError(f"{option} {reason}, the task is {task}: leave it out")
