"""What holds for every form of targets that are drawn."""

import json

import numpy as np
import pytest

from gapwise.forms.base import FORMS, Form
from gapwise.forms.words import as_text
from gapwise.labels import Labels

EXTENT = (12, 16)
GOOD = {
    "boxes": (
        Labels(kind="boxes", names=("cell",), classes=(("red", "white"),), extent=EXTENT),
        np.array(
            [[[1, 2, 3, 8, 9], [0, 9, 0, 16, 12]], [[-1, 0, 0, 0, 0], [-1, 0, 0, 0, 0]]], np.float32
        ),
    ),
    "points": (
        Labels(kind="points", names=("eye", "nose"), extent=EXTENT),
        np.array([[[1.25, 2], [np.nan, np.nan]], [[-3, 2], [17, 5]]], np.float32),
    ),
    "mask": (
        Labels(kind="mask", names=("class",), classes=(("nothing", "cell"),), extent=EXTENT),
        np.pad(np.array([[[0, 1], [1, 255]]] * 2, np.uint8), ((0, 0), (0, 10), (0, 14))),
    ),
}
BAD = {
    "boxes": [
        [[[2, 2, 3, 8, 9]]],
        [[[0, 8, 3, 2, 9]]],
        [[[0, 2, 3, 2, 9]]],
        [[[0, -1, 3, 8, 9]]],
        [[[0, 2, 3, 17, 9]]],
        [[[0, 2, np.nan, 8, 9]]],
        [[[0.5, 2, 3, 8, 9]]],
    ],
    "points": [[[[1, np.nan], [2, 2]]], [[[np.inf, 1], [2, 2]]], [[[np.nan] * 2] * 2]],
    "mask": [np.full((1, *EXTENT), 2), np.full((1, *EXTENT), 255)],
}


@pytest.fixture(params=FORMS.names())
def form(request: pytest.FixtureRequest) -> tuple[Form, Labels, np.ndarray]:
    return FORMS.get(request.param)(), *GOOD[request.param]


def test_good_targets_have_the_shape_and_nothing_is_wrong(form) -> None:
    part, labels, targets = form
    assert targets.shape == part.shape(labels, targets)
    assert targets.dtype == part.dtype
    checks = part.wrong(labels, targets)
    assert checks
    assert not any(wrong.any() for wrong, _ in checks)
    assert part.known(labels, targets).all()
    assert part.told in ("boxes around objects", "points", "a class for each pixel")


@pytest.mark.parametrize(
    ("kind", "values"), [(kind, values) for kind, many in BAD.items() for values in many], ids=str
)
def test_what_cannot_be_is_found_and_told_how_to_be(kind: str, values) -> None:
    part, labels = FORMS.get(kind)(), GOOD[kind][0]
    targets = np.array(values).astype(part.dtype)
    found = [mend for wrong, mend in part.wrong(labels, targets) if wrong.tolist() == [True]]
    assert found
    assert all(len(mend.split()) > 4 for mend in found)


def test_text_is_json_and_words_are_for_people(form) -> None:
    part, labels, targets = form
    text = part.text(labels, targets)
    assert text.shape == (len(targets),)
    assert text.dtype.kind == "U"
    for row, one in enumerate(text.tolist()):
        json.loads(one)
        assert part.words(labels, one) == as_text(labels, one) == as_text(labels, targets[row])
        assert part.words(labels, one)


def test_nothing_is_known_of_unknown_targets(form) -> None:
    part, labels, _ = form
    unknown = part.unknown(labels, 3)
    assert unknown.shape == part.shape(labels, unknown)
    assert not part.known(labels, unknown).any()


def test_buckets_and_classes_have_an_entry_an_example(form) -> None:
    part, labels, targets = form
    codes, names = part.buckets(labels, targets)
    assert codes.shape == (len(targets),)
    assert codes.max() < len(names)
    shown = part.classes(labels, targets)
    assert (shown is None) == (not labels.classes)
    if shown is not None:
        assert len(shown) == len(targets)
        assert set(np.unique(shown)) <= {-1, *range(len(labels.classes[0]))}


def test_labels_with_an_extent_are_read_back_and_others_stay_as_they_were() -> None:
    labels = GOOD["boxes"][0]
    assert Labels.read(json.loads(json.dumps(labels.as_json()))) == labels
    plain = Labels(kind="number", names=("price",), unit="dollars")
    assert "extent" not in plain.as_json()
    assert Labels.read(plain.as_json()) == plain
    assert "2 classes" in labels.told
