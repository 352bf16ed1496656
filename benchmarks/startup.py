"""How long a command takes before it begins: user time of a Python of its own.

    python -m benchmarks.startup [--repeats N]

The goals are 0.4 s for ``gapwise --help`` and 0.2 s for ``import gapwise``; beside them stands
``python -c pass``, which is what Python itself takes.
"""

import argparse
import resource
import subprocess
import sys
from statistics import median

HELP = "import sys; sys.argv = ['gapwise', '--help']; from gapwise.cli import main; main()"
CODES = {"python -c pass": "pass", "import gapwise": "import gapwise", "gapwise --help": HELP}
GOALS = {"import gapwise": 0.2, "gapwise --help": 0.4}


def user_seconds(code: str) -> float:
    """Return the user time of a Python that runs ``code``, in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, check=False)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def main() -> None:
    """Take turns, and print median and spread of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=9)
    repeats = parser.parse_args().repeats
    took: dict[str, list[float]] = {name: [] for name in CODES}
    for _ in range(repeats):
        for name, code in CODES.items():
            took[name].append(user_seconds(code))
    print(f"{'':<16} {'median':>8} {'low':>8} {'high':>8}  goal   (user s, {repeats} repeats)")
    for name, seconds in took.items():
        goal = f"{GOALS[name]:.1f}" if name in GOALS else ""
        print(f"{name:<16} {median(seconds):8.3f} {min(seconds):8.3f} {max(seconds):8.3f}  {goal}")


if __name__ == "__main__":
    main()
