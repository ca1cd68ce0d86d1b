"""Tables of the command line fit a screen of 80 columns, with the longest numbers that come."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from discrimen.benchmark.run import BatchTime, Bench
from discrimen.cli import common
from discrimen.cli.bench import time_table
from discrimen.cli.drift import drift_table
from discrimen.cli.inspect import list_lines
from discrimen.cli.label_band import band_table
from discrimen.cli.label_source import source_table
from discrimen.cli.label_tof import slice_table, window_table
from discrimen.detector_fit.result import Quantity
from discrimen.detector_fit.text import quantity_lines
from discrimen.metrics import FigureOfMerit, figure_of_merit

WIDTH = 80


def merit(*, tail: bool) -> FigureOfMerit:
    rng = np.random.default_rng(1)
    gammas = rng.normal(0.1, 0.02, 9000) + (rng.exponential(0.02, 9000) if tail else 0)
    return figure_of_merit(np.concatenate([gammas, rng.normal(0.3, 0.02, 9000)]))


def fits(lines: list[str]) -> bool:
    return all(len(line) <= WIDTH for line in lines)


def test_columns_stand_below_each_other() -> None:
    assert common.aligned([("a", "long head"), ("1234", "5")]) == ["   a  long head", "1234          5"]


def test_ends_of_a_range_are_short() -> None:
    assert [common.span(43.2131, 66.9), common.span(999.96, 1e5)] == ["43.21-66.9", "1000-100000"]


def band_slice(**values: Any) -> SimpleNamespace:
    labelled = SimpleNamespace(labelled=True, purity=0.98765, purity_low=0.97654, efficiency=0.98765)
    left_out = SimpleNamespace(labelled=False, purity=0.98765, purity_low=0.97654, efficiency=0.0)
    fit = SimpleNamespace(**{"low": 166952.4, "high": 183338.2, "n_pulses": 1234567, **values})
    return SimpleNamespace(fit=fit, gamma=labelled, neutron=left_out)


def test_bands_fit_and_say_where_gaussians_miss() -> None:
    options = SimpleNamespace(confidence=0.95)
    good, poor = merit(tail=False), merit(tail=True)
    assert (good.mark, poor.mark) == ("", "*")
    lines = band_table(SimpleNamespace(options=options, slices=[band_slice(merit=good), band_slice(merit=None)]))
    assert fits(lines)
    assert "*" not in "".join(lines)
    assert "bands merge" in lines[3]
    lines = band_table(SimpleNamespace(options=options, slices=[band_slice(merit=poor)]))
    assert fits(lines)
    assert f"{poor.error:.3f}*" in lines[2]
    assert lines[-1].startswith("* ")


def test_slices_of_sources_fit() -> None:
    part = SimpleNamespace(
        board=12, channel=15, energy_low=166952.4, energy_high=183338.2, n_gamma_run=1234567, n_mixed_run=1234567,
        separation=123.4, share_from="neighbours", neutron_share=0.5, neutron_share_low=0.49, neutron_share_high=0.51,
        keep_gamma_run=0.5, keep_mixed_run=1.0,
    )  # fmt: skip
    lines = source_table([part])
    assert fits(lines)
    assert "*0.500" in lines[2]


def test_time_of_flight_fits() -> None:
    window = SimpleNamespace(
        low_ns=12345.67, high_ns=12399.99, n_pulses=123456789, contamination=0.1161, contamination_low=0.1041,
        contamination_high=0.1286,
    )  # fmt: skip
    assert fits(window_table(SimpleNamespace(gamma=window, neutron=window)))
    names = [f"{name}{end}" for name in ("gamma", "neutron") for end in ("", "_low", "_high")]
    assert fits(slice_table([{"energy_low": 166952.4, "energy_high": 183338.2, **dict.fromkeys(names, 0.12345)}]))
    assert slice_table([]) == []


def test_channels_of_a_list_fit() -> None:
    quantiles = dict.fromkeys(("long_charge", "psd", "tof_ns"), (0.000123456, -123456.7, 1.23456e-07))
    one = SimpleNamespace(
        board=12, channel=15, n_pulses=123456789, rate_hz=123456.7, n_saturated=12345678, quantiles=quantiles
    )
    lines = list_lines([one, SimpleNamespace(**{**vars(one), "quantiles": {}})])
    assert fits(lines)
    assert sum("psd" in line for line in lines) == 1


def test_drifted_figures_fit() -> None:
    figure = SimpleNamespace(
        name="logit at peak_adc", drifted=True, mean_before=-0.0403976, mean_now=float("nan"), stability_index=12.057,
        p_shape=0.0, p_shift=0.2,
    )  # fmt: skip
    lines = drift_table({12: SimpleNamespace(figures=[figure])})
    assert fits(lines)
    assert lines[1].endswith("<1e-99")


def test_times_fit_and_are_whole() -> None:
    names = {"native and domain": "native (avx512, 1 thread), flags of the domain", "openvino": "openvino (cpu)"}
    times = tuple(
        BatchTime(
            backend=name, batch_size=1_000_000, median_ns_per_signal=495_123.4, low_ns_per_signal=368_432.1,
            high_ns_per_signal=2_954_321.9, n_rounds=9, ratio_to_native=1234.56,
        )
        for name in names
    )  # fmt: skip
    bench = Bench(
        model="m", sha256="", n_channels=1, n_samples=75, threads=1, n_cores=2, load_average=0.0, backends=names,
        times=times, left_out=(),
    )  # fmt: skip
    lines = time_table(bench)
    assert fits(lines)
    assert lines[1].split()[-3:] == ["495000", "368000-2950000", "1234.56"]
    lines = time_table(replace(bench, n_channels=37))
    assert fits(lines)
    assert lines[0].split()[2:] == ["us/hit", "quartiles", "x", "native", "hits/s"]
    assert lines[1].split()[-4:] == ["495", "368-2950", "1234.56", "2020"]


def test_fitted_quantities_fit_with_two_digits_of_their_error() -> None:
    how = "delayed light of the lower band, relative to the known scintillator, by a fit of its mean pulse"
    lines = quantity_lines(Quantity(name="baseline_spread", value=4.97271, error=0.0354, unit="ADC/keVee", how=how))
    assert fits(lines)
    assert "4.973 ± 0.035 ADC/keVee" in lines[0]
    assert len(lines) > 1
