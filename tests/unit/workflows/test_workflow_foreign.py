"""Foreign tables: classes decided once a table, bad tables told in one sentence."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gapwise.errors import DataError, GapwiseError, UsageError
from gapwise.ledger import human, looks
from gapwise.ledger.ledger import Ledger
from gapwise.settings import Settings
from gapwise.tracking import predictions as tables
from gapwise.tracking.store import RunStore
from gapwise.workflows.compare import compare_runs
from gapwise.workflows.diagnose import diagnose_runs
from gapwise.workflows.foreign import by_split
from gapwise.workflows.foreign_table import read_table
from gapwise.workflows.record import RecordRequest, record_file

HEAD = "example_id,split,target,predicted\n"


def frame(splits: str, target: list[Any], **columns: Any) -> pd.DataFrame:
    names = splits.split()
    rows = range(2, len(names) + 2)
    ids = [f"e{row}" for row in rows]
    content = {"example_id": ids, "split": names, "target": target}
    return pd.DataFrame(content | columns, index=rows)


def csv(folder: Path, text: str | bytes, name: str = "pets.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_named_classes_put_score_columns_into_their_order() -> None:
    scores = {"score_cat": [0.9, 0.2], "score_dog": [0.1, 0.8]}
    named = by_split(frame("dev dev", ["cat", "dog"], **scores), ("dog", "cat"), "t")["dev"]
    assert named.classes == ("dog", "cat")
    assert named.scores is not None
    assert named.scores[0].tolist() == pytest.approx([0.1, 0.9])
    assert named.error.tolist() == [0, 0]


def test_named_classes_that_are_other_than_the_columns_are_refused() -> None:
    table = frame("dev", ["cat"], score_cat=[0.9], score_dog=[0.1])
    with pytest.raises(DataError, match=r"no column for cow and columns for dog beside"):
        by_split(table, ("cat", "cow"), "t")


def test_a_split_without_class_0_reads_integers_as_the_others_do() -> None:
    """Alone, dev's {1, 2} would be names of score_1 and score_2: off by one, all of them."""
    scores = np.eye(3)[[0, 1, 2, 1, 2]]
    columns = {f"score_{i + 1}": scores[:, i] for i in range(3)}
    found = by_split(frame("train train train dev dev", [0, 1, 2, 1, 2], **columns), (), "t")
    assert found["dev"].target.tolist() == [1, 2]
    assert found["dev"].error.tolist() == [0, 0]


def test_a_split_without_a_class_has_the_tables_classes() -> None:
    table = frame("train train dev", ["a", "b", "b"], scores=[[0.9, 0.1], [0.1, 0.9], [0, 1]])
    found = by_split(table, (), "t")
    assert found["dev"].classes == found["train"].classes == ("a", "b")
    assert found["dev"].target.tolist() == [1]
    assert found["dev"].error.tolist() == [0]


def test_huge_integers_make_no_range() -> None:
    table = frame("dev dev", [10**9, 5])
    values = by_split(table.assign(error=0.5), (), "t")["dev"]
    assert values.classes == ()
    assert values.target.tolist() == ["1000000000", "5"]
    sparse = by_split(table.assign(predicted=[5, 5]), (), "t")["dev"]
    assert sparse.classes == ("5", "1000000000")
    assert sparse.error.tolist() == [1, 0]
    dense = by_split(frame("dev dev", [0, 3], predicted=[0, 1]), (), "t")["dev"]
    assert dense.classes == ("0", "1", "2", "3")


