"""The family of diagnostics: a pure function from stored evidence to findings."""

from collections.abc import Callable

from gapwise.diagnostics.evidence import Evidence
from gapwise.records import Diagnosis, Finding
from gapwise.registry import Family

Diagnostic = Callable[[Evidence, Diagnosis], list[Finding]]

DIAGNOSTICS: Family[Diagnostic] = Family("gapwise.diagnostics", "diagnostic")
