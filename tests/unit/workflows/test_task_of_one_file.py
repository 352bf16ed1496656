"""A new task is one file: a plug-in's task trains, is diagnosed, searched and shown like ours."""

from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import numpy as np
import pytest

from gapwise import registry
from gapwise.ledger.ledger import Ledger
from gapwise.ledger.tags import book
from gapwise.settings import Settings
from gapwise.tasks.base import TASKS
from gapwise.tracking import predictions as tables
from gapwise.tracking.store import RunStore
from gapwise.workflows.compare import compare_runs
from gapwise.workflows.diagnose import diagnose_runs
from gapwise.workflows.ensemble import ensemble
from gapwise.workflows.example_list import ExampleQuery, listed
from gapwise.workflows.train import train
from gapwise.workflows.trained_run import open_trained, outputs_of

FILE = '''
"""Shortlist: an example is right where its class is among the few that are named."""

import torch
from torch import Tensor
from torch.nn import functional as F

from gapwise.labels import Labels
from gapwise.tasks.base import Task, widened

__all__ = ["Shortlist"]


class Shortlist(Task):
    """Cross-entropy; what is predicted is the class itself where it is on the shortlist."""

    def __init__(self, *, of: int = 2) -> None:
        self._of = of

    def outputs(self, labels: Labels) -> int:
        return len(labels.only)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return F.cross_entropy(widened(outputs), targets, reduction="none")

    def predict(self, outputs: Tensor) -> Tensor:
        return outputs.argmax(1)

    def scores(self, outputs: Tensor) -> Tensor:
        return torch.softmax(widened(outputs), 1)

    def averaged(self, views: Tensor) -> Tensor:
        return torch.softmax(widened(views), 2).mean(0).log()

    def error(self, predicted: Tensor, targets: Tensor) -> Tensor:
        return (predicted != targets).float()

    def judge(self, outputs: Tensor, targets: Tensor):
        judged = super().judge(outputs, targets)
        named = outputs.topk(self._of, 1).indices == targets[:, None]
        return judged._replace(error=1 - named.any(1).float())
'''
SMALL = ["network=multilayer-perceptron", "training.epochs=3", "training.threads=1"]


@pytest.fixture
def _plugged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    package = tmp_path / "plug" / "their_tasks"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text('"""Tasks of somebody else."""\n')
    (package / "shortlist.py").write_text(FILE)
    monkeypatch.syspath_prepend(str(package.parent))
    theirs = EntryPoint(name="theirs", value="their_tasks", group=TASKS.group)

    def both(group: str) -> list[EntryPoint]:
        return [*entry_points(group=group), *([theirs] if group == TASKS.group else [])]

    monkeypatch.setattr(registry, "entry_points", both)
    TASKS.__dict__.pop("_modules", None)
    yield
    TASKS.__dict__.pop("_modules", None)


@pytest.mark.usefixtures("_plugged_in", "home")
def test_a_task_of_one_file_does_all_that_ours_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAPWISE_MIRROR", "off")
    settings = Settings.read()
    plain, short, shorter = (
        train("digits", [*SMALL, f"task={task}"]).run_ids[0]
        for task in ("classify", "{name: shortlist, of: 5}", "shortlist")
    )
    store = RunStore(settings)
    strict, five, two = (
        tables.read(store.open(run).needed_predictions("dev"), split="dev")
        for run in (plain, short, shorter)
    )
    assert np.array_equal(strict.predicted, two.predicted)  # the same weights, judged otherwise
    assert strict.error.mean() > two.error.mean() > five.error.mean() > 0
    rank = (two.scores > np.take_along_axis(two.scores, two.target[:, None], 1)).sum(1)
    assert np.array_equal(two.error, (rank >= 2).astype(float))

    ladder = {rung.rung: rung.error for rung in diagnose_runs([shorter], settings=settings).ladder}
    assert ladder["dev"] == pytest.approx(two.error.mean())
    found = compare_runs(short, shorter, settings=settings)
    assert found.difference == pytest.approx(five.error.mean() - two.error.mean())
    again = train("digits", [*SMALL, "task=shortlist", "seed=1"]).run_ids[0]
    both = ensemble([shorter, again], settings=settings)
    assert set(both.errors) == {shorter, again, both.run_id}
    trained = open_trained(shorter, settings)
    some = trained.prepared().inputs[:4]
    assert outputs_of(trained, some).shape == (4, 10)
    tags = book(Ledger(settings.ledger_url), "digits")
    wrong = listed(store.open(shorter), two, ExampleQuery(view="wrong"), tags)
    assert set(wrong.tolist()) == set(np.flatnonzero(two.error))
