"""How good searches are at equal epochs, by replay of the stored curves of four real tasks.

    python -m benchmarks.search.quality [--repetitions 100] [--tasks digits-mlp …]

Each table holds the dev error after each of 27 epochs of 576 settings, which
``benchmarks.search.tables`` trained. A strategy asks for a setting, and the nearest one of the
table that it has not asked yet answers. What counts is the lowest error that it has seen after so
many epochs of training: a tenth of the budget, the budget (60 trainings to the end), twice and four
times as much. Medians over repetitions, each with a seed of its own.
"""

import argparse
import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.search.tables import EPOCHS, FOLDER, TASKS
from gapwise.pipeline_search import Searched
from gapwise.search.driver import Driver
from gapwise.search.events import Event, Trial
from gapwise.search.plan import RoundPlan, SearchPlan, Shown
from gapwise.search.space import Space, read_space
from gapwise.workers.in_process import InProcess

BUDGET = 60 * EPOCHS
"""Sixty random settings find one of the best twentieth at 95 % (Bergstra and Bengio 2012)."""

SETTINGS = 576
SHARES = (0.1, 1, 2, 4)
RUNGS = (1, 3, 9, EPOCHS)


@dataclass
class Table:
    """The curves of one task, by the places of their settings on each knob."""

    space: Space
    points: NDArray[np.float64]
    curves: list[list[float]]

    def nearest(self, parameters: Mapping[str, Any], asked: set[int]) -> list[float]:
        """Return the curve of the nearest setting that was not asked yet, and note it as asked."""
        point = self.space.point(parameters)
        far = np.abs(self.points - [point[key] for key in self.space.keys]).sum(axis=1)
        far[list(asked)] = np.inf
        found = int(far.argmin())
        asked.add(found)
        return self.curves[found]


@dataclass
class Spent:
    """The lowest error seen after each epoch that was trained.

    Attributes:
        budget: epochs that may be trained.
        asked: settings of the table that were asked.
        floor: an error below which nothing is to be found, so that going on is idle.
    """

    budget: int
    floor: float
    asked: set[int] = field(default_factory=set)
    best: list[float] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        """Whether the budget is spent, or nothing better can be found."""
        if len(self.asked) >= SETTINGS:
            return True
        return len(self.best) >= self.budget or bool(self.best and self.best[-1] <= self.floor)

    def train(self, errors: Sequence[float]) -> None:
        """Count some epochs."""
        for error in errors:
            self.best.append(min(error, self.best[-1] if self.best else 1.0))

    def at(self, share: float) -> float:
        """Return the lowest error within a share of the budget."""
        return self.best[min(int(share * BUDGET), len(self.best)) - 1]

    def reached(self, error: float) -> int | None:
        """Return the epochs until an error was reached; None where it never was."""
        found = np.flatnonzero(np.array(self.best) <= error)
        return int(found[0]) + 1 if len(found) else None


def read_table(name: str) -> Table:
    """Read one task's table."""
    frame = pd.read_parquet(FOLDER / f"{name}.parquet")
    settings = [json.loads(text) for text in frame["parameters"]]
    units = TASKS[name].units
    space = read_space(
        {
            "training.optimizer.lr": Searched(scale="log", low=1e-3, high=1.0),
            "training.optimizer.beta": Searched(scale="one-minus-log", low=0.5, high=0.99),
            "training.batch_size": Searched(scale="power-of-two", low=16, high=128),
            units: Searched(choices=TASKS[name].units_choices),
        }
    )
    points = np.array([list(space.point(one).values()) for one in settings])
    return Table(space=space, points=points, curves=[list(one) for one in frame["dev_error"]])


class _OutOfBudgetError(Exception):
    pass