@pytest.mark.parametrize("name", ["NA", "null", "nan", "None", "007"])
def test_a_class_may_have_any_name(tmp_path: Path, name: str) -> None:
    path = csv(tmp_path, f"{HEAD}a,dev,{name},{name}\nb,dev,cat,{name}\n")
    dev = by_split(read_table(path), (), "t")["dev"]
    assert set(dev.classes) == {name, "cat"}
    assert dev.error.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "is empty; write a header"),
        (HEAD, "no rows"),
        (f"{HEAD}a,dev,x,x\nb,dev,x,x,y\n", "row 3: has 5 cells where the header has 4"),
        (f"{HEAD}a,dev,x,x,1\nb,dev,x,x,2\n", "row 2: has 5|more cells than its header"),
        (HEAD.encode() + b"a,dev,\xff,x\n", "is not UTF-8"),
        (f"{HEAD}a,dev,x\n", "row 2: predicted is empty"),
        (f"{HEAD}a,dev,x,x\n\nb,,x,x\n", "row 4: split is empty"),
        (f"{HEAD}a,dev,x,x\n\na,dev,x,x\n", "rows 2 and 4: example_id 'a' stands twice"),
        (f"{HEAD}a,dev,x,x\n,dev,x,x\n", "row 3: example_id is empty"),
        (f"{HEAD}a,valid,x,x\n", "row 2: split 'valid' is not known; write dev"),
        ('example_id,split,target,scores\na,dev,x,"[1, 0]"\n', "column score_<class> for each"),
        ("example_id,split,target,error\na,train,x,0\nb,dev,x,NA\n", "row 3: error 'NA' is no"),
        ("example_id,split,target,error\na,train,x,0\nb,dev,x,2\n", "row 3: error is 2.0"),
    ],
)
def test_l3_a_bad_csv_is_one_sentence_and_makes_no_run(
    home: Path, tmp_path: Path, content: str | bytes, says: str
) -> None:
    with pytest.raises(DataError, match=says) as caught:
        record_file(RecordRequest(file=csv(tmp_path, content)))
    assert "\n" not in str(caught.value)
    assert "C error" not in str(caught.value)
    assert RunStore(Settings.read()).experiments() == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"experiment": ""}, "experiment's name is empty"),
        ({"experiment": "x" * 251}, "251 characters"),
        ({"dataset": " "}, "dataset's name is empty"),
        ({"classes": ("x", " x")}, "'x' is named twice"),
        ({"classes": ("x", "")}, "class name is empty"),
    ],
)
def test_l1_a_bad_option_makes_no_run(
    home: Path, tmp_path: Path, options: dict[str, Any], says: str
) -> None:
    path = csv(tmp_path, f"{HEAD}a,dev,x,x\n")
    with pytest.raises(UsageError, match=says):
        record_file(RecordRequest(file=path, **options))
    assert RunStore(Settings.read()).experiments() == []


def test_media_must_stay_within_their_root(home: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    text = "example_id,split,target,predicted,media\na,dev,x,x,a.png\nb,dev,x,x,../b.png\n"
    request = RecordRequest(file=csv(tmp_path, text), media_root=root)
    with pytest.raises(DataError, match=r"row 3: media '\.\./b\.png' is outside data root"):
        record_file(request)


def test_what_record_states_is_kept_absolute_and_by_the_files_stem(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "root").mkdir()
    monkeypatch.chdir(tmp_path)
    path = csv(tmp_path, f"{HEAD}a,train,x,x\nb,dev,x,y\n")
    run_id = record_file(
        RecordRequest(
            file=path, media_root=Path("root"), same_distribution=True, human=("0.1:50", "0.2:400")
        )
    )
    settings = Settings.read()
    run = RunStore(settings).open(run_id)
    assert (run.dataset, run.tags["gapwise.same_distribution"]) == ("pets", "true")
    stored = run.predictions_path("dev")
    assert stored is not None
    assert tables.read_media_root(stored) == str((tmp_path / "root").resolve())
    ledger = Ledger(settings.ledger_url)
    assert [level.n for level in human.levels(ledger, "pets")] == [50, 400]
    assert ledger.revision() == 1
    document = diagnose_runs([run_id]).as_json()
    assert document["ladder"][0]["n"] == 400  # the lowest level of 100 or more examples
    assert [gap["name"] for gap in document["gaps"]] == ["avoidable_bias", "variance"]


def test_a_comparison_on_test_is_counted_before_it_is_read(home: Path, tmp_path: Path) -> None:
    text = f"{HEAD}a,test,x,x\nb,train_dev,x,x\n"
    runs = [record_file(RecordRequest(file=csv(tmp_path, text))) for _ in range(2)]
    settings = Settings.read()
    ledger = Ledger(settings.ledger_url)
    assert compare_runs(*runs, split="train-dev").split == "train_dev"
    for split in ("dev", "tset"):
        with pytest.raises(GapwiseError, match=r"no predictions of .dev.|did you mean test"):
            compare_runs(*runs, split=split)
    assert looks.count(ledger, "pets") == 0
    compare_runs(*runs, split="test")
    assert looks.count(ledger, "pets") == 1
    assert ledger.events()[-1].value == {"run_ids": sorted(runs)}
    damaged = RunStore(settings).open(runs[0]).predictions_path("test")
    assert damaged is not None
    damaged.write_bytes(b"")
    with pytest.raises(DataError):
        compare_runs(*runs, split="test")
    assert looks.count(ledger, "pets") == 2


def test_integers_that_are_target_and_prediction_are_classes_whatever_the_error() -> None:
    table = pd.DataFrame(
        {"example_id": ["a", "b"], "split": "dev", "target": [0, 1], "predicted": [1, 1]}
    )
    assert by_split(table.assign(error=[1, 0]), (), "t")["dev"].classes == ("0", "1")
