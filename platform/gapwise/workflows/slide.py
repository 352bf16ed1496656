"""`gapwise slide`: a run's classifier looks at every window of a large picture (notes 6.3, 6.4).

Or at proposed regions alone, each brought to the network's size (notes 6.10).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gapwise.data.images import BadImageError, Limits, decode, read_bytes, read_header
from gapwise.errors import DataError, UsageError, did_you_mean, shown
from gapwise.networks.sliding import as_convolutions
from gapwise.settings import Settings
from gapwise.tasks.boxes import kept
from gapwise.training.model import Model
from gapwise.workflows.trained_run import open_trained

MOST = 2000
"""Windows of a class that suppression looks at."""

BATCH = 256


@dataclass(frozen=True, kw_only=True)
class Found:
    """A window that shows something: class, probability, and its corners in the picture."""

    name: str
    score: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class SlideRequest:
    """What is looked for, and how.

    Attributes:
        scales: sizes that the picture is brought to, as factors: windows of other sizes.
        least_score: probability from which a window counts.
        suppress: of two windows of a class that overlap by more than this, the less sure one goes.
        nothing: a class that stands for nothing, and is not told.
        proposals: look at regions that segmentation proposes, instead of at every window.
    """

    scales: Sequence[float] = (1.0,)
    least_score: float = 0.9
    suppress: float = 0.3
    nothing: str = ""
    proposals: bool = False


def slide(
    run_ref: str, picture: Path, request: SlideRequest, settings: Settings | None = None
) -> list[Found]:
    """Return what a run's classifier sees in windows of a picture, the surest first.

    The whole picture goes through the network once for each scale, its dense layers being
    convolutions; each class is suppressed by itself (notes 6.7).

    Raises:
        UsageError: the run predicts no classes of pictures, or an option cannot be.
        DataError: the picture cannot be read, or is smaller than a window at every scale.
        PipelineError: the network pads, or has layers that cannot slide.
    """
    model = open_trained(run_ref, settings or Settings.read()).model
    _check(model, run_ref, request)
    large = _picture(picture, model.spec.input_shape[0])
    look = _regions if request.proposals else _windows
    boxes, scores = look(model, large, request, picture)
    return _suppressed(boxes, scores, model.spec.classes, request)


def _windows(
    model: Model, large: Tensor, request: SlideRequest, picture: Path
) -> tuple[Tensor, Tensor]:
    """Return the corners of every window at every scale, (k, 4), and its scores, (k, classes)."""
    _, height, width = model.spec.input_shape
    sliding, stride = as_convolutions(model.network, model.spec.input_shape)
    boxes, scores = [], []
    for scale in request.scales:
        scaled = _scaled(large, scale)
        if scaled.shape[1] < height or scaled.shape[2] < width:
            continue
        with torch.inference_mode():
            made = sliding(model.normalised(scaled[None]))[0]
        rows, columns = made.shape[1:]
        at = torch.stack(torch.meshgrid(torch.arange(columns), torch.arange(rows), indexing="xy"))
        low = at.flatten(1).T * stride / scale
        size = torch.tensor([width, height]) / scale
        boxes.append(torch.cat([low, low + size], 1))
        scores.append(torch.softmax(made.flatten(1).T.float(), 1))
    if not boxes:
        raise DataError(
            f"{picture} has {large.shape[1]}×{large.shape[2]} pixels, less than a window of "
            f"{height}×{width} at every scale; name a larger --scale"
        )
    return torch.cat(boxes), torch.cat(scores)


def _regions(model: Model, large: Tensor, _: SlideRequest, picture: Path) -> tuple[Tensor, Tensor]:
    """Return the corners of the proposed regions and their scores."""
    from gapwise.workflows.proposals import proposals  # late: it segments

    pixels = large.permute(1, 2, 0).numpy()
    found = proposals(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    if not len(found):
        raise DataError(
            f"{picture}: no region stands out that could be looked at; leave --proposals out"
        )
    size = model.spec.input_shape[1:]
    parts = [
        _resized(large[:, y0:y1, x0:x1], size) for x0, y0, x1, y1 in found.astype(int).tolist()
    ]
    with torch.inference_mode():
        batches = torch.split(torch.stack(parts), BATCH)
        scores = [torch.softmax(model(batch).float(), 1) for batch in batches]
    return torch.from_numpy(found), torch.cat(scores)


def _check(model: Model, run_ref: str, request: SlideRequest) -> None:
    classes = model.spec.classes
    if not classes or len(model.spec.input_shape) != 3:
        raise UsageError(
            f"run {shown(run_ref)} predicts {model.spec.labels.told}; only a classifier of "
            "pictures can be slid over a larger one"
        )
    if not request.scales or not all(0 < scale <= 8 for scale in request.scales):
        raise UsageError("--scale is 0 or below, or above 8; give numbers between")
    if request.nothing and request.nothing not in classes:
        near = did_you_mean(request.nothing, classes)
        raise UsageError(f"--nothing {shown(request.nothing)!r} is no class of the run; {near}")


def _picture(path: Path, channels: int) -> Tensor:
    try:
        content = read_bytes(path)
        header = read_header(content, Limits())
        pixels = decode(content, header.height, header.width, channels)
    except BadImageError as error:
        raise DataError(f"{path} {error.reason}; give a JPEG, PNG or WebP picture") from error
    whole: NDArray[np.uint8] = pixels
    return torch.from_numpy(whole.copy())


def _scaled(picture: Tensor, scale: float) -> Tensor:
    if scale == 1:
        return picture
    return _resized(picture, [max(1, round(scale * side)) for side in picture.shape[1:]])


def _resized(picture: Tensor, size: Sequence[int]) -> Tensor:
    resized = torch.nn.functional.interpolate(
        picture[None].float(), list(size), mode="bilinear", antialias=True
    )
    return resized[0].round().to(torch.uint8)


def _suppressed(
    boxes: Tensor, scores: Tensor, classes: Sequence[str], request: SlideRequest
) -> list[Found]:
    best, count = scores.argmax(1), min(MOST, len(boxes))
    found = []
    for code, name in enumerate(classes):
        own = torch.where(best == code, scores[:, code], 0.0)
        top, at = own.topk(count)
        keep = kept(boxes[at], top >= request.least_score, request.suppress)
        for score, box in zip(top[keep].tolist(), boxes[at][keep].tolist(), strict=True):
            if name != request.nothing:
                x0, y0, x1, y1 = (round(side, 1) for side in box)
                found.append(Found(name=name, score=round(score, 4), box=(x0, y0, x1, y1)))
    return sorted(found, key=lambda one: -one.score)
