"""What tests of the data half share: contexts, pictures, manifests."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gapwise.data.base import ReadContext
from gapwise.settings import Settings


@pytest.fixture
def context(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReadContext:
    """A context whose paths begin in ``tmp_path``, with no datasets but those made there."""
    monkeypatch.delenv("GAPWISE_DATA", raising=False)
    return ReadContext(settings=Settings.read(), root=tmp_path)


@pytest.fixture
def real_context(data_folder: Path, context: ReadContext, monkeypatch) -> ReadContext:
    """A context that finds the real datasets."""
    monkeypatch.setenv("GAPWISE_DATA", str(data_folder))
    return ReadContext(settings=Settings.read(), root=context.root)


def picture(path: Path, seed: int = 0, size: tuple[int, int] = (12, 10), mode: str = "RGB") -> Path:
    """Write a picture of smooth noise; ``size`` is (width, height)."""
    random = np.random.default_rng(seed)
    small = random.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(small).resize(size, Image.Resampling.BICUBIC).convert(mode).save(path)
    return path


@pytest.fixture
def pictures(tmp_path: Path):
    """A function that writes ``count`` pictures of two classes and returns the folder."""

    def write(count: int, ending: str = "png") -> Path:
        for index in range(count):
            name = "cat" if index % 2 else "dog"
            picture(tmp_path / "pictures" / name / f"{index:03d}.{ending}", seed=index)
        return tmp_path / "pictures"

    return write


@pytest.fixture
def make_picture():
    """The function that writes one picture."""
    return picture
