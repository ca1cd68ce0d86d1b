"""The command line: one file per subcommand, each parses, calls one function and prints."""

from discrimen.cli.main import main

__all__ = ["main"]
