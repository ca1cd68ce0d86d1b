"""Labels by time of flight: the gamma flash sets the zero of time, a window around it and a later one the classes.

Accidental coincidences lie flat under both windows. Their number is known from a region where nothing else can be, and
with it how many labels are wrong at most, and the accuracy beyond which no classifier can be seen to get.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discrimen.errors import DataError, SettingsError
from discrimen.labelling.gamma_flash import GammaFlash, find_gamma_flash
from discrimen.output.summary import Summarised
from discrimen.pulses import Label
from discrimen.simulation.kinematics import light_flight_time_ns, neutron_energy_mev, neutron_flight_time_ns

FEWEST_FLAT_NS = 10.0
CLEAR_OF_FLASH_SIGMAS = 6.0
_N_FLAT_BINS = 20
_LARGEST_REDUCED_CHI2 = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FlightOptions:
    """How to label by time of flight.

    Parameters
    ----------
    flight_path_m : float, optional
        From the source or target to the detector. If not known, neutrons have no energy, and their window is
        `neutron_window_ns`.
    neutron_energy_mev : (float, float)
        Kinetic energies that the neutron window spans; it never begins within the flash.
    neutron_window_ns : (float, float), optional
        Times behind the gamma flash, instead of energies.
    gamma_window_sigmas : float
        Half width of the gamma window in widths of the flash.
    flat_range_ns : (float, float), optional
        Times behind the gamma flash (negative: before it) where only accidentals lie; by default all that comes before
        the flash or, where nothing was measured there, all that comes behind the neutron window.
    accidental_neutron_share : float, optional
        Share of neutrons among accidental pulses. If not known, every accidental counts as wrongly labelled.
    n_draws : int
        Repetitions behind each interval.
    confidence : float
        Of the intervals.
    """

    flight_path_m: float | None = None
    neutron_energy_mev: tuple[float, float] = (0.5, 15.0)
    neutron_window_ns: tuple[float, float] | None = None
    gamma_window_sigmas: float = 3.0
    flat_range_ns: tuple[float, float] | None = None
    accidental_neutron_share: float | None = None
    n_draws: int = 10_000
    confidence: float = 0.95

    def __post_init__(self) -> None:
        low, high = self.neutron_energy_mev
        share = self.accidental_neutron_share
        if self.flight_path_m is None and self.neutron_window_ns is None:
            raise SettingsError("the neutron window needs the flight path, or times: neutron_window_ns")
        path_m = 1.0 if self.flight_path_m is None else self.flight_path_m
        if not (path_m > 0 and 0 < low < high and self.gamma_window_sigmas > 0 and 0 < self.confidence < 1):
            raise SettingsError(
                f"flight path, neutron energies and gamma window must be positive and in order, got {asdict(self)}"
            )
        if share is not None and not 0 <= share <= 1:
            raise SettingsError(f"the share of neutrons among accidentals must lie between 0 and 1, got {share}")
        for name in ("neutron_window_ns", "flat_range_ns"):
            given = getattr(self, name)
            if given is not None and not given[0] < given[1]:
                raise SettingsError(f"{name} must be two times in ascending order, got {given}")

    @property
    def light_ns(self) -> float:
        """How long a photon flies; 0 without a flight path: times then count from the flash."""
        return 0.0 if self.flight_path_m is None else light_flight_time_ns(self.flight_path_m)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlightWindow:
    """What gets one label.

    Parameters
    ----------
    low_ns, high_ns : float
        Raw times.
    n_pulses : int
        In the window.
    n_accidental : float
        Expected of them by the flat region.
    contamination, contamination_low, contamination_high : float
        Share of wrong labels.
    """

    low_ns: float
    high_ns: float
    n_pulses: int
    n_accidental: float
    contamination: float
    contamination_low: float
    contamination_high: float


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class FlightLabels(Summarised):
    """Windows in time of flight, and what they are worth.

    Parameters
    ----------
    flash : GammaFlash
        Where the gammas are.
    gamma, neutron : FlightWindow
        What is labelled as each.
    flat_low_ns, flat_high_ns : float
        Raw times of the region of accidentals.
    n_flat : int
        Pulses in it.
    accuracy_ceiling, accuracy_ceiling_low, accuracy_ceiling_high : float
        Accuracy that a perfect classifier shows against these labels.
    options : FlightOptions
        As asked for.
    """

    flash: GammaFlash
    gamma: FlightWindow
    neutron: FlightWindow
    flat_low_ns: float
    flat_high_ns: float
    n_flat: int
    accuracy_ceiling: float
    accuracy_ceiling_low: float
    accuracy_ceiling_high: float
    options: FlightOptions

    def labels(self, tof_ns: NDArray[Any]) -> NDArray[np.int8]:
        """Label pulses by their raw time; outside of both windows, and NaN, stays unknown."""
        labels = np.full(len(tof_ns), Label.UNKNOWN, np.int8)
        for label, window in ((Label.GAMMA, self.gamma), (Label.NEUTRON, self.neutron)):
            labels[(tof_ns >= window.low_ns) & (tof_ns < window.high_ns)] = label
        return labels

    def flight_time_ns(self, tof_ns: NDArray[Any]) -> NDArray[np.float64]:
        """Return the true time of flight: the flash arrives at the speed of light."""
        time: NDArray[np.float64] = np.asarray(tof_ns, np.float64) - self.flash.time_ns + self.options.light_ns
        return time

    def neutron_energy_mev(self, tof_ns: NDArray[Any]) -> NDArray[np.float64]:
        """Return the kinetic energy of a neutron with these raw times; NaN where it would outrun light.

        Raises
        ------
        SettingsError
            If the flight path is not known.
        """
        if self.options.flight_path_m is None:
            raise SettingsError("energies of neutrons need the flight path")
        return neutron_energy_mev(self.flight_time_ns(tof_ns), flight_path_m=self.options.flight_path_m)


def find_flight_labels(tof_ns: NDArray[Any], *, options: FlightOptions, rng: np.random.Generator) -> FlightLabels:
    """Find the gamma flash, choose the windows and estimate how many labels are wrong.

    Parameters
    ----------
    tof_ns : ndarray of float, shape (pulse,)
        Raw times, growing with the time of flight, of unknown zero; NaN is left out.
    options : FlightOptions
        Flight path and windows.
    rng : numpy.random.Generator
        For the intervals.

    Raises
    ------
    DataError
        If there is no flash, time runs backwards, the region of accidentals is too short or not flat, or a window
        is empty.
    """
    known = np.sort(np.asarray(tof_ns, np.float64)[np.isfinite(tof_ns)])
    flash = find_gamma_flash(known)
    gamma = flash.low_ns(options.gamma_window_sigmas), flash.high_ns(options.gamma_window_sigmas)
    neutron = _neutron_window(known, flash, options)
    flat = _flat_range(known, flash, options, after=neutron[1])
    n_flat = _check_flat(known, flat, flash)
    rate_per_ns = n_flat / (flat[1] - flat[0])
    # Jeffreys' prior for a counted rate: a region without a pulse still allows some.
    rates = rng.gamma(n_flat + 0.5, 1 / (flat[1] - flat[0]), options.n_draws)
    share = options.accidental_neutron_share
    windows, wrong, expected = [], np.zeros(options.n_draws), 0.0
    for (low, high), wrong_share in ((gamma, share), (neutron, None if share is None else 1 - share)):
        factor = 1.0 if wrong_share is None else wrong_share
        drawn = np.minimum(rng.poisson(rates * (high - low) * factor), _count(known, low, high))
        windows.append(_window(known, low, high, rate_per_ns=rate_per_ns, factor=factor, drawn=drawn, options=options))
        wrong += drawn
        expected += windows[-1].contamination * windows[-1].n_pulses
    n_labelled = sum(window.n_pulses for window in windows)
    ceiling_low, ceiling_high = np.quantile(1 - wrong / n_labelled, _tails(options))
    return FlightLabels(
        flash=flash,
        gamma=windows[0],
        neutron=windows[1],
        flat_low_ns=flat[0],
        flat_high_ns=flat[1],
        n_flat=n_flat,
        accuracy_ceiling=1 - expected / n_labelled,
        accuracy_ceiling_low=float(ceiling_low),
        accuracy_ceiling_high=float(ceiling_high),
        options=options,
    )


def _neutron_window(known: NDArray[np.float64], flash: GammaFlash, options: FlightOptions) -> tuple[float, float]:
    end = float(np.nextafter(known[-1], np.inf))
    clear = flash.time_ns + CLEAR_OF_FLASH_SIGMAS * flash.sigma_ns
    if options.neutron_window_ns is not None:
        low, high = (flash.time_ns + edge for edge in options.neutron_window_ns)
        return max(low, clear), min(high, end)
    assert options.flight_path_m is not None
    zero = flash.time_ns - options.light_ns
    slowest, fastest = (
        zero + float(neutron_flight_time_ns(energy, flight_path_m=options.flight_path_m))
        for energy in options.neutron_energy_mev
    )
    return max(fastest, clear), min(slowest, end)


def _flat_range(
    known: NDArray[np.float64], flash: GammaFlash, options: FlightOptions, *, after: float
) -> tuple[float, float]:
    if options.flat_range_ns is not None:
        low, high = (flash.time_ns + edge for edge in options.flat_range_ns)
        return max(low, float(known[0])), min(high, float(known[-1]))
    before = float(known[0]), flash.low_ns(CLEAR_OF_FLASH_SIGMAS)
    # Behind the neutrons only where nothing at all is measured before the flash: slow ones would be counted.
    return before if before[1] - before[0] >= FEWEST_FLAT_NS else (after, float(known[-1]))


def _window(
    known: NDArray[np.float64],
    low: float,
    high: float,
    *,
    rate_per_ns: float,
    factor: float,
    drawn: NDArray[np.float64],
    options: FlightOptions,
) -> FlightWindow:
    n_pulses = _count(known, low, high)
    if not (high > low and n_pulses):
        raise DataError(
            f"no pulses between {low:.1f} and {high:.1f} ns: check the flight path, the neutron energies and "
            "that the times grow with the time of flight"
        )
    n_accidental = rate_per_ns * (high - low)
    contamination_low, contamination_high = np.quantile(drawn / n_pulses, _tails(options))
    return FlightWindow(
        low_ns=low,
        high_ns=high,
        n_pulses=n_pulses,
        n_accidental=n_accidental,
        contamination=min(1.0, factor * n_accidental / n_pulses),
        contamination_low=float(contamination_low),
        contamination_high=float(contamination_high),
    )


def _check_flat(known: NDArray[np.float64], flat: tuple[float, float], flash: GammaFlash) -> int:
    """Return how many pulses the region of accidentals holds, or say why it is none."""
    low, high = flat
    where = f"the region of accidentals, {low:.1f} to {high:.1f} ns,"
    if low < flash.high_ns(CLEAR_OF_FLASH_SIGMAS) and high > flash.low_ns(CLEAR_OF_FLASH_SIGMAS) + 1e-9:
        raise DataError(f"{where} holds the gamma flash at {flash.time_ns:.2f} ns")
    if high - low < FEWEST_FLAT_NS:
        raise DataError(
            f"{where} is shorter than {FEWEST_FLAT_NS:g} ns: give a longer one (--flat-range-ns, in ns behind the "
            "gamma flash), or begin the window of the measurement earlier"
        )
    counts = np.histogram(known, _N_FLAT_BINS, range=(low, high))[0]
    expected = counts.mean()
    if expected > 0 and ((counts - expected) ** 2 / expected).sum() / (_N_FLAT_BINS - 1) > _LARGEST_REDUCED_CHI2:
        raise DataError(
            f"{where} is not flat (from {counts.min()} to {counts.max()} pulses in each of {_N_FLAT_BINS} parts): give "
            "a region without correlated pulses (--flat-range-ns, in ns behind the gamma flash); if most pulses lie "
            "before the flash, time runs backwards: negate it"
        )
    return _count(known, low, high)


def _count(ordered: NDArray[np.float64], low: float, high: float) -> int:
    first, last = np.searchsorted(ordered, [low, high])
    return int(max(0, last - first))


def _tails(options: FlightOptions) -> tuple[float, float]:
    return (1 - options.confidence) / 2, (1 + options.confidence) / 2
