"""Real small data as people have it, and one run trained on it, shared by several tests."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from gapwise.settings import Settings
from gapwise.workflows.init import init
from gapwise.workflows.train import train

NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
QUICK = ("training.epochs=3", "training.threads=1", "training.device=cpu")

WritePhotos = Callable[[Path, int], list[Path]]


def photos(root: Path, count: int) -> list[Path]:
    """Write ``count`` of scikit-learn's digits as PNG files, a folder a class."""
    digits = load_digits()
    paths = []
    for index in range(count):
        path = root / NAMES[digits.target[index]] / f"{index:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.rint(digits.images[index] * 255 / 16).astype(np.uint8)).save(path)
        paths.append(path)
    return paths


def write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> Path:
    """Write a CSV file."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        writer.writerows(rows)
    return path


@pytest.fixture(name="write_photos")
def write_photos_fixture() -> WritePhotos:
    return photos


@pytest.fixture(name="write_csv")
def write_csv_fixture() -> Callable[..., Path]:
    return write_csv


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path) -> Path:
    """The working folder of a person: empty, with a home of its own."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


class Shop:
    """A folder with own data, and where its runs are kept; ``run`` is one trained on it."""

    run: str

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = Settings(
            home=folder / "home",
            cache=folder / "cache",
            tracking_uri=f"sqlite:///{folder / 'home' / 'mlflow.db'}",
            ledger_url=f"sqlite:///{folder / 'home' / 'ledger.db'}",
        )

    def train(self, source: Path, *overrides: str) -> str:
        """Write a pipeline for ``source``, train it, return the run's id."""
        pipeline = init(source, self.folder / f"{source.stem}.yaml")
        trained = train(str(pipeline), [*QUICK, *overrides], settings=self.settings)
        return trained.run_ids[0]


@pytest.fixture(scope="session")
def photo_shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """600 photos by class and a run trained on them, ``shop.run``."""
    shop = Shop(tmp_path_factory.mktemp("photos"))
    photos(shop.folder / "photos", 600)
    shop.run = shop.train(shop.folder / "photos")
    return shop


@pytest.fixture(scope="session")
def row_shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A manifest of 400 rows with a category and a gap, and a run trained on it."""
    shop = Shop(tmp_path_factory.mktemp("rows"))
    random = np.random.default_rng(0)
    rows = []
    for index in range(400):
        width, side = random.normal(), ["left", "right"][index % 2]
        label = "yes" if width + (side == "left") > 0.5 else "no"
        rows.append([f"r{index}", "" if index == 7 else f"{width:.6f}", side, index % 5, label])
    write_csv(shop.folder / "rows.csv", ["id", "width", "side", "size", "label"], rows)
    shop.run = shop.train(shop.folder / "rows.csv")
    return shop
