"""Real learning curves: error by size of the training set, for many learners on real data."""

import gzip
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits  # type: ignore[import-untyped]
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis  # type: ignore[import-untyped]
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier  # type: ignore[import-untyped]
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
from sklearn.naive_bayes import GaussianNB  # type: ignore[import-untyped]
from sklearn.neighbors import KNeighborsClassifier  # type: ignore[import-untyped]
from sklearn.neural_network import MLPClassifier  # type: ignore[import-untyped]
from sklearn.pipeline import make_pipeline  # type: ignore[import-untyped]
from sklearn.preprocessing import StandardScaler  # type: ignore[import-untyped]
from sklearn.svm import LinearSVC  # type: ignore[import-untyped]

Rows = NDArray[np.float32]
Labels = NDArray[np.int64]

SMALLEST = 12
LARGEST = 12_800


@dataclass(frozen=True, kw_only=True)
class SizeCurve:
    """One learner on one dataset: errors (sizes, seeds) on one dev set and on one test set."""

    dataset: str
    learner: str
    sizes: list[int]
    dev: list[list[float]]
    test: list[list[float]]
    n_dev: int
    n_test: int

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def _network(*hidden: int, penalty: float = 1e-4) -> Callable[[int], Any]:
    def make(seed: int) -> Any:
        return MLPClassifier(
            hidden, alpha=penalty, batch_size=32, max_iter=15, random_state=seed, tol=0.0
        )

    return make


LEARNERS: Mapping[str, Callable[[int], Any]] = {
    "network 16": _network(16),
    "network 64": _network(64),
    "network 128-64": _network(128, 64),
    "network 64, penalty 1": _network(64, penalty=1.0),
    "logistic regression": lambda seed: LogisticRegression(max_iter=60),
    "linear SVM": lambda seed: LinearSVC(C=0.01, random_state=seed),
    "5 neighbours": lambda seed: KNeighborsClassifier(5),
    "random forest": lambda seed: RandomForestClassifier(40, random_state=seed),
    "extra trees": lambda seed: ExtraTreesClassifier(40, random_state=seed),
    "naive Bayes": lambda seed: GaussianNB(var_smoothing=1e-2),
    "discriminant analysis": lambda seed: LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.1),
}


def measure(
    dataset: str, learner: str, rows: tuple[Rows, Labels], seeds: int, n_dev: int
) -> SizeCurve:
    """Train ``learner`` on nested subsets of every size under ``seeds`` seeds.

    The rows are shuffled anew for each curve, so that no two share a dev set: the first ``n_dev``
    are dev; the last, at least as many, are test. Sizes halve from the largest down.
    """
    inputs, labels = rows
    order = np.random.default_rng([7, *f"{dataset} {learner}".encode()]).permutation(len(labels))
    n_test = min(10_000, max(n_dev, len(labels) // 4))
    dev, pool, test = order[:n_dev], order[n_dev:-n_test], order[-n_test:]
    most = min(LARGEST, len(pool))
    sizes = [most >> k for k in range(10) if most >> k >= SMALLEST][::-1]
    errors: dict[str, list[list[float]]] = {"dev": [], "test": []}
    for size in sizes:
        found = []
        for seed in range(seeds):
            drawn = np.random.default_rng([seed, 11]).permutation(pool)[:size]
            model = make_pipeline(StandardScaler(), LEARNERS[learner](seed))
            model.fit(inputs[drawn], labels[drawn])
            found.append([np.mean(model.predict(inputs[p]) != labels[p]) for p in (dev, test)])
        for key, column in zip(errors, zip(*found, strict=True), strict=True):
            errors[key].append([float(value) for value in column])
    return SizeCurve(
        dataset=dataset, learner=learner, sizes=sizes, n_dev=len(dev), n_test=len(test), **errors
    )


def mnist(data: Path, name: str = "mnist") -> tuple[Rows, Labels]:
    """28 × 28 pictures as means of 2 × 2 pixels: 196 features; 40,000 of them."""
    images = _idx(data / name / "train-images-idx3-ubyte.gz", 16).reshape(-1, 14, 2, 14, 2)
    labels = _idx(data / name / "train-labels-idx1-ubyte.gz", 8)
    return images[:40_000].mean(axis=(2, 4)).reshape(-1, 196).astype(np.float32), labels[
        :40_000
    ].astype(np.int64)


def fashion(data: Path) -> tuple[Rows, Labels]:
    """As ``mnist``."""
    return mnist(data, "fashion-mnist")


def usps(data: Path) -> tuple[Rows, Labels]:
    """16 × 16 pictures, both parts."""
    import h5py  # type: ignore[import-untyped]

    with h5py.File(data / "usps" / "usps.h5") as file:
        parts = [(file[p]["data"][:], file[p]["target"][:]) for p in ("train", "test")]
    inputs, labels = (np.concatenate(column) for column in zip(*parts, strict=True))
    return inputs.astype(np.float32), labels.astype(np.int64)


def adult(data: Path) -> tuple[Rows, Labels]:
    """Census rows, categories as 0 and 1."""
    import pandas as pd

    (path,) = [p for p in sorted((data / "adult").iterdir()) if "train" in p.name]
    table = pd.read_csv(path, skipinitialspace=True, header=None)
    rich = table.iloc[:, -1].astype(str).str.startswith(">").to_numpy()
    inputs = pd.get_dummies(table.iloc[:, :-1]).to_numpy(np.float32)
    return inputs, np.asarray(rich, np.int64)


def digits(data: Path) -> tuple[Rows, Labels]:
    """scikit-learn's 1,797 digits."""
    inputs, labels = load_digits(return_X_y=True)
    return inputs.astype(np.float32), labels.astype(np.int64)


DATASETS: Mapping[str, tuple[Callable[[Path], tuple[Rows, Labels]], int]] = {
    "usps": (usps, 1_000),
    "digits": (digits, 400),
    "mnist": (mnist, 2_000),
    "fashion-mnist": (fashion, 2_000),
    "adult": (adult, 2_000),
}
"""Dataset → its reader and the examples of its dev set."""


def _idx(path: Path, header: int) -> NDArray[np.uint8]:
    with gzip.open(path) as stream:
        return np.frombuffer(stream.read(), np.uint8, offset=header)
