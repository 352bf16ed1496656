"""Style transfer (notes 8)."""

from pathlib import Path
from typing import Annotated, Any

import typer

from gapwise.commands.options import AsJson
from gapwise.terminal import out
from gapwise.terminal.style import show_styled, step_told


def style(  # noqa: PLR0913 - one option each
    content: Annotated[Path, typer.Argument(help="Picture whose content stays.")],
    style: Annotated[Path, typer.Argument(help="Picture whose style it takes.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Picture to write.")],
    run: Annotated[str | None, typer.Option(help="Run whose network tells features.")] = None,
    weights: Annotated[
        Path | None, typer.Option(help="VGG-19 weights (torchvision's file, or safetensors).")
    ] = None,
    content_layer: Annotated[str | None, typer.Option(help="Layer of the content.")] = None,
    style_layer: Annotated[
        list[str] | None, typer.Option(help="Layer of the style, as NAME=WEIGHT; repeatable.")
    ] = None,
    alpha: Annotated[float, typer.Option(help="Weight of the content cost.")] = 1.0,
    beta: Annotated[float, typer.Option(help="Weight of the style cost.")] = 10.0,
    smooth: Annotated[float, typer.Option(help="Weight of smoothness; 0 for none.")] = 0.2,
    steps: Annotated[int, typer.Option(help="Steps of the optimizer.")] = 100,
    optimizer: Annotated[str, typer.Option(help="lbfgs or adam.")] = "lbfgs",
    rate: Annotated[float | None, typer.Option(help="Learning rate.")] = None,
    start: Annotated[str, typer.Option(help="Where the pixels begin: content or noise.")] = (
        "content"
    ),
    seed: Annotated[int, typer.Option(help="Seed of the noise.")] = 0,
    size: Annotated[int, typer.Option(help="Longer side of the picture, in pixels.")] = 256,
    progress: Annotated[
        Path | None, typer.Option(help="Folder for the picture as it is every ten steps.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Give a picture the style of another, by a run's features or VGG-19's (notes 8)."""
    from gapwise.workflows import style as work

    features = work.source(run, weights)
    asked = work.read_pictures(content, style, size)
    steps_told: list[dict[str, Any]] = []

    def told(now: Any) -> None:
        steps_told.append({k: getattr(now, k) for k in ("step", "content", "style", "total")})
        out.say(step_told(steps_told[-1], now.steps))
        if progress is not None:
            work.write_picture(work.as_picture(now.picture), progress / f"step-{now.step:04d}.png")

    options = {
        "content": content_layer,
        "style": work.weighted(style_layer or []),
        "alpha": alpha,
        "beta": beta,
        "smooth": smooth,
        "steps": steps,
        "optimizer": optimizer,
        "rate": rate,
        "start": start,
        "seed": seed,
    }
    made = work.transfer(features, asked, options, told)
    work.write_picture(made, output)
    document = {"file": str(output), "features": features.name, "steps": steps_told}
    out.give(document, as_json, show_styled)


COMMANDS = (style,)
