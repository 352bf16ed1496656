"""Features of examples: what the last layer of a trained network sees."""

from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

BATCH: Final = 512


def features_of(model: nn.Module, inputs: NDArray[Any]) -> tuple[NDArray[np.float32], str]:
    """Return what the network's last layer sees, (n, features), and what that is called.

    Where the last layer is the only one, or there is none, that is the inputs themselves.
    """
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
    if (len(layers) < 2 and inputs.ndim == 2) or not layers:
        return inputs.reshape(len(inputs), -1).astype(np.float32), "its inputs"
    seen: list[NDArray[np.float32]] = []
    hook = layers[-1].register_forward_pre_hook(
        lambda _, given: seen.append(given[0].detach().float().reshape(len(given[0]), -1).numpy())
    )
    try:
        with torch.inference_mode():
            for start in range(0, len(inputs), BATCH):
                model(torch.from_numpy(np.ascontiguousarray(inputs[start : start + BATCH])))
    finally:
        hook.remove()
    return np.concatenate(seen), "what the network's last layer sees"
