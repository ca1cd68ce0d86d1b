"""How to search: everything that is chosen before the first trial, the space aside."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from discrimen.errors import DataError, SettingsError
from discrimen.keras_jax import Device
from discrimen.metrics import energy_bins
from discrimen.training import TrainingConfig
from discrimen.training.split import SplitWish

PrunerName = Literal["median", "hyperband", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchConfig:
    """How to search.

    Parameters
    ----------
    trials : int
        Trainings in all, those of earlier calls in the same folder among them.
    pareto : bool
        Look for the front of leakage against native time per pulse, and not for the least leakage alone.
    energy_edges_kevee : tuple of float or None
        Edges of the energy bins whose leakage counts; None takes all pulses together.
    efficiency : float
        Neutron efficiency at which the leakage is wanted.
    epochs, patience, validation_share, split, validation_runs, device
        Of every training; see :class:`~discrimen.training.TrainingConfig`.
    pruner : {"median", "hyperband", "none"}
        What ends a training that goes worse than others did; none with `pareto`, where Optuna has no pruning.
    seed : int
        Of the split, the weights and the choices.

    Raises
    ------
    SettingsError
        If a value does not fit.
    """

    trials: int = 50
    pareto: bool = False
    energy_edges_kevee: tuple[float, ...] | None = (30.0, 50.0, 100.0)
    efficiency: float = 0.95
    epochs: int = 60
    patience: int | None = 10
    validation_share: float = 0.2
    split: SplitWish = "auto"
    validation_runs: tuple[str, ...] = ()
    pruner: PrunerName = "median"
    seed: int = 0
    device: Device = "cpu"

    def __post_init__(self) -> None:
        if self.trials < 1:
            raise SettingsError(f"trials must be at least 1, got {self.trials}")
        if not 0 < self.efficiency < 1:
            raise SettingsError(f"efficiency must lie between 0 and 1, got {self.efficiency}")
        if self.pruner not in get_args(PrunerName):
            raise SettingsError(f"pruner must be one of {', '.join(get_args(PrunerName))}, got {self.pruner!r}")
        if self.energy_edges_kevee is not None:
            try:
                energy_bins(self.energy_edges_kevee)
            except DataError as error:
                raise SettingsError(str(error)) from error
        self.training()

    def training(self, **chosen: Any) -> TrainingConfig:
        """Return the configuration of one training."""
        return TrainingConfig(
            epochs=self.epochs,
            patience=self.patience,
            validation_share=self.validation_share,
            split=self.split,
            validation_runs=self.validation_runs,
            seed=self.seed,
            device=self.device,
            **chosen,
        )

    def identity(self) -> dict[str, Any]:
        """Return what must not change from one call to the next in the same folder."""
        return {name: value for name, value in asdict(self).items() if name != "trials"}
