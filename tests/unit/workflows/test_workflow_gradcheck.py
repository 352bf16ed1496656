"""`gapwise gradcheck` on real digits: passes, fails, and is refused."""

import json
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from typer.testing import CliRunner

from gapwise.cli import app
from gapwise.tasks.classify import Classify
from gapwise.workflows.gradcheck import check_gradients

SMALL = ["network=multilayer-perceptron", "network.hidden=[8]", "network.activation=tanh"]


def test_every_parameter_of_a_pipeline_passes(home: Any) -> None:
    report = check_gradients("digits", [*SMALL, "training.l2=0.1"], coordinates=None)
    assert report.passed
    assert [p.checked for p in report.parameters] == [64 * 8, 8, 8 * 10, 10]
    assert max(p.difference for p in report.parameters) < 1e-7
    assert (report.examples, report.l2, report.layers) == (16, 0.1, ())


def test_a_wrong_loss_ends_with_1_and_is_named(home: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(self: Classify, outputs: Tensor, targets: Tensor) -> Tensor:
        return F.cross_entropy(outputs * (1 + 0.01 * outputs.detach()), targets, reduction="none")

    monkeypatch.setattr(Classify, "training_loss", wrong)
    result = CliRunner().invoke(app, ["gradcheck", "digits", *SMALL, "--json"])
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert document["passed"] is False
    assert "wrong" in {parameter["verdict"] for parameter in document["parameters"]}
    assert {layer["name"] for layer in document["layers"]} == {"loss"}


def test_dropout_is_refused_with_the_mend(home: Any) -> None:
    from gapwise.errors import UsageError

    with pytest.raises(UsageError, match=r"drops a share of 0\.2 .* network\.dropout=0"):
        check_gradients("digits", ["network.dropout=0.2"], coordinates=1)


def test_torch_keeps_its_threads(home: Any) -> None:
    before = torch.get_num_threads()
    check_gradients("digits", [*SMALL, "training.threads=1"], coordinates=1)
    assert torch.get_num_threads() == before
