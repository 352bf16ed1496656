"""Tell somebody that a training or a search has ended, failed, or changed its verdict.

``GAPWISE_NOTIFY`` names who: the address of a webhook, which gets JSON by POST, or a command, which
gets the JSON on its standard input. It stands in the environment and in no pipeline file, for a
file that runs commands could not be read without trusting it.
"""

import json
import os
import shlex
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from gapwise.errors import GapwiseError, StoppedError, redacted, shown
from gapwise.settings import Settings
from gapwise.tracking.files import read_json, write_json

PATIENCE = 10.0
"""Seconds that a webhook or a command may take; work is never held up for longer."""

Event = Literal["finished", "failed", "verdict-changed"]


@contextmanager
def notifying(what: str, settings: Settings) -> Iterator[Callable[[str], None]]:
    """Tell how the block ends; it passes its verdict to the function that it gets.

    A stop that was asked for is no news. Nobody is told where ``GAPWISE_NOTIFY`` is not set.

    Args:
        what: names the work, as ``search digits``; verdicts are held against the last of that name.
        settings: where the last verdict is kept.
    """
    verdicts: list[str] = []
    try:
        yield verdicts.append
    except StoppedError:
        raise
    except Exception as error:
        _tell(what, "failed", str(error) if isinstance(error, GapwiseError) else repr(error))
        raise
    verdict = verdicts[-1] if verdicts else ""
    _tell(what, _event(what, verdict, settings), verdict)


def _event(what: str, verdict: str, settings: Settings) -> Event:
    """Return whether the verdict is another than the last time, and keep it."""
    if not os.environ.get("GAPWISE_NOTIFY"):
        return "finished"
    path = settings.home / "verdicts.json"
    known: dict[str, str] = read_json(path) if path.is_file() else {}
    before = known.get(what, verdict)
    settings.home.mkdir(parents=True, exist_ok=True)
    write_json(path, known | {what: verdict})
    return "finished" if before == verdict else "verdict-changed"


def _tell(what: str, event: Event, says: str) -> None:
    target = os.environ.get("GAPWISE_NOTIFY", "").strip()
    if not target:
        return
    document = {"event": event, "what": what, "says": redacted(says)}
    body = json.dumps(document).encode()
    try:
        if target.startswith(("http://", "https://")):
            _post(target, body)
        else:
            subprocess.run(
                shlex.split(target), input=body, timeout=PATIENCE, check=True, stdout=sys.stderr
            )
    except (OSError, ValueError, subprocess.SubprocessError, urllib.error.URLError) as error:
        # Whoever is not reached must not undo the work.
        sys.stderr.write(f"GAPWISE_NOTIFY could not be told: {shown(error, 200)}\n")


def _post(address: str, body: bytes) -> None:
    headers: dict[str, Any] = {"Content-Type": "application/json"}
    request = urllib.request.Request(address, data=body, headers=headers, method="POST")
    with urllib.request.urlopen(request, timeout=PATIENCE):
        pass
