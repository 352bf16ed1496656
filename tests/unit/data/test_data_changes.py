"""Data that changes while a run goes on."""

import numpy as np
import pytest

from gapwise.data.changes import changed_files, check_unchanged, class_changes
from gapwise.data.load import prepare
from gapwise.errors import DataError
from gapwise.pipeline import Pipeline

HEADER = "id,x,label\n"


def rows(count, classes="ab"):
    return HEADER + "".join(f"{i},{i},{classes[i % len(classes)]}\n" for i in range(count))


def prepared_from(context, text, path="m.csv"):
    (context.root / path).write_text(text)
    pipeline = Pipeline.model_validate(
        {
            "data": {"dataset": {"name": "manifest", "path": path}},
            "splits": {"dev": 10, "test": 10},
            "network": "multilayer-perceptron",
        }
    )
    return prepare(pipeline, context.settings, context.root)


def test_d11_a_manifest_changed_during_the_run_is_noticed_and_the_snapshot_kept(context):
    before = prepared_from(context, rows(60))
    inputs = np.array(before.inputs)
    assert changed_files(before) == []
    (context.root / "m.csv").write_text(rows(61))
    (sentence,) = changed_files(before)
    assert "m.csv changed since the run began" in sentence
    assert before.snapshot[str((context.root / "m.csv").resolve())][:12] in sentence
    assert np.array_equal(before.inputs, inputs)
    (context.root / "m.csv").unlink()
    assert "is gone" in changed_files(before)[0]


def test_d11_resuming_on_other_data_is_refused_unless_accepted(context):
    before, after = prepared_from(context, rows(60)), prepared_from(context, rows(61))
    with pytest.raises(DataError, match="--accept-data-change"):
        check_unchanged(before, after, accept=False)
    check_unchanged(before, after, accept=True)
    check_unchanged(before, prepared_from(context, rows(60)), accept=False)


def test_l2_changed_classes_are_refused_with_their_difference(context):
    before = prepared_from(context, rows(60, "bc"))
    after = prepared_from(context, rows(60, "abd"))
    with pytest.raises(DataError, match="gone: c; new: a, d; moved: b from 0 to 1"):
        check_unchanged(before, after, accept=True)


def test_class_changes_of_equal_classes_are_none():
    assert class_changes(("a", "b"), ("a", "b")) == ""


def test_the_same_data_is_prepared_once_for_each_place(context):
    first = prepared_from(context, rows(60))
    again = prepared_from(context, rows(60))
    other = prepared_from(context, rows(60), "n.csv")
    assert first.folder == again.folder
    assert other.folder != first.folder
