"""The options of these functions, for type checkers and completion; a test compares them with what takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from discrimen.keras_jax import Device
    from discrimen.pulses.detector import DetectorSettings, GatesNs, PolarityName, WindowNs
    from discrimen.reconstruction.generation_options import Prior
    from discrimen.search.config import PrunerName
    from discrimen.simulation.own_detector import OwnDetector
    from discrimen.simulation.sources import SpectrumName
    from discrimen.training.balance import BalanceBy, BalanceName
    from discrimen.training.config import Decay, OptimizerName
    from discrimen.training.split import SplitWish
    from discrimen.training.tasks import Task


class SimulationOptions(TypedDict, total=False):
    """Fields of :class:`discrimen.simulation.config.SimulationConfig`."""

    neutron_fraction: float | None
    detector: str
    digitizer: str
    own: OwnDetector | None
    spectrum: SpectrumName
    energy_min_kevee: float
    energy_max_kevee: float
    exponential_slope_kevee: float
    photoelectrons_per_kev: float | None
    gamma_tail_rise: float
    n_samples: int | None
    pretrigger_ns: float | None
    polarity: PolarityName | None
    baseline_adc: float | None
    baseline_spread_adc: float | None
    noise_adc: float | None
    noise_corner_mhz: float | None
    gain_adc_per_kevee: float | None
    gain_spread: float
    trigger_jitter_ns: float
    rate_hz: float
    pileup_fraction: float | None
    pileup_delay_max_ns: float | None
    n_channels: int
    n_runs: int
    first_run: int | None
    channel_gain_spread: float
    channel_noise_spread: float
    channel_baseline_spread_adc: float
    channel_delay_spread_ns: float
    run_gain_spread: float
    run_noise_spread: float
    run_baseline_spread_adc: float
    flight_path_m: float | None
    time_resolution_ns: float
    accidental_fraction: float
    accidental_neutron_fraction: float | None
    tof_window_ns: float
    tof_delay_ns: float
    seed: int
    setup_seed: int | None
    record_llr: bool


class ReaderOptions(TypedDict, total=False):
    """What is given for files that do not say it; see :func:`discrimen.api.inputs.inputs_of`."""

    settings: DetectorSettings | Path | str
    sample_period_ns: float
    polarity: PolarityName
    pretrigger_ns: float
    adc_bits: int
    baseline: WindowNs | tuple[float, float]
    gates: GatesNs | tuple[float, float, float]
    format_name: str
    record_samples: int
    board: int | Sequence[int]
    channel: int | Sequence[int]
    branches: Mapping[str, str]
    tree: str
    companion: Path | str
    sample_bytes: int
    tick_ps: float
    board_bit: int
    chunk_bytes: int


class TrainingOptions(TypedDict, total=False):
    """Fields of :class:`discrimen.training.TrainingConfig`."""

    task: Task
    architecture: str
    options: Mapping[str, Any]
    optimizer: OptimizerName
    learning_rate: float | None
    learning_rate_decay: Decay
    epochs: int
    batch_size: int
    validation_share: float
    split: SplitWish
    validation_runs: Sequence[str]
    shuffle: bool
    patience: int | None
    contamination: Mapping[str, float] | None
    soft_labels: bool
    balance: BalanceName
    balance_by: BalanceBy
    balance_cap: float
    augment: Mapping[str, float]
    extend_down_kevee: float | None
    extend_down_adc: float | None
    seed: int
    device: Device


class EvaluationOptions(TypedDict, total=False):
    """Keyword arguments of :func:`discrimen.evaluation.evaluate`."""

    energy_edges_kevee: Sequence[float]
    efficiencies: Sequence[float]
    confidence: float
    seed: int


class WaveformEvaluationOptions(TypedDict, total=False):
    """Keyword arguments of :func:`discrimen.evaluation.waveforms.evaluate_waveforms`."""

    energy_edges_kevee: Sequence[float]
    confidence: float
    seed: int


class CalibrationOptions(TypedDict, total=False):
    """Fields of :class:`discrimen.freezing.calibrate.CalibrationTask`."""

    temperature: bool
    neutron_efficiencies: tuple[float, ...]
    gamma_leakages: tuple[float, ...]
    by_height: bool
    confidence: float


class AdaptationOptions(TypedDict, total=False):
    """Fields of :class:`discrimen.adaptation.recalibrate.Wishes`."""

    neutron_efficiencies: tuple[float, ...]
    gamma_leakages: tuple[float, ...]
    rescale: bool
    neutron_share: float | None
    peak_range_adc: tuple[float, float] | None
    confidence: float


class BandLabelOptions(TypedDict, total=False):
    """Fields of :class:`discrimen.labelling.band.BandOptions`."""

    purity: float
    least_efficiency: float
    energy_range: tuple[float, float] | None
    n_draws: int
    confidence: float


class SourceLabelOptions(TypedDict, total=False):
    """Fields of :class:`discrimen.labelling.source.SourceOptions`."""

    energy_range: tuple[float, float] | None
    n_draws: int
    confidence: float


class FlightLabelOptions(TypedDict, total=False):
    """Fields of :class:`discrimen.labelling.time_of_flight.FlightOptions`."""

    flight_path_m: float | None
    neutron_energy_mev: tuple[float, float]
    neutron_window_ns: tuple[float, float] | None
    gamma_window_sigmas: float
    flat_range_ns: tuple[float, float] | None
    accidental_neutron_share: float | None
    n_draws: int
    confidence: float


class NetworkSearchOptions(TypedDict, total=False):
    """Fields of :class:`discrimen.search.SearchConfig`."""

    trials: int
    pareto: bool
    energy_edges_kevee: tuple[float, ...] | None
    efficiency: float
    epochs: int
    patience: int | None
    validation_share: float
    split: SplitWish
    validation_runs: tuple[str, ...]
    pruner: PrunerName
    seed: int
    device: Device


class GenerationWishes(TypedDict, total=False):
    """Fields of :class:`discrimen.reconstruction.generation_options.GenerationOptions`."""

    n_pulses: int
    class_name: str | None
    neutron_share: float | None
    energy_min_kevee: float | None
    energy_max_kevee: float | None
    energy_kevee: float | None
    height_min_adc: float | None
    height_max_adc: float | None
    height_adc: float | None
    rate_hz: float
    prior: Prior
    seed: int


class OverlayWishes(TypedDict, total=False):
    """Fields of :class:`discrimen.runs.overlay.OverlayOptions`."""

    n_records: int
    pileup_fraction: float
    delay_min_ns: float
    delay_max_ns: float | None
    gain_min: float
    share: tuple[float, float]
    seed: int


class DenoisingWishes(TypedDict, total=False):
    """Fields of :class:`discrimen.reconstruction.denoise.DenoisingOptions`."""

    keep: bool
    as_float: bool
    most_outside: float


class EncodingWishes(TypedDict, total=False):
    """Fields of :class:`discrimen.reconstruction.encoding.EncodingOptions`."""

    step: float | None
    leave_out: bool
    most_outside: float
    threads: int | None


class SeparationWishes(TypedDict, total=False):
    """Fields of :class:`discrimen.reconstruction.separate.SeparationOptions`."""

    threshold: float | None
    in_place: bool
    as_float: bool
    most_outside: float
    n_fitted: int


class BandLabelsOfFiles(BandLabelOptions, ReaderOptions, total=False):
    """What :func:`discrimen.label_by_band` takes by name: its own wishes, and what the files do not say."""


class SourceLabelsOfFiles(SourceLabelOptions, ReaderOptions, total=False):
    """What :func:`discrimen.label_by_source` takes by name: its own wishes, and what the files do not say."""


class FlightLabelsOfFiles(FlightLabelOptions, ReaderOptions, total=False):
    """What :func:`discrimen.label_by_flight` takes by name: its own wishes, and what the files do not say."""


class AdaptationToFiles(AdaptationOptions, ReaderOptions, total=False):
    """What :func:`discrimen.adapt` takes by name: its own wishes, and what the files do not say."""


class OverlayOfFiles(OverlayWishes, ReaderOptions, total=False):
    """What :func:`discrimen.overlay` takes by name: its own wishes, and what the files do not say."""


class DenoisingOfFiles(DenoisingWishes, ReaderOptions, total=False):
    """What :func:`discrimen.denoise` takes by name: its own wishes, and what the files do not say."""


class EncodingOfFiles(EncodingWishes, ReaderOptions, total=False):
    """What :func:`discrimen.encode` takes by name: its own wishes, and what the files do not say."""


class SeparationOfFiles(SeparationWishes, ReaderOptions, total=False):
    """What :func:`discrimen.separate` takes by name: its own wishes, and what the files do not say."""
