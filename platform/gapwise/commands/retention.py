"""Old runs go by rule; some never do."""

from pathlib import Path
from typing import Annotated

import typer

from gapwise.commands.options import AsJson, RunRef
from gapwise.terminal import out
from gapwise.terminal.moving import show_pin, show_retired


def retire(  # noqa: PLR0913 - the rule's own options
    experiment: Annotated[
        str | None, typer.Argument(help="Only the runs of this experiment.")
    ] = None,
    days: Annotated[float, typer.Option(help="Runs that ended longer ago.")] = 30.0,
    best: Annotated[int, typer.Option(help="Keep so many best of each experiment.")] = 3,
    latest: Annotated[int, typer.Option(help="Keep so many latest of each experiment.")] = 10,
    archive: Annotated[Path | None, typer.Option(help="Copy them into this folder first.")] = None,
    word: Annotated[str, typer.Option(help="delete-for-good deletes without an archive.")] = "",
    apply: Annotated[bool, typer.Option("--apply", help="Do it; else it is only shown.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show which old runs would go by a rule, and which stay and why; --apply lets them go."""
    from gapwise.workflows.retention import Rule, plan, retired

    judged = plan(Rule(days=days, best=best, latest=latest), experiment)
    out.give(retired(judged, archive, word, does=apply), as_json, show_retired)


def pin(
    run: RunRef,
    off: Annotated[bool, typer.Option("--off", help="Let it go again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Keep a run whatever rule old runs go by."""
    from gapwise.workflows.retention import pin as keep

    out.give(keep(run, on=not off), as_json, show_pin)


COMMANDS = (retire, pin)
