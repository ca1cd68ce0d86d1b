"""Commands that pages show: whether the command line of today takes them, with these options and values."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import click
import typer
from pydantic import TypeAdapter, ValidationError

from discrimen.cli.main import app

USAGE_ERROR = typer.BadParameter.__mro__[1]
"""What the command line raises for wrong usage; typer gives it no public name."""

_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:^|(?<=\n\n))(?: {4}.*\n)+", re.MULTILINE)
_INLINE = re.compile(r"`(discrimen [a-z][^`\n]*)`")
_BETWEEN = re.compile(r"\s(?:&&|\||;|>|2>|&)(?:\s|$)")


def commands(text: str) -> list[str]:
    """Return each command of discrimen in the blocks and in the running text of a page, on one line each."""
    found = []
    blocks = [block for _, language, block in _BLOCK.findall(text) if language in ("", "sh", "bash")]
    running = _BLOCK.sub("", text)
    for block in blocks + _INDENTED.findall(running):
        for line in block.replace("\\\n", " ").splitlines():
            found += [part.strip() for part in _BETWEEN.split(_without_comment(line))]
    found += _INLINE.findall(running)
    return [each for each in found if each.startswith("discrimen ")]


def problem(command: str) -> str | None:
    """Say why the command line does not take a command, or return None; nothing is run, and no file is looked for.

    Parameters
    ----------
    command : str
        As somebody types it, from ``discrimen`` on. The name of a command alone, as in running text, is taken.
    """
    name, *arguments = shlex.split(command)
    found: Any = typer.main.get_command(app)
    context = click.Context(found, info_name=name)
    while hasattr(found, "get_command"):
        if not arguments or arguments[0].startswith("-"):
            return None
        name, *arguments = arguments
        found = found.get_command(context, name)
        if found is None:
            return f"no command {name}"
        context = click.Context(found, info_name=name, parent=context)
    return None if arguments in ([], ["-h"], ["--help"]) else next(_problems(found, context, arguments), None)


def _problems(command: Any, context: Any, arguments: list[str]) -> Iterator[str]:
    try:
        given, left, order = command.make_parser(context).parse_args(args=list(arguments))
    except USAGE_ERROR as error:
        yield error.format_message()
        return
    if left:
        yield f"more than it takes: {' '.join(left)}"
    for parameter in command.params:
        value = given.get(parameter.name) if any(each is parameter for each in order) else None
        if value in (None, (), []):
            if parameter.required:
                yield f"without {parameter.opts[0]}"
            continue
        try:
            TypeAdapter(parameter.type_descriptor.annotation).validate_python(value)
        except ValidationError as error:
            yield f"{parameter.opts[0]} {value}: {error.errors()[0]['msg']}"


def _without_comment(line: str) -> str:
    """Cut off what stands behind a # that begins a word."""
    return re.split(r"(?:^|\s)#", line, maxsplit=1)[0]
