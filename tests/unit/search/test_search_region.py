"""Regions: narrower where it was good, wider where the best lies on a border."""

from typing import Any

import pytest

from gapwise.pipeline_search import Searched
from gapwise.search.events import Region, Rung, Trial
from gapwise.search.region import Limits, good_trials, held, narrowed, whole
from gapwise.search.space import read_space

SPACE = read_space(
    {
        "lr": Searched(scale="log", low=1e-4, high=1.0),
        "norm": Searched(choices=("none", "before", "after"), tier=2),
        "units": Searched(scale="power-of-two", low=8, high=128, tier=2),
    }
)


def trial(number: int, lr: float, value: float, norm: str = "none", units: int = 32) -> Trial:
    parameters: dict[str, Any] = {"lr": lr, "norm": norm, "units": units}
    rung = Rung(rung=0, epochs=9, value=value, curve=(value,), decision="done", facts={})
    return Trial(
        number=number,
        round=0,
        parameters=parameters,
        point=SPACE.point(parameters),
        rungs=[rung],
        state="done",
    )


def around(best: float, n: int = 17) -> list[Trial]:
    """Trials whose error grows with the distance from lr = 10^best."""
    rates = [-4 + 4 * i / (n - 1) for i in range(n)]
    return [
        trial(i, 10**rate, 0.1 + 0.05 * abs(rate - best), "none" if i % 2 else "before")
        for i, rate in enumerate(rates)
    ]


def test_a_range_narrows_to_the_good_trials_and_says_why() -> None:
    found = narrowed(SPACE, whole(SPACE), around(-2.0), None, Limits())
    low, high = (SPACE["lr"].at(at) for at in found.ranges["lr"])
    assert 1e-3 < low < 0.01 < high < 0.1
    assert "of 17 trials are good: dev errors from 10.0" in found.why[0]
    assert any(line.startswith("lr: ") and "from 0.0001 to 1" in line for line in found.why)
    assert any("no good trial had after" in line for line in found.why)
    assert len(found.ranges["norm"]) == 2


def test_noise_keeps_a_region_wide() -> None:
    sharp = narrowed(SPACE, whole(SPACE), around(-2.0), None, Limits())
    noisy = narrowed(SPACE, whole(SPACE), around(-2.0), 20, Limits())

    def width(region: Region) -> float:
        return region.ranges["lr"][1] - region.ranges["lr"][0]

    assert width(noisy) > width(sharp)
    assert len(good_trials(around(-2.0), 20)) == 8  # never more than half


def test_a_best_on_the_border_widens_the_range_as_far_as_the_pipeline_allows() -> None:
    trials = around(0.0)
    free = narrowed(SPACE, whole(SPACE), trials, None, Limits(ends={"lr": (-0.25, 1.25)}))
    assert free.ranges["lr"][1] == 1.25
    assert any("on the upper border, so the range goes on above it" in line for line in free.why)
    bound = narrowed(SPACE, whole(SPACE), trials, None, Limits(ends={"lr": (-0.25, 1.0)}))
    assert bound.ranges["lr"][1] == 1.0


def test_a_region_is_never_narrower_than_is_told() -> None:
    trials = [trial(i, 0.01, 0.1 + i / 100) for i in range(8)]
    found = narrowed(SPACE, whole(SPACE), trials, None, Limits())
    low, high = found.ranges["lr"]
    assert high - low == pytest.approx(0.5, abs=0.36)
    assert high - low >= 0.15


def test_other_tiers_are_held_at_the_best() -> None:
    found = held(SPACE, whole(SPACE), (1,), {"lr": 0.1, "norm": "after", "units": 64})
    assert set(found.ranges) == {"lr"}
    assert found.held == {"norm": "after", "units": 64}
    assert "Held at the best so far" in found.why[-1]
    assert held(SPACE, whole(SPACE), (), {"lr": 0.1}) == whole(SPACE)


def test_a_region_is_read_back_as_it_was() -> None:
    found = narrowed(SPACE, whole(SPACE), around(-2.0), 100, Limits())
    assert Region.read(found.as_json()) == found


def test_without_a_trial_nothing_narrows() -> None:
    assert narrowed(SPACE, whole(SPACE), [], 100, Limits()) == whole(SPACE)
