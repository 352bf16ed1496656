"""Boxes: for other tools, and a classifier slid over a large picture."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gapwise.commands.options import AsJson, RunRef
from gapwise.terminal import out
from gapwise.terminal.detection import show_boxes, show_slid


class BoxFormat(StrEnum):
    """How boxes are written."""

    coco = "coco"
    voc = "voc"


def boxes(
    run: RunRef,
    to: Annotated[BoxFormat, typer.Option(help="Format: coco (JSON) or voc (xml).")],
    output: Annotated[Path, typer.Option("--output", "-o", help="New folder to write.")],
    split: Annotated[str, typer.Option(help="Split; a look at test is counted.")] = "dev",
    as_json: AsJson = False,
) -> None:
    """Write a detector's true and predicted boxes as COCO or VOC has them."""
    from gapwise.workflows.export_boxes import export_boxes

    files, count = export_boxes(run, split, to.value, output)
    out.give({"files": [str(file) for file in files], "n": count}, as_json, show_boxes)


def slide(  # noqa: PLR0913 - one option each
    run: RunRef,
    picture: Annotated[Path, typer.Argument(help="A picture larger than those of the run.")],
    scale: Annotated[
        list[float] | None,
        typer.Option(
            help="Bring the picture to this size, 0.5 for windows of twice the side; repeatable."
        ),
    ] = None,
    least_score: Annotated[float, typer.Option(help="Probability from which it counts.")] = 0.9,
    suppress: Annotated[float, typer.Option(help="Overlap from which two are one.")] = 0.3,
    nothing: Annotated[str, typer.Option(help="A class that stands for nothing.")] = "",
    proposals: Annotated[
        bool, typer.Option("--proposals", help="Look at proposed regions, not at every window.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Slide a run's classifier over a large picture in one pass (notes 6.4, 6.10)."""
    from gapwise.workflows.slide import SlideRequest
    from gapwise.workflows.slide import slide as apply

    request = SlideRequest(
        scales=tuple(scale or (1.0,)),
        least_score=least_score,
        suppress=suppress,
        nothing=nothing,
        proposals=proposals,
    )
    found = [vars(one) for one in apply(run, picture, request)]
    out.give(found, as_json, show_slid)


COMMANDS = (boxes, slide)
