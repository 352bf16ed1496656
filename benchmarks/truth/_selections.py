"""Two causes that lie in choosing: a dev set that was tuned on, and a metric that people reject."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.truth import _plants as plants
from benchmarks.truth._plants import Generator, Planted, Setting
from gapwise.diagnostics.measured import p_value, value_of
from gapwise.diagnostics.measures import measure
from gapwise.diagnostics.metric_check import metric_check
from gapwise.diagnostics.parts import taken
from gapwise.diagnostics.weighing import Weighing
from gapwise.records import Predictions

Numbers = NDArray[np.float64]

STEPS = 40_000
WORN = 120
"""Dev examples that choices are made on."""


def overfit_case(dataset: str, data: Path, generator: Generator) -> Planted:
    """Tune how a network's scores are mixed by dev alone: a try is kept where dev gains."""
    setting = Setting(dataset=dataset, network="logistic-regression", train=4_000, epochs=3)
    case = plants.plant(setting, data, generator)
    worn = taken(case.pools["dev"], np.arange(WORN))
    tables = {**case.pools, "dev": worn}
    logits = {name: _logits(table) for name, table in tables.items()}
    k = logits["dev"].shape[1]
    mixing = np.eye(k)
    best = _error(logits["dev"], worn)
    for _ in range(STEPS):
        tried = mixing.copy()
        tried[tuple(generator.integers(0, k, 2))] += generator.normal(0, 0.5)
        error = _error(logits["dev"] @ tried, worn)
        if error <= best:  # as confident as before: the scores keep their scale
            mixing, best = tried * np.linalg.norm(mixing) / np.linalg.norm(tried), error
    pools = {name: _predicted(table, logits[name] @ mixing) for name, table in tables.items()}
    return replace(case, pools=pools, human=float(pools["train"].error.mean()))


def metric_case(dataset: str, data: Path, generator: Generator) -> tuple[str, float, bool]:
    """Train a network, and set it to say a class that people mind where it but may be that one.

    Returns:
        What the check says of plain error, the true difference of plain error, and whether it can
        be seen: four standard errors of the paired difference, and the weighted error truly
        prefers the other run.
    """
    minded = int(generator.integers(0, 10))
    setting = Setting(
        dataset=dataset,
        network=f"{{name: multilayer-perceptron, hidden: [{generator.integers(8, 33)}]}}",
        train=2_000,
    )
    plain_run = plants.plant(setting, data, generator).pools["dev"]
    logits = _logits(plain_run)
    logits[:, minded] += generator.uniform(1, 3)
    runs = {"plain": plain_run, "minded": _predicted(plain_run, logits)}
    weighings = (Weighing(factor=20.0, true=str(minded), predicted="*"),)
    true = float(runs["minded"].error.mean() - runs["plain"].error.mean())
    weighted = {name: _weighted(table, weighings) for name, table in runs.items()}
    rows = np.sort(generator.permutation(len(runs["plain"]))[:2_000])
    seen = {name: taken(table, rows) for name, table in runs.items()}
    apart = float((runs["plain"].error != runs["minded"].error).mean())
    detectable = true > 4 * np.sqrt(apart / len(rows)) and weighted["minded"] < weighted["plain"]
    plain = measure("error")
    found = metric_check(
        plain,
        {name: value_of(plain, table) for name, table in seen.items()},
        [("minded", "plain")],
        lambda a, b: p_value(plain, seen[a], seen[b]),
    )
    answers = {"contradicts": "wrong metric", "agrees": "right metric"}
    return answers.get(found.pairs[0].answer, "undecided"), true, bool(detectable)


def _weighted(table: Predictions, weighings: tuple[Weighing, ...]) -> float:
    found = value_of(measure("weighted_error"), table, weighings).value
    return float("nan") if found is None else found


def _logits(table: Predictions) -> Numbers:
    assert table.scores is not None
    return np.asarray(np.log(table.scores.astype(np.float64).clip(1e-6)), np.float64)


def _error(logits: Numbers, table: Predictions) -> float:
    return float((logits.argmax(axis=1) != table.target).mean())


def _predicted(table: Predictions, logits: Numbers) -> Predictions:
    """Return the predictions that other logits make."""
    predicted = logits.argmax(axis=1)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return replace(
        table,
        predicted=predicted,
        error=(predicted != table.target).astype(np.float64),
        scores=(powers / powers.sum(axis=1, keepdims=True)).astype(np.float32),
        loss=None,
    )
