"""Style transfer: a picture with the content of one and the style of another (notes 8).

Gatys, Ecker and Bethge (2015). The network's weights stay; what is learned are the pixels.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gapwise.errors import TrainingError, UsageError, did_you_mean
from gapwise.networks.base import layers
from gapwise.training.style_costs import (
    SMALLEST_SLOPE,
    as_share,
    content_cost,
    roughness,
    style_cost,
    style_matrix,
)

Start = Literal["content", "noise"]
Optimizer = Literal["lbfgs", "adam"]

CONTENT_SHARE = 0.25
"""Of a start from noise, what is the content picture's: pure noise takes many more steps."""

LOOKS = 20
"""Lengths that L-BFGS may try along a step, at most."""

HISTORY = 20
"""Steps that L-BFGS remembers."""


@dataclass(frozen=True, kw_only=True)
class StyleOptions:
    """What is made of two pictures.

    Attributes:
        content: the layer whose activations shall stay (notes 8.4: neither shallow nor deep).
        style: layer → weight λ of its correlations (8.5); weights count by their share of all.
        alpha, beta: weights of the content and the style cost (8.3), each as a share of what a
            picture without activations would cost, so that they mean the same for every network.
        smooth: weight of what neighbours differ by (Johnson, Alahi and Fei-Fei, 2016), as a share
            of what they differ by in the style picture; it takes away the grain of small networks.
        steps: of the optimizer.
        optimizer: ``lbfgs``, as Gatys et al., or ``adam``.
        rate: learning rate; of L-BFGS, the length of a step.
        start: where the pixels begin: the content picture, or mostly noise.
        seed: of the noise.
        every: steps between two reports of progress.
    """

    content: str
    style: Mapping[str, float]
    alpha: float = 1.0
    beta: float = 10.0
    smooth: float = 0.0
    steps: int = 100
    optimizer: Optimizer = "lbfgs"
    rate: float | None = None
    start: Start = "content"
    seed: int = 0
    every: int = 10

    def __post_init__(self) -> None:
        wrong = {
            "alpha": self.alpha < 0,
            "beta": self.beta < 0,
            "smooth": self.smooth < 0,
            "steps": self.steps < 1,
            "every": self.every < 1,
        }
        for name, is_wrong in wrong.items():
            if is_wrong:
                least = 1 if name in ("steps", "every") else 0
                raise UsageError(f"--{name} is {getattr(self, name):g}; give {least} or more")
        for name, known in (("optimizer", ("lbfgs", "adam")), ("start", ("content", "noise"))):
            if getattr(self, name) not in known:
                near = did_you_mean(str(getattr(self, name)), known)
                raise UsageError(f"--{name} is {getattr(self, name)!r}; {near}")
        if self.rate is not None and not self.rate > 0:
            raise UsageError(f"--rate is {self.rate:g}; give more than 0")
        if self.alpha + self.beta == 0:
            raise UsageError("--alpha and --beta are both 0; give one of them more")
        if not self.style or min(self.style.values()) < 0 or sum(self.style.values()) <= 0:
            raise UsageError("style layers need weights of 0 or more; give one of them more than 0")


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far it is: step from 0, the costs (shares, see ``StyleOptions``), the picture so far.

    Attributes:
        picture: (channels, height, width) in [0, 255].
    """

    step: int
    steps: int
    content: float
    style: float
    total: float
    picture: Tensor = field(repr=False)


class Activations(nn.Module):
    """What some layers of a network give for raw pictures; nothing behind the last of them is run.

    Args:
        network: whose ``layers`` are the units, in order.
        wanted: names of units.
        normalised: raw pixels → what the first unit gets.
        smooth: average where the network takes the largest of a window, which makes for smoother
            pictures (Gatys et al., section Methods).

    Raises:
        UsageError: there is no such unit; names those that there are.
    """

    def __init__(
        self,
        network: nn.Module,
        wanted: Sequence[str],
        normalised: Callable[[Tensor], Tensor],
        *,
        smooth: bool = True,
    ) -> None:
        super().__init__()
        units = layers(network)
        names = [name for name, _ in units]
        for name in wanted:
            if name not in names:
                raise UsageError(f"the network has no layer {name}; {did_you_mean(name, names)}")
        last = max(names.index(name) for name in wanted)
        self._wanted, self._normalised = set(wanted), normalised
        self._names = names[: last + 1]
        self.units = nn.ModuleList(
            _averaging(unit) if smooth else unit for _, unit in units[: last + 1]
        )
        self.eval().requires_grad_(False)

    def forward(self, pictures: Tensor) -> dict[str, Tensor]:
        """Return layer → activations (n, channels, height, width) of pictures in [0, 255].

        Raises:
            UsageError: a layer gives no map.
        """
        x = self._normalised(pictures)
        found = {}
        for name, unit in zip(self._names, self.units, strict=True):
            # A ReLU that writes over its input would write over what is kept.
            x = F.relu(x) if isinstance(unit, nn.ReLU) else unit(x)
            if name in self._wanted:
                if x.ndim != 4:
                    raise UsageError(
                        f"layer {name} gives no map, so it has no content or style; name one before"
                    )
                found[name] = x
        return found


def stylize(
    activations: Activations,
    content: Tensor,
    style: Tensor,
    options: StyleOptions,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Tensor:
    """Return the picture whose costs are lowest after the options' steps.

    Args:
        activations: of the layers that the options name.
        content, style: (channels, height, width) in [0, 255]; sizes may differ.
        options: what is asked for.
        progress: called before the first step, every so many steps, and at the end.

    Returns:
        (channels, height, width) float32 in [0, 255], of the content's size.

    Raises:
        TrainingError: a cost is not finite.
    """
    with torch.no_grad():
        kept = activations(content[None])[options.content]
        found = activations(style[None])
        matrices = {name: style_matrix(found[name]) for name in options.style}
    # Pixels in steps of about their own spread, so that one rate fits all networks.
    pixels = _start(content, options).requires_grad_()
    optimizer = _optimizer(pixels, options)
    weight = sum(options.style.values())
    grain = roughness(style).clamp(min=SMALLEST_SLOPE)
    costs: dict[str, float] = {}
    scale = 0.0

    def closure() -> float:
        nonlocal scale
        optimizer.zero_grad()
        made = activations(_shown(pixels)[None])
        content_now = as_share(content_cost, made[options.content], kept)
        style_now = torch.stack(
            [
                share * as_share(style_cost, style_matrix(made[name]), matrices[name]) / weight
                for name, share in options.style.items()
            ]
        ).sum()
        total = options.alpha * content_now + options.beta * style_now
        if options.smooth:
            total = total + options.smooth * roughness(_shown(pixels)) / grain
        content_cost_now, style_cost_now = float(content_now.detach()), float(style_now.detach())
        costs.update(content=content_cost_now, style=style_cost_now, total=float(total.detach()))
        total.backward()  # type: ignore[no-untyped-call]
        assert pixels.grad is not None
        # L-BFGS learns nothing from slopes as small as those of single pixels.
        scale = scale or 1 / max(float(pixels.grad.abs().mean()), SMALLEST_SLOPE)
        pixels.grad *= scale
        return scale * costs["total"]

    for step in range(options.steps + 1):
        if step == options.steps or step % options.every == 0:
            with torch.enable_grad():
                closure()
            _check(costs["total"], step, options)
            picture = _shown(pixels).detach().clone()
            progress(Progress(step=step, steps=options.steps, picture=picture, **costs))
        if step < options.steps:
            optimizer.step(closure)
            _check(costs["total"], step, options)
            with torch.no_grad():
                pixels.clamp_(-2, 2)
    return _shown(pixels).detach()


def _start(content: Tensor, options: StyleOptions) -> Tensor:
    scaled = content / 63.75 - 2
    if options.start == "content":
        return scaled.clone()
    draws = torch.Generator().manual_seed(options.seed)
    noise = 4 * torch.rand(content.shape, generator=draws) - 2
    return CONTENT_SHARE * scaled + (1 - CONTENT_SHARE) * noise.to(content)


def _shown(pixels: Tensor) -> Tensor:
    """Return pixels in [0, 255]; those beyond have no gradient, and are brought back each step."""
    return ((pixels + 2) * 63.75).clamp(0, 255)


def _optimizer(pixels: Tensor, options: StyleOptions) -> torch.optim.Optimizer:
    if options.optimizer == "adam":
        return torch.optim.Adam([pixels], lr=options.rate or 0.05)
    return torch.optim.LBFGS(
        [pixels],
        lr=options.rate or 1.0,
        max_iter=1,
        max_eval=LOOKS,
        history_size=HISTORY,
        line_search_fn="strong_wolfe",
    )


def _averaging(unit: nn.Module) -> nn.Module:
    if not isinstance(unit, nn.MaxPool2d):
        return unit
    return nn.AvgPool2d(unit.kernel_size, unit.stride, unit.padding, unit.ceil_mode)


def _check(total: float, step: int, options: StyleOptions) -> None:
    if total != total or total in (float("inf"), float("-inf")):
        raise TrainingError(
            f"the cost is {total} at step {step}; lower --rate, or choose other layers than "
            f"{', '.join(options.style)}",
            step=step,
            lr=options.rate or 0.0,
            example_ids=[],
        )
