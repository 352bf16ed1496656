"""What a network costs: counts that are exact, times with their intervals."""

import numpy as np
import torch

from gapwise.labels import one_class
from gapwise.records import NumericPlan
from gapwise.training.costs import Alive, Costs, costs, quantile
from gapwise.training.crops import Crops
from gapwise.training.model import Model, ModelSpec

SPEC = ModelSpec(
    network={"name": "multilayer-perceptron", "hidden": [16]},
    task={"name": "classify"},
    input_shape=(4,),
    labels=one_class(("a", "b", "c")),
)


def test_counts_are_exact_and_times_lie_in_their_intervals() -> None:
    model = Model(SPEC)
    found = costs(model, NumericPlan(threads=1), batch=8)
    weights = sum(p.numel() for p in model.parameters())
    held = sum(t.nbytes for t in (*model.parameters(), *model.buffers()))
    assert found.parameters == weights
    assert found.macs == 4 * 16 + 16 * 3
    assert found.size_mb == held / 1e6
    assert found.memory_mb > found.size_mb
    assert (found.batch, found.crops, found.threads, found.dtype) == (8, 1, 1, "float32")
    for times in (found.latency_p50_ms, found.latency_p95_ms):
        assert 0 < times.low <= times.value <= times.high
    assert found.latency_p50_ms.value <= found.latency_p95_ms.value
    assert found.passes >= 60
    assert Costs.read(found.as_json()) == found


def test_memory_counts_what_is_alive_at_once() -> None:
    x = torch.zeros(1000)  # 4,000 bytes, made before
    with Alive() as alive:
        a = x + 1
        b = a + 1
        del a
        c = b + 1
        view = c.view(10, 100)
        view.add_(1)
    assert alive.most == 8000
    assert float(view.sum()) == 4000
    del b


def test_more_crops_cost_more_memory() -> None:
    spec = ModelSpec(
        network={"name": "small-cnn"},
        task={"name": "classify"},
        input_shape=(1, 8, 8),
        labels=one_class(("a", "b")),
    )
    one, ten = (costs(Model(spec), NumericPlan(threads=1), crops=Crops(count=n)) for n in (1, 10))
    assert ten.crops == 10
    assert ten.latency_p50_ms.value > one.latency_p50_ms.value
    assert ten.memory_mb > one.memory_mb


def test_the_interval_of_a_quantile_holds_it() -> None:
    random = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        found = quantile(random.exponential(size=200), 0.95)
        held += found.low <= -np.log(0.05) <= found.high
    assert 0.92 <= held / 400 <= 0.99
