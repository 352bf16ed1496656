"""What the server writes on stderr: one form for all of it, and no secret in any of it."""

import json
import logging
import os
import sys
from datetime import UTC, datetime

from gapwise.errors import redacted


class Lines(logging.Formatter):
    """Time, level, source and what happened; a traceback follows. Secrets are taken out."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as text."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        said = f"{at} {record.levelname} {record.name}: {record.getMessage()}"
        trace = self.formatException(record.exc_info) if record.exc_info else ""
        return redacted("\n".join(filter(None, (said, trace))))


class Documents(logging.Formatter):
    """The same as one JSON document a line, for machines that gather logs."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as JSON."""
        document = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "source": record.name,
            "says": redacted(record.getMessage()),
        }
        if record.exc_info:
            document["trace"] = redacted(self.formatException(record.exc_info))
        return json.dumps(document, ensure_ascii=False)


def set_up() -> None:
    """Let everything of Gapwise's own be written so; ``GAPWISE_LOG=json`` for machines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Documents() if os.environ.get("GAPWISE_LOG") == "json" else Lines())
    log = logging.getLogger("gapwise")
    log.handlers[:] = [handler]
    log.setLevel(logging.INFO)
    log.propagate = False
