"""The command line; thin: each command calls one workflow and shows what it gives.

Everything heavy is imported inside the commands, so that ``gapwise --help`` stays quick.
"""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from gapwise import terminal
from gapwise.errors import GapwiseError

app = typer.Typer(
    name="gapwise",
    help="Train, track and diagnose: what to do next, how sure that is, what it can gain at most.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

PipelineName = Annotated[str, typer.Argument(help="Pipeline: a name, or a path to a YAML file.")]
Overrides = Annotated[
    list[str] | None, typer.Argument(help="Overrides: dotted.key=value.", show_default=False)
]
RunRef = Annotated[str, typer.Argument(help="Run: id, name, latest, latest~1 or best.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit 4 if any example was quarantined.")]
Experiment = Annotated[str | None, typer.Option(help="Experiment that the run belongs to.")]


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    if debug:
        os.environ["GAPWISE_DEBUG"] = "1"


@app.command()
def init(
    source: Annotated[Path, typer.Argument(help="Folder of images by class, or a CSV/Parquet.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write.")] = None,
) -> None:
    """Write a commented pipeline for your own data."""
    from gapwise.workflows.init import init as run

    path = run(source, output)
    terminal.say(f"Wrote {path}. Next: gapwise data {path}")


@app.command()
def data(pipeline: PipelineName, overrides: Overrides = None, as_json: AsJson = False) -> None:
    """Show shapes, ranges, missing values, classes, duplicates and samples; train nothing."""
    from gapwise.workflows.inspect import inspect_data

    report = inspect_data(pipeline, overrides or ())
    terminal.give(report, as_json, terminal.data_report)


@app.command()
def split(
    pipeline: PipelineName,
    overrides: Overrides = None,
    save: Annotated[Path | None, typer.Option(help="Write the cuts to this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show who trains, decides and judges, and how sure these sizes can make you."""
    from gapwise.workflows.inspect import inspect_split

    report = inspect_split(pipeline, overrides or (), save)
    terminal.give(report, as_json, terminal.split_report)


@app.command()
def train(
    pipeline: PipelineName,
    overrides: Overrides = None,
    seeds: Annotated[int, typer.Option(min=1, help="Train this many seeds, as one group.")] = 1,
    name: Annotated[str | None, typer.Option(help="Name of the run.")] = None,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Train a pipeline, track the run, and say what to do next."""
    from gapwise.workflows.train import train as run

    trained = run(pipeline, overrides or (), seeds=seeds, run_name=name)
    terminal.give(trained, as_json, terminal.trained)
    terminal.check_strict(strict, trained.quarantined)


@app.command()
def resume(
    run: RunRef,
    force: Annotated[bool, typer.Option(help="Go on although plan or versions differ.")] = False,
    accept_data_change: Annotated[
        bool, typer.Option(help="Go on with the run's snapshot although its source changed.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Go on with a training that was stopped or killed."""
    from gapwise.workflows.train import resume as go_on

    trained = go_on(run, force=force, accept_data_change=accept_data_change)
    terminal.give(trained, as_json, terminal.trained)


@app.command()
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
    terminal.give(document, as_json, terminal.predicted)
    terminal.say_quarantined(quarantined, str(written.with_suffix(".quarantine.jsonl")))


@app.command()
def record(  # noqa: PLR0913 - one option each
    file: Annotated[Path, typer.Argument(help="Predictions table (Parquet, CSV), `split` column.")],
    experiment: Annotated[str, typer.Option(help="Experiment to file it under.")] = "recorded",
    run_name: Annotated[str | None, typer.Option(help="Name of the run.")] = None,
    dataset: Annotated[
        str | None, typer.Option(help="Dataset (ledger's key); default: the file's stem.")
    ] = None,
    human: Annotated[
        list[str] | None, typer.Option(help="Human level: ERROR[:N[:train|target]]; repeatable.")
    ] = None,
    classes: Annotated[
        str | None, typer.Option(help="Class names in the order of the scores, by commas.")
    ] = None,
    media_root: Annotated[Path | None, typer.Option(help="Root of the `media` paths.")] = None,
    same_distribution: Annotated[
        bool, typer.Option("--same-distribution", help="Train and dev are of one distribution.")
    ] = False,
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
    )
    run_id = record_file(request)
    terminal.give({"run_id": run_id}, as_json, terminal.recorded)


@app.command()
def diagnose(
    runs: Annotated[list[str], typer.Argument(help="Runs: ids, names, latest or best.")],
    experiment: Experiment = None,
    test: Annotated[
        bool, typer.Option("--test", help="Look at the test set; it is counted.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say which gap is largest, how sure that is, and what to do next."""
    from gapwise.workflows.diagnose import diagnose_runs

    terminal.give(
        diagnose_runs(runs, test=test, experiment=experiment), as_json, terminal.diagnosis
    )


@app.command()
def compare(
    a: RunRef,
    b: RunRef,
    split: Annotated[str, typer.Option(help="Split; a look at test is counted.")] = "dev",
    experiment: Experiment = None,
    as_json: AsJson = False,
) -> None:
    """Compare two runs on the same examples: who is better, and which examples flipped."""
    from gapwise.workflows.compare import compare_runs

    terminal.give(compare_runs(a, b, split, experiment), as_json, terminal.comparison)


@app.command()
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
    terminal.give(document, as_json, terminal.exported)


@app.command()
def dashboard(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 8501,
) -> None:
    """Open the dashboard on 127.0.0.1."""
    from gapwise.workflows.servers import dashboard as serve

    serve(port)


@app.command()
def mlflow(port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 5000) -> None:
    """Open MLflow's own page on the same store."""
    from gapwise.workflows.servers import mlflow as serve

    serve(port)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Check the stores: close runs that died, verify the ledger, send what waits in spools."""
    from gapwise.workflows.doctor import examine

    report = examine()
    terminal.give(report, as_json, terminal.doctor)
    if not report["healthy"]:
        raise typer.Exit(1)


def main() -> None:
    """Run the command line; an error that a user caused is one sentence on stderr."""
    # Threads that spin while they wait starve each other on a busy machine: 1–2 steps a second
    # against 6–7 where four other programs wanted the same two cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    sys.exit(_guarded())


def _guarded() -> int:
    try:
        code: Any = app(standalone_mode=False)
        sys.stdout.flush()
    except GapwiseError as error:
        return terminal.refuse(error, error.exit_code)
    except typer.TyperException as error:
        terminal.usage(error)
        return 2
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except BrokenPipeError:
        # The reader has gone (`| head`): what is left in the buffer must not raise at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return terminal.refuse(error, 5)
    except Exception as error:
        return terminal.refuse(error, 1)
    return code if isinstance(code, int) else 0
