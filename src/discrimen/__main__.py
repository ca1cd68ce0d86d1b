"""``python -m discrimen``: the command line."""

from discrimen.cli import main

main()
