"""A network where users of scikit-learn look for one: ``fit``, ``predict_proba``, ``predict``."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any, Self, Unpack
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from discrimen.api.model import load
from discrimen.api.trained import train
from discrimen.errors import DataError, OutputError, SettingsError, require_module
from discrimen.inference.compatible import require_compatible
from discrimen.inference.load import Model
from discrimen.network.frozen_file import SUFFIX
from discrimen.network.height_curve import thresholds_of
from discrimen.network.thresholds import choose_threshold
from discrimen.output.summary import Summarised
from discrimen.pulses import Label, Pulses
from discrimen.pulses.detector import DetectorSettings
from discrimen.runs.dataset import Dataset

if TYPE_CHECKING:
    from discrimen.api.options import TrainingOptions
    from discrimen.network.preparation import Preparation

Taken = Pulses | Dataset | NDArray[Any]
"""Pulses, or an array of raw samples of shape (pulse, sample)."""

_OWN = ("folder", "settings", "preparation", "threshold", "accept", "overwrite")


class PulseClassifier(Summarised):
    """Tells neutrons from gammas by a network that is trained, frozen and loaded by the functions of this package.

    Parameters
    ----------
    folder : Path or str, optional
        Where :meth:`fit` leaves model, history and curves; without one they go with the classifier.
    settings : DetectorSettings, optional
        Of pulses and arrays that do not come as a :class:`~discrimen.runs.dataset.Dataset`: polarity, baseline or
        pretrigger_ns, and for arrays sample_period_ns.
    preparation : Preparation, optional
        By default the whole record, baseline subtracted, scaled to its peak.
    threshold : str or float, optional
        Least neutron score of a neutron, or the name of one that the model stores; by default the only one that it
        stores, or 0.5.
    accept : bool
        Whether to train in spite of errors that the audit finds in the data.
    overwrite : bool
        Whether a model in the folder may be replaced.
    **config
        Fields of :class:`~discrimen.training.TrainingConfig`, for example ``epochs`` and ``architecture``.
    """

    def __init__(
        self,
        folder: Path | str | None = None,
        *,
        settings: DetectorSettings | None = None,
        preparation: Preparation | None = None,
        threshold: str | float | None = None,
        accept: bool = False,
        overwrite: bool = False,
        **config: Unpack[TrainingOptions],
    ) -> None:
        self.folder = folder
        self.settings = settings
        self.preparation = preparation
        self.threshold = threshold
        self.accept = accept
        self.overwrite = overwrite
        self._config: dict[str, Any] = dict(config)
        self._model: Model | None = None

    def fit(self, pulses: Taken, y: NDArray[Any] | None = None) -> Self:
        """Train on labelled pulses; the model that was there is replaced only when the training has ended.

        Parameters
        ----------
        pulses : Pulses, Dataset or ndarray of shape (pulse, sample)
            As digitised.
        y : ndarray of int, shape (pulse,), optional
            0 is gamma, 1 is neutron, -1 is unknown; by default the labels of the pulses.

        Raises
        ------
        DataError
            If the pulses have no labels, or the audit finds errors.
        SettingsError
            If a setting is not known.
        """
        dataset = self._labelled(pulses, y)
        folder = _folder_of(self) if self.folder is None else Path(self.folder)
        self._model = train(
            dataset,
            folder,
            preparation=self.preparation,
            overwrite=self.overwrite,
            accept=self.accept,
            **self._config,
        )
        return self

    def predict_proba(self, pulses: Taken) -> NDArray[np.float32]:
        """Return the score of each class, shape (pulse, class), in the order of :attr:`classes_`.

        NaN for a pulse that cannot be prepared.

        Raises
        ------
        SettingsError
            If there is no model yet.
        DataError
            If the pulses do not suit the model.
        """
        return self.model_.predictor.predict(self._samples(pulses))

    def predict(self, pulses: Taken) -> NDArray[np.int8]:
        """Return 1 for a neutron, 0 for a gamma and -1 for a pulse without a score, shape (pulse,).

        A neutron is what reaches the threshold, which may follow the height of the pulse. Errors are those of
        :meth:`predict_proba`.
        """
        description = self.model_.description
        chosen = choose_threshold(description.thresholds, self.threshold)
        judged = self.model_.predictor.judge(self._samples(pulses))
        score = judged.scores[:, description.neutron_class]
        least = thresholds_of(chosen.value, judged.height_adc, n_pulses=len(score))
        label = np.where(score >= least, Label.NEUTRON, Label.GAMMA)
        return np.where(np.isnan(score), Label.UNKNOWN, label).astype(np.int8)

    def score(self, pulses: Taken, y: NDArray[Any] | None = None) -> float:
        """Return the share of labelled pulses that are named right; :func:`discrimen.evaluate` judges in full."""
        label = self._labels(pulses, y)
        known = label != Label.UNKNOWN
        if not known.any():
            raise DataError("no pulse has a label to compare with")
        return float((self.predict(pulses)[known] == label[known]).mean())

    def save(self, path: Path | str) -> Path:
        """Write the model: into one frozen file if the name ends in ``.discrimen``, else into a folder.

        Raises
        ------
        SettingsError
            If there is no model yet, or a frozen one would have to become a folder.
        OutputError
            If the path is there already, or cannot be written.
        """
        model, path = self.model_, Path(path)
        if path.exists():
            raise OutputError(f"{path}: is there already; choose another output")
        if path.suffix == SUFFIX and model.path.suffix != SUFFIX:
            from discrimen.freezing.freeze import freeze

            freeze(model.path, path)
        elif (path.suffix == SUFFIX) == (model.path.suffix == SUFFIX):
            _copy(model.path, path)
        else:
            raise SettingsError(f"{path}: a frozen model cannot become a folder again; end the name in {SUFFIX}")
        return path

    @classmethod
    def load(cls, path: Path | str, *, threshold: str | float | None = None) -> Self:
        """Return a classifier with the model of a folder, a ``*.discrimen`` or a ``*.onnx``."""
        made = cls(None if Path(path).is_file() else path, threshold=threshold)
        made._model = load(path)
        return made

    @property
    def model_(self) -> Model:
        """The model.

        Raises
        ------
        SettingsError
            If there is none yet.
        """
        if self._model is None:
            raise SettingsError("there is no model yet: call fit, or load one")
        return self._model

    @property
    def classes_(self) -> NDArray[np.int8]:
        """What :meth:`predict` returns for each column of :meth:`predict_proba`: values of Label, shape (class,)."""
        names = self.model_.description.classes
        known = {label.name.lower(): int(label) for label in Label}
        return np.array([known.get(name, number) for number, name in enumerate(names)], np.int8)

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002
        """Return what the classifier was made with, by name."""
        return {name: getattr(self, name) for name in _OWN} | self._config

    def set_params(self, **params: Any) -> Self:
        """Change what the next :meth:`fit` and :meth:`predict` do."""
        for name, value in params.items():
            if name in _OWN:
                setattr(self, name, value)
            else:
                self._config[name] = value
        return self

    def summary(self) -> dict[str, str]:
        """Return what it was made with, and its model, for people."""
        given = {name: value for name, value in self.get_params().items() if value not in (None, False)}
        told = {"made with": ", ".join(f"{name}={value!s:.40}" for name, value in given.items()) or "defaults"}
        return told | ({"model": "none yet, call fit"} if self._model is None else self._model.summary())

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that this is a classifier of two-dimensional arrays."""
        tags = require_module("sklearn.utils", extra="analysis")
        return tags.Tags(
            estimator_type="classifier",
            target_tags=tags.TargetTags(required=False),
            classifier_tags=tags.ClassifierTags(multi_class=False),
            input_tags=tags.InputTags(two_d_array=True),
        )

    def _labels(self, pulses: Taken, y: NDArray[Any] | None) -> NDArray[np.int8]:
        if y is not None:
            return np.asarray(y)
        if isinstance(pulses, Dataset):
            return pulses.pulses.column("label")
        if isinstance(pulses, Pulses):
            return pulses.column("label")
        raise DataError("an array has no labels: give y, 0 for gamma and 1 for neutron")

    def _labelled(self, pulses: Taken, y: NDArray[Any] | None) -> Dataset:
        label = self._labels(pulses, y)
        dataset = pulses if isinstance(pulses, Dataset) else self._dataset(pulses)
        if label.shape != (len(dataset),):
            raise DataError(f"expected a label for each of {len(dataset)} pulses, got shape {label.shape}")
        return replace(dataset, pulses=dataset.pulses.replace(label=label))

    def _dataset(self, pulses: Pulses | NDArray[Any]) -> Dataset:
        """Return pulses of nobody's file as a data set, known by the hash of their samples."""
        known = self.settings or DetectorSettings()
        raw = pulses if isinstance(pulses, Pulses) else _of_array(pulses, known)
        if raw.run is None:
            raw = raw.replace(run=np.zeros(len(raw), np.int32))
        digest = hashlib.sha256(np.ascontiguousarray(raw.samples).data).hexdigest()
        file = {"name": "pulses in memory", "sha256": digest, "n_pulses": len(raw)}
        settings = known.merged(sample_period_ns=raw.sample_period_ns)
        return Dataset(pulses=raw, settings=settings, files=(file,), n_unlabelled=0)

    def _samples(self, pulses: Taken) -> NDArray[Any]:
        if isinstance(pulses, Dataset):
            where = ", ".join(str(file["name"]) for file in pulses.files)
            require_compatible(self.model_.description, pulses.pulses, pulses.settings, where=where)
            return pulses.pulses.samples
        if isinstance(pulses, Pulses):
            settings = self.settings or DetectorSettings()
            require_compatible(self.model_.description, pulses, settings, where="pulses in memory")
            return pulses.samples
        return np.asarray(pulses)


def _folder_of(classifier: PulseClassifier) -> Path:
    """Return a new folder that goes when the classifier goes."""
    made = mkdtemp(prefix="discrimen-")
    finalize(classifier, shutil.rmtree, made, ignore_errors=True)
    return Path(made) / "model"


def _of_array(samples: NDArray[Any], settings: DetectorSettings) -> Pulses:
    if settings.sample_period_ns is None:
        raise SettingsError(
            "an array does not say how it was digitised: give settings=DetectorSettings(sample_period_ns=..., "
            "polarity=..., pretrigger_ns=...)"
        )
    values = np.asarray(samples)
    return Pulses(
        samples=values.astype(np.float32) if values.dtype == np.float64 else values,
        sample_period_ns=settings.sample_period_ns,
    )


def _copy(source: Path, target: Path) -> None:
    try:
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copyfile(source, target)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written: {error}") from error
