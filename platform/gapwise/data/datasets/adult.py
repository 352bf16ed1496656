"""Adult (Kohavi, 1996; UCI): does somebody of the 1994 US census earn more than 50,000 dollars?

Every category of a row can be asked for as a label beside the income, and is then no input. Who
does not tell the working class ("?") is truly unknown there.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]

from gapwise.data.arrays import numbered
from gapwise.data.base import ReadContext
from gapwise.data.features import encode
from gapwise.data.label_columns import label_columns
from gapwise.data.remote import Remote, fetch
from gapwise.data.table import Table
from gapwise.errors import DataError, did_you_mean, shown
from gapwise.labels import CLASSES
from gapwise.records import ExampleSet

__all__ = ["adult"]

URL = "https://archive.ics.uci.edu/ml/machine-learning-databases/adult"
REMOTES = {
    "train": Remote(
        folder="adult",
        name="adult.data",
        url=f"{URL}/adult.data",
        sha256="5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d",
        size=3_974_305,
        also=("adult-train.csv",),
    ),
    "test": Remote(
        folder="adult",
        name="adult.test",
        url=f"{URL}/adult.test",
        sha256="a2a9044bc167a35b2361efbabec64e89d69ce82d9790d2980119aac5fd7e9c05",
        size=2_003_153,
        also=("adult-test.csv",),
    ),
}
CATEGORICAL = (
    "workclass",
    "education",
    "marital-status",
    "occupation",
    "relationship",
    "race",
    "sex",
    "native-country",
)
COLUMNS = (
    *("age", "workclass", "fnlwgt", "education", "education-num", "marital-status"),
    *("occupation", "relationship", "race", "sex", "capital-gain", "capital-loss"),
    *("hours-per-week", "native-country", "income"),
)
SLICES = ("sex", "race", "education")
INCOME = ("<=50K", ">50K")


def adult(context: ReadContext, *, labels: list[str] | None = None) -> ExampleSet:
    """Read both official parts, pooled: rows of 6 numbers and 8 categories one-hot.

    Some rows stand in both official parts, so ``data.duplicates`` has work to do here. Sex, race
    and education stay as metadata too, for slicing.

    Args:
        context: where the files are.
        labels: several labels instead of the income alone: ``income`` and categories, which are
            then no inputs; "?" is an unknown label.

    Raises:
        DataError: a label is no category, or is named twice.
    """
    wanted = _checked(labels)
    rows: list[list[str]] = []
    counts: dict[str, int] = {}
    for part, remote in REMOTES.items():
        found = _rows(fetch(context.settings, remote))
        counts[part] = len(found)
        rows += found
    cells = {
        n: pa.chunked_array([c]) for n, c in zip(COLUMNS, zip(*rows, strict=True), strict=True)
    }
    cells["income"] = pa.chunked_array([[row[-1].removesuffix(".") for row in rows]])
    table = Table(path=Path("adult"), columns=cells, lines=np.arange(1, len(rows) + 1))
    hidden = {"income", *wanted}
    encoded = encode(
        table, [n for n in COLUMNS if n not in hidden], [n for n in CATEGORICAL if n not in hidden]
    )
    targets, described = label_columns(table, wanted, {"income": INCOME}, np.arange(len(rows)))
    single = len(wanted) == 1
    metadata = {name: np.array(table.text(name)) for name in SLICES}
    metadata["official_part"] = np.repeat(list(counts), list(counts.values()))
    return ExampleSet(
        name="adult" if single else f"adult-{'-'.join(wanted)}",
        inputs=encoded.values,
        targets=targets[:, 0] if single else targets,
        classes=INCOME if single else (),
        labels=CLASSES if single else described,
        ids=np.concatenate([numbered(f"adult/{part}", n) for part, n in counts.items()]),
        sources=np.full(len(rows), "adult"),
        metadata=metadata,
        feature_names=encoded.names,
        notes=encoded.notes,
    )


def _rows(path: Path) -> list[list[str]]:
    """Return the cells of one part; the test part's official first line is a remark."""
    rows = []
    for number, line in enumerate(path.read_text(encoding="ascii").splitlines(), start=1):
        if not line.strip() or line.startswith("|"):
            continue
        cells = [cell.strip() for cell in line.split(",")]
        if len(cells) != len(COLUMNS):
            raise DataError(
                f"{path}:{number}: {len(cells)} cells instead of {len(COLUMNS)}; fetch it anew"
            )
        rows.append(cells)
    return rows


def _checked(labels: Sequence[str] | None) -> tuple[str, ...]:
    known = ("income", *CATEGORICAL)
    wanted = ("income",) if labels is None else tuple(labels)
    for name in wanted:
        if name not in known:
            raise DataError(
                f"data.dataset.labels: adult has no category {shown(name)}; "
                f"{did_you_mean(name, known)}"
            )
    if len(set(wanted)) < len(wanted) or (labels is not None and len(wanted) < 2):
        raise DataError(
            f"data.dataset.labels is {shown(', '.join(wanted))}; name two labels or more, each once"
        )
    return wanted
