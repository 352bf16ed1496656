"""Networks on sequences, sentences, volumes, and pictures with columns."""

import pytest
import torch

from gapwise.errors import PipelineError
from gapwise.networks.base import NETWORKS
from gapwise.networks.describe import describe
from gapwise.networks.hybrid import Hybrid
from gapwise.networks.recurrent import Read, Recurrent
from gapwise.networks.temporal_cnn import TemporalCnn
from gapwise.networks.voxel_cnn import VoxelCnn
from gapwise.networks.word_vectors import WordVectors, takes_words


def test_words_that_share_one_row_differ_in_the_other() -> None:
    vectors = WordVectors(6, rows=16)
    numbers = torch.arange(1, 400)[:, None, None]
    found = vectors(numbers)
    assert found.shape == (399, 6, 1)
    # 16 rows alone would give at most 16 vectors; pairs of them give many more.
    assert len(torch.unique(found.squeeze(2), dim=0)) > 100
    assert torch.equal(vectors(numbers), found)


def test_padding_is_the_vector_of_zeros() -> None:
    found = WordVectors(6, rows=16)(torch.tensor([[[0, 0, 7]]]))
    assert not found[0, :, :2].any()
    assert found[0, :, 2].all()


@pytest.mark.parametrize("name", ["temporal-cnn", "recurrent"])
def test_a_network_that_is_given_vectors_takes_words(name: str) -> None:
    made = NETWORKS.get(name)
    network = made(input_shape=(1, 12), outputs=3, words=8, vocabulary=32).eval()
    sentences = torch.randint(1, 2**31 - 1, (5, 1, 12), dtype=torch.int32)
    assert network(sentences).shape == (5, 3)
    assert takes_words(network)
    assert not takes_words(made(input_shape=(4, 12), outputs=3))
    with pytest.raises(PipelineError, match="sequences of 4 channels, which are no words"):
        made(input_shape=(4, 12), outputs=3, words=8)


def test_a_recurrent_network_sees_order_and_its_last_state_the_whole_sequence() -> None:
    torch.manual_seed(0)
    network = Recurrent(input_shape=(3, 20), outputs=2, units=[8]).eval()
    x = torch.randn(1, 3, 20, requires_grad=True)
    assert not torch.allclose(network(x), network(x.flip(2)))
    network(x).sum().backward()
    assert x.grad is not None
    assert x.grad.abs().sum(1)[0].gt(0).all()


def test_each_direction_is_read_at_its_own_end() -> None:
    states = torch.arange(12.0).view(1, 4, 3)  # two units forth, two back
    assert Read("last", both_ways=True)(states).tolist() == [[2, 5, 6, 9]]
    assert Read("last", both_ways=False)(states).tolist() == [[2, 5, 8, 11]]
    assert Read("largest", both_ways=True)(states).tolist() == [[2, 5, 8, 11]]
    assert Read("mean", both_ways=True)(states).tolist() == [[1, 4, 7, 10]]


@pytest.mark.parametrize(("cell", "gates"), [("gru", 3), ("lstm", 4)])
def test_cells_have_the_weights_of_their_gates(cell: str, gates: int) -> None:
    network = Recurrent(input_shape=(5, 9), outputs=2, cell=cell, units=[7])
    first = describe(network, (5, 9)).layers[0]
    assert first.parameters == gates * (7 * (5 + 7) + 2 * 7)
    assert first.macs == 9 * gates * 7 * (5 + 7)


@pytest.mark.parametrize("length", [1, 2, 3, 7, 50])
def test_a_temporal_network_takes_any_length(length: int) -> None:
    network = TemporalCnn(input_shape=(4, length), outputs=2, channels=[8, 8, 8]).eval()
    assert network(torch.randn(2, 4, length)).shape == (2, 2)


def test_a_phrase_counts_wherever_it_stands() -> None:
    torch.manual_seed(0)
    network = TemporalCnn(input_shape=(2, 40), outputs=3, channels=[6], pool=1).eval()
    early, late = torch.zeros(1, 2, 40), torch.zeros(1, 2, 40)
    early[..., 8:12] = late[..., 25:29] = torch.randn(1, 2, 4)
    assert torch.allclose(network(early), network(late), atol=1e-6)


def test_each_pixel_of_a_map_sees_what_its_windows_cover() -> None:
    told = describe(TemporalCnn(input_shape=(2, 64), outputs=2, channels=[4, 4]), (2, 64)).layers
    fields = {row.name: row.receptive_field for row in told}
    assert fields["convolution1"].size == (5,)
    assert fields["pool1"].size == (6,)
    assert fields["convolution2"].size == (6 + 4 * 2,)
    volumes = describe(VoxelCnn(input_shape=(1, 16, 16, 16), outputs=2), (1, 16, 16, 16)).layers
    assert volumes[2].receptive_field.size == (4, 4, 4)


@pytest.mark.parametrize(("stride", "least"), [(1, 8), (2, 15)])
def test_volumes_that_are_too_small_are_told_the_smallest(stride: int, least: int) -> None:
    def make(side: int) -> VoxelCnn:
        return VoxelCnn(input_shape=(1, side, side, side), outputs=2, stride=stride)

    with pytest.raises(PipelineError, match=f"the smallest side that fits is {least}$"):
        make(least - 1)
    assert make(least).eval()(torch.randn(2, 1, least, least, least)).shape == (2, 2)


def test_a_hybrid_network_reads_picture_and_columns() -> None:
    torch.manual_seed(0)
    network = Hybrid(input_shape=(50,), outputs=2, picture=(3, 4, 4), channels=[4]).eval()
    x = torch.randn(1, 50, requires_grad=True)
    network(x).sum().backward()
    assert x.grad is not None
    assert x.grad[0, 48:].abs().gt(0).all()
    assert x.grad[0, :48].abs().gt(0).any()
    with pytest.raises(PipelineError, match=r"rows of 48 pixels .* at least one column"):
        Hybrid(input_shape=(48,), outputs=2, picture=(3, 4, 4))
