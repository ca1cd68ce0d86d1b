"""Make the pictures of the README from simulated pulses and hits.

    PYTHONPATH=benchmarks python -m readme_pictures [NAME ...] [-o docs/pictures] [--work build/pictures]

(or: ``make pictures``)

What a command has made in the working folder is kept, so that a picture can be drawn again without its training: remove
the folder to begin anew. Everything together takes about half an hour on two cores. Pages are pictured by Chromium;
where that is absent their pictures are left as they are, which is said, and the status is 1.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from readme_pictures.screen import NoChromium
from readme_pictures.small import shrink
from readme_pictures.stories import STORIES, make

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Make the pictures that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(STORIES)}; by default all")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs" / "pictures", help="folder of the pictures")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "pictures", help="folder to work in")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in STORIES]:
        parser.error(f"no picture {unknown[0]}; known: {', '.join(STORIES)}")
    missed = 0
    for name in options.names or STORIES:
        target = options.output / f"{name}.png"
        try:
            make(name, options.work.resolve(), target)
        except NoChromium as error:
            print(f"{target}: NOT MADE: {error}", file=sys.stderr)
            missed += 1
            continue
        print(f"{target}: {shrink(target) / 1000:.0f} kB")
    return min(missed, 1)


if __name__ == "__main__":
    raise SystemExit(main())
