"""How to train for a chip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from discrimen.errors import SettingsError
from discrimen.fpga.architectures import DEFAULT_ARCHITECTURE, check_chip_options
from discrimen.fpga.front_end import FrontEnd
from discrimen.fpga.judged import DEFAULT_TARGETS, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipTrainingConfig:
    """How to train for a chip.

    Parameters
    ----------
    front_end : FrontEnd
        What the chip does before the network.
    architecture : str
        A name in :data:`~discrimen.fpga.architectures.CHIP_ARCHITECTURES`.
    options : mapping of str to value
        Of the architecture, those that differ from their defaults.
    float_trainings, float_epochs : int
        Float networks to choose the best of, and epochs of each.
    betas : tuple of float
        Costs of a bit operation.
    bit_trainings : int
        Networks of few bits for each cost, each with its own seed.
    epochs, batch_size : int
        Of each training of few bits; the float ones take the same batch.
    most_ebops, most_luts : int or None
        Only networks of at most so many effective bit operations or look-up tables may be chosen.
    map_luts : bool
        Whether Yosys counts the look-up tables of each network of few bits; `most_luts` asks for it too.
    targets : tuple of Target
        Ranges of light; all of them choose the network, the threshold comes from the first.
    seed : int
        Of all trainings.
    """

    front_end: FrontEnd
    architecture: str = DEFAULT_ARCHITECTURE
    options: Mapping[str, Any] = field(default_factory=dict)
    float_trainings: int = 6
    float_epochs: int = 120
    betas: tuple[float, ...] = (1e-5,)
    bit_trainings: int = 3
    epochs: int = 200
    batch_size: int = 250
    most_ebops: int | None = None
    most_luts: int | None = None
    map_luts: bool = False
    targets: tuple[Target, ...] = DEFAULT_TARGETS
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.betas or min(self.betas) <= 0:
            raise SettingsError(f"the cost of a bit operation must be positive, got {list(self.betas)}")
        check_chip_options(self.architecture, self.options)

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as plain data."""
        return {
            **asdict(self),
            "options": check_chip_options(self.architecture, self.options).model_dump(mode="json"),
            "front_end": self.front_end.as_dict(),
            "targets": [str(each) for each in self.targets],
        }
