"""The report of a stage as files, the same frame for all: JSON, one page of HTML, each picture as PNG and PDF.

A stage gives what was done in sentences, tables of text and pictures; nothing is computed here::

    shown = picture(draw_waveform_pairs(pairs, sample_period_ns=10.0), name="pulses", caption="A gamma and a neutron.")
    page = StagePage(
        title="Denoised pulses",
        done=("10000 of 10000 pulses of run.lh5 denoised by model.discrimen.",),
        tables=(PageTable("Counts", table_of(("run", "pulses"), [("run.lh5", "10000")])),),
        pictures=(shown,),
    )
    write_stage_report(page, folder, name="denoise", values=done.as_dict())
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from discrimen.output.files import write_files
from discrimen.output.page import render_page
from discrimen.output.pictures import Picture, picture_files
from discrimen.output.plain import json_text, plain
from discrimen.output.provenance import command_line, software_versions, utc_now
from discrimen.output.tables import TableRows


@dataclass(frozen=True, slots=True)
class PageTable:
    """A table under its title, and what to know about it."""

    title: str
    rows: TableRows
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageTold:
    """What a stage says of itself on a page that is made elsewhere.

    Parameters
    ----------
    name : str
        Of JSON and page, for example ``denoise``.
    title, done, tables
        See :class:`StagePage`; they come first.
    values : mapping
        Entries of the JSON.
    pulses : tuple of str
        What its input and its output are called in pictures.
    """

    name: str
    title: str
    done: tuple[str, ...] = ()
    tables: tuple[PageTable, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    pulses: tuple[str, str] = ("input", "output")


@dataclass(frozen=True, slots=True, kw_only=True)
class StagePage:
    """What stands on the page.

    Parameters
    ----------
    title : str
        What it is about.
    done : sequence of str
        What was done and what came of it, one sentence or paragraph each.
    tables : sequence of PageTable
        Figures, see :func:`discrimen.output.tables.table_of`.
    notes : sequence of str
        What a reader must know to understand the figures.
    pictures : sequence of Picture
        See :func:`discrimen.output.pictures.picture`.
    origin : mapping of str to plain data
        Where it comes from, for example the model's description; folded up at the end of the page.
    """

    title: str
    done: tuple[str, ...]
    tables: tuple[PageTable, ...] = ()
    notes: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    origin: Mapping[str, Any] = field(default_factory=dict)


def stage_page(page: StagePage) -> str:
    """Return the page as HTML that needs nothing beside it; all text is escaped.

    Raises
    ------
    MissingExtraError
        If Jinja is not installed.
    """
    versions = ", ".join(f"{name} {version}" for name, version in software_versions("numpy").items())
    return render_page(
        "stage.html",
        title=page.title,
        done=page.done,
        tables=page.tables,
        notes=page.notes,
        pictures=page.pictures,
        origin={name: json.dumps(plain(about), indent=1, default=str) for name, about in page.origin.items()},
        made=f"Made {utc_now()} with {versions}.",
    )


def write_stage_report(
    page: StagePage, folder: Path | str, *, name: str, values: Mapping[str, Any]
) -> tuple[Path, ...]:
    """Write ``NAME.json``, ``NAME.html`` and each picture as PNG and PDF into a folder.

    Parameters
    ----------
    page : StagePage
        What to show.
    folder : Path
        Made if need be; files of the same names are replaced.
    name : str
        Of the stage, for example ``denoise``.
    values : mapping
        All figures as plain data, for the JSON; versions and date are added.

    Returns
    -------
    tuple of Path
        The files: JSON, page, pictures.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    MissingExtraError
        If Jinja is not installed.
    """
    about = {"versions": software_versions("numpy"), "created_utc": utc_now(), "command_line": command_line()}
    texts = {f"{name}.json": json_text({**values, **about}), f"{name}.html": stage_page(page)}
    return write_files(folder, {**texts, **picture_files(page.pictures)})
