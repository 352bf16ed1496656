"""Would more data help?"""

from typing import Annotated

import typer

from gapwise.commands.options import AsJson, Overrides, PipelineName
from gapwise.terminal import out
from gapwise.terminal.curve import show_curve


def curve(
    pipeline: PipelineName,
    overrides: Overrides = None,
    sizes: Annotated[
        str | None,
        typer.Option(help="Training examples, by commas: counts, or shares below 1."),
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=1, max=1000, help="Train each size under this many seeds.")
    ] = 3,
    variant: Annotated[
        list[str] | None,
        typer.Option(help="A further curve, by overrides with ; between; repeatable."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Train on growing subsets and forecast what more data would give."""
    from gapwise.workflows.curve import Wanted
    from gapwise.workflows.curve import curve as run

    wanted = Wanted(
        sizes=_numbers(sizes),
        seeds=seeds,
        variants=tuple(tuple(part.strip() for part in one.split(";")) for one in variant or ()),
    )
    out.give(run(pipeline, overrides or (), wanted), as_json, show_curve)


def _numbers(text: str | None) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(",")) if text else ()
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no list of numbers; write it as in 100,200,400 or 0.1,0.5,1.",
            param_hint="--sizes",
        ) from None


COMMANDS = (curve,)
