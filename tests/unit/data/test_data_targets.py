"""Targets that are numbers or several labels: read, drawn, checked and reported."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gapwise.data import load
from gapwise.data import prepared as prepared_data
from gapwise.data.base import DATASETS, ReadContext
from gapwise.data.buckets import buckets, range_names
from gapwise.data.checks import check_examples
from gapwise.data.cuts import save_cuts
from gapwise.data.duplicates import find
from gapwise.data.report import summary
from gapwise.data.splits import assign
from gapwise.errors import DataError
from gapwise.labels import Labels
from gapwise.pipeline import Pipeline, Splits
from gapwise.records import ExampleSet
from gapwise.settings import Settings
from gapwise.workflows.label_tables import label_tables, unknown_lines

PRICE = Labels(kind="number", names=("price",), unit="dollars")
PEOPLE = Labels(
    kind="several", names=("income", "work"), classes=(("low", "high"), ("none", "some", "much"))
)


def numbers(n: int = 500, seed: int = 0, first: int = 0) -> ExampleSet:
    random = np.random.default_rng(seed)
    return ExampleSet(
        name="homes",
        inputs=random.normal(size=(n, 3)).astype(np.float32),
        targets=np.exp(random.normal(12, 1, n)).astype(np.float32),
        labels=PRICE,
        ids=np.array([f"h{first + i}" for i in range(n)]),
        sources=np.full(n, "homes"),
        feature_names=("a", "b", "c"),
    )


def people(n: int = 500) -> ExampleSet:
    random = np.random.default_rng(0)
    targets = np.stack([np.arange(n) % 5 == 0, random.integers(0, 3, n)], 1).astype(np.int64)
    targets[np.arange(n) % 10 == 3, 0] = -1
    targets[np.arange(n) % 10 == 4, 1] = -1
    return ExampleSet(
        name="people",
        inputs=random.normal(size=(n, 2)).astype(np.float32),
        targets=targets,
        labels=PEOPLE,
        ids=np.array([f"p{i}" for i in range(n)]),
        sources=np.full(n, "census"),
        feature_names=("a", "b"),
    )


def test_numbers_are_drawn_from_every_tenth_alike() -> None:
    examples = numbers(2000)
    drawn = assign(examples, Splits(dev=200, test=200, train_dev=100))
    codes, names = buckets(examples)
    assert len(names) == 10
    for split, each in (("dev", 20), ("test", 20), ("train_dev", 10)):
        assert np.bincount(codes[drawn.split == split], minlength=10).tolist() == [each] * 10
    plain = assign(examples, Splits(dev=200, test=200, train_dev=100, stratify=False))
    assert np.bincount(codes[plain.split == "dev"], minlength=10).tolist() != [20] * 10


def test_several_labels_are_drawn_by_the_first_and_unknown_is_a_class_of_its_own() -> None:
    examples = people(1000)
    drawn = assign(examples, Splits(dev=100, test=0, train_dev=0))
    dev = examples.targets[drawn.split == "dev", 0]
    whole = examples.targets[:, 0]
    for value in (-1, 0, 1):
        assert abs(int((dev == value).sum()) - (whole == value).sum() / 10) <= 1


def test_adding_numbers_to_a_saved_draw_moves_nobody(tmp_path: Path) -> None:
    """Ranges follow the first draw, not the data that came later."""
    before = numbers(400)
    splits = Splits(dev=60, test=50, train_dev=40)
    first = assign(before, splits)
    save_cuts(tmp_path / "cuts.json", first)
    later = numbers(300, seed=5, first=400)
    # Far larger numbers: ranges drawn anew would all be others.
    both = ExampleSet(
        **{
            **vars(before),
            "inputs": np.concatenate([before.inputs, later.inputs]),
            "targets": np.concatenate([before.targets, 100 * later.targets]),
            "ids": np.concatenate([before.ids, later.ids]),
            "sources": np.full(700, "homes"),
        }
    )
    again = assign(both, splits.model_copy(update={"cuts": str(tmp_path / "cuts.json")}))
    assert again.split[:400].tolist() == first.split.tolist()
    assert set(again.split[400:]) == {"train", "train_dev", "dev", "test"}
    anew = assign(both, splits)
    assert anew.split[:400].tolist() != first.split.tolist()


def test_equal_numbers_make_one_range() -> None:
    examples = numbers(50)
    same = ExampleSet(**{**vars(examples), "targets": np.full(50, 7, np.float32)})
    drawn = assign(same, Splits(dev=10, test=10, train_dev=5))
    assert (drawn.split == "dev").sum() == 10
    assert any("there is nothing to learn" in note for note in drawn.notes)


def test_ranges_are_named_by_their_ends() -> None:
    assert range_names(np.array([])) == ("all",)
    assert range_names(np.array([1.5, 20_000.0])) == (
        "below 1.5",
        "1.5 to 20,000",
        "20,000 and more",
    )


def test_a_report_of_numbers_shows_range_and_histogram_by_split() -> None:
    examples = numbers(300)
    report = summary(examples, assign(examples, Splits(dev=60, test=60)))
    assert report.classes == ()
    assert report.labels == ()
    assert report.numbers is not None
    assert sum(report.numbers.counts) == 300
    assert report.numbers.edges[0] == pytest.approx(examples.targets.min())
    assert report.numbers.edges[-1] == pytest.approx(examples.targets.max())
    whole = report.numbers.by_source["homes"]
    assert (whole.n, whole.median) == (300, pytest.approx(np.median(examples.targets)))
    assert report.numbers.by_split["dev"].n == 60
    titles = [table["title"] for table in label_tables(report)]
    assert titles == ["price, dollars", "How often price is"]
    assert all(len(row) == 4 for row in label_tables(report)[1]["rows"])


def test_a_report_of_several_labels_counts_each_and_its_unknown() -> None:
    examples = people(500)
    report = summary(examples, assign(examples, Splits(dev=100, test=100)))
    income, work = report.labels
    assert (income.name, income.unknown, work.unknown) == ("income", 50, 50)
    known = examples.targets[examples.targets[:, 1] >= 0, 1]
    assert work.by_source["census"] == np.bincount(known, minlength=3).tolist()
    assert sum(map(sum, income.by_split.values())) == 450
    rows = label_tables(report)[0]["rows"]
    assert [row[0] for row in rows] == ["low", "high", "(unknown)"]
    assert "income" in unknown_lines(report)[0]
    assert "50 of 500" in unknown_lines(report)[0]


def test_equal_inputs_with_other_labels_disagree() -> None:
    examples = people(40)
    inputs = examples.inputs.copy()
    drawn = assign(examples, Splits(dev=10, test=10))
    one, other = drawn.indices("dev")[0], drawn.indices("train")[0]
    inputs[one] = inputs[other]
    examples.targets[one], examples.targets[other] = [0, 1], [0, 2]
    same = ExampleSet(**{**vars(examples), "inputs": inputs})
    assert not find(same, drawn).groups[0].labels_agree
    examples.targets[other] = [0, 1]
    assert find(same, drawn).groups[0].labels_agree


@pytest.mark.parametrize("examples", [numbers(60), people(60)])
def test_prepared_data_says_what_its_targets_are(tmp_path: Path, examples: ExampleSet) -> None:
    drawn = assign(examples, Splits())
    made = prepared_data.write(tmp_path / "p", examples, drawn)
    assert made.labels == examples.labels
    assert made.classes == ()
    assert made.targets.dtype == examples.targets.dtype
    assert np.array_equal(made.targets, examples.targets)
    assert made.rows(["h3" if examples.labels is PRICE else "p3"]).tolist() == [
        examples.inputs[3].tolist()
    ]
    with pytest.raises(DataError, match="no example 'nobody'"):
        made.rows(["nobody"])
    other = ExampleSet(**{**vars(examples), "labels": Labels(**{**vars(examples.labels),
                                                               "unit": "x"})})  # fmt: skip
    assert prepared_data.digest_of(other, drawn) != made.digest


@pytest.mark.parametrize(
    ("examples", "row", "value", "says"),
    [
        (numbers(30), 4, np.nan, r"example h4 has label nan; give a finite number"),
        (people(30), 5, [2, 0], r"example p5 has label 2; labels go from 0 to 1"),
        (people(30), 5, [0, -2], r"example p5 has label -2; labels go from 0 to 2"),
        (people(30), 5, [-1, -1], r"example p5 has label \[-1 -1\]; give each example one known"),
    ],
)
def test_a_target_that_cannot_be_is_named(examples, row, value, says) -> None:
    examples.targets[row] = value
    with pytest.raises(DataError, match=says):
        check_examples(examples)


@pytest.mark.parametrize(
    "targets", [np.zeros((30, 1), np.float32), np.zeros(30, np.int64), np.zeros(30, np.float64)]
)
def test_targets_of_another_form_than_stated_are_refused(targets) -> None:
    with pytest.raises(DataError, match=r"numbers \(price\) want float32 of shape \(30,\)"):
        check_examples(ExampleSet(**{**vars(numbers(30)), "targets": targets}))


@pytest.fixture
def read(tmp_path: Path, home: Path) -> Callable[..., ExampleSet]:
    """Read a manifest given as text."""

    def read(text: str, **options) -> ExampleSet:
        (tmp_path / "m.csv").write_text(text)
        context = ReadContext(settings=Settings.read(), root=tmp_path)
        return DATASETS.get("manifest")(context, path="m.csv", **options)

    return read


def test_a_manifest_of_numbers(read) -> None:
    examples = read(
        "size,price\n1,10.5\n2,\n3,-3e2\n",
        columns={"label": "price"}, target="number", unit="dollars",
    )  # fmt: skip
    assert examples.labels == PRICE
    assert examples.targets.tolist() == [10.5, -300.0]
    assert examples.feature_names == ("size",)
    assert [(item.code, item.where[-5:]) for item in examples.quarantine] == [("no-label", "csv:3")]


def test_a_manifest_of_several_labels_knows_what_is_unknown(read) -> None:
    text = "size,wet,cold\n1,yes,no\n2,?,no\n3,no,\n4,,?\n5,yes,yes\n"
    examples = read(text, columns={"label": ["wet", "cold"]})
    assert examples.labels.names == ("wet", "cold")
    assert examples.labels.classes == (("no", "yes"), ("no", "yes"))
    assert examples.targets.tolist() == [[1, 0], [-1, 0], [0, -1], [1, 1]]
    assert examples.feature_names == ("size",)
    assert [item.code for item in examples.quarantine] == ["no-label"]
    ordered = read(text, columns={"label": ["wet", "cold"]}, classes={"wet": ["yes", "no"]})
    assert ordered.targets[:, 0].tolist() == [0, -1, 1, 0]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"columns": {"label": "price"}, "target": "number"}, "price holds dear"),
        ({"columns": {"label": ["size", "price"]}, "target": "number"}, "2 label columns cannot"),
        ({"columns": {"label": ["price", "price"]}}, "name each column once"),
        ({"columns": {"label": []}}, "name each column once"),
        ({"columns": {"label": ["size", "prise"]}}, "no column prise; did you mean price"),
        ({"columns": {"image": ["size", "price"]}}, "columns.image names several columns"),
        ({"columns": {"label": "price"}, "classes": {"price": ["a"]}}, "must be a list of names"),
        ({"columns": {"label": ["size", "price"]}, "classes": {"prise": ["a"]}}, "no label column"),
    ],
)  # fmt: skip
def test_a_manifest_whose_labels_cannot_be_is_refused(read, options, says) -> None:
    with pytest.raises(DataError, match=says):
        read("size,price\n1,10\n2,dear\n", **options)


def test_adult_with_two_labels_hides_them_from_the_inputs(home, monkeypatch, data_folder) -> None:
    monkeypatch.setenv("GAPWISE_DATA", str(data_folder))
    pipeline = Pipeline.model_validate(
        {
            "name": "x",
            "data": {"dataset": {"name": "adult", "labels": ["income", "workclass"]}},
            "network": "multilayer-perceptron",
        }
    )
    examples = load.read(pipeline, Settings.read(), Path.cwd())
    assert examples.labels.names == ("income", "workclass")
    assert examples.labels.classes[0] == ("<=50K", ">50K")
    assert "?" not in examples.labels.classes[1]
    assert len(examples.labels.classes[1]) == 8
    assert int((examples.targets[:, 1] == -1).sum()) == 2799
    assert int((examples.targets[:, 0] == -1).sum()) == 0
    assert not any("workclass" in name or "income" in name for name in examples.feature_names)
    assert not {"workclass", "income"} & set(examples.metadata)
    with pytest.raises(DataError, match="no category workclas; did you mean workclass"):
        DATASETS.get("adult")(
            ReadContext(settings=Settings.read(), root=Path()), labels=["income", "workclas"]
        )
    with pytest.raises(DataError, match="two labels or more"):
        DATASETS.get("adult")(
            ReadContext(settings=Settings.read(), root=Path()), labels=["workclass"]
        )


def test_housing_marks_what_was_missing_and_what_is_capped(home, monkeypatch, data_folder) -> None:
    monkeypatch.setenv("GAPWISE_DATA", str(data_folder))
    examples = DATASETS.get("housing")(ReadContext(settings=Settings.read(), root=Path()))
    assert examples.inputs.shape == (20640, 14)
    missing = examples.inputs[:, examples.feature_names.index("total_bedrooms missing")]
    assert int(missing.sum()) == 207
    filled = examples.inputs[missing == 1, examples.feature_names.index("total_bedrooms")]
    assert set(filled.tolist()) == {435.0}
    assert int((examples.metadata["capped"] == "capped").sum()) == 965
    assert float(examples.targets.max()) == 500_001
    nearness = [i for i, n in enumerate(examples.feature_names) if n.startswith("ocean")]
    assert len(nearness) == 5
    assert (examples.inputs[:, nearness].sum(axis=1) == 1).all()
