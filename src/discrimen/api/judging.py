"""Several models next to each other, a model under distortion, the best network, and positions of hits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from discrimen.api.inputs import Paths, open_all, paths_of
from discrimen.api.model import model_of, names_of, path_of
from discrimen.errors import SettingsError, require_module
from discrimen.inference.load import Model
from discrimen.output.progress import seen_progress
from discrimen.runs.dataset import Dataset

if TYPE_CHECKING:
    from discrimen.api.options import EvaluationOptions, NetworkSearchOptions, ReaderOptions
    from discrimen.benchmark import Bench
    from discrimen.comparison import Comparison
    from discrimen.metrics.drift import Drift
    from discrimen.robustness import Robustness
    from discrimen.runs.hits_dataset import HitsDataset
    from discrimen.scoring.locate import Locating
    from discrimen.search import SearchResult, SearchSpace

Models = Mapping[str, Model | Path | str]


def compare(
    models: Models,
    datasets: Dataset | Mapping[str, Dataset],
    *,
    folder: Path | str | None = None,
    **options: Unpack[EvaluationOptions],
) -> Comparison:
    """Compare models on the same labelled pulses, differences with intervals that know the pulses are the same.

    Parameters
    ----------
    models : mapping of str to Model, Path or str
        By name; the first is the reference.
    datasets : Dataset, or mapping of str to Dataset
        Labelled, one or several by name.
    folder : Path or str, optional
        Where to write the page, comparison.json and the pictures.
    **options
        Energy edges, efficiencies, confidence and seed of :func:`~discrimen.comparison.compare_models`.
    """
    from discrimen.comparison import compare_models, write_comparison

    sets = {"pulses": datasets} if isinstance(datasets, Dataset) else dict(datasets)
    loaded = {name: model_of(model) for name, model in models.items()}
    for dataset in sets.values():
        for model in loaded.values():
            _require_compatible(model, dataset)
    found = compare_models(loaded, sets, **options)
    if folder is not None:
        write_comparison(found, folder)
    return found


def measure_robustness(
    models: Model | Path | str | Models,
    dataset: Dataset,
    *,
    sizes: Mapping[str, Sequence[float]] | None = None,
    efficiency: float = 0.95,
    n_pulses: int = 100_000,
    seed: int = 0,
    folder: Path | str | None = None,
) -> Robustness:
    """Judge models on pulses that are distorted more and more: time, gain, baseline, noise, each by itself.

    Parameters
    ----------
    models : Model, Path or str, or mapping of str to them
        One, or several by name.
    dataset : Dataset
        Labelled pulses that the models have not seen.
    sizes : mapping of str to sequence of float, optional
        By the names in :data:`~discrimen.simulation.distortion.DISTORTIONS`.
    efficiency : float
        Share of the neutrons that the threshold keeps.
    n_pulses : int
        Judge no more than so many, drawn at random.
    seed : int
        Of choice, noise and jitter.
    folder : Path or str, optional
        Where to write robustness.json and its picture.
    """
    from discrimen.robustness import robustness, write_robustness

    several = models if isinstance(models, Mapping) else {Path(path_of(models)).stem: models}
    loaded = {name: model_of(model) for name, model in several.items()}
    for model in loaded.values():
        _require_compatible(model, dataset)
    found = robustness(
        {name: model.predictor for name, model in loaded.items()},
        dataset.pulses,
        settings=dataset.settings,
        sizes=sizes,
        efficiency=efficiency,
        n_pulses=n_pulses,
        seed=seed,
    )
    if folder is not None:
        write_robustness(found, folder)
    return found


def search_networks(
    dataset: Dataset,
    folder: Path | str,
    *,
    space: SearchSpace | Path | str | None = None,
    accept: bool = False,
    **config: Unpack[NetworkSearchOptions],
) -> SearchResult:
    """Search for the best network by trainings; the same call goes on with a search that was ended.

    Parameters
    ----------
    dataset : Dataset
        Labelled.
    folder : Path or str
        For the study and the best model.
    space : SearchSpace, Path or str, optional
        What may be chosen, or its YAML; by default the built-in one.
    accept : bool
        Whether to search in spite of errors that the audit finds in the data.
    **config
        Fields of :class:`~discrimen.search.SearchConfig`.
    """
    require_module("optuna", extra="search")  # what is missing is reported before anything is computed
    from discrimen.audit import audit_dataset, require_sound
    from discrimen.search import BUILT_IN_SPACE, SearchConfig, SearchSpace, read_space, run_search

    wished = SearchConfig(**config)
    chosen = space if isinstance(space, SearchSpace) else read_space(space or BUILT_IN_SPACE)
    parted = wished.training().split_of(dataset.pulses, files=dataset.files)
    audit = audit_dataset(dataset, validation=parted.validation)
    if not accept:
        require_sound(audit)
    provenance = {"files": list(dataset.files), "audit": audit.record()}
    return run_search(dataset, Path(folder), space=chosen, config=wished, provenance=provenance)


def drift(
    model: Model | Path | str,
    good: Paths,
    paths: Paths,
    *,
    window: int = 20_000,
    false_alarm_rate: float = 1e-3,
    **reader: Unpack[ReaderOptions],
) -> dict[str, list[Drift]]:
    """Compare runs with good ones, window by window: whether pulses and scores are still alike.

    Parameters
    ----------
    model : Model, Path or str
        Whose score is watched.
    good : Path, str or sequence of them
        Runs in which all was well.
    paths : Path, str or sequence of them
        Runs to judge.
    window : int
        Pulses to a verdict.
    false_alarm_rate : float
        Of each verdict.
    **reader
        What the files do not say; see :func:`discrimen.api.inputs.inputs_of`.

    Returns
    -------
    dict of str to list of Drift
        The verdicts on each run by its path.
    """
    from discrimen.adaptation.drift_run import reference_of_runs, watch_run

    loaded, judged = model_of(model), {}
    stored = reference_of_runs(open_all(good, **reader), loaded)
    for each in open_all(paths, **reader):
        found = watch_run(each, loaded, stored, window=window, false_alarm_rate=false_alarm_rate)
        judged[str(each.info.path)] = list(found)
    return judged


def bench(model: Model | Path | str, *, seconds: float = 20.0, threads: int = 1, **options: Any) -> Bench:
    """Time a frozen model on every backend that is there, the native engine first.

    Parameters
    ----------
    model : Model, Path or str
        A ``*.discrimen``, loaded or not.
    seconds, threads, **options
        See :func:`discrimen.benchmark.bench`.
    """
    from discrimen.benchmark import bench as time_model

    return time_model(path_of(model), seconds=seconds, threads=threads, **options)


def locate(model: Model | Path | str, paths: Paths, output: Path | str) -> Locating:
    """Write where in a segmented detector the gamma rays of files of hits struck, in mm with errors.

    Parameters
    ----------
    model : Model, Path or str
        Trained for positions.
    paths : Path, str or sequence of them
        Files of hits.
    output : Path or str
        ``.h5``, ``.parquet`` or ``.root``.
    """
    from discrimen.inference.positions import ModelLocator
    from discrimen.scoring.locate import locate_files

    loaded = model_of(model)
    with seen_progress("locating", total=None) as tick:
        return locate_files(
            paths_of(paths),
            ModelLocator(loaded.predictor),
            Path(output),
            model_sha256=loaded.sha256,
            on_progress=tick,
        )


def read_hits(paths: Paths) -> HitsDataset:
    """Read files of hits of segmented detectors into memory.

    Parameters
    ----------
    paths : Path, str or sequence of them
        Channels in another order are put into that of the first file.

    Raises
    ------
    SettingsError
        If a file holds no hits but pulses, which :func:`read` reads.
    """
    from discrimen.runs.hits_dataset import are_hits_files, load_hits

    files = paths_of(paths)
    if not are_hits_files(files):
        raise SettingsError(f"{files[0]}: holds no hits; pulses of single channels are read with read")
    return load_hits(files)


def _require_compatible(model: Model, dataset: Dataset) -> None:
    from discrimen.evaluation.label_trust import require_labels_of_pulses
    from discrimen.inference.compatible import require_compatible

    require_labels_of_pulses(dataset)
    require_compatible(model.description, dataset.pulses, dataset.settings, where=names_of(dataset))
