"""What a finished run is asked, and predictions made elsewhere."""

from pathlib import Path
from typing import Annotated

import typer

from gapwise.commands.options import AsJson, Experiment, LabelRevision, RunRef
from gapwise.terminal import out
from gapwise.terminal.comparison import show_comparison
from gapwise.terminal.diagnosis import show_bayes, show_diagnosis
from gapwise.terminal.files import show_exported, show_predicted, show_recorded


def predict(
    run: RunRef,
    path: Annotated[Path, typer.Argument(help="Folder of images, a manifest, or a table.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Table to write.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write a predictions table for new examples."""
    from gapwise.workflows.predict import predict as apply

    written, count, quarantined = apply(run, path, output)
    document = {"file": str(written), "n": count, "quarantined": quarantined}
    out.give(document, as_json, show_predicted)
    out.say_quarantined(quarantined, str(written.with_suffix(".quarantine.jsonl")))


def record(  # noqa: PLR0913 - one option each
    file: Annotated[Path, typer.Argument(help="Predictions table (Parquet, CSV), `split` column.")],
    experiment: Annotated[str, typer.Option(help="Experiment to file it under.")] = "recorded",
    run_name: Annotated[str | None, typer.Option(help="Name of the run.")] = None,
    dataset: Annotated[
        str | None, typer.Option(help="Dataset (ledger's key); default: the file's stem.")
    ] = None,
    human: Annotated[
        list[str] | None,
        typer.Option(help="Human level: ERROR[:N[:train|target[:NAME]]]; repeatable."),
    ] = None,
    classes: Annotated[
        str | None, typer.Option(help="Class names in the order of the scores, by commas.")
    ] = None,
    media_root: Annotated[Path | None, typer.Option(help="Root of the `media` paths.")] = None,
    same_distribution: Annotated[
        bool, typer.Option("--same-distribution", help="Train and dev are of one distribution.")
    ] = False,
    metric: Annotated[
        list[str] | None,
        typer.Option(help="A metric measured elsewhere, 'latency_p95_ms=80'; repeatable."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Record predictions made elsewhere, so that they get every diagnosis."""
    from gapwise.workflows.record import RecordRequest, record_file

    request = RecordRequest(
        file=file,
        experiment=experiment,
        run_name=run_name,
        dataset=dataset,
        human=tuple(human or ()),
        classes=tuple(classes.split(",")) if classes else (),
        media_root=media_root,
        same_distribution=same_distribution,
        metrics=tuple(metric or ()),
    )
    run_id = record_file(request)
    out.give({"run_id": run_id}, as_json, show_recorded)


def diagnose(
    runs: Annotated[list[str], typer.Argument(help="Runs: ids, names, latest or best.")],
    experiment: Experiment = None,
    test: Annotated[
        bool, typer.Option("--test", help="Look at the test set; it is counted.")
    ] = False,
    by: Annotated[str | None, typer.Option(help="Ladders by class or by source, too.")] = None,
    labels: LabelRevision = None,
    as_json: AsJson = False,
) -> None:
    """Say which gap is largest, how sure that is, and what to do next."""
    from gapwise.workflows.diagnose import diagnose_runs

    found = diagnose_runs(runs, test=test, experiment=experiment, by=by, labels=labels)
    out.give(found, as_json, show_diagnosis)


def bayes(
    run: RunRef,
    annotations: Annotated[
        Path | None, typer.Option(help="CSV: example_id, annotator, label; a row an answer.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Estimate the error that nobody can avoid, where people are surpassed or were not asked."""
    from gapwise.workflows.bayes import bayes as estimate

    out.give(estimate(run, annotations), as_json, show_bayes)


def compare(
    a: RunRef,
    b: RunRef,
    split: Annotated[str, typer.Option(help="Split; a look at test is counted.")] = "dev",
    experiment: Experiment = None,
    labels: LabelRevision = None,
    as_json: AsJson = False,
) -> None:
    """Compare two runs on the same examples: who is better, and which examples flipped."""
    from gapwise.workflows.compare import compare_runs

    out.give(compare_runs(a, b, split, experiment, labels=labels), as_json, show_comparison)


def export(
    run: RunRef,
    to: Annotated[str, typer.Option(help="safetensors or onnx.")] = "safetensors",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write.")] = None,
    as_json: AsJson = False,
) -> None:
    """Export a run's best network and check that its outputs are equal."""
    from gapwise.workflows.export import export as write

    path, difference = write(run, to, output)
    document = {"file": str(path), "format": to, "largest_difference": difference}
    out.give(document, as_json, show_exported)


COMMANDS = (predict, record, diagnose, bayes, compare, export)
