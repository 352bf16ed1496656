"""LeNet-5 (notes 5.10.1; LeCun et al. 1998)."""

from torch import nn

from gapwise.networks.base import Chain, Window, image_shape, initialize, size_after

__all__ = ["LeNet5"]


class LeNet5(Chain):
    """LeNet-5 with ReLU, max pooling and dense C3, as the notes advise.

    61,706 parameters at 1×32×32 and 10 outputs.

    Args:
        input_shape: (channels, height, width), at least 16×16 without padding.
        outputs: units of the last layer.
        padding: zeros around the image; 2 makes the paper's 32×32 of MNIST's 28×28.
        dropout: share of the dense units switched off while training (notes 3.4.2).
    """

    def __init__(
        self,
        *,
        input_shape: tuple[int, ...],
        outputs: int,
        padding: int = 0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        channels, height, width = image_shape("lenet5", input_shape)
        windows = (
            Window("C1 (5×5 convolution)", 5, padding=padding),
            Window("S2 (2×2 pooling)", 2, stride=2),
            Window("C3 (5×5 convolution)", 5),
            Window("S4 (2×2 pooling)", 2, stride=2),
        )
        height, width = size_after("lenet5", windows, (height, width))
        # ReLU after pooling gives the same numbers as before it, on a quarter of the units.
        self.features = nn.Sequential(
            nn.Conv2d(channels, 6, 5, padding=padding),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Conv2d(6, 16, 5),
            nn.MaxPool2d(2),
            nn.ReLU(),
        )
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Linear(16 * height * width, 120),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(120, 84),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(84, outputs),
        )
        initialize(self)
