"""What to simulate, checked once; and the detector settings that an analysis of it needs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from discrimen.errors import SettingsError
from discrimen.pulses.detector import PolarityName
from discrimen.simulation.digitizer import DIGITIZERS, Digitizer
from discrimen.simulation.kinematics import light_flight_time_ns
from discrimen.simulation.noise import one_over_f
from discrimen.simulation.own_detector import OwnDetector
from discrimen.simulation.photosensor import PHOTOMULTIPLIER, Photosensor
from discrimen.simulation.scintillator import DETECTORS, Scintillator
from discrimen.simulation.sources import SPECTRA, SpectrumName, has_neutrons

_OVERRIDES = (
    "n_samples",
    "pretrigger_ns",
    "polarity",
    "baseline_adc",
    "baseline_spread_adc",
    "noise_adc",
    "gain_adc_per_kevee",
)
_HIGHEST_KEVEE = 20_000.0
_HIGHEST_RATE_HZ = 1e7


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationConfig:
    """What to simulate; None stands for the value of the detector, digitizer or source.

    The defaults are the benchmark: BC501A with NUMEXO2, 75 samples of 10 ns, 1.7 photoelectrons/keV, 3 ADC counts of
    noise, an exponential of light that is the same for both classes, no pile-up.

    Parameters
    ----------
    n_pulses : int
        How many.
    neutron_fraction : float or None
        Share of neutrons, 0 to 1. None: one half, or none for a gamma source.
    detector : str
        A name in :data:`~discrimen.simulation.scintillator.DETECTORS`.
    digitizer : str
        A name in :data:`~discrimen.simulation.digitizer.DIGITIZERS`.
    own : OwnDetector or None
        Takes the place of `detector` and `digitizer`.
    spectrum : str
        One of :data:`~discrimen.simulation.sources.SPECTRA`; "run" is the light of `own`.
    energy_min_kevee, energy_max_kevee : float
        Limits of the light of each pulse.
    exponential_slope_kevee : float
        Mean of the exponential spectrum above its lower limit, before the upper one cuts it.
    photoelectrons_per_kev : float or None
        Mean number per keVee.
    gamma_tail_rise : float
        Relative growth of an electron's delayed light for every factor e below 300 keVee, see
        :meth:`~discrimen.simulation.scintillator.Scintillator.gamma_shares`.
    n_samples, pretrigger_ns, polarity, baseline_adc, baseline_spread_adc, noise_adc, gain_adc_per_kevee : optional
        As in :class:`~discrimen.simulation.digitizer.Digitizer`.
    noise_corner_mhz : float or None
        Below this frequency noise is more 1/f than white; its rms stays. None: the digitizer's own, which is white.
    gain_spread : float
        Relative standard deviation of the gain from pulse to pulse.
    trigger_jitter_ns : float
        Standard deviation of the trigger time, beside the phase of the sampling clock.
    rate_hz : float
        Pulses per second while the digitizer is live; it is dead during each record.
    pileup_fraction : float or None
        Share of records with one second pulse, its delay uniform over the rest of the record. None: a number that
        follows from `rate_hz`.
    pileup_delay_max_ns : float or None
        Longest delay of these second pulses. None: to the end of the record, as they come at random.
    n_channels : int
        Pulses are dealt to this many channels at random.
    n_runs : int
        Runs one after the other, of as many pulses each as can be; the clock goes on from one to the next.
    first_run : int or None
        Number of the first run. None: a single run has no column `run`, several count from 0.
    channel_gain_spread, channel_noise_spread : float
        Relative spread of gain and noise from channel to channel (standard deviation of the natural logarithm).
    channel_baseline_spread_adc, channel_delay_spread_ns : float
        Standard deviation of the baseline and of the delay of the time of flight from channel to channel.
    run_gain_spread, run_noise_spread, run_baseline_spread_adc : float
        The same from run to run, for each channel on its own.
    flight_path_m : float or None
        From the source to the detector. None: no time of flight is measured.
    time_resolution_ns : float
        Standard deviation of the time of flight.
    accidental_fraction : float
        Share of pulses that have nothing to do with their reference (beam pulse, fission): their times are uniform
        over the window.
    accidental_neutron_fraction : float or None
        Share of neutrons among them. None: as among all others.
    tof_window_ns : float
        Times of flight from 0 to this are measured; a pulse out of it has none (NaN).
    tof_delay_ns : float
        What is measured when nothing flies: delay of the pulse against the reference.
    record_llr : bool
        Whether each pulse gets the likelihood ratio of its record, the bound of every classifier; some 10 ms a pulse.
    seed : int
        The same configuration with the same seed gives the same pulses; 0 to 2**32 - 1.
    setup_seed : int or None
        Of what channels and runs differ in, so that files of different pulses can come from the same detectors. None:
        as `seed`.

    Raises
    ------
    SettingsError
        If a value does not fit.
    """

    n_pulses: int
    neutron_fraction: float | None = None
    detector: str = "BC501A"
    digitizer: str = "NUMEXO2"
    own: OwnDetector | None = None
    spectrum: SpectrumName = "exponential"
    energy_min_kevee: float = 30.0
    energy_max_kevee: float = 2000.0
    exponential_slope_kevee: float = 300.0
    photoelectrons_per_kev: float | None = None
    gamma_tail_rise: float = 0.0
    n_samples: int | None = None
    pretrigger_ns: float | None = None
    polarity: PolarityName | None = None
    baseline_adc: float | None = None
    baseline_spread_adc: float | None = None
    noise_adc: float | None = None
    gain_adc_per_kevee: float | None = None
    noise_corner_mhz: float | None = None
    gain_spread: float = 0.0
    trigger_jitter_ns: float = 0.0
    rate_hz: float = 1000.0
    pileup_fraction: float | None = 0.0
    pileup_delay_max_ns: float | None = None
    n_channels: int = 1
    n_runs: int = 1
    first_run: int | None = None
    channel_gain_spread: float = 0.0
    channel_noise_spread: float = 0.0
    channel_baseline_spread_adc: float = 0.0
    channel_delay_spread_ns: float = 0.0
    run_gain_spread: float = 0.0
    run_noise_spread: float = 0.0
    run_baseline_spread_adc: float = 0.0
    flight_path_m: float | None = None
    time_resolution_ns: float = 1.0
    accidental_fraction: float = 0.0
    accidental_neutron_fraction: float | None = None
    tof_window_ns: float = 400.0
    tof_delay_ns: float = 100.0
    record_llr: bool = False
    seed: int = 0
    setup_seed: int | None = None

    def __post_init__(self) -> None:
        _require_name("detector", self.detector, DETECTORS)
        _require_name("digitizer", self.digitizer, DIGITIZERS)
        _require_name("spectrum", self.spectrum, SPECTRA)
        self._check_numbers()
        if self.energy_max_kevee <= self.energy_min_kevee:
            raise SettingsError(
                f"energy_max_kevee must lie above energy_min_kevee, got {self.energy_max_kevee:g} and "
                f"{self.energy_min_kevee:g}"
            )
        if self.spectrum == "run" and self.own is None:
            raise SettingsError("the spectrum 'run' needs a detector file: give --detector FILE, or another spectrum")
        if not has_neutrons(self.spectrum) and self.neutron_fraction:
            raise SettingsError(f"{self.spectrum} has no neutrons: leave out neutron_fraction or set it to 0")
        if self.polarity not in (None, "positive", "negative"):
            raise SettingsError(f"polarity must be positive or negative, got {self.polarity!r}")
        if self.digitizer_as_run.pretrigger_ns >= self.digitizer_as_run.record_ns:
            raise SettingsError(
                f"pretrigger_ns must lie within the record of {self.digitizer_as_run.record_ns:g} ns, "
                f"got {self.digitizer_as_run.pretrigger_ns:g}"
            )
        self._check_flight()
        if self.pileup_delay_max_ns is not None and not self.pileup_fraction:
            raise SettingsError("pileup_delay_max_ns needs second pulses: give pileup_fraction")
        if self.n_runs > self.n_pulses:
            raise SettingsError(f"every run needs a pulse: {self.n_runs} runs of {self.n_pulses} pulses in all")
        if self.scintillator.photoelectrons_per_kev * self.energy_max_kevee > 1e6:
            raise SettingsError("more than a million photoelectrons a pulse: lower photoelectrons_per_kev")

    def _check_flight(self) -> None:
        if self.flight_path_m is None:
            if self.accidental_fraction or self.accidental_neutron_fraction is not None or self.channel_delay_spread_ns:
                raise SettingsError("accidentals and delays need a time of flight: give flight_path_m")
            return
        if not has_neutrons(self.spectrum) and self.accidental_neutron_fraction:
            raise SettingsError(f"{self.spectrum} has no neutrons, among accidentals neither")
        flash_ns = self.tof_delay_ns + light_flight_time_ns(self.flight_path_m)
        if flash_ns >= self.tof_window_ns:
            raise SettingsError(
                f"the gamma flash at {flash_ns:.1f} ns must lie within tof_window_ns, got {self.tof_window_ns:g}: "
                "raise it, or lower tof_delay_ns or flight_path_m"
            )

    def _check_numbers(self) -> None:
        highest_adc = self._digitizer_as_is.highest_adc
        whole: tuple[tuple[str, int, int], ...] = (
            ("n_pulses", 1, 10**12),
            ("n_samples", 4, 4096),
            ("n_channels", 1, 10_000),
            ("n_runs", 1, 100_000),
            ("first_run", 0, 2**31 - 1 - 100_000),
            ("setup_seed", 0, 2**32 - 1),
            # One 32-bit word: a larger seed could share random numbers with a later block of a smaller one.
            ("seed", 0, 2**32 - 1),
        )
        for name, low, high in whole:
            _require_range(self, name, low, high, whole=True)
        limits: tuple[tuple[str, float, float], ...] = (
            ("neutron_fraction", 0, 1),
            ("energy_min_kevee", 1, _HIGHEST_KEVEE),
            ("energy_max_kevee", 1, _HIGHEST_KEVEE),
            ("exponential_slope_kevee", 1, 1e6),
            ("photoelectrons_per_kev", 1e-3, 1e3),
            ("gamma_tail_rise", 0, 1),
            ("pretrigger_ns", 0, 1e6),
            ("baseline_adc", 0, highest_adc),
            ("baseline_spread_adc", 0, highest_adc),
            ("noise_adc", 0, highest_adc),
            ("gain_adc_per_kevee", 1e-6, 1e6),
            ("noise_corner_mhz", 0, 1e4),
            ("gain_spread", 0, 0.5),
            ("trigger_jitter_ns", 0, 100),
            ("rate_hz", 1e-6, _HIGHEST_RATE_HZ),
            ("pileup_fraction", 0, 1),
            ("pileup_delay_max_ns", 1, 1e6),
            ("channel_gain_spread", 0, 1),
            ("channel_noise_spread", 0, 1),
            ("channel_baseline_spread_adc", 0, highest_adc),
            ("channel_delay_spread_ns", 0, 1e4),
            ("run_gain_spread", 0, 1),
            ("run_noise_spread", 0, 1),
            ("run_baseline_spread_adc", 0, highest_adc),
            ("flight_path_m", 1e-3, 1e4),
            ("time_resolution_ns", 0, 1e3),
            ("accidental_fraction", 0, 1),
            ("accidental_neutron_fraction", 0, 1),
            ("tof_window_ns", 1, 1e7),
            ("tof_delay_ns", 0, 1e7),
        )
        for name, lowest, highest in limits:
            _require_range(self, name, lowest, highest, whole=False)

    @property
    def share_of_neutrons(self) -> float:
        """The neutron fraction, with None resolved."""
        if self.neutron_fraction is not None:
            return self.neutron_fraction
        return 0.5 if has_neutrons(self.spectrum) else 0.0

    @property
    def has_neutrons(self) -> bool:
        """Whether any pulse, an accidental one included, can be a neutron."""
        return self.share_of_neutrons > 0 or bool(self.accidental_neutron_fraction)

    @property
    def run_numbers(self) -> range:
        """The numbers of the runs."""
        first = self.first_run or 0
        return range(first, first + self.n_runs)

    @property
    def scintillator(self) -> Scintillator:
        """The detector, with what this configuration changes."""
        detector = DETECTORS[self.detector] if self.own is None else self.own.scintillator
        if self.photoelectrons_per_kev is not None:
            detector = replace(detector, photoelectrons_per_kev=self.photoelectrons_per_kev)
        return replace(detector, gamma_tail_rise=self.gamma_tail_rise)

    @property
    def photosensor(self) -> Photosensor:
        """The photosensor."""
        return PHOTOMULTIPLIER

    @property
    def digitizer_as_run(self) -> Digitizer:
        """The digitizer, with what this configuration changes."""
        given = {name: getattr(self, name) for name in _OVERRIDES if getattr(self, name) is not None}
        digitizer = replace(self._digitizer_as_is, **given)
        if self.noise_corner_mhz is None:
            return digitizer
        period_ns, n_samples = digitizer.sample_period_ns, digitizer.n_samples
        power = one_over_f(self.noise_corner_mhz, sample_period_ns=period_ns, n_samples=n_samples)
        return replace(digitizer, noise_power=power)

    @property
    def name(self) -> str:
        """What is simulated, in words."""
        return f"{self.detector} with {self.digitizer}" if self.own is None else self.own.name

    @property
    def _digitizer_as_is(self) -> Digitizer:
        return DIGITIZERS[self.digitizer] if self.own is None else self.own.digitizer


def _require_name(what: str, name: str, known: Iterable[str]) -> None:
    names = list(known)
    if name not in names:
        raise SettingsError(f"unknown {what} {name!r}; choose one of: {', '.join(names)}")


def _require_range(config: SimulationConfig, name: str, low: float, high: float, *, whole: bool) -> None:
    value = getattr(config, name)
    if value is None:
        return
    fits = isinstance(value, int) if whole else isinstance(value, int | float)
    if not fits or isinstance(value, bool) or not math.isfinite(value) or not low <= value <= high:
        kind = "a whole number" if whole else "a number"
        raise SettingsError(f"{name} must be {kind} from {low:g} to {high:g}, got {value!r}")
