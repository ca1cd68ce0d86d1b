"""Classification: probabilities of classes, from labels or from soft labels."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.labelling.contamination import NAMES
from discrimen.network.outputs import Output, class_scores
from discrimen.network.preparation import Preparation
from discrimen.pulses.hits import Hits
from discrimen.training.examples import Examples, prepared_pulses
from discrimen.training.loss import loss_of
from discrimen.training.tasks.base import Learning, Targets

if TYPE_CHECKING:
    from discrimen.training.config import TrainingConfig


@dataclass(frozen=True, slots=True)
class Classification:
    """Tell classes apart.

    Parameters
    ----------
    classes : tuple of str
        In the order of the numbers in the column `label`, from 0; other numbers stand for no label.
    """

    name: ClassVar[str] = "classification"
    classes: tuple[str, ...] = NAMES

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", tuple(self.classes))
        class_scores(self.classes)  # refuses what is no list of classes

    def require_fitting(self, config: TrainingConfig) -> None:
        """Refuse what knows gammas and neutrons alone; see :class:`~discrimen.training.tasks.base.Task`."""
        if self.classes == NAMES:
            return
        for option, given in (("contamination", config.contamination), ("balance", config.balance != "none")):
            if given:
                raise SettingsError(
                    f"{option} is for the classes gamma and neutron, these are {', '.join(self.classes)}: leave it out"
                )

    def outputs(self, preparation: Preparation, *, code: int | None) -> tuple[Output, ...]:
        """Return the scores; see :class:`~discrimen.training.tasks.base.Task`."""
        return (class_scores(self.classes),)

    def groups(self, pulses: Hits, targets: Targets) -> NDArray[np.int64]:
        """Return the class of each pulse; see :class:`~discrimen.training.tasks.base.Task`."""
        labels = pulses.info.column("label").astype(np.int64)
        return np.where((labels >= 0) & (labels < len(self.classes)), labels, -1)

    def examples(self, pulses: Hits, preparation: Preparation, targets: Targets, config: TrainingConfig) -> Examples:
        """Prepare every pulse that has a label; see :class:`~discrimen.training.tasks.base.Task`."""
        groups = self.groups(pulses, targets)
        labelled = np.flatnonzero(groups >= 0)
        waveforms, kept, _ = prepared_pulses(pulses, preparation, labelled)
        labels = groups[kept].astype(np.int32)
        soft = self._soft_labels(pulses, kept) if config.soft_labels else None
        return Examples(
            waveforms=waveforms,
            targets=labels if soft is None else soft,
            pulse=kept,
            labels=labels,
            n_unlabelled=len(pulses) - len(labelled),
            n_invalid=len(labelled) - len(kept),
        )

    def learning(
        self, keras: ModuleType, preparation: Preparation, training: Examples, config: TrainingConfig
    ) -> Learning:
        """Choose the cross-entropy; see :class:`~discrimen.training.tasks.base.Task`."""
        return Learning(
            loss=loss_of(keras, training, contamination=config.contamination),
            loss_label="cross-entropy (nats)",
            metrics=("accuracy",),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {"name": self.name, "classes": list(self.classes)}

    def _soft_labels(self, pulses: Hits, kept: NDArray[np.int64]) -> NDArray[np.float32] | None:
        """Return the probability of each class where the pulses have soft labels; where one is not known, the label."""
        whole = pulses.info.neutron_probability
        if whole is None or self.classes != NAMES:
            return None
        soft = whole[kept]
        known = ~np.isnan(soft)
        wrong = kept[known & ~((soft >= 0) & (soft <= 1))]
        if len(wrong):
            raise DataError(
                f"neutron_probability must lie between 0 and 1: {len(wrong)} pulses do not, the first is number "
                f"{wrong[0]}"
            )
        neutron = np.where(known, soft, pulses.info.column("label")[kept]).astype(np.float32)
        return np.stack([1 - neutron, neutron], axis=1)
