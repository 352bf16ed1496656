"""Looking into a trained network: responses, filters and patches against the network itself."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gapwise.errors import DataError, StorageError, UsageError
from gapwise.networks.base import layers
from gapwise.settings import Settings
from gapwise.training import predict
from gapwise.training.checkpoints import read_checkpoint
from gapwise.workflows import look_inside, opened_network
from gapwise.workflows.opened_network import Inside, open_inside
from gapwise.workflows.train import train

SMALL = ["training.epochs=1", "training.threads=1", "training.device=cpu"]


def opened(folder: Path, *overrides: str) -> Inside:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GAPWISE_HOME", str(folder / "home"))
        patch.setenv("GAPWISE_CACHE", str(folder / "cache"))
        patch.setenv("GAPWISE_MIRROR", "off")
        settings = Settings.read()
        run = train("digits", [*SMALL, *overrides], settings=settings).run_ids[0]
        return open_inside(run, settings)


@pytest.fixture(scope="module")
def cnn(tmp_path_factory: pytest.TempPathFactory) -> Inside:
    return opened(tmp_path_factory.mktemp("cnn"), "network.channels=[6, 8]")


@pytest.fixture(scope="module")
def dense(tmp_path_factory: pytest.TempPathFactory) -> Inside:
    return opened(tmp_path_factory.mktemp("dense"), "network={name: multilayer-perceptron}")


def test_a_response_is_what_the_layer_gives(cnn: Inside) -> None:
    name = cnn.ids[3]
    found = look_inside.respond(cnn, "convolution1", name)
    image = torch.from_numpy(cnn.inputs(np.array([3])))
    with torch.no_grad():
        x = (image.float() - cnn._model.mean) / cnn._model.deviation
        expected = cnn.network.get_submodule("convolution1")(x)[0]
    np.testing.assert_allclose(found.values, expected.numpy(), rtol=1e-5)
    assert found.lowest == pytest.approx(float(expected.min()))
    assert found.most == pytest.approx(float(expected.abs().max()))


def test_a_layer_whose_output_is_written_over_is_seen_as_it_was(cnn: Inside) -> None:
    before = look_inside.respond(cnn, "convolution1_norm", cnn.ids[0]).values
    assert before.min() < 0


def test_patches_are_the_strongest_of_all_dev(cnn: Inside) -> None:
    found = look_inside.strongest(cnn, "convolution1")
    unit = 4
    best = look_inside.patches(cnn, found, "convolution1", unit)
    peaks = {
        name: look_inside.respond(cnn, "convolution1", name).values[unit].max() for name in cnn.ids
    }
    strongest = sorted(peaks.values(), reverse=True)[: len(best)]
    np.testing.assert_allclose([patch.activation for patch in best], strongest, rtol=1e-4)
    assert len(best) == look_inside.PATCHES
    assert peaks[best[0].example_id] == pytest.approx(best[0].activation, rel=1e-4)


def test_a_patch_is_cut_by_the_receptive_field(cnn: Inside) -> None:
    found = look_inside.strongest(cnn, "convolution1")
    for patch in look_inside.patches(cnn, found, "convolution1", 0):
        (top, bottom), (left, right) = patch.rows, patch.columns
        assert bottom - top + 1 <= 3
        assert right - left + 1 <= 3
        whole = cnn.inputs(np.array([cnn.place(patch.example_id)]))[0, 0]
        assert np.array_equal(patch.picture, whole[top : bottom + 1, left : right + 1])
        values = look_inside.respond(cnn, "convolution1", patch.example_id).values[0]
        row, column = np.unravel_index(values.argmax(), values.shape)
        assert top <= row <= bottom
        assert left <= column <= right


@pytest.mark.parametrize(
    "layer", ["convolution1", "pool1", "convolution2", "convolution2_activation"]
)
def test_a_value_depends_on_its_window_and_on_nothing_else(cnn: Inside, layer: str) -> None:
    known = cnn.layer(layer)
    height, width = known.shape[1:]
    image = torch.zeros(1, *cnn.input_shape).normal_(generator=torch.Generator().manual_seed(0))
    image.requires_grad_()
    x = image
    for unit, module in layers(cnn.network):
        # Means let every pixel through where a maximum lets but one.
        pools = isinstance(module, torch.nn.MaxPool2d)
        x = torch.nn.functional.avg_pool2d(x, 2) if pools else module(x)
        if unit == layer:
            break
    place = (height // 2) * width + width // 3
    (gradient,) = torch.autograd.grad(x[0].sum(0).flatten()[place], image)
    (top, bottom), (left, right) = look_inside.window(cnn, known, place)
    reached = gradient[0, 0] != 0
    outside = reached.clone()
    outside[top : bottom + 1, left : right + 1] = False
    assert not outside.any()
    rows, columns = reached.nonzero(as_tuple=True)
    if "activation" not in layer:  # a ReLU may close the way to the corners
        assert (rows.min(), rows.max()) == (top, bottom)
        assert (columns.min(), columns.max()) == (left, right)


def test_the_highest_place_of_a_response_is_its_own(cnn: Inside) -> None:
    found = look_inside.respond(cnn, "convolution1", cnn.ids[5])
    assert np.array_equal(found.at, found.values.reshape(len(found.values), -1).argmax(1))


def test_the_search_is_bounded_and_says_over_what(
    cnn: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(cnn.looked_at()) == len(cnn.ids)
    monkeypatch.setattr(opened_network, "MOST_MACS", 0)
    places = cnn.looked_at()
    assert len(places) == opened_network.LEAST_EXAMPLES
    assert (places[0], places[-1]) == (0, len(cnn.ids) - 1)
    assert len(set(places.tolist())) == len(places)


def test_batches_do_not_change_what_is_strongest(
    cnn: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = look_inside.strongest(cnn, "convolution2")
    monkeypatch.setattr(look_inside, "MOST_VALUES", 1)  # one example at a time
    parts = look_inside.strongest(cnn, "convolution2")
    np.testing.assert_allclose(parts.values, whole.values, rtol=1e-4, atol=1e-5)


def test_a_checkpoint_of_another_network_says_what_does_not_fit(tmp_path: Path) -> None:
    """C1 of version 0.1 was features.0."""
    inside = opened(tmp_path)
    place = Path(next(tmp_path.glob("home/runs/*/checkpoints")))
    saved = read_checkpoint(predict.best_checkpoint(place))
    renamed = {name.replace("convolution1.", "old."): t for name, t in saved.tensors.items()}
    with pytest.raises(StorageError, match=r"1 missing \(.*convolution1.*1 unexpected \(.*old"):
        predict._model(replace(saved, tensors=renamed))
    assert inside.layers


def test_the_first_filters_are_the_first_weights(cnn: Inside, dense: Inside) -> None:
    found = look_inside.first_layer(cnn)
    weight = cnn.network.get_submodule("convolution1").weight.detach().numpy()
    assert (found.name, found.units) == ("convolution1", 6)
    np.testing.assert_array_equal(found.filters[2].weights, weight[2, 0])
    pixels = look_inside.first_layer(dense)
    assert pixels.filters[0].weights.shape == dense.input_shape[1:]
    assert "one weight a pixel" in pixels.says


def test_units_of_a_dense_layer_see_everything(dense: Inside) -> None:
    found = look_inside.respond(dense, "output", dense.ids[0])
    assert found.values.shape == (10,)
    patch = look_inside.patches(dense, look_inside.strongest(dense, "output"), "output", 7)[0]
    assert patch.picture.shape == dense.input_shape[1:]


def test_what_is_not_there_is_refused_by_name(cnn: Inside) -> None:
    with pytest.raises(UsageError, match=r"no layer convolution9; did you mean convolution"):
        look_inside.respond(cnn, "convolution9", cnn.ids[0])
    with pytest.raises(DataError, match="dev has no example nobody"):
        look_inside.respond(cnn, "convolution1", "nobody")
    with pytest.raises(UsageError, match="units 0 to 5, but not 6"):
        look_inside.patches(cnn, look_inside.strongest(cnn, "convolution1"), "convolution1", 6)


def test_the_notes_filters_stand_beside() -> None:
    made = {one.name: one.weights.tolist() for one in look_inside.handmade()}
    assert made["Sobel"] == [[1, 0, -1], [2, 0, -2], [1, 0, -1]]
    assert made["Scharr"] == [[3, 0, -3], [10, 0, -10], [3, 0, -3]]
