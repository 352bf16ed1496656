"""docs/tensorflow-to-torch.md runs from top to bottom, and each value is what its comment says."""

import re
import warnings
from pathlib import Path
from typing import Any

import torch

PAGE = Path(__file__).parents[3] / "docs" / "tensorflow-to-torch.md"
NOTES_CALLS = [
    *("tf.Variable", "tf.constant", "tf.cast", "tf.matmul", "tf.linalg.matmul", "tf.add"),
    *("tf.math.add", "tf.keras.activations.sigmoid", "tf.keras.activations.relu", "tf.one_hot"),
    *("GlorotNormal", "tf.zeros", "tf.ones", "tf.reduce_mean", "binary_crossentropy", "prefetch"),
    *("tf.GradientTape", "tape.gradient", "apply_gradients", "optimizer.minimize"),
    *("tf.keras.optimizers.Adam", "ZeroPadding2D", "Conv2D", "BatchNormalization", "tfl.ReLU"),
    *("MaxPool2D", "tfl.Flatten", "tfl.Dense", "tf.keras.Input", "tf.keras.Sequential"),
    *("model.add", "tf.keras.Model"),
]


def test_every_value_is_what_its_comment_says() -> None:
    text = PAGE.read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    said = 0
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        with warnings.catch_warnings():
            # torch remarks that an even kernel with same padding copies its input.
            warnings.filterwarnings("ignore", message="Using padding='same'")
            exec(block, names)
        for name, comment in re.findall(r"^(\w+) = .*?  # (.+)$", block, re.MULTILINE):
            if not comment.startswith("tf."):
                assert names[name] == eval(comment, {"torch": torch}), name
                said += 1
    assert said == 15


def test_every_call_of_the_notes_has_its_counterpart() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [call for call in NOTES_CALLS if call not in text] == []
