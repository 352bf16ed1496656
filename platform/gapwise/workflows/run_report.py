"""`gapwise report`: all that is known of a run, as one file to mail."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gapwise.errors import StorageError, UsageError
from gapwise.reports import said
from gapwise.reports.markdown import markdown
from gapwise.reports.page import page
from gapwise.settings import Settings
from gapwise.workflows.report_facts import facts_of

SHOWN_ID = 12


@dataclass(frozen=True, kw_only=True)
class Written:
    """What was written.

    Attributes:
        run_id, verdict: of the diagnosis.
        title: the verdict in a few words.
        file: the HTML file.
        markdown: the Markdown file, None where none was asked for.
        size: bytes of the HTML file.
    """

    run_id: str
    verdict: str
    title: str
    file: Path
    markdown: Path | None
    size: int

    def as_json(self) -> dict[str, Any]:
        """Return the document of ``report --json``."""
        return {
            "run_id": self.run_id,
            "verdict": self.verdict,
            "title": self.title,
            "file": str(self.file),
            "markdown": None if self.markdown is None else str(self.markdown),
            "bytes": self.size,
        }


@dataclass(frozen=True, kw_only=True)
class ReportRequest:
    """What ``gapwise report`` was asked for.

    Attributes:
        run: the run; ``latest`` brings its group of seeds.
        output: the HTML file; by default the run's id with ``.html``, which must not be there.
        markdown: whether the same goes into a Markdown file beside it.
        test: whether the test error is shown; the look is counted.
        docs: address that sections of the documentation are linked under.
        experiment: where names of runs are looked up.
    """

    run: str
    output: Path | None = None
    markdown: bool = False
    test: bool = False
    docs: str = ""
    experiment: str | None = None


def write_report(request: ReportRequest, settings: Settings | None = None) -> Written:
    """Write a report of a run.

    Raises:
        UsageError: the run is unknown, or the file cannot be that.
        DataError: the run has no predictions.
        StorageError: the disk refuses.
    """
    if request.docs and not request.docs.startswith(("https://", "http://")):
        raise UsageError(f"--docs {request.docs!r} is no address; write https://…")
    settings = settings or Settings.read()
    facts = facts_of(request.run, settings, test=request.test, docs=request.docs,
                     experiment=request.experiment)  # fmt: skip
    diagnosis = facts.diagnosis
    target = _target(request.output, f"{diagnosis.run_id[:SHOWN_ID]}.html")
    beside = target.with_suffix(".md") if request.markdown else None
    if beside == target:
        raise UsageError(f"--output {target} is the name of the Markdown file; end it with .html")
    content = page(facts).encode()
    _put(target, content)
    if beside is not None:
        _put(beside, markdown(facts).encode())
    return Written(
        run_id=diagnosis.run_id,
        verdict=diagnosis.verdict,
        title=said.title(diagnosis),
        file=target,
        markdown=beside,
        size=len(content),
    )


def _target(output: Path | None, name: str) -> Path:
    target = output or Path(name)
    if output is None and target.exists():
        raise UsageError(f"{target} is there already; name a file with --output")
    if target.is_dir():
        raise UsageError(f"--output {target} is a folder; name a file in it")
    return target


def _put(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; its folder is made."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(content)
        draft.replace(path)
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error.strerror or error}; name another file with --output"
        ) from error
    finally:
        draft.unlink(missing_ok=True)
