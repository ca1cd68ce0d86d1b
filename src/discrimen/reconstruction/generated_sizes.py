"""Class and size (light, or height) of generated pulses, and the training pulses next to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import SettingsError
from discrimen.network.condition import SIZES, Size
from discrimen.network.generator import Generator
from discrimen.pulses import Label

NEIGHBOURS_SHARE = 0.01
"""On each side of a size, of the library's pulses of the class: among these codes and residuals are drawn."""

FEWEST_NEIGHBOURS = 10


@dataclass(frozen=True, slots=True, eq=False)
class OfClass:
    """The library's pulses of one class, by size.

    Parameters
    ----------
    share : float
        Of this class among the pulses to make.
    start : int
        The first row of the class in the library.
    size : ndarray of float64, shape (row,)
        Ascending.
    ranks : tuple of float
        Between which ranks (positions among these, fractions too) sizes are drawn.
    """

    share: float
    start: int
    size: NDArray[np.float64]
    ranks: tuple[float, float]

    def draw(self, n_pulses: int, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Draw ranks, and return them with the sizes that belong to them."""
        ranks = rng.uniform(*self.ranks, n_pulses)
        whole = np.minimum(ranks.astype(np.int64), len(self.size) - 2)
        low, high = self.size[whole], self.size[whole + 1]
        return ranks, low + (ranks - whole) * (high - low)

    def near(self, ranks: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
        """Draw a row of the library next to each rank; beyond an end it is reflected there."""
        last = len(self.size) - 1
        reach = min(max(FEWEST_NEIGHBOURS, NEIGHBOURS_SHARE * last), last)
        away = rng.uniform(-reach, reach, len(ranks))
        there = np.abs(ranks + away)
        there = np.where(there > last, 2 * last - there, there)
        return self.start + np.rint(there).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """What is asked of a generator, checked against what it was trained for."""

    classes: tuple[OfClass, ...]

    @classmethod
    def of(
        cls,
        generator: Generator,
        *,
        class_name: str | None = None,
        neutron_share: float | None = None,
        **sizes: float | None,
    ) -> Wanted:
        """Check what is asked for.

        Parameters
        ----------
        generator : Generator
            That is asked.
        class_name, neutron_share
            See :class:`~discrimen.reconstruction.generation_options.GenerationOptions`.
        **sizes
            Its wishes for light and height, by name.

        Raises
        ------
        SettingsError
            If wishes contradict each other, or go beyond what the generator was trained for.
        """
        shares = _shares(generator, class_name, neutron_share)
        low, high = _asked(generator.condition.size, sizes)
        size, label = generator.library.size.astype(np.float64), generator.library.label
        classes = []
        for number, (name, share) in enumerate(zip(generator.condition.groups, shares, strict=True)):
            start, stop = np.searchsorted(label, [number, number + 1])
            own = size[start:stop]
            if share == 0:
                classes.append(OfClass(share, int(start), own, (0.0, 0.0)))
                continue
            # The library has some of the training pulses, perhaps not the first and the last.
            own = _stretched(own, generator.size_range[number])
            ends = _range(own, low, high, name, generator.condition.size)
            ranks = np.interp(ends, own, np.arange(len(own)))
            classes.append(OfClass(share, int(start), own, (float(ranks[0]), float(ranks[1]))))
        return cls(tuple(classes))


def draw_sizes(
    wanted: Wanted, n_pulses: int, rng: np.random.Generator
) -> tuple[NDArray[np.int8], NDArray[np.float32], Callable[[], NDArray[np.int64]]]:
    """Draw class and size of pulses.

    Returns
    -------
    label : ndarray of int8, shape (pulse,)
        Number of the class.
    size : ndarray of float32, shape (pulse,)
        Follows the spectrum of the training pulses, within what is wanted.
    near : callable
        Draws for each pulse a row of the library, of its class and nearly its size.
    """
    edges = np.cumsum([each.share for each in wanted.classes])[:-1]
    label = np.searchsorted(edges, rng.random(n_pulses), side="right").astype(np.int8)
    size, ranks = np.empty(n_pulses), np.empty(n_pulses)
    of_class = [np.flatnonzero(label == number) for number in range(len(wanted.classes))]
    for inside, one in zip(of_class, wanted.classes, strict=True):
        ranks[inside], size[inside] = one.draw(len(inside), rng)

    def near() -> NDArray[np.int64]:
        rows = np.empty(n_pulses, np.int64)
        for inside, one in zip(of_class, wanted.classes, strict=True):
            rows[inside] = one.near(ranks[inside], rng)
        return rows

    return label, size.astype(np.float32), near


def rows_near(
    generator: Generator, label: NDArray[np.int8], size: NDArray[np.floating[Any]], rng: np.random.Generator
) -> Callable[[], NDArray[np.int64]]:
    """Return what draws rows of the library next to pulses of given class and size; see :func:`draw_sizes`."""
    wanted = Wanted.of(generator)
    of_class = [(np.flatnonzero(label == number), one) for number, one in enumerate(wanted.classes)]
    ranks = [np.interp(size[inside], one.size, np.arange(len(one.size))) for inside, one in of_class]

    def near() -> NDArray[np.int64]:
        rows = np.empty(len(label), np.int64)
        for (inside, one), at in zip(of_class, ranks, strict=True):
            rows[inside] = one.near(at, rng)
        return rows

    return near


def _shares(generator: Generator, class_name: str | None, neutron_share: float | None) -> list[float]:
    names, neutron = generator.condition.classes, Label.NEUTRON.name.lower()
    if not names:
        for wish, given in (("class_name", class_name), ("neutron_share", neutron_share)):
            if given is not None:
                raise SettingsError(
                    f"{wish} asks for a class, but this generator was trained on pulses without classes: leave it out"
                )
        return [1.0]
    known = ", ".join(names)
    if class_name is not None:
        if class_name not in names:
            raise SettingsError(f"this generator was trained for {known}, not for the class {class_name!r}")
        if neutron_share is not None:
            raise SettingsError("neutron_share does nothing where a single class is made: leave one of the two out")
        return [float(name == class_name) for name in names]
    if neutron_share is None:
        return [count / sum(generator.n_training) for count in generator.n_training]
    if len(names) != 2 or neutron not in names:
        raise SettingsError(f"neutron_share is for the classes gamma and neutron, this generator has {known}")
    if not 0 <= neutron_share <= 1:
        raise SettingsError(f"neutron_share must lie between 0 and 1, got {neutron_share}")
    return [neutron_share if name == neutron else 1 - neutron_share for name in names]


def _asked(size: Size, wishes: Mapping[str, float | None]) -> tuple[float | None, float | None]:
    """Return the least and the largest size asked for, of the kind that the generator knows."""
    given = {name: value for name, value in wishes.items() if value is not None}
    for other in SIZES.values():
        strange = [name for name in given if name in range_names(other)]
        if other != size and strange:
            raise SettingsError(
                f"{strange[0]} asks for {other.word} in {other.unit}, but this generator was trained by the "
                f"{size.word} in {size.unit}: ask with {', '.join(range_names(size))}"
            )
    least, most, same = range_names(size)
    if same in given:
        if len(given) > 1:
            raise SettingsError(f"{same} is the {size.word} of all pulses: leave it out, or {least} and {most}")
        return given[same], given[same]
    return given.get(least), given.get(most)


def range_names(size: Size) -> tuple[str, str, str]:
    """Return the names of wishes for the least size, the largest one, and one of all pulses."""
    word, unit = size.name.rsplit("_", 1)
    return f"{word}_min_{unit}", f"{word}_max_{unit}", size.name


def _stretched(size: NDArray[np.float64], ends: tuple[float, float]) -> NDArray[np.float64]:
    stretched = size.copy()
    stretched[0], stretched[-1] = min(size[0], ends[0]), max(size[-1], ends[1])
    return stretched


def _range(
    own: NDArray[np.float64], low: float | None, high: float | None, name: str, size: Size
) -> tuple[float, float]:
    least, most = float(own[0]), float(own[-1])
    wanted = least if low is None else low, most if high is None else high
    if not (np.isfinite(wanted).all() and wanted[0] <= wanted[1]):
        raise SettingsError(
            f"the {size.word} must go from less to more, got {wanted[0]:g} to {wanted[1]:g} {size.unit}"
        )
    if wanted[0] < least or wanted[1] > most:
        raise SettingsError(
            f"this generator was trained with {name}s of {least:.4g} to {most:.4g} {size.unit}, asked for are "
            f"{wanted[0]:.4g} to {wanted[1]:.4g}: ask for less, or train it on such pulses"
        )
    return wanted