class _Memory:
    """An event log in memory."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def read(self, study: str, first: int = 0) -> list[Event]:
        return self.events[first:]

    def append(self, study: str, first: int, events: Sequence[Event]) -> Sequence[Event]:
        self.events += events
        return events


@dataclass
class _Replay:
    """Jobs that read the table; each epoch is counted once."""

    table: Table
    spent: Spent
    curves: dict[int, list[float]] = field(default_factory=dict)
    sharing: None = None

    def call(self, trial: Trial, epochs: int) -> tuple[Callable[..., Any], Any]:
        if trial.number not in self.curves:
            self.curves[trial.number] = self.table.nearest(trial.parameters, self.spent.asked)
        curve = self.curves[trial.number]
        return _give, (self.spent, curve[trial.epochs : epochs], curve[:epochs])

    def read(self, value: list[float]) -> Shown:
        return Shown(epochs=len(value), curve=tuple(value), is_over=False, facts={})


def _give(argument: tuple[Spent, list[float], list[float]], context: Any) -> list[float]:
    spent, fresh, curve = argument
    spent.train(fresh)
    return curve


def ours(table: Table, seed: int, spent: Spent, **changes: Any) -> Spent:
    """Search as `gapwise search` does, in rounds of 24, 16, 16, … trials."""
    sampler = changes.pop("sampler", "tpe")
    rounds = [RoundPlan(trials=24, sampler="sobol"), *[RoundPlan(trials=16, sampler=sampler)] * 200]
    log: Any = _Memory()
    plan = SearchPlan(
        space=table.space, rounds=tuple(rounds), rungs=RUNGS, eta=3, seed=seed, examples=1000
    )
    plan = replace(plan, **changes)
    driver = Driver(plan, "replay", log, InProcess(), _Replay(table, spent))
    with contextlib.suppress(_OutOfBudgetError):
        driver.run(lambda: _within(spent))
    return spent


def _within(spent: Spent) -> bool:
    if spent.is_over:
        raise _OutOfBudgetError
    return False


def _plain(sampler: Any, pruner: Any, table: Table, spent: Spent) -> Spent:
    """Search with Optuna, as its documentation shows."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=sampler, pruner=pruner)
    space = table.space
    units = space.keys[-1]
    while not spent.is_over:
        trial = study.ask()
        choice = trial.suggest_categorical("units", list(range(len(space[units].choices))))
        parameters = {
            "training.optimizer.lr": trial.suggest_float("lr", 1e-3, 1.0, log=True),
            "training.optimizer.beta": 1 - trial.suggest_float("1-beta", 0.01, 0.5, log=True),
            "training.batch_size": trial.suggest_int("batch", 16, 128, log=True),
            units: space[units].choices[choice],
        }
        curve, best, pruned = table.nearest(parameters, spent.asked), 1.0, False
        for epoch, error in enumerate(curve, 1):
            spent.train([error])
            best = min(best, error)
            trial.report(best, epoch)
            if epoch < EPOCHS and trial.should_prune():
                pruned = True
                break
        if pruned:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        else:
            study.tell(trial, best)
    return spent


def _optuna(kind: str, hyperband: bool = False) -> Callable[[Table, int, Spent], Spent]:
    def run(table: Table, seed: int, spent: Spent) -> Spent:
        import optuna

        samplers: dict[str, Callable[[], Any]] = {
            "random": lambda: optuna.samplers.RandomSampler(seed=seed),
            "sobol": lambda: optuna.samplers.QMCSampler(seed=seed, scramble=True),
            "tpe": lambda: optuna.samplers.TPESampler(seed=seed),
            "gp": lambda: optuna.samplers.GPSampler(seed=seed),
        }
        pruner = (
            optuna.pruners.HyperbandPruner(1, EPOCHS, 3)
            if hyperband
            else optuna.pruners.NopPruner()
        )
        return _plain(samplers[kind](), pruner, table, spent)

    return run


STRATEGIES: dict[str, Callable[[Table, int, Spent], Spent]] = {
    "gapwise": ours,
    "gapwise, not narrowing": lambda t, s, spent: ours(t, s, spent, narrow=False),
    "random": _optuna("random"),
    "Sobol": _optuna("sobol"),
    "TPE": _optuna("tpe"),
    "TPE + Hyperband": _optuna("tpe", hyperband=True),
    "GP": _optuna("gp"),
}


MOST = {"GP": 1.0}
"""How much of the budget a strategy gets at most: a Gaussian process asks too slowly for more."""


def measure(argument: tuple[str, str, int, float]) -> Spent:
    """Run one repetition."""
    task, name, seed, most = argument
    table = read_table(task)
    most = min(most, MOST.get(name, max(SHARES)))
    floor = min(min(curve) for curve in table.curves)
    return STRATEGIES[name](table, seed, Spent(budget=int(most * BUDGET), floor=floor))


def rows(task: str, names: Sequence[str], repetitions: int, most: float) -> Iterator[list[str]]:
    """Give a row of the table for each strategy."""
    with ProcessPoolExecutor() as pool:
        found = {
            name: list(pool.map(measure, [(task, name, seed, most) for seed in range(repetitions)]))
            for name in names
        }
    goal = float(np.median([one.at(1) for one in found["random"]]))
    for name, spents in found.items():
        reached = [one.reached(goal) or 10**9 for one in spents]
        at = [np.quantile([one.at(share) for one in spents], (0.25, 0.5, 0.75)) for share in SHARES]
        # The higher of the two in the middle: one that never gets there has no number.
        need = sorted(reached)[len(reached) // 2]
        yield [
            task,
            name,
            *(f"{100 * m:.2f} ({100 * lo:.2f}–{100 * hi:.2f})" for lo, m, hi in at),
            f"{need}" if need < 10**9 else "–",
            f"{BUDGET / need:.1f} ×" if need < 10**9 else "–",
        ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=100)
    parser.add_argument("--most", type=float, default=max(SHARES), help="times the budget, at most")
    parser.add_argument("--tasks", nargs="*", default=list(TASKS))
    parser.add_argument("--strategies", nargs="*", default=list(STRATEGIES))
    given = parser.parse_args()
    head = ["task", "strategy", *(f"{share:g} × budget, %" for share in SHARES)]
    print("| " + " | ".join([*head, "epochs to random's error", "faster"]) + " |")
    print("|" + " --- |" * (len(head) + 2))
    for task in given.tasks:
        if not Path(FOLDER / f"{task}.parquet").is_file():
            print(f"{task}: no table yet; make it with python -m benchmarks.search.tables {task}")
            continue
        for row in rows(task, given.strategies, given.repetitions, given.most):
            print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
