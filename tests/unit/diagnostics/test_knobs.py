"""The catalogue of knobs: complete, each tied to one gap, each command a pipeline that loads."""

import shlex
from pathlib import Path
from typing import Any

import pytest

from gapwise import pipeline_file
from gapwise.diagnostics.catalogue import CATALOGUE
from gapwise.diagnostics.errors_by_split import SplitErrors
from gapwise.diagnostics.evidence import Evidence
from gapwise.diagnostics.knobs import command, knobs
from gapwise.diagnostics.ladder import diagnose
from gapwise.records import Gap, Knob

DIGITS: dict[str, Any] = {
    "name": "digits",
    "data": {"dataset": {"name": "digits"}, "synthesize": None},
    "splits": {"target": "phone", "target_in_train": "rest", "dev": 400},
    "network": {"name": "small-cnn", "channels": [32, 64]},
    "training": {
        "epochs": 25,
        "optimizer": {"name": "adam"},
        "schedule": {"name": "one-cycle"},
        "l2": 0.0,
        "augmentation": {"mirror": False, "shift": 0},
        "early_stopping": None,
    },
}
GAPS = ("avoidable_bias", "variance", "data_mismatch", "dev_overfit")
NETWORKS: tuple[dict[str, Any], ...] = (
    {"name": "multilayer-perceptron", "hidden": [64]},
    {"name": "multilayer-perceptron", "hidden": [64, 32], "dropout": [0.2, 0.1]},
    {"name": "logistic-regression"},
    {"name": "lenet5"},
    {"name": "small-cnn", "dropout": 0.3},
    {"name": "resnet20"},
)

# Every item of the notes' lists, with words of the knob that carries it out.
NOTES = {
    "3.3 more layers": "deeper",
    "3.3 more iterations": "longer",
    "3.3 another architecture": "another architecture",
    "3.3 more data": "Collect more training data",
    "3.3 regularization": "L2",
    "4.1 more data": "Collect more training data",
    "4.1 more diverse training set": "diverse",
    "4.1 train longer": "longer",
    "4.1 Adam": "Adam",
    "4.1 bigger network": "wider",
    "4.1 smaller network": "smaller",
    "4.1 dropout": "Drop out",
    "4.1 L2": "L2",
    "4.1 activation functions": "activation",
    "4.1 hidden units": "wider",
    "4.2 bigger network": "wider",
    "4.2 Adam": "Adam",
    "4.2 regularization": "L2",
    "4.2 bigger training set": "Collect more training data",
    "4.2 bigger dev set": "bigger dev set",
    "4.2 change dev set": "Change the dev set",
    "4.2 change cost function": "Change the metric",
    "4.9 bigger model": "wider",
    "4.9 better optimization": "learning rate",
    "4.9 architecture, hyperparameters": "hyperparameters",
    "4.9 more data": "Collect more training data",
    "4.9 regularization: dropout": "Drop out",
    "4.9 regularization: augmentation": "Mirror",
    "4.15 error analysis": "by hand",
    "4.15 make training data similar": "Synthesize",
    "4.15 collect data like the target": "data like the target",
}


def gap(name: str, size: float = 0.18) -> Gap:
    return Gap(
        name=name, gap=size, low=size / 2, high=2 * size, is_high=True, probability_largest=1.0
    )


def found(name: str, pipeline: dict[str, Any], **known: Any) -> dict[str, Knob]:
    evidence = Evidence(run_ids=("r",), splits={}, pipeline=pipeline, **known)
    return {knob.name: knob for knob in knobs(evidence, gap(name))}


@pytest.mark.parametrize("item", NOTES, ids=str)
def test_every_item_of_the_notes_is_a_knob(item: str) -> None:
    section = item.split()[0]
    words = NOTES[item]
    matching = [e for e in CATALOGUE if words in e.name and section in e.notes.split(", ")]
    assert any(e.name == words for e in matching) or len(matching) == 1, words


def test_names_are_unique_and_gaps_known() -> None:
    assert len({entry.name for entry in CATALOGUE}) == len(CATALOGUE)
    assert {entry.gap for entry in CATALOGUE} == {*GAPS, "field", "leak", "label_noise"}


