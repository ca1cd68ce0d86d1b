"""From a frozen model and what was chosen on other pulses to a frozen model of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from numpy.typing import NDArray

from discrimen.adaptation.recalibrate import Recalibration
from discrimen.adaptation.rescaling import rescaled
from discrimen.errors import FormatError
from discrimen.inference.native import NativePredictor
from discrimen.inference.reference_predictor import ReferencePredictor
from discrimen.network.domain import learn_domain
from discrimen.network.domain.domain import no_rail
from discrimen.network.frozen_file import FrozenModel, read_frozen, write_frozen
from discrimen.network.golden import golden_vectors
from discrimen.network.height_curve import plain_threshold
from discrimen.network.model_description import ModelDescription
from discrimen.output.provenance import command_line, sha256_of_file, software_versions, utc_now
from discrimen.pulses.detector import DetectorSettings, PolarityName

_OF_THE_SOURCE = ("calibration", "adaptation")
"""Parts of the provenance that no longer hold; they are kept as what was replaced."""


@contextmanager
def predictor_for(model: Path, polarity: PolarityName | None) -> Iterator[NativePredictor]:
    """Compute a frozen model on pulses that may fall where those of its training rose.

    Parameters
    ----------
    model : Path
        A ``*.discrimen``.
    polarity : {"positive", "negative"} or None
        Of the pulses; None where nobody told, and the model's is taken.

    Raises
    ------
    FormatError
        If the file is no frozen model.
    """
    ReferencePredictor(model)  # checks the golden vectors as everybody does
    source = read_frozen(model)
    if source.description.preparation.only.polarity == _sign(source.description, polarity):
        yield NativePredictor(model)
        return
    with TemporaryDirectory(prefix="discrimen-") as scratch:
        turned = Path(scratch) / "turned.discrimen"
        write_frozen(_turned(source, polarity), turned)
        yield NativePredictor(turned)


def write_adapted(
    model: Path,
    output: Path,
    recalibration: Recalibration,
    *,
    settings: DetectorSettings,
    files: Sequence[Mapping[str, Any]],
    options: Mapping[str, Any],
    seen: NDArray[Any],
) -> FrozenModel:
    """Write the adapted model; the source stays as it is.

    Parameters
    ----------
    model : Path
        The ``*.discrimen`` that was adapted.
    output : Path
        Another one.
    recalibration : Recalibration
        What was chosen.
    settings : DetectorSettings
        What is known of the new detector.
    files, options
        What it was chosen on, and what was asked for; for the provenance.
    seen : ndarray, shape (pulse, sample)
        Some of the new pulses, as digitised: the adapted model knows these, no longer those of its training.

    Raises
    ------
    OutputError
        If it cannot be written.
    SettingsError
        If the network cannot take a shift.
    """
    source = _turned(read_frozen(model), settings.polarity)
    network, scale = source.network, recalibration.rescaling
    if scale is not None:
        network = rescaled(network, source.description, scale)
    adaptation = {
        "from": {"name": model.name, "sha256": sha256_of_file(model)},
        "files": [dict(file) for file in files],
        "options": dict(options),
        **recalibration.as_dict(),
        "replaced": _replaced(source.description),
        "date_utc": utc_now(),
        "command_line": command_line(),
        "versions": software_versions(),
    }
    kept = {name: value for name, value in source.description.provenance.items() if name not in _OF_THE_SOURCE}
    chosen = {name: threshold.value for name, threshold in recalibration.thresholds.items()}
    preparation = source.description.preparation
    description = replace(
        source.description.with_thresholds(chosen),
        domain=learn_domain(seen, preparation, adc_bits=settings.adc_bits) if len(seen) else None,
        settings=settings_here(source.description, settings),
        provenance={**kept, "adaptation": adaptation},
    )
    adapted = FrozenModel(description, network, golden_vectors(network, description, source.golden.samples))
    write_frozen(adapted, output)
    try:
        for load in (ReferencePredictor, NativePredictor):
            load(output)  # checks the golden vectors as everybody will
    except FormatError:
        output.unlink()
        raise
    return adapted


def settings_here(description: ModelDescription, here: DetectorSettings) -> DetectorSettings:
    """Return the settings of the new detector; where the pulse lies in the record is the model's business."""
    known = DetectorSettings(
        sample_period_ns=description.preparation.sample_period_ns,
        polarity="positive" if description.preparation.only.polarity > 0 else "negative",
        pretrigger_ns=description.settings.pretrigger_ns,
        baseline=description.settings.baseline,
    )
    return here.filled_from(known)


def _sign(description: ModelDescription, polarity: PolarityName | None) -> int:
    if polarity is None:
        return description.preparation.only.polarity
    return 1 if polarity == "positive" else -1


def _turned(model: FrozenModel, polarity: PolarityName | None) -> FrozenModel:
    """Return the model for pulses of a polarity, with golden vectors of that polarity."""
    sign = _sign(model.description, polarity)
    if sign == model.description.preparation.only.polarity:
        return model
    preparation, domain = model.description.preparation.with_only(polarity=sign), model.description.domain
    description = replace(
        model.description,
        preparation=preparation,
        # The rail that was known lies on the other side.
        domain=None if domain is None else replace(domain, rail_adc=no_rail(preparation)),
        settings=model.description.settings.merged(polarity=polarity),
    )
    return FrozenModel(description, model.network, golden_vectors(model.network, description, -model.golden.samples))


def _replaced(description: ModelDescription) -> dict[str, Any]:
    old = {name: description.provenance[name] for name in _OF_THE_SOURCE if name in description.provenance}
    thresholds = {name: plain_threshold(cut) for name, cut in description.thresholds.items()}
    return {**old, "thresholds": thresholds, "detector": description.settings.name}
