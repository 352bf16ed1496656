"""`gapwise export`: the file alone makes the network again, with equal outputs."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from gapwise.errors import CheckError, StorageError, UsageError
from gapwise.workflows import export_onnx, export_safetensors
from gapwise.workflows.export import OUTPUTS, export
from gapwise.workflows.trained_run import open_trained, outputs_of

Shop = Any


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("which", ["photo_shop", "row_shop"])
def test_safetensors_hold_all_that_makes_the_network_again(
    which: str, folder: Path, request: pytest.FixtureRequest
) -> None:
    shop: Shop = request.getfixturevalue(which)
    path, difference = export(shop.run, "safetensors", settings=shop.settings)
    assert path == Path(f"{shop.run[:12]}.safetensors")
    assert difference == 0
    trained = open_trained(shop.run, shop.settings)
    model = export_safetensors.read(path)
    assert model.spec.classes == trained.model.spec.classes
    inputs = np.array(trained.prepared().inputs[:50])
    with torch.inference_mode():
        outputs = model(torch.from_numpy(inputs))
    assert torch.allclose(outputs, outputs_of(trained, inputs), atol=1e-5)
    facts = export_safetensors.metadata(trained)
    assert json.loads(facts["network"])["name"] == trained.model.spec.network["name"]
    assert len(json.loads(facts["normalisation"])["mean"]) == inputs.shape[1]


@pytest.mark.parametrize("harm", ["deep", "kind", "shape", "text"])
def test_a2_a_file_that_is_no_network_of_ours_is_refused(
    row_shop: Shop, folder: Path, harm: str
) -> None:
    path, _ = export(row_shop.run, "safetensors", settings=row_shop.settings)
    with safe_open(path, framework="pt") as file:
        facts = dict(file.metadata())
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if harm == "deep":
        facts["network"] = "[" * 100_000
    elif harm == "kind":
        facts["input_shape"] = "7"
    elif harm == "shape":
        tensors = {name: tensor[:1] for name, tensor in tensors.items()}
    save_file(tensors, path, facts)
    if harm == "text":
        path.write_text("no tensors")
    with pytest.raises(StorageError, match="is no network that gapwise exported"):
        export_safetensors.read(path)


@pytest.mark.parametrize("which", ["photo_shop", "row_shop"])
def test_onnx_takes_raw_inputs_and_gives_scores(
    which: str, folder: Path, request: pytest.FixtureRequest
) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    shop: Shop = request.getfixturevalue(which)
    path, difference = export(shop.run, "onnx", Path("net.onnx"), settings=shop.settings)
    assert difference < 1e-5
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    trained = open_trained(shop.run, shop.settings)
    raw = np.array(trained.prepared().inputs[:7])
    outputs, scores = session.run(None, {"inputs": raw})
    assert np.allclose(outputs, outputs_of(trained, raw), atol=1e-4)
    assert np.allclose(scores.sum(axis=1), 1, atol=1e-5)
    classes = json.loads(session.get_modelmeta().custom_metadata_map["classes"])
    assert tuple(classes) == trained.model.spec.classes


def test_outputs_that_differ_are_refused_and_nothing_is_left(
    photo_shop: Shop, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(path: Path, inputs: np.ndarray) -> np.ndarray:
        return export_safetensors.outputs(path, inputs) + 1

    monkeypatch.setitem(OUTPUTS, "safetensors", wrong)
    with pytest.raises(CheckError, match="differ by"):
        export(photo_shop.run, "safetensors", settings=photo_shop.settings)
    assert list(folder.iterdir()) == []


def test_what_cannot_be_exported(
    photo_shop: Shop, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = photo_shop.settings
    with pytest.raises(UsageError, match="did you mean onnx"):
        export(photo_shop.run, "onxx", settings=settings)
    with pytest.raises(UsageError, match="that is no file; name one"):
        export(photo_shop.run, "safetensors", Path(), settings=settings)
    taken = Path(f"{photo_shop.run[:12]}.safetensors")
    taken.write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="already; name a file with --output"):
        export(photo_shop.run, "safetensors", settings=settings)
    monkeypatch.setattr(export_onnx, "NEEDED", ("gapwise_has_no_such_module",))
    with pytest.raises(UsageError, match=r"pip install 'gapwise\[onnx\]'"):
        export(photo_shop.run, "onnx", settings=settings)
