"""The section of a pipeline file that says what is searched, and how (notes 3.14)."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from gapwise.pipeline_parts import Section

Scale = Literal["linear", "log", "one-minus-log", "integer", "power-of-two"]
Sampler = Literal["sobol", "random", "tpe", "gp"]


class Searched(Section):
    """One knob of the space: a range on its own scale, or a choice."""

    scale: Scale = Field(
        default="linear",
        description="Scale of the range: log for rates; one-minus-log for a β near 1, whose "
        "distance from 1 is drawn on a log scale; integer; power-of-two.",
    )
    low: float | None = Field(default=None, description="Least value of the range.")
    high: float | None = Field(default=None, description="Greatest value of the range.")
    choices: tuple[Any, ...] = Field(
        default=(), description="Values to choose among, instead of a range; at least two."
    )
    tier: int = Field(
        default=1,
        ge=1,
        le=3,
        description="Priority: 1 for what matters most (the learning rate), then 2, then 3.",
    )
    when: dict[str, Any] = Field(
        default={},
        description="Other knobs of the space and the value that each must have for this one to "
        "be searched; otherwise it stays as the pipeline has it.",
    )

    @model_validator(mode="after")
    def _is_range_or_choice(self) -> "Searched":
        if self.choices:
            if self.low is not None or self.high is not None:
                raise ValueError("has both choices and a range; keep one of them")
            if len(self.choices) < 2:
                raise ValueError("has one choice alone, which is no choice; name two or more")
            return self
        if self.low is None or self.high is None:
            raise ValueError("needs low and high, or choices")
        if not self.low < self.high:
            raise ValueError(f"low is {self.low:g}, but must be below high, {self.high:g}")
        self._check_scale(self.low, self.high)
        return self

    def _check_scale(self, low: float, high: float) -> None:
        if self.scale == "log" and low <= 0:
            raise ValueError(f"low is {low:g}, but a log scale begins above 0")
        if self.scale == "one-minus-log" and high >= 1:
            raise ValueError(f"high is {high:g}, but a one-minus-log scale ends below 1")
        whole = low.is_integer() and high.is_integer()
        if self.scale == "integer" and not whole:
            raise ValueError("low and high of an integer scale must be whole numbers")
        if self.scale == "power-of-two" and not (
            whole and low >= 1 and all(int(end) & (int(end) - 1) == 0 for end in (low, high))
        ):
            raise ValueError("low and high must be powers of two, as 16 and 256")


class Round(Section):
    """One stage of a search: coarse first, then finer."""

    trials: int = Field(default=16, ge=1, description="Settings to try.")
    sampler: Sampler = Field(
        default="tpe",
        description="How they are drawn: sobol (quasi-random) or random over the region, or by "
        "what was learned: tpe, or gp (a Gaussian process).",
    )
    tiers: tuple[Annotated[int, Field(ge=1, le=3)], ...] = Field(
        default=(),
        description="Tiers searched in this round, the others held at the best so far; empty: all.",
    )


class Rungs(Section):
    """Stop what is behind, early (asynchronous successive halving; Li et al. 2020)."""

    eta: int = Field(
        default=3, ge=2, le=10, description="Of this many trials at a rung, one goes on."
    )
    first: int = Field(default=1, ge=1, description="Epochs of the first rung.")


class Confirmation(Section):
    """Train the winner and the pipeline as it was anew, on examples that chose nothing."""

    seeds: int = Field(default=5, ge=1, description="Seeds that each is trained under.")
    share: float = Field(
        default=0.5,
        gt=0,
        lt=1,
        description="Share of dev that chooses nothing in the search and confirms at its end.",
    )


class Search(Section):
    """What is searched, in which rounds, and how the winner is confirmed (notes 3.14)."""

    space: dict[str, Searched] = Field(
        default={}, description="Knobs by their dotted keys in the pipeline."
    )
    rounds: tuple[Round, ...] = Field(
        default=(
            Round(trials=24, sampler="sobol"),
            Round(trials=16),
            Round(trials=16),
        ),
        min_length=1,
        description="Rounds, coarse to fine.",
    )
    narrow: bool = Field(
        default=True, description="Narrow each round to the region that the good trials span."
    )
    rungs: Rungs | None = Field(
        default=Rungs(), description="When trials are stopped early; null trains all to the end."
    )
    limits: tuple[str, ...] = Field(
        default=(),
        description="Satisficing limits that the winner must keep, as parameters<=100000 "
        "(notes 4.3).",
    )
    confirm: Confirmation = Field(default=Confirmation(), description="How the winner is checked.")
    together: int | None = Field(
        default=None,
        ge=1,
        le=256,
        description="Trials of one shape that a job may hold; null: as many as are fastest on this "
        "device, by a measurement when the search begins.",
    )
    seed: int = Field(default=0, ge=0, description="Seed of the draws, apart from the run's seed.")