def test_digits_mismatch_begins_with_synthesized_phone_data() -> None:
    """The ladder of the shipped pipeline, about 0 / 4 / 22 %, in full."""
    wrong = {"train": (0, 897), "train_dev": (10, 250), "dev": (88, 400)}
    splits = {s: (SplitErrors(n=n, rate=k / n, wrong=k),) for s, (k, n) in wrong.items()}
    classes = tuple("0123456789")
    known = Evidence(run_ids=("r",), splits=splits, pipeline=DIGITS, classes=classes)
    diagnosis = diagnose(known)
    first = diagnosis.findings[0]
    assert (diagnosis.verdict, first.diagnostic) == ("data_mismatch", "verdict")
    knob = first.knobs[0]
    assert knob.change == {"data.synthesize": "camera"}
    assert knob.command == "gapwise train digits data.synthesize=camera"
    assert knob.at_most == pytest.approx(0.18)


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network["name"])
@pytest.mark.parametrize("name", GAPS)
def test_every_command_is_a_pipeline_that_loads(
    name: str, network: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "digits.yaml"
    values = DIGITS | {"network": network}
    path.write_text(str({k: v for k, v in values.items() if k != "name"}).replace("None", "null"))
    before = pipeline_file.resolve(pipeline_file.load(str(path)))
    for knob in found(name, before | {"name": "digits"}).values():
        if not knob.change:
            assert knob.command == ""
            continue
        program, verb, pipeline, *overrides = shlex.split(knob.command)
        assert (program, verb, pipeline) == ("gapwise", "train", "digits")
        after = pipeline_file.resolve(pipeline_file.load(str(path), overrides))
        assert after != before, knob.name
        assert len(knob.change) == 1, "one knob at a time"


@pytest.mark.parametrize(
    ("shipped", "key", "value"),
    [
        # All of the phone digits that dev and test leave train already.
        ("digits", "data.synthesize", "camera"),
        # Real target digits come before made ones: a camera is not what tells USPS from MNIST.
        ("mnist-to-usps", "splits.target_in_train", "rest"),
    ],
)
def test_shipped_pipelines_get_the_step_that_fits_their_mismatch(
    shipped: str, key: str, value: str
) -> None:
    pipeline = pipeline_file.resolve(pipeline_file.load(shipped))
    first = next(iter(found("data_mismatch", pipeline).values()))
    assert first.change == {key: value}
    assert first.command == f"gapwise train {shipped} {key}={value}"


def test_what_is_turned_already_is_not_offered() -> None:
    turned = DIGITS | {
        "data": {"synthesize": {"name": "camera"}},
        "training": {
            "l2": 0.3,
            "optimizer": "adam",
            "schedule": "cosine",
            "early_stopping": {"patience": 3},
            "augmentation": {"shift": 2, "mirror": True},
        },
    }
    assert "Synthesize training data that looks like the target" not in found(
        "data_mismatch", turned
    )
    bias, variance = found("avoidable_bias", turned), found("variance", turned)
    assert not {"Use Adam", "Let the learning rate rise and fall"} & bias.keys()
    offered = {"Stop early", "Shift the training images", "Mirror the training images"}
    assert not offered & variance.keys()
    assert "Add L2 regularization" not in variance


def test_characters_are_not_mirrored_and_rows_not_shifted() -> None:
    assert "Mirror the training images" in found("variance", DIGITS, classes=("cat", "dog"))
    assert "Mirror the training images" not in found("variance", DIGITS, classes=tuple("0123"))
    rows = DIGITS | {"network": {"name": "multilayer-perceptron"}}
    offered = found("variance", rows, input_shape=(14,))
    assert not {"Mirror the training images", "Shift the training images"} & offered.keys()
    assert "Synthesize training data that looks like the target" not in found(
        "data_mismatch", rows, input_shape=(14,)
    )


@pytest.mark.parametrize("task", ["regress", "multi-label", "multi-task"])
def test_nothing_is_mirrored_whose_label_a_mirror_may_change(task: str) -> None:
    numbers = DIGITS | {"task": {"name": task}}
    assert "Mirror the training images" not in found("variance", numbers)
    assert "Shift the training images" in found("variance", numbers)


def test_shift_is_a_fraction_of_the_image() -> None:
    for shape, pixels in (((1, 8, 8), 1), ((3, 32, 32), 2), ((), 1)):
        knob = found("variance", DIGITS, input_shape=shape)["Shift the training images"]
        assert knob.change == {"training.augmentation.shift": pixels}


def test_a_combined_gap_gets_the_knobs_of_its_parts() -> None:
    gaps = {knob.gap for knob in found("avoidable_bias+variance", DIGITS).values()}
    assert gaps == {"avoidable_bias", "variance"}
    assert {knob.gap for knob in found("bias", DIGITS).values()} == {"avoidable_bias"}


def test_no_knob_gains_more_than_its_gap() -> None:
    evidence = Evidence(run_ids=("r",), splits={}, pipeline=DIGITS)
    assert all(k.at_most == 0.12 for k in knobs(evidence, gap("data_mismatch"), inherent=0.06))
    assert all(k.at_most == 0.0 for k in knobs(evidence, gap("variance", -0.02)))


def test_commands_are_quoted_for_the_shell() -> None:
    line = command("my digits", {"network.hidden": [64, 32], "a.b": True, "c": "x y"})
    assert shlex.split(line) == [
        *("gapwise", "train", "my digits"),
        *("network.hidden=[64,32]", "a.b=true", "c=x y"),
    ]


@pytest.mark.parametrize("name", [*GAPS, "bias+variance+data_mismatch"])
def test_a_recorded_run_gets_no_knob_that_only_a_pipeline_can_tell(name: str) -> None:
    given = found(name, {})
    assert given
    assert all(not knob.change and not knob.command for knob in given.values())
    of_pipelines = {entry.name for entry in CATALOGUE if entry.needs_pipeline}
    assert {"Train longer", "Try another activation function", "Use Adam"} <= of_pipelines
    assert not of_pipelines & set(given)


def test_a_recorded_mismatch_is_looked_at_by_hand() -> None:
    assert "Look at 100 dev errors by hand" in found("data_mismatch", {})
