"""A new user's first minutes: clone, ``make demo``, with the package cache warm.

Seconds of set-up (everything but the pipelines) and of each training, in a fresh clone and a fresh
``.venv``. Run: ``python -m benchmarks.demo``.
"""

import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
SET_UP, PIPELINE = 180.0, 60.0


def main() -> None:
    """Print the table; exit 1 when a limit is not held."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "gapwise"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("GAPWISE_")}
        environment["GAPWISE_CACHE"] = str(Path(folder) / "cache")
        set_up = _seconds(["make", "install"], clone, environment)
        gapwise = str(clone / ".venv" / "bin" / "gapwise")
        first = _seconds([gapwise, "train", "digits"], clone, environment)
        whole = _seconds(["make", "demo"], clone, environment)
    print("| step | seconds | limit |")
    print("| --- | --- | --- |")
    print(f"| set-up (`.venv`, packages from pip's cache) | {set_up:.0f} | {SET_UP:.0f} |")
    print(f"| `gapwise train digits`, diagnosis printed | {first:.1f} | {PIPELINE:.0f} |")
    print(f"| `make demo`, set-up done | {whole:.1f} | {PIPELINE:.0f} |")
    raise SystemExit(0 if set_up < SET_UP and whole < PIPELINE else 1)


def _seconds(command: list[str], folder: Path, environment: dict[str, str]) -> float:
    begun = time.monotonic()
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(re.sub(r"(?m)^WARNING:.*\n", "", done.stderr))
    return time.monotonic() - begun


if __name__ == "__main__":
    main()
