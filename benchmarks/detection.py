"""Sliding windows against cropping each, and non-max suppression with its overlaps.

    python benchmarks/detection.py [--threads N] [--repeats N]

Contenders take turns in one process; the table gives median and range. LeNet-5 of 32×32 looks at
every window of 256×256 (stride 4: 3,249 windows), cropped in batches of 512 or in one pass; and
10,000 boxes with a score for each of 20 classes are suppressed class by class, as many of a class
as ``most`` says.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from statistics import median

import torch
from torch import Tensor, nn

from gapwise.networks.lenet5 import LeNet5
from gapwise.networks.sliding import as_convolutions
from gapwise.tasks.boxes import iou, kept

SIDE, WINDOW, STRIDE = 256, 32, 4
BOXES, CLASSES = 10_000, 20


def cropping(network: nn.Module, image: Tensor) -> Tensor:
    """Return the outputs of every window, cropped: (windows, units)."""
    windows = image.unfold(2, WINDOW, STRIDE).unfold(3, WINDOW, STRIDE)
    batch = windows[0].permute(1, 2, 0, 3, 4).reshape(-1, 1, WINDOW, WINDOW)
    return torch.cat([network(part) for part in torch.split(batch, 512)])


def suppressing(boxes: Tensor, scores: Tensor, most: int) -> Tensor:
    """Return which of the ``most`` surest boxes of each class are kept: (classes, most)."""
    best, at = scores.topk(most, dim=1)
    return kept(boxes[at], best > 0.05, 0.5)


def timed(contenders: dict[str, Callable[[], Tensor]], repeats: int) -> dict[str, list[float]]:
    """Return the seconds of each contender, which take turns."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(repeats + 1):
        for name, run in contenders.items():
            began = time.perf_counter()
            run()
            if turn:
                seconds[name].append(time.perf_counter() - began)
    return seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    network = LeNet5(input_shape=(1, WINDOW, WINDOW), outputs=10).eval()
    sliding, stride = as_convolutions(network, (1, WINDOW, WINDOW))
    assert stride == STRIDE
    image = torch.randn(1, 1, SIDE, SIDE)
    low = 300 * torch.rand(BOXES, 2)
    boxes = torch.cat([low, low + 5 + 60 * torch.rand(BOXES, 2)], 1)
    scores = torch.rand(CLASSES, BOXES)
    with torch.inference_mode():
        apart = cropping(network, image)
        together = sliding(image)[0].flatten(1).T
        print(f"largest difference of outputs: {(apart - together).abs().max():.2g}")
        seconds = timed(
            {
                "cropping every window": partial(cropping, network, image),
                "one pass": partial(sliding, image),
                "suppression, 100 a class": partial(suppressing, boxes, scores, 100),
                "suppression, 400 a class": partial(suppressing, boxes, scores, 400),
                "overlap of 1,000 × 1,000": partial(iou, boxes[:1000], boxes[:1000]),
            },
            options.repeats,
        )
    print(f"{'':28}{'median':>10}{'range':>18}   (ms)")
    for name, values in seconds.items():
        ms = [1000 * value for value in values]
        print(f"{name:28}{median(ms):10.2f}{f'{min(ms):.2f} – {max(ms):.2f}':>18}")
    ratio = median(seconds["cropping every window"]) / median(seconds["one pass"])
    print(f"one pass is {ratio:.1f} × as fast as cropping")


if __name__ == "__main__":
    main()
