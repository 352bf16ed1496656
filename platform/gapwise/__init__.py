"""Gapwise: what should your ML team do next, how sure is that, and what can it gain at most?

From Python::

    import gapwise

    with gapwise.run("my-experiment", dataset="my-data", human=0.05) as run:
        run.predictions("dev", ids, target, scores)
    gapwise.diagnose(run)
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gapwise.workflows.report import Report
    from gapwise.workflows.session import Session

__all__ = ["diagnose", "run"]
__version__ = "0.1.0"


def run(experiment: str, *, dataset: str, **options: Any) -> "Session":
    """Open a run for a training loop of your own; use it in a ``with`` statement.

    Args:
        experiment: the MLflow experiment to file it under.
        dataset: the dataset's name; with an example's id it is the ledger's key.
        options: those of ``gapwise.workflows.session.Session``: ``human``, ``name``, ``seed``,
            ``classes``, ``parameters``, ``same_distribution``.
    """
    from gapwise.workflows.session import Session

    return Session(experiment, dataset=dataset, **options)


def diagnose(*runs: Any, test: bool = False) -> "Report":
    """Diagnose runs: ids, names, ``latest``, or what ``gapwise.run`` gave.

    The result reads like the document of ``gapwise diagnose --json``, gives its tables as pandas
    DataFrames and shows itself in a notebook.
    """
    from gapwise.workflows.report import Report, diagnose_for_people

    report: Report = diagnose_for_people(runs, test=test)
    return report
