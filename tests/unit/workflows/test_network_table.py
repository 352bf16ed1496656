"""gapwise networks: the table, one network layer by layer, and what a wrong name is told."""

import json
import subprocess
import sys

import pytest
from torch import nn

from gapwise.cli import app
from gapwise.errors import PipelineError
from gapwise.networks.base import NETWORKS
from gapwise.terminal.networks import show_networks
from gapwise.workflows.network_table import networks_table

KEYS = {"name", "parameters", "macs", "input", "notes"}

# NETWORKS.md, word for word: name, parameters, input, MACs where they are published.
PUBLISHED = [
    ("happy-cnn", 37_569, [3, 64, 64], None),
    ("functional-cnn", 1_310, [3, 64, 64], None),
    ("multilayer-perceptron", 307_615, [3, 64, 64], None),
    ("lenet5", 61_706, [1, 32, 32], None),
    ("alexnet", 61_100_840, [3, 224, 224], 0.714e9),
    ("vgg16", 138_357_544, [3, 224, 224], 15.47e9),
    ("resnet18", 11_689_512, [3, 224, 224], 1.814e9),
    ("resnet50", 25_557_032, [3, 224, 224], 4.089e9),
    ("inception-no-sides", 6_998_552, [3, 224, 224], 1.583e9),
    ("inception", 13_378_280, [3, 224, 224], 1.583e9),
    ("mobilenet-v1", 4_231_976, [3, 224, 224], 0.569e9),
    ("mobilenet-v2", 3_504_872, [3, 224, 224], 0.301e9),
    ("efficientnet-b0", 5_288_548, [3, 224, 224], 0.386e9),
    ("efficientnet-b7", 66_347_960, [3, 600, 600], None),
]


@pytest.fixture(scope="module")
def rows():
    return {row["name"]: row for row in networks_table()}


@pytest.mark.parametrize(("name", "parameters", "shape", "macs"), PUBLISHED)
def test_the_table_has_the_published_numbers(rows, name, parameters, shape, macs):
    row = rows[name]
    assert row["parameters"] == parameters
    assert row["input"] == shape
    if macs is not None:
        assert row["macs"] == pytest.approx(macs, rel=0.01)


def test_every_row_has_the_documented_keys(rows):
    assert all(row.keys() >= KEYS for row in rows.values())
    assert {row["network"] for row in rows.values()} == set(NETWORKS.names())
    json.dumps(list(rows.values()), allow_nan=False)


def test_a_size_comes_with_its_layers():
    (row,) = networks_table("lenet5")
    assert row.keys() >= KEYS | {"layers"}
    assert [layer["name"] for layer in row["layers"]][:3] == ["C1", "S2", "C1_activation"]
    assert row["layers"][0] == {
        "name": "C1",
        "kind": "5×5 convolution",
        "output": [6, 28, 28],
        "parameters": 156,
        "macs": 117_600,
        "receptive_field": {"size": [5, 5], "stride": [1, 1], "start": [2, 2]},
    }
    assert row["layers"][-1]["receptive_field"] is None
    assert sum(layer["parameters"] for layer in row["layers"]) == row["parameters"]
    assert sum(layer["macs"] for layer in row["layers"]) == row["macs"]


def test_a_network_stands_for_its_first_size():
    (row,) = networks_table("efficientnet")
    assert row["network"] == "efficientnet"
    assert row["name"] == NETWORKS.get("efficientnet").published[0].name


@pytest.mark.parametrize(
    ("name", "near"), [("lenet", "lenet5"), ("resnet19", "resnet1"), ("mobilenet", "mobilenet-v")]
)
def test_an_unknown_name_is_told_its_neighbours(name, near):
    with pytest.raises(
        PipelineError, match=f"network '{name}' is not known; did you mean .*{near}"
    ):
        networks_table(name)


def test_a_network_without_sizes_says_what_it_lacks(monkeypatch):
    class Bare(nn.Module):
        pass

    found = NETWORKS.names
    monkeypatch.setattr(type(NETWORKS), "names", lambda self: [*found(), "zz-bare"])
    get = type(NETWORKS).get
    monkeypatch.setattr(
        type(NETWORKS), "get", lambda self, name: Bare if name == "zz-bare" else get(self, name)
    )
    assert "zz-bare" not in {row["network"] for row in networks_table()}
    with pytest.raises(PipelineError, match="network zz-bare lists no sizes; give its class `publ"):
        networks_table("zz-bare")


def test_people_get_a_line_a_size(rows, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    show_networks(list(rows.values()))
    told = capsys.readouterr().out
    assert max(map(len, told.splitlines())) <= 80
    for name in rows:
        assert f" {name} " in told, "no name is cut at 80 columns"


def test_people_get_a_line_a_layer_and_the_total(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    show_networks(networks_table("lenet5"))
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "LeNet-5 with ReLU, max pooling and dense C3, as the notes advise."
    assert told[2] == "Input 1×32×32, 10 outputs, notes 5.10.1"
    (c3,) = (line for line in told if line.startswith(" C3 "))
    expected = "C3 5×5 convolution 16×10×10 2,416 240,000 14×14 every 2"
    assert " ".join(c3.split()) == expected
    (total,) = (line for line in told if line.startswith(" total"))
    assert total.split() == ["total", "61,706", "416,520"]


def test_people_are_told_of_side_branches(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    show_networks(networks_table("inception"))
    assert "in training" in capsys.readouterr().out


def test_the_command_prints_one_document():
    (command,) = (c for c in app.registered_commands if c.callback.__name__ == "networks")
    assert command.callback.__doc__
    code = "from gapwise.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "networks", "perceptron", "--json"],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    (row,) = json.loads(done.stdout)
    assert (row["parameters"], row["macs"], row["input"], row["notes"]) == (9, 6, [2], "1.3")


def test_the_command_exits_2_for_a_name_that_is_not_known():
    code = "from gapwise.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "networks", "lenet6"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stdout == ""
    assert "did you mean lenet5" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
