"""Weights from files: what is read, what is refused, and how a misfit is told."""

import os
import pickle
from pathlib import Path
from random import Random

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from gapwise.errors import PipelineError, StorageError
from gapwise.networks.base import NETWORKS
from gapwise.networks.pretrained import differences, load_weights, read_weights, to_ours

State = dict[str, Tensor]


def lenet(outputs: int = 10, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return NETWORKS.get("lenet5")(input_shape=(1, 28, 28), outputs=outputs)


def equal(a: State, b: State) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_safetensors_are_read(tmp_path: Path) -> None:
    state = lenet().state_dict()
    save_file(state, tmp_path / "weights.safetensors")
    assert equal(read_weights(tmp_path / "weights.safetensors"), state)


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize("nested", [True, False])
def test_state_dicts_are_read_in_both_of_torchs_formats(
    tmp_path: Path, new: bool, nested: bool
) -> None:
    state = lenet().state_dict()
    content = {"epoch": 3, "state_dict": state} if nested else state
    torch.save(content, tmp_path / "weights.pt", _use_new_zipfile_serialization=new)
    assert equal(read_weights(tmp_path / "weights.pt"), state)


def test_weights_of_a_network_trained_by_several_processes_lose_their_prefix(
    tmp_path: Path,
) -> None:
    state = lenet().state_dict()
    torch.save({f"module.{name}": value for name, value in state.items()}, tmp_path / "w.pt")
    assert equal(read_weights(tmp_path / "w.pt"), state)


class Evil:
    """What runs when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> object:
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("by", ["torch", "pickle"])
def test_a1_code_in_a_file_is_not_run(tmp_path: Path, by: str) -> None:
    content = {"weight": torch.ones(1), "evil": Evil(tmp_path / "ran")}
    if by == "torch":
        torch.save(content, tmp_path / "w.pt")
    else:
        (tmp_path / "w.pt").write_bytes(pickle.dumps(content))
    with pytest.raises(StorageError, match=r"w\.pt hold more than tensors, so that reading"):
        read_weights(tmp_path / "w.pt")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("kind", ["zip", "pickle", "safetensors"])
def test_a2_no_damaged_byte_leads_to_any_other_error(tmp_path: Path, kind: str) -> None:
    path, state = tmp_path / "weights", {"a.weight": torch.ones(4, 3), "b": torch.ones(2)}
    if kind == "safetensors":
        save_file(state, path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=kind == "zip")
    whole, random = path.read_bytes(), Random(0)
    refused = 0
    for _ in range(400):
        content = bytearray(whole)
        content[random.randrange(len(content))] = random.randrange(256)
        path.write_bytes(content)
        try:
            read_weights(path)
        except StorageError:
            refused += 1
    assert refused > 100


@pytest.mark.parametrize("cut", [0, 3, 60, 5000])
@pytest.mark.parametrize("name", ["w.pt", "w.safetensors"])
def test_a_damaged_file_is_named(tmp_path: Path, cut: int, name: str) -> None:
    path = tmp_path / name
    if name.endswith(".pt"):
        torch.save(lenet().state_dict(), path)
    else:
        save_file(lenet().state_dict(), path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(StorageError, match=rf"weights .*{name} are neither safetensors nor"):
        read_weights(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"none\.pt cannot be read: No such file"):
        read_weights(tmp_path / "none.pt")
    with pytest.raises(StorageError, match="cannot be read: Is a directory; check the path"):
        read_weights(tmp_path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ([torch.ones(1)], "hold a list and no named tensors"),
        ({}, "hold a dict and no named tensors"),
        ({"weight": torch.ones(1), "lr": 0.1}, "lr is a float, but must be a tensor"),
        ({3: torch.ones(1)}, "3 is a Tensor, but must be"),
    ],
)
def test_what_holds_no_named_tensors_is_refused(tmp_path: Path, content: object, says: str) -> None:
    torch.save(content, tmp_path / "w.pt")
    with pytest.raises(StorageError, match=says):
        read_weights(tmp_path / "w.pt")


def test_loading_gives_the_same_network() -> None:
    first, second = lenet(seed=0), lenet(seed=1)
    x = torch.randn(2, 1, 28, 28)
    assert not torch.equal(first(x), second(x))
    load_weights("lenet5", second, first.state_dict())
    assert torch.equal(first(x), second(x))


def test_torchvisions_names_are_ours_after_loading() -> None:
    torch.manual_seed(0)
    network = NETWORKS.get("alexnet")(input_shape=(3, 32, 32), outputs=10, size="small")
    assert to_ours("lenet5", {"C1.weight": torch.ones(1)}).keys() == {"C1.weight"}
    state = network.state_dict()
    assert to_ours("alexnet", state).keys() == state.keys(), "ours stay as they are"


def test_a_misfit_names_missing_unexpected_and_shapes_a_few_of_each() -> None:
    network = lenet()
    state: State = dict(lenet(outputs=3).state_dict())
    for name in ("C1.weight", "C1.bias"):
        del state[name]
    state |= {f"other{i}": torch.ones(1) for i in range(8)}
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(PipelineError) as caught:
        load_weights("lenet5", network, state)
    told = str(caught.value)
    assert told.startswith("the weights do not fit network lenet5: 2 missing (C1.bias, C1.weight)")
    assert "8 unexpected (other0, other1, other2, other3, other4 and 3 more)" in told
    assert "output.weight (3, 84) in place of (10, 84)" in told
    assert "\n" not in told
    assert equal(dict(network.state_dict()), before), "nothing was taken over"


def test_how_many_batches_a_norm_saw_may_be_missing() -> None:
    network = NETWORKS.get("small-cnn")(input_shape=(1, 8, 8), outputs=2)
    state = dict(network.state_dict())
    old = {name: value for name, value in state.items() if "num_batches" not in name}
    assert len(old) < len(state)
    assert differences(state, old) == ""
    load_weights("small-cnn", network, old)


def test_names_from_a_file_are_told_as_text() -> None:
    told = differences({}, {"a\x1b[31m\nb": torch.ones(1)})
    assert told == "1 unexpected (a\\x1b[31m\\nb)"
