"""Examples whose label is probably wrong."""

from typing import Annotated

import typer

from gapwise.commands.options import AsJson, RunRef
from gapwise.terminal import out
from gapwise.terminal.suspects import show_suspects


def suspects(  # noqa: PLR0913 - one option each
    run: RunRef,
    split: Annotated[
        list[str] | None, typer.Option(help="Split; repeatable; default: all. Test is counted.")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="How many; default: all.")] = None,
    also: Annotated[
        list[str] | None, typer.Option(help="A further run whose scores count too; repeatable.")
    ] = None,
    score: Annotated[
        str, typer.Option(help="What ranks: odds, confidence or margin; see docs/suspects.md.")
    ] = "odds",
    folds: Annotated[
        int, typer.Option(help="Judge train by this many networks that did not see it.")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Show the examples whose label is probably wrong, the most suspect first."""
    from gapwise.workflows.suspects import Means
    from gapwise.workflows.suspects import suspects as rank

    means = Means(also=tuple(also or ()), score=score, folds=folds)
    out.give(rank(run, tuple(split or ()), limit, means=means), as_json, show_suspects)


COMMANDS = (suspects,)
