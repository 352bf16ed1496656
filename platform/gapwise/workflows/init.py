"""`gapwise init`: a commented pipeline for data that nobody has described yet."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from textwrap import wrap
from typing import Any

from gapwise import yaml_reader
from gapwise.errors import StorageError, UsageError, shown
from gapwise.workflows import prepare
from gapwise.workflows.first_values import FirstValues, first_values
from gapwise.workflows.guess import Guess
from gapwise.workflows.guess_data import guess_data

FOLDER = Path("pipelines")


def init(source: Path, output: Path | None = None) -> Path:
    """Write a pipeline that trains on ``source`` as it stands; return its path.

    Args:
        source: a folder of images by class, or a CSV or Parquet manifest.
        output: the file to write; by default ``pipelines/<name of the source>.yaml``.

    Raises:
        DataError: there is nothing that can be trained on, or the label cannot be told.
        UsageError: the file is there already, or its name is no name of a YAML file.
        StorageError: it cannot be written.
    """
    path = output or FOLDER / f"{_name(source)}.yaml"
    if path.suffix not in (".yaml", ".yml"):
        raise UsageError(f"--output {path} must end in .yaml; a pipeline is a YAML file")
    if path.exists():
        raise UsageError(f"{path} is there already; move it away, or name another with --output")
    guess = guess_data(source)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as stream:
            stream.write(pipeline_text(guess, first_values(guess)))
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error.strerror}; name another file with --output"
        ) from error
    prepare.read(str(path))
    return path


def pipeline_text(guess: Guess, start: FirstValues) -> str:
    """Return the pipeline file for what was guessed, with a comment on every choice."""
    lines = [
        "# Written by `gapwise init`. Every line is a starting point: change what you know better.",
        *_head(guess),
        "",
        "data:",
        "  dataset:",
        f"    name: {guess.reader}",
        *(f"    {key}: {value(option)}" for key, option in guess.options.items()),
        _duplicates(guess),
        "",
        *_splits(guess, start),
        "",
        *_task(guess),
        "network:",
        *(f"  {key}: {value(option)}" for key, option in start.network.items()),
        *_other_networks(guess),
        "",
        *_training(start),
        "",
        "# How often do people get it wrong? Once that is measured, the first gap is avoidable",
        "# bias instead of an upper bound (notes 4.7):",
        "# human:",
        '#   - {error: 0.02, n: 200, distribution: target, source: "two of us, 200 examples"}',
    ]
    return "\n".join(lines) + "\n"


def value(option: Any) -> str:
    """Return a value as YAML 1.2 on one line; text is quoted wherever it could be misread."""
    if isinstance(option, str) and re.fullmatch(r"[A-Za-z_/][\w./-]*", option, re.ASCII):
        return option if isinstance(yaml_reader.scalar(option), str) else json.dumps(option)
    if isinstance(option, Mapping):
        return "{" + ", ".join(f"{value(k)}: {value(v)}" for k, v in option.items()) + "}"
    if isinstance(option, list):
        return "[" + ", ".join(map(value, option)) + "]"
    return json.dumps(option, ensure_ascii=False)


def _name(source: Path) -> str:
    """Return a name for the pipeline: the folder's or the file's, in letters and digits."""
    stem = source.absolute().name if source.is_dir() else source.stem
    return re.sub(r"[^A-Za-z0-9]+", "-", stem).strip("-").lower() or "pipeline"


def _head(guess: Guess) -> list[str]:
    says = [f"What was found: {guess.count:,} examples.", *guess.says]
    if guess.sources:
        told = ", ".join(f"{name or '(none)'} {count:,}" for name, count in guess.sources.items())
        says.append(f"Sources: {told}.")
    # A comment ends at the end of its line, whatever names the data holds.
    plain = [shown(" ".join(sentence.split()), 2000) for sentence in says]
    return [
        f"# {line}" for sentence in plain for line in wrap(sentence, 96, subsequent_indent="  ")
    ]


def _splits(guess: Guess, start: FirstValues) -> list[str]:
    lines = ["splits:"]
    if start.target is not None:
        lines += [
            "  # CHOOSE the source that your product will meet: dev and test are drawn from it",
            "  # alone (notes 4.5). Here the rarest was taken; all of them stand above.",
            f"  target: {value(start.target)}",
        ]
    of = "the target" if start.target is not None else "all examples"
    lines += [
        f"  # Starting sizes: {start.why_sizes}.",
        "  # Counts do as well; `gapwise split` shows what the sizes can tell apart.",
        _line("  dev", start.dev, f"share of {of}: what you decide by"),
        _line("  test", start.test, f"share of {of}: the final word; looks at it are counted"),
        _line("  train_dev", start.train_dev, "held out of training: tells variance from mismatch"),
    ]
    if start.target is not None:
        why = "what dev and test leave joins the training data"
        lines.append(_line("  target_in_train", "rest", why))
    return lines


def _task(guess: Guess) -> list[str]:
    """Return the task where it is not the usual one, classification."""
    if not guess.numbers:
        return []
    error = "relative" if guess.positive else "range"
    why = {
        "relative": "an example's error: how far off, as a share of its true value; range, beyond",
        "range": "an example's error: how far off, as a share of the labels' range; beyond",
    }
    lines = ["task:", "  name: regress", _line("  error", error, why[error])]
    if guess.positive:
        lines.append(_line("  log", False, "true learns ratios: for labels of many magnitudes"))
    return [*lines, ""]


def _duplicates(guess: Guess) -> str:
    if len(guess.shape) == 3:
        return _line(
            "  duplicates", "stop", "equal pictures in several splits: stop, drop, or allow"
        )
    # Rows of few features equal each other by chance: stopping there would help nobody.
    return _line("  duplicates", "drop", "equal rows in several splits leave train; stop, allow")


def _other_networks(guess: Guess) -> list[str]:
    if len(guess.shape) == 3:
        return ["  # Others: lenet5, resnet20 (for many pictures; slower), multilayer-perceptron"]
    kind = "linear" if guess.numbers else "logistic"
    return [f"  # hidden: units of each layer; [] makes {kind} regression"]


def _training(start: FirstValues) -> list[str]:
    return [
        "training:",
        _line("  epochs", start.epochs, "passes over the training set"),
        f"  batch_size: {start.batch_size}",
        "  optimizer: {name: adam, lr: 1e-3}",
        _line("  schedule", "cosine", "lowers the learning rate to 0 at the last epoch"),
    ]


def _line(key: str, option: Any, comment: str) -> str:
    return f"{key}: {value(option)}".ljust(24) + f"# {comment}"
