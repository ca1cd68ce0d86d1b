"""Two builds of the engine in turns: how much longer, or shorter, the new one takes a pulse of 75 int16 samples.

Builds the C interface of both as a shared library and one program for each, freezes the networks of ``cpp_header.py``
and lets the programs take turns, old new, new old: what else goes on on the machine meets both. A turn's time is that
of its quickest stretch of calls. Shown are the quickest turns and their ratio, which a busy machine disturbs least,
then median and quartiles of the ratios of all rounds: where these lie far apart, measure again. One core, preparation
included.

    python benchmarks/compare_engines.py OLD [NEW] [--rounds 24] [--only mlp] [--old-models FOLDER] [--json]

OLD and NEW are commits, or folders of a checkout; NEW is this one by default. An engine of another layout of the frozen
file needs files of its own, of the same names, in a folder given by ``--old-models``.
"""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from cpp_header import write_models

REPOSITORY = Path(__file__).parents[1]
AT_ONCE = (4096, 1)
Pair = tuple[Path, Path]
PROGRAM = r"""
#define _POSIX_C_SOURCE 199309L
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "discrimen/discrimen.h"

enum { n_pulses = 4096, n_samples = 75, most_calls = 512, fewest_stretches = 3 };
static int16_t samples[n_pulses * n_samples];
static float scores[n_pulses * 2];

static double now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e9 + time.tv_nsec;
}

/* The quickest stretch of calls of so many pulses, in ns a pulse. */
static double quickest(const discrimen_model *model, discrimen_workspace *workspace, size_t at_once, double budget_ns) {
    const size_t n_calls = n_pulses / at_once < most_calls ? n_pulses / at_once : most_calls;
    const double end = now_ns() + budget_ns;
    double best = 1e300;
    for (int stretch = 0; stretch < fewest_stretches || now_ns() < end; ++stretch) {
        const double start = now_ns();
        for (size_t call = 0; call < n_calls; ++call) {
            const discrimen_pulses pulses =
                discrimen_contiguous(samples + call * at_once * n_samples, at_once, n_samples);
            if (discrimen_classify(model, workspace, &pulses, scores) != DISCRIMEN_OK) return -1;
        }
        const double took = (now_ns() - start) / (double)(n_calls * at_once);
        if (took < best) best = took;
    }
    return best;
}

int main(int count, char **arguments) {
    char why[512] = "expected MODEL SAMPLES AT_ONCE MILLISECONDS";
    FILE *in = count == 5 ? fopen(arguments[2], "rb") : NULL;
    discrimen_model *model = in ? discrimen_load(arguments[1], NULL, why, sizeof why) : NULL;
    discrimen_workspace *workspace = model ? discrimen_workspace_new(model) : NULL;
    if (!workspace || fread(samples, sizeof samples, 1, in) != 1) return fprintf(stderr, "%s\n", why), 1;
    const double best = quickest(model, workspace, strtoul(arguments[3], NULL, 10), atof(arguments[4]) * 1e6);
    printf("%.4f\n", best);
    return best < 0;
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Times of the quickest turns in ns a pulse, and new / old: of these, and of each round."""

    network: str
    at_once: int
    old_ns: float
    new_ns: float
    ratio: float
    ratio_median: float
    ratio_quartiles: tuple[float, float]


def said_by(*command: str | Path, folder: Path = REPOSITORY) -> str:
    """Run a command and return what it prints; end with what it complains of."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} ended with {done.returncode}: {done.stderr or done.stdout}")
    return done.stdout


def sources_of(tree: str, folder: Path) -> Path:
    """Return cpp/ of a folder, or of a commit, unpacked into a folder."""
    if Path(tree).is_dir():
        return (Path(tree) / "cpp").resolve()
    archive = folder / "cpp.tar"
    said_by("git", "archive", "--output", archive, tree, "cpp")
    shutil.unpack_archive(archive, folder, filter="data")
    return folder / "cpp"


def build(tree: str, folder: Path) -> Path:
    """Build an engine and the program that times it; return the program."""
    folder.mkdir()
    sources, cmake = sources_of(tree, folder), shutil.which("cmake") or Path(sys.executable).with_name("cmake")
    parts_left_out = [f"-DDISCRIMEN_{part}=OFF" for part in ("TESTS", "EXAMPLES", "FUZZ")]
    said_by(cmake, "-S", sources, "-B", folder / "build", "-DCMAKE_BUILD_TYPE=Release", *parts_left_out)
    said_by(cmake, "--build", folder / "build", "--target", "discrimen", "-j2")
    (folder / "main.c").write_text(PROGRAM, encoding="utf-8")
    library = ["-L", folder / "build", "-ldiscrimen", f"-Wl,-rpath,{folder / 'build'}"]
    said_by("cc", "-O2", folder / "main.c", "-I", sources / "include", "-o", folder / "main", *library)
    return folder / "main"


def compare(programs: Pair, models: Pair, at_once: int, *, rounds: int, milliseconds: float) -> Comparison:
    """Let the old and the new engine take turns, each being the first in every second round."""
    samples = models[1].with_name("samples")
    times_ns: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds):
        for side in (0, 1) if number % 2 == 0 else (1, 0):
            said = said_by(programs[side], models[side], samples, f"{at_once}", f"{milliseconds}")
            times_ns[side].append(float(said))
    ratios = [new / old for old, new in zip(*times_ns, strict=True)]
    lower, middle, upper = statistics.quantiles(ratios, n=4, method="inclusive")
    old_ns, new_ns = map(min, times_ns)
    return Comparison(
        network=models[1].stem,
        at_once=at_once,
        old_ns=old_ns,
        new_ns=new_ns,
        ratio=new_ns / old_ns,
        ratio_median=middle,
        ratio_quartiles=(lower, upper),
    )


def parsed() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", help="commit or folder")
    parser.add_argument("new", nargs="?", default=str(REPOSITORY), help="commit or folder; this checkout by default")
    parser.add_argument("--rounds", type=int, default=24, help="turns of each engine for each row, at least 2")
    parser.add_argument("--milliseconds", type=float, default=30, help="of a turn")
    parser.add_argument("--only", default="", help="networks whose name begins so")
    parser.add_argument("--old-models", type=Path, help="folder of frozen files for the old engine")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    if arguments.rounds < 2:
        parser.error(f"expected 2 rounds or more, got {arguments.rounds}")
    return arguments


def main() -> None:
    arguments = parsed()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        models = [path for path in write_models(folder) if path.stem.startswith(arguments.only)]
        if not models:
            sys.exit(f"no network has a name that begins with {arguments.only!r}: see networks() in cpp_header.py")
        programs = build(arguments.old, folder / "old"), build(arguments.new, folder / "new")
        old_models = arguments.old_models.resolve() if arguments.old_models else folder
        rows = []
        for model, at_once in itertools.product(models, AT_ONCE):
            pair = (old_models / model.name, model)
            row = compare(programs, pair, at_once, rounds=arguments.rounds, milliseconds=arguments.milliseconds)
            rows.append(row)
            if not arguments.json:
                print(line_of(row), flush=True)
    if arguments.json:
        print(json.dumps([asdict(row) for row in rows], indent=1))


def line_of(row: Comparison) -> str:
    """Write a comparison out."""
    lower, upper = row.ratio_quartiles
    times = f"old {row.old_ns:9.2f} ns  new {row.new_ns:9.2f} ns  new / old {row.ratio:.3f}"
    return (
        f"{row.network:17}{row.at_once:5} at once  {times}  rounds {row.ratio_median:.3f} ({lower:.3f} to {upper:.3f})"
    )


if __name__ == "__main__":
    main()
