"""What a report tells of a run: gathered from its diagnosis, its predictions and its folder."""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

import gapwise
from gapwise.diagnostics import parts
from gapwise.diagnostics.errors_by_split import SplitErrors, from_predictions
from gapwise.errors import GapwiseError
from gapwise.forms.words import as_text
from gapwise.ledger import looks
from gapwise.ledger.ledger import Ledger
from gapwise.records import Predictions, Rung
from gapwise.reports.facts import Facts, Line, Part, WrongExample
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
from gapwise.tracking.stored import StoredRun
from gapwise.workflows import example_pictures, labelled
from gapwise.workflows.diagnose import diagnose_runs, find_runs

MOST_CLASSES: Final = 30
MOST_WORST: Final = 24
SHOWN_DIGEST: Final = 16

_COLUMNS: Final = (
    "example_id", "target", "predicted", "error", "weight", "source", "group", "loss",
)  # fmt: skip
"""What is read: scores would be most of a table, and nothing here shows them."""

_VERSION: Final = "gapwise.version."


def facts_of(
    ref: str,
    settings: Settings,
    *,
    test: bool = False,
    docs: str = "",
    experiment: str | None = None,
) -> Facts:
    """Return all that a report tells of a run, or of the group of seeds that ``latest`` brings.

    With several seeds, curves, classes and examples are those of the first.

    Raises:
        UsageError: the run is unknown.
        DataError: it has no predictions.
    """
    store = RunStore(settings)
    runs = find_runs(store, [ref], experiment)
    made = diagnose_runs([run.run_id for run in runs], test=test, settings=settings)
    run = runs[0]
    shown = [split for split in run.splits() if test or split != "test"]
    seen = {split: labelled.read(run, split, settings, columns=_COLUMNS) for split in shown}
    last = "dev" if "dev" in seen else list(seen)[-1]
    classes = _parts(seen, parts.by_class, last)
    return Facts(
        name=run.name,
        experiment=run.experiment,
        dataset=run.dataset,
        when=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(run.started / 1000)),
        took=_took(run),
        diagnosis=made,
        classes=classes[:MOST_CLASSES],
        sources=_parts(seen, _by_source, last),
        left_out=max(0, len(classes) - MOST_CLASSES),
        split=last,
        wrong=int((seen[last].error > 0).sum()),
        n=len(seen[last]),
        worst=_worst(run, seen[last], store),
        curves=_curves(run),
        best_epoch=run.metrics.get("best_epoch"),
        pipeline=_pipeline(run),
        identity=_identity(run),
        versions=_versions(run.tags),
        looks=looks.count(Ledger(settings.ledger_url), run.dataset),
        quarantined=int(run.tags.get("gapwise.quarantined", 0)),
        gapwise=gapwise.__version__,
        docs=docs,
    )


def _by_source(table: Predictions) -> Mapping[str, SplitErrors]:
    return from_predictions(table).by_source


def _parts(
    seen: Mapping[str, Predictions],
    errors: Callable[[Predictions], Mapping[str, SplitErrors]],
    last: str,
) -> list[Part]:
    """Return the errors part by part, the worst in the last split first; none of a single part."""
    found: dict[str, dict[str, Rung]] = {}
    for split, table in seen.items():
        for name, part in errors(table).items():
            found.setdefault(name, {})[split] = _rung(split, part)
    if len(found) < 2:
        return []
    rows = [Part(name=name, errors=errors) for name, errors in found.items()]
    return sorted(rows, key=lambda row: -row.errors[last].error if last in row.errors else 1.0)


def _rung(split: str, part: SplitErrors) -> Rung:
    inside = part.interval
    low, high = (inside.low, inside.high) if inside else (None, None)
    return Rung(rung=split, error=part.rate, low=low, high=high, n=part.n)


def _worst(run: StoredRun, table: Predictions, store: RunStore) -> list[WrongExample]:
    draw = example_pictures.of_run(run, store, table.split)
    found = []
    for row in parts.worst_rows(table, MOST_WORST):
        drawn = draw(str(table.example_id[row]))
        found.append(
            WrongExample(
                example_id=str(table.example_id[row]),
                target=_label(table, table.target[row]),
                predicted=_label(table, table.predicted[row]),
                source="" if table.source is None else str(table.source[row]),
                png=None if drawn is None else example_pictures.png(drawn),
            )
        )
    return found


def _label(table: Predictions, value: Any) -> str:
    if table.labels.kind != "class":
        return as_text(table.labels, value)
    return table.classes[int(value)] if table.classes else str(value)


def _curves(run: StoredRun) -> dict[str, Line]:
    lines = {}
    for split in ("train", "dev"):
        steps, values, _ = run.history(f"{split}_error")
        if len(steps) > 1:
            lines[split] = Line(steps=steps.tolist(), values=values.tolist())
    return lines


def _pipeline(run: StoredRun) -> str:
    with suppress(GapwiseError):
        return run.artifact("pipeline.yaml").read_text(encoding="utf-8")
    return ""


def _identity(run: StoredRun) -> dict[str, str]:
    known = {"command": run.tags.get("mlflow.source.name", "")}
    known["seed"] = "" if run.seed is None else str(run.seed)
    known |= {f"digest of {name}": text for name, text in _digests(run).items()}
    known["digest of splits"] = run.tags.get("gapwise.splits", "")[:SHOWN_DIGEST]
    known["numeric plan"] = _plan(run)
    known["parameters"] = f"{run.metrics['parameters']:,.0f}" if "parameters" in run.metrics else ""
    known["members"] = ", ".join(member[:SHOWN_DIGEST] for member in run.members)
    return {name: text for name, text in known.items() if text}


def _digests(run: StoredRun) -> dict[str, str]:
    prefix = "gapwise.digest."
    return {
        tag.removeprefix(prefix): text[:SHOWN_DIGEST]
        for tag, text in run.tags.items()
        if tag.startswith(prefix)
    }


def _plan(run: StoredRun) -> str:
    with suppress(GapwiseError, OSError, ValueError, KeyError):
        plan = json.loads(run.artifact("job.json").read_text(encoding="utf-8"))["plan"]
        told = [f"{name} {value}" for name, value in plan.items() if value not in (False, True)]
        return ", ".join([*told, *(name for name, value in plan.items() if value is True)])
    return ""


def _versions(tags: Mapping[str, str]) -> dict[str, str]:
    packages = {
        tag.removeprefix(_VERSION): text for tag, text in tags.items() if tag.startswith(_VERSION)
    }
    known = {"versions": ", ".join(f"{name} {text}" for name, text in packages.items())}
    changed = ", with changes not committed" if "gapwise.uncommitted_changes" in tags else ""
    commit = tags.get("mlflow.source.git.commit", "")
    known["commit"] = f"{commit[:SHOWN_DIGEST]}{changed}" if commit else ""
    return {name: text for name, text in known.items() if text}


def _took(run: StoredRun) -> str:
    if run.ended is None or run.kind != "train":
        return ""
    seconds = max(0, (run.ended - run.started) // 1000)
    return (
        f"trained {seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"trained {seconds} s"
    )
