"""What is told of a run to others, and whether it is good enough."""

from pathlib import Path
from typing import Annotated

import typer

from gapwise.commands.options import AsJson, Experiment, RunRef
from gapwise.terminal import out
from gapwise.terminal.gate import show_check, show_promotion, show_report


def report(  # noqa: PLR0913 - one option each
    run: RunRef,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="HTML file; default: the run's id.")
    ] = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Write the same as Markdown beside it.")
    ] = False,
    test: Annotated[
        bool, typer.Option("--test", help="Show the test error; the look is counted.")
    ] = False,
    docs: Annotated[str, typer.Option(help="Address that the documentation is linked at.")] = "",
    experiment: Experiment = None,
    as_json: AsJson = False,
) -> None:
    """Write one HTML file of a run that can be mailed: verdict, ladder, next steps, errors."""
    from gapwise.workflows.run_report import ReportRequest, write_report

    request = ReportRequest(
        run=run, output=output, markdown=markdown, test=test, docs=docs, experiment=experiment
    )
    out.give(write_report(request), as_json, show_report)


def check(  # noqa: PLR0913 - one option each
    run: RunRef,
    against: Annotated[
        str, typer.Option(help="Reference: a run, or best (the best other of the experiment).")
    ],
    split: Annotated[str, typer.Option(help="Split; a look at test is counted.")] = "dev",
    margin: Annotated[
        float, typer.Option(help="How much more error is tolerated: 0.01 is one point.")
    ] = 0.0,
    limit: Annotated[
        list[str] | None, typer.Option(help="A limit, 'METRIC<=NUMBER'; repeatable.")
    ] = None,
    undecided: Annotated[
        str, typer.Option(help="pass or fail: what an undecided rule does.")
    ] = "pass",
    junit: Annotated[Path | None, typer.Option(help="JUnit XML file to write.")] = None,
    experiment: Experiment = None,
    as_json: AsJson = False,
) -> None:
    """Exit 1 if a run is surely worse than a reference, or beyond a limit."""
    from gapwise.workflows import junit as xml
    from gapwise.workflows.check import CheckRequest, check_run

    request = CheckRequest(
        run=run,
        against=against,
        split=split,
        margin=margin,
        limits=tuple(limit or ()),
        undecided=undecided,  # type: ignore[arg-type]  # checked by the workflow
        experiment=experiment,
    )
    found = check_run(request)
    if junit is not None:
        xml.write(found, junit)
    out.give(found, as_json, show_check)
    if not found.passed:
        raise typer.Exit(1)


def promote(  # noqa: PLR0913 - one option each
    run: RunRef,
    alias: Annotated[str, typer.Option("--as", help="Alias that shall name the run: champion.")],
    model: Annotated[
        str | None, typer.Option(help="Registered model; default: the experiment.")
    ] = None,
    reason: Annotated[
        str, typer.Option(help="Why; needed where the numbers do not speak for it.")
    ] = "",
    split: Annotated[str, typer.Option(help="Split; a look at test is counted.")] = "dev",
    margin: Annotated[
        float, typer.Option(help="How much more error is tolerated: 0.01 is one point.")
    ] = 0.0,
    limit: Annotated[
        list[str] | None, typer.Option(help="A limit, 'METRIC<=NUMBER'; repeatable.")
    ] = None,
    experiment: Experiment = None,
    as_json: AsJson = False,
) -> None:
    """Let an alias of MLflow's model registry name a run, if it is surely good enough."""
    from gapwise.workflows.promote import PromoteRequest
    from gapwise.workflows.promote import promote as move

    request = PromoteRequest(
        run=run,
        alias=alias,
        model=model,
        reason=reason,
        split=split,
        margin=margin,
        limits=tuple(limit or ()),
        experiment=experiment,
    )
    out.give(move(request), as_json, show_promotion)


COMMANDS = (report, check, promote)
