"""Arguments and options that several commands share."""

from typing import Annotated

import typer

PipelineName = Annotated[str, typer.Argument(help="Pipeline: a name, or a path to a YAML file.")]
Overrides = Annotated[
    list[str] | None, typer.Argument(help="Overrides: dotted.key=value.", show_default=False)
]
Workers = Annotated[
    str,
    typer.Option(help="Local processes (2), in-process, ray or ray://HOST:PORT."),
]
RunRef = Annotated[str, typer.Argument(help="Run: id, name, latest, latest~1 or best.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit 4 if any example was quarantined.")]
Experiment = Annotated[str | None, typer.Option(help="Experiment that the run belongs to.")]
LabelRevision = Annotated[
    int | None,
    typer.Option(help="Label revision: a place in the ledger, 0 as the data came; default: now."),
]
