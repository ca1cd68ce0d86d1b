"""What each step gave, in one line for people, from what the commands say as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Result = Mapping[str, Any]


def summary(arguments: tuple[str, ...], result: Result) -> str:
    """Return one line on the result of a command."""
    return _SUMMARIES[arguments[0]](result)


def _inspect(result: Result) -> str:
    parts = [
        f"{each['n_pulses']} pulses of {each['n_samples']} samples"
        + ("" if each["sample_period_ns"] is None else f" of {each['sample_period_ns']:g} ns")
        + ("" if each["rate_hz"] is None else f", {each['rate_hz']:.4g} Hz")
        for each in result["channels"]
    ]
    damaged = f"; {result['n_damaged']} damaged events left out" if result["n_damaged"] else ""
    return "; ".join(parts) + damaged


def _gates(result: Result) -> str:
    (one,) = result["channels"]
    gates, merit = one["gates"], one["reached"]["figure_of_merit"]
    reached = "" if merit is None else f", figure of merit {merit:.3f}"
    names = ("gate_start_ns", "short_gate_end_ns", "long_gate_end_ns")
    return f"{':'.join(f'{gates[name]:g}' for name in names)} ns from the leading edge{reached}"


def _calibrate(result: Result) -> str:
    return f"written to {result['output']}, with the errors of gain and offset in it"


def _convert(result: Result) -> str:
    return f"{result['n_pulses']} pulses"


def _label(result: Result) -> str:
    counts = f"{result['n_gamma']} gammas, {result['n_neutron']} neutrons, {result['n_unknown']} unknown or left out"
    if result["method"] != "source":
        return counts
    source = result["source"]
    low, high = source["neutron_share_low"], source["neutron_share_high"]
    return (
        f"{counts}; {source['neutron_share']:.1%} ({low:.1%}-{high:.1%}) of the mixed runs are neutrons; "
        f"{source['contamination']['neutron']:.1%} of the labels neutron are wrong, which training corrects for"
    )


def _audit(result: Result) -> str:
    worst = sorted({each["severity"] for each in result["findings"]})
    n_found = len(result["findings"])
    found = f"{n_found} finding{'s' if n_found > 1 else ''} ({', '.join(worst)})" if worst else "nothing found"
    return f"{result['n_gamma']} gammas and {result['n_neutron']} neutrons: {found}"


def _train(result: Result) -> str:
    return (
        f"{result['n_training']} pulses trained on, {result['n_validation']} judged by; {result['epochs']} epochs "
        f"(ended by {result['stopped_by']}), the best is {result['best_epoch']}, of validation loss "
        f"{result['val_loss']:.5f}"
    )


def _freeze(result: Result) -> str:
    told = f"{result['n_bytes'] / 1000:.0f} kB"
    for name, chosen in ((result.get("calibration") or {}).get("thresholds") or {}).items():
        kept, leaked = chosen["efficiency"], chosen["leakage"]
        told += (
            f"; {name} keeps {kept['value']:.2%} ({kept['low']:.2%}-{kept['high']:.2%}) of the neutrons and leaks "
            f"{leaked['value']:.3%} (below {leaked['high']:.3%}) of the gammas, by the labels{_reach(chosen['value'])}"
        )
    return told


def _reach(threshold: Any) -> str:
    """Say from which height on a threshold by height was chosen: below, nobody labelled a pulse."""
    if not isinstance(threshold, Mapping):
        return ""
    low, high = threshold["height_adc"][0], threshold["height_adc"][-1]
    return (
        f", at heights from {low:.0f} to {high:.0f} ADC counts; lower pulses had no labels, and fewer neutrons are kept"
    )


def _evaluate(result: Result) -> str:
    overall = result["overall"]
    auc = overall["methods"]["network"]["auc"] if "methods" in overall else None
    area = "" if auc is None else f"area under the curve {auc['value']:.5f} ({auc['low']:.5f}-{auc['high']:.5f}), "
    return f"{area}against its labels. {result['head'][0] if result['head'] else ''}".strip()


def _classify(result: Result) -> str:
    (file,) = result["files"]
    if file["skipped"]:
        return "done before"
    n_read = file["n_pulses"]
    outside = (file["outside"] or {}).get("n_outside", 0)
    unlike = f"; {outside} ({outside / n_read:.2%}) unlike the pulses of the training, see the column outside"
    not_scored = f"; {file['n_not_scored']} without a score" if file["n_not_scored"] else ""
    return f"{file['n_neutron']} neutrons and {file['n_gamma']} gammas{not_scored}{unlike if outside else ''}"


_SUMMARIES: Mapping[str, Callable[[Result], str]] = {
    "inspect": _inspect,
    "gates": _gates,
    "calibrate": _calibrate,
    "convert": _convert,
    "label": _label,
    "audit": _audit,
    "train": _train,
    "freeze": _freeze,
    "evaluate": _evaluate,
    "classify": _classify,
}
