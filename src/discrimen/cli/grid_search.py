"""A basis instead of a model: ``locate`` and ``evaluate`` by grid search."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from discrimen.errors import require_module

if TYPE_CHECKING:
    from discrimen.grid_search.locate import GridSearch
    from discrimen.simulation.germanium.crystal import Crystal

OF_GRID_SEARCH = ("adaptive", "interpolate", "latest_ns", "noise_adc", "posterior", "most_chi_square")
OF_MODELS = ("device", "backend", "threads")

AdaptiveOption = Annotated[
    bool, typer.Option("--adaptive", help="With a basis: search a coarse grid first, then around its best point.")
]
InterpolateOption = Annotated[bool, typer.Option(help="With a basis: step off its grid.")]
LatestOption = Annotated[
    float, typer.Option(help="With a basis: hits are up to so many ns later in their record.", min=0)
]
NoiseOption = Annotated[
    float | None,
    typer.Option(
        help="With a basis: noise of a sample in ADC counts; by default measured before the onset.",
        show_default=False,
    ),
]
ChiSquareOption = Annotated[
    float | None,
    typer.Option(
        help="With a basis: no position for hits whose chi-square of a sample is above this, for example 1.2; 1 is "
        "noise alone. Two interactions in one segment, clouds and cross-talk raise it.",
        min=0.1,
        show_default=False,
    ),
]
PosteriorOption = Annotated[
    bool,
    typer.Option(
        "--posterior",
        help="With a basis: the mean over all its points, weighted by their likelihood, with an error; the best at low "
        "energy.",
    ),
]


def grid_search(
    path: Path,
    *,
    adaptive: bool = False,
    interpolate: bool = True,
    latest_ns: float = 10.0,
    noise_adc: float | None = None,
    posterior: bool = False,
    most_chi_square: float | None = None,
) -> tuple[GridSearch, dict[str, Any], Crystal | None]:
    """Return the search of a basis, what a report says of it, and the crystal of the basis, where its file says it.

    Raises
    ------
    MissingExtraError
        If SciPy is missing.
    FormatError
        If the file holds no basis.
    typer.BadParameter
        If the mean of the posterior is to be searched for.
    """
    if posterior and (adaptive or not interpolate or most_chi_square is not None):
        raise typer.BadParameter(
            "--posterior looks at all points: leave out --adaptive, --no-interpolate and --most-chi-square"
        )
    require_module("scipy", extra="germanium")
    from discrimen.grid_search.locate import GridSearch
    from discrimen.grid_search.search import SearchOptions
    from discrimen.simulation.germanium.basis import read_basis

    basis = read_basis(path)
    method = GridSearch(
        basis=basis,
        options=SearchOptions(adaptive=adaptive, interpolate=interpolate),
        latest_ns=latest_ns,
        noise_adc=noise_adc,
        posterior=posterior,
        most_chi_square=most_chi_square,
    )
    told = {
        "name": "mean of the posterior" if posterior else "grid search",
        "basis": path.name,
        "basis_source": basis.source,
        "n_positions": len(basis),
        "adaptive": adaptive,
        "interpolate": interpolate,
        "latest_ns": latest_ns,
        "most_chi_square": most_chi_square,
    }
    return method, told, basis.crystal
