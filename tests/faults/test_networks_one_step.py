"""Every network trains one step in float32 and bfloat16 with the same result up to rounding."""

import pytest
import torch

from benchmarks.networks import WAYS, batch_of, built, compared, one_step, smallest
from gapwise.networks.base import NETWORKS

EAGER = [way for way in WAYS[1:] if not way.compiled]
COMPILED = [way for way in WAYS if way.compiled]


@pytest.mark.faults
@pytest.mark.parametrize("name", NETWORKS.names())
def test_bfloat16_gives_what_float32_gives_up_to_rounding(name: str) -> None:
    for row in compared(name, EAGER, repeats=1):
        assert row.holds, row


@pytest.mark.faults
# Torch's compiler imports parts of torch that torch deprecates.
@pytest.mark.filterwarnings("ignore:.*script_method:DeprecationWarning")
@pytest.mark.parametrize("name", ["lenet5", "resnet20", "inception"])
def test_a_compiled_network_gives_what_the_eager_one_gives(name: str) -> None:
    """A chain, residual blocks and side branches; `benchmarks/networks.py --compiled` has all."""
    for row in compared(name, COMPILED, repeats=1):
        assert row.holds, row


@pytest.mark.faults
def test_a_mistake_is_no_rounding() -> None:
    """What is held against the reference must be able to fail: one layer's sign turned."""
    entry = smallest("lenet5")
    network, (inputs, targets) = built("lenet5", entry), batch_of(entry, 16)
    reference = one_step(network, inputs, targets, WAYS[0], repeats=1)
    with torch.no_grad():
        network.get_submodule("C3").weight.neg_()
    loss, gradient = one_step(network, inputs, targets, WAYS[0], repeats=1).differences(reference)
    assert loss > 0.03
    assert gradient > 0.5
