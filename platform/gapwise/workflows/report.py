"""A diagnosis for people in Python: reads like the JSON, tabulates, shows itself in a notebook."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

import pandas as pd

from gapwise.records import Diagnosis, plain
from gapwise.workflows.diagnose import diagnose_runs
from gapwise.workflows.session import Session


class Report(Mapping[str, Any]):
    """The document of ``diagnose --json`` as a mapping, with its tables as DataFrames."""

    def __init__(self, diagnosis: Diagnosis) -> None:
        self.diagnosis = diagnosis
        self._document: dict[str, Any] = plain(diagnosis.as_json())

    def as_json(self) -> dict[str, Any]:
        """Return the document of ``gapwise diagnose --json``."""
        return self._document

    @property
    def ladder(self) -> pd.DataFrame:
        """The rungs: error with its 95 % interval and n, as fractions of 1."""
        return pd.DataFrame(self._document["ladder"]).set_index("rung")

    @property
    def gaps(self) -> pd.DataFrame:
        """The gaps with their 95 % intervals, as fractions of 1."""
        return pd.DataFrame(self._document["gaps"]).set_index("name")

    @property
    def table(self) -> pd.DataFrame:
        """Who errs how much, in the general and the target distribution (notes 4.14).

        One line a cell, by row and column; ``why`` says why one has no error or no interval.
        """
        return pd.DataFrame(self._document["table"]).set_index(["row", "column"])

    @property
    def findings(self) -> pd.DataFrame:
        """What the diagnostics say, most severe first."""
        columns = ["diagnostic", "severity", "says"]
        return pd.DataFrame(self._document["findings"], columns=columns)

    def __getitem__(self, key: str) -> Any:
        return self._document[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._document)

    def __len__(self) -> int:
        return len(self._document)

    def __repr__(self) -> str:
        says = [finding.says for finding in self.diagnosis.findings]
        return "\n".join([f"<Report verdict={self['verdict']}>", self.ladder.to_string(), *says])

    def _repr_html_(self) -> str:
        says = "".join(f"<li>{escape(f.says)}</li>" for f in self.diagnosis.findings)
        return f"<ul>{says}</ul>{self.ladder.to_html()}{self.gaps.to_html()}"


def diagnose_for_people(runs: Sequence[str | Session], *, test: bool = False) -> Report:
    """Diagnose runs given by name or as ``gapwise.run`` gave them."""
    refs = [run.run_id if isinstance(run, Session) else run for run in runs] or ["latest"]
    return Report(diagnose_runs(refs, test=test))
