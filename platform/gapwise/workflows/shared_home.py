"""A mark in the home, by which a worker knows that it sees the driver's own folder (FAULTS W4).

The same path may be another folder on another node: work done there would be lost, or would go on
from what somebody else left.
"""

import socket
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gapwise.errors import UsageError
from gapwise.settings import Settings
from gapwise.tracking.files import naming, write_whole

MARK: Final = ".mark"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A home as its driver sees it."""

    home: str
    mark: str

    def require(self) -> None:
        """Refuse to work where the home is another folder, or none.

        Raises:
            UsageError: it is; names the node and the path.
        """
        try:
            found = (Path(self.home) / MARK).read_text()
        except OSError:
            found = ""
        if found != self.mark:
            raise UsageError(
                f"node {socket.gethostname()} does not see {self.home} as the driver does; mount "
                "one folder there under that path on every node, or set GAPWISE_SHARED to a store "
                "that all of them reach"
            )


def seen(settings: Settings) -> Seen:
    """Return the home with its mark, which is made once.

    Raises:
        StorageError: it cannot be written.
    """
    path = settings.home / MARK
    with naming(path, "write"):
        settings.home.mkdir(parents=True, exist_ok=True)
    if not path.is_file():
        write_whole(path, uuid.uuid4().hex.encode())
    with naming(path, "read"):
        return Seen(home=str(settings.home), mark=path.read_text())
