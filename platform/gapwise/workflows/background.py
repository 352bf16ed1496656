"""A command in a process of its own, started from a page and watched by its files.

It outlives the page and the server: its output, and at its end its exit code, stand in the home.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from gapwise.errors import BusyError, StorageError
from gapwise.settings import Settings
from gapwise.tracking.files import naming
from gapwise.workflows.author import author

State = Literal["running", "done", "failed", "stopped"]

SILENT: Final = 6 * 3600.0
"""Seconds without a word after which a command without an exit code counts as gone."""

_WRAPPED: Final = """
import os, signal, sys
if os.fork():
    os._exit(0)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
command = os.fork()
if not command:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    os.execv(sys.argv[2], sys.argv[2:])
code = os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])
with open(sys.argv[1], "w") as file:
    file.write(str(code if code >= 0 else 128 - code))
"""
"""Lets the command go and leaves its exit code, whoever is still there to ask. A request to stop
goes to the whole group, and is the command's to answer: this process does not hear it, and none is
lost between fork and exec, as a shell's traps would lose it."""

_STOPPED: Final = (130, 143)


@dataclass(frozen=True, kw_only=True)
class Background:
    """A command that was started: its name, how it stands, its last line, and since when."""

    name: str
    words: tuple[str, ...]
    state: State
    says: str
    started: float = 0.0


def start(name: str, words: Sequence[str], settings: Settings) -> None:
    """Start ``gapwise WORDS`` under a name.

    Raises:
        BusyError: a command of that name is still running.
        StorageError: the home cannot be written.
    """
    before = look(name, settings)
    if before is not None and before.state == "running":
        raise BusyError(f"{' '.join(before.words)} is running already; wait for it")
    folder = _folder(name, settings)
    with naming(folder, "make"):
        folder.mkdir(parents=True, exist_ok=True)
        for old in ("exit", "asked", "group"):
            (folder / old).unlink(missing_ok=True)
        (folder / "words.json").write_text(json.dumps(list(words)))
    command = [sys.executable, "-m", "gapwise", *words]
    with (folder / "log").open("wb") as log:
        try:
            wrapper = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _WRAPPED, str(folder / "exit"), *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=os.environ | {"GAPWISE_AUTHOR": author()},
            )
            wrapper.wait()
        except OSError as error:
            raise StorageError(
                f"cannot start {' '.join(words)}: {error}; try it in a terminal"
            ) from error
    with naming(folder, "write"):
        (folder / "group").write_text(str(wrapper.pid))


def stop(name: str, settings: Settings) -> None:
    """Ask a command to stop, as Ctrl-C would; it saves what it has and goes."""
    found = look(name, settings)
    if found is None or found.state != "running":
        return
    with contextlib.suppress(OSError, ValueError):  # it has just ended
        (_folder(name, settings) / "asked").touch()
        os.killpg(int((_folder(name, settings) / "group").read_text()), signal.SIGTERM)


def all_of(kind: str, settings: Settings) -> list[Background]:
    """Return the commands whose name begins with ``kind``, the latest first."""
    folders = (settings.home / "background").glob(f"{kind}*")
    found = [look(folder.name, settings) for folder in folders]
    there = [one for one in found if one is not None]
    return sorted(there, key=lambda one: one.started, reverse=True)


def look(name: str, settings: Settings) -> Background | None:
    """Return how a command stands; None where none of that name was started."""
    folder = _folder(name, settings)
    try:
        words = tuple(json.loads((folder / "words.json").read_text()))
        text = (folder / "log").read_text(errors="replace")
        spoke = (folder / "log").stat().st_mtime
        started = (folder / "words.json").stat().st_mtime
    except (OSError, ValueError):
        return None
    lines = [line for line in re.split(r"[\r\n]+", text) if line.strip()]
    return Background(
        name=name,
        words=words,
        state=_state(folder, spoke),
        says=lines[-1][:300] if lines else "",
        started=started,
    )


def _state(folder: Path, spoke: float) -> State:
    try:
        ended = int((folder / "exit").read_text())
    except (OSError, ValueError):
        return _without_exit(folder, spoke)
    return "done" if ended == 0 else "stopped" if ended in _STOPPED else "failed"


def _without_exit(folder: Path, spoke: float) -> State:
    """Return how a command stands that left no exit code: it runs, or all of it was killed."""
    try:
        group = int((folder / "group").read_text())
    except (OSError, ValueError):  # it is just being started, or was by an older version
        return "running" if time.time() - spoke < SILENT else "failed"
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return "stopped" if (folder / "asked").exists() else "failed"
    except PermissionError:
        return "failed"  # the number is another user's by now
    return "running"


def _folder(name: str, settings: Settings) -> Path:
    return settings.home / "background" / re.sub(r"[^\w.-]", "_", name)
