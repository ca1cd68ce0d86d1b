"""Reference of the command line, made of the commands themselves: a page each, with every argument and option."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import click

from discrimen.cli.input_options import INPUT_OPTION_NAMES
from discrimen.cli.main import SUBCOMMANDS, app
from site_maker import rst

_INTRODUCTION = """\
Every command takes ``--json`` for its result as one JSON object on standard output, and ``-h`` for its help.
``--debug`` with any command shows the traceback of an error. Exit status: 0 done; 1 the input or the data is at fault,
said in one line; 2 wrong usage; 130 interrupted; 143 ended by SIGTERM.
"""


def pages() -> dict[str, str]:
    """Return the text of each page by its name."""
    import typer

    group: Any = typer.main.get_command(app)
    made = {}
    rows = []
    for name, known in SUBCOMMANDS.items():
        context = click.Context(group, info_name="discrimen")
        command = group.get_command(context, name)
        extra = (
            f"\nIt takes the extra ``{known.extra}``: ``pip install 'discrimen[{known.extra}]'``.\n"
            if known.extra
            else ""
        )
        example = f"\nFor example:\n\n.. code-block:: sh\n\n   discrimen {name} {known.example}\n"
        made[name] = rst.title(f"discrimen {name}") + "\n" + _command(command, name, context, example + extra)
        rows.append(f"   * - :doc:`discrimen {name} <{name}>`\n     - {rst.inline(known.summary)}")
    table = ".. list-table::\n   :widths: 30 70\n\n" + "\n".join(rows) + "\n\n"
    contents = rst.toctree(list(SUBCOMMANDS), ":hidden:")
    made["index"] = rst.title("Command line") + "\n" + _INTRODUCTION + "\n" + table + contents
    return made


def _command(command: Any, name: str, parent: Any, behind_usage: str = "") -> str:
    context = click.Context(command, info_name=name, parent=parent)
    usage = f"discrimen {name} " + " ".join(command.collect_usage_pieces(context))
    text = rst.paragraphs((command.help or "").replace("\b", ""))
    text += f"\n\n.. code-block:: text\n\n   {usage}\n" + behind_usage
    text += f"\n.. program:: discrimen {name}\n\n"
    text += "".join(_section(heading, rows) for heading, rows in _options(command, context))
    for inner in getattr(command, "commands", {}).values():
        text += "\n" + rst.title(f"discrimen {name} {inner.name}", "-") + "\n"
        text += _command(inner, f"{name} {inner.name}", context)
    return text


def _options(command: Any, context: Any) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    parts: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": [], "Options of input files": []}
    takes_inputs = {parameter.name for parameter in command.params}.issuperset(INPUT_OPTION_NAMES)
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if record is not None:
            of_inputs = takes_inputs and parameter.name in INPUT_OPTION_NAMES
            heading = "Options of input files" if of_inputs else "Options"
            parts["Arguments" if parameter.param_type_name == "argument" else heading].append(record)
    yield from ((heading, rows) for heading, rows in parts.items() if rows)


def _section(heading: str, rows: list[tuple[str, str]]) -> str:
    if heading == "Arguments":
        items = [
            f"``{re.sub(r' <.*>', '', written.strip())}``\n   {rst.inline(' '.join(said.split())) or '..'}\n"
            for written, said in rows
        ]
    else:
        items = [
            rst.directive("option", _signature(written), rst.inline(" ".join(said.split()))) for written, said in rows
        ]
    return f".. rubric:: {heading}\n\n" + "\n".join(items) + "\n"


def _signature(written: str) -> str:
    """Return the names of an option as Sphinx takes them apart: commas only between names."""
    return re.sub(r"\s*/\s*(?=--)", ", ", written.replace("\\", "\\\\"))
