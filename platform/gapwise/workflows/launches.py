"""What people launch from a page: a training, a search or one knob, in the background."""

import time
from collections.abc import Sequence

from gapwise.errors import UsageError
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
from gapwise.workflows import background
from gapwise.workflows.background import Background

KIND = "launch-"

ONE = "1"
"""One training at a time, the others wait."""


def launch(words: Sequence[str], settings: Settings) -> str:
    """Start ``gapwise WORDS`` in a process of its own; give the launch's name.

    Raises:
        StorageError: the home cannot be written.
    """
    name = f"{KIND}{time.time_ns() // 1_000_000}"
    background.start(name, words, settings)
    return name


def training(
    pipeline: str, overrides: Sequence[str], seeds: int, workers: str, settings: Settings
) -> str:
    """Launch a training under a name of its own, by which it can go on.

    Where no workers are named, this machine trains one after the other.
    """
    run_name = f"{pipeline}-{time.strftime('%m%d-%H%M%S')}"
    words = ["train", pipeline, *overrides, "--seeds", str(seeds), "--name", run_name]
    return launch([*words, "--workers", workers or settings.workers or ONE], settings)


def search(pipeline: str, overrides: Sequence[str], workers: str, settings: Settings) -> str:
    """Launch a search; one that was stopped goes on."""
    more = ["--workers", workers] if workers else []
    return launch(["search", pipeline, *overrides, *more], settings)


def attempt(run: str, knob: str, settings: Settings) -> str:
    """Launch the trial of one knob."""
    return launch(["try", run, knob], settings)


def launched(settings: Settings) -> list[Background]:
    """Return what was launched, the latest first."""
    return background.all_of(KIND, settings)


def stop(name: str, settings: Settings) -> None:
    """Ask a launch to stop: it saves what it has."""
    background.stop(name, settings)


def go_on(found: Background, settings: Settings) -> str:
    """Go on with a launch that was stopped or has failed.

    Raises:
        UsageError: it never began to train, so there is nothing to go on with.
    """
    if found.words[0] != "train":
        return launch(found.words, settings)
    run_name = found.words[found.words.index("--name") + 1]
    rows = RunStore(settings).rows(None)
    mine = rows[(rows["name"] == run_name) & (rows["status"] != "FINISHED")]
    if mine.empty:
        raise UsageError(
            f"{run_name} had not begun to train, so it cannot go on; start it again above"
        )
    return launch(["resume", str(mine["run_id"].iloc[0])], settings)
