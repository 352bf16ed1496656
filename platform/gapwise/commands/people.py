"""Who is it: a verifier's threshold, its gallery, and whom a picture shows (notes 7)."""

from pathlib import Path
from typing import Annotated

import typer

from gapwise.commands.options import AsJson, RunRef
from gapwise.terminal import out
from gapwise.terminal.people import show_enrolled, show_recognised, show_verified


def verify(
    run: RunRef,
    test: Annotated[
        bool, typer.Option("--test", help="Measure on test too; it is counted.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Measure how well a run tells one person from two, with intervals by person."""
    from dataclasses import asdict

    from gapwise.workflows.verification import verify as measure

    out.give(asdict(measure(run, test=test)), as_json, show_verified)


def enroll(
    run: RunRef,
    name: Annotated[str, typer.Argument(help="Whose pictures these are.")],
    pictures: Annotated[list[Path] | None, typer.Argument(help="Pictures, one or more.")] = None,
    forget: Annotated[
        bool, typer.Option("--forget", help="Take the person out, pictures and encodings.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Enroll a person with a verifier, with one picture or more; nothing is trained."""
    from gapwise.workflows.gallery import contents_of, open_gallery

    gallery = open_gallery(run)
    if forget:
        gallery.forget(name)
    else:
        gallery.enroll(name, contents_of(pictures or []))
    found = {"run": gallery.run_id, "people": gallery.people}
    out.give(found, as_json, show_enrolled)


def recognize(
    run: RunRef,
    pictures: Annotated[list[Path], typer.Argument(help="Pictures of somebody.")],
    as_json: AsJson = False,
) -> None:
    """Say whom of the enrolled people each picture shows, or that it is nobody of them."""
    from gapwise.workflows.gallery import contents_of, open_gallery

    gallery = open_gallery(run)
    found = [
        {"picture": called} | vars(gallery.recognise(called, content))
        for called, content in contents_of(pictures)
    ]
    out.give(found, as_json, show_recognised)


COMMANDS = (verify, enroll, recognize)
