"""Follow the advice, and see what became of it."""

from typing import Annotated

import typer

from gapwise.commands.options import AsJson, RunRef
from gapwise.terminal import out
from gapwise.terminal.advice import show_attempt, show_decided, show_decisions


def try_knob(
    run: RunRef,
    knob: Annotated[str, typer.Argument(help="Knob, as `gapwise diagnose` names it.")],
    new: Annotated[
        str | None, typer.Option("--with", help="Run in which it is turned; nothing is trained.")
    ] = None,
    why: Annotated[str, typer.Option(help="A word for the log.")] = "",
    again: Annotated[
        bool, typer.Option("--again", help="Train although it was tried before.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Turn one knob of a run, compare on the same examples, and write into the decision log."""
    from gapwise.workflows.attempt import attempt

    out.give(attempt(run, knob, new=new, why=why, again=again), as_json, show_attempt)


def decide(
    run: RunRef,
    outcome: Annotated[str, typer.Argument(help="kept, dropped or undecided.")],
    why: Annotated[str, typer.Option(help="Why.")] = "",
    knob: Annotated[
        str | None, typer.Option(help="Which, where several knobs led to that run.")
    ] = None,
    base: Annotated[
        str | None, typer.Option(help="Run that it was turned in, where several are known.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what became of a knob that was tried: whether the run that it led to is kept."""
    from gapwise.records import plain
    from gapwise.workflows.decision_log import decide as note

    out.give(plain(vars(note(run, outcome, why, knob=knob, base=base))), as_json, show_decided)


def decisions(
    experiment: Annotated[str | None, typer.Argument(help="Experiment; default: all.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the decision log: what knobs were to gain, what they gained, and how good advice was."""
    from gapwise.workflows.decision_log import decision_log

    out.give(decision_log(experiment), as_json, show_decisions)


try_knob.__name__ = "try"
COMMANDS = (try_knob, decide, decisions)
