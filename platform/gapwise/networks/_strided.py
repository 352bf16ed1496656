"""Strided convolutions whose gradients are as fast in bf16 on the CPU as those of the others."""

import torch
from torch import Tensor, nn


class StridedConv2d(nn.Conv2d):
    """A convolution of stride above 1 (notes 5.4), equal to torch's.

    While it trains under bf16 autocast on the CPU, it convolves at stride 1 and keeps every
    stride-th pixel: the same sums, of which some are dropped. That computes four times as much, but
    oneDNN's gradient of a strided bf16 convolution takes 4 to 9 times as long as one at stride 1,
    which made two of ResNet-20's nineteen convolutions a third of its step.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, out_channels, …) for x: (batch, in_channels, height, width)."""
        if not self._dense(x):
            return super().forward(x)
        full = nn.functional.conv2d(x, self.weight, self.bias, 1, self.padding, 1, self.groups)
        down, right = self.stride
        return full[:, :, ::down, ::right].contiguous(memory_format=torch.channels_last)

    def _dense(self, x: Tensor) -> bool:
        return (
            torch.is_grad_enabled()
            and x.device.type == "cpu"
            and torch.is_autocast_enabled("cpu")
            and self.dilation == (1, 1)
        )
