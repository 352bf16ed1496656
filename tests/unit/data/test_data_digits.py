"""The demo's data: two sources, the camera, the synthesized copies."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from gapwise.data.base import Originals
from gapwise.data.datasets.digits import digits
from gapwise.data.load import draw, prepare, read
from gapwise.data.report import summary
from gapwise.data.scratch import scratch
from gapwise.data.synthesis.camera import camera
from gapwise.errors import DataError, PipelineError
from gapwise.pipeline import Pipeline


def pipeline(synthesize=None, target="phone", **splits):
    return Pipeline.model_validate(
        {
            "data": {"dataset": "digits", "synthesize": synthesize},
            "splits": {"target": target, "dev": 400, "test": 250, "train_dev": 250} | splits,
            "network": "small-cnn",
        }
    )


def test_the_splits_are_those_of_the_demo(context):
    found = prepare(pipeline(), context.settings, context.root)

    def held(split):
        names, counts = np.unique(found.sources[found.indices(split)], return_counts=True)
        return dict(zip(names.tolist(), counts.tolist(), strict=True))

    assert held("train") == {"scan": 800, "phone": 97}
    assert held("train_dev") == {"scan": 223, "phone": 27}
    assert held("dev") == {"phone": 400}
    assert held("test") == {"phone": 250}
    assert any("Writers" in note for note in found.notes)


def test_every_digit_is_used_once_and_scans_are_the_originals(context):
    found = digits(context)
    bundle = load_digits()
    assert np.array_equal(found.targets, bundle.target)
    assert len(set(found.ids.tolist())) == 1797
    scans = found.sources == "scan"
    assert (~scans).sum() == 774
    originals = np.rint(bundle.images * 255 / 16).astype(np.uint8)
    assert np.array_equal(found.inputs[scans, 0], originals[scans])
    assert (found.inputs[~scans, 0] != originals[~scans]).any(axis=(1, 2)).all()


def test_the_seed_decides_who_is_seen_by_a_phone(context):
    from dataclasses import replace

    one, same = digits(context), digits(context)
    other = digits(replace(context, seed=1))
    assert np.array_equal(one.inputs, same.inputs)
    assert (one.sources != other.sources).sum() > 400


def test_more_phones_than_digits_are_refused(context):
    with pytest.raises(DataError, match="phone is 2000, but there are 1797"):
        digits(context, phone=2000)


def seen(images, keys, **options):
    return camera(Originals(inputs=images, keys=keys), **options).inputs


def test_the_camera_depends_on_the_key_alone():
    images = np.random.default_rng(0).integers(0, 256, (3, 1, 8, 8), dtype=np.uint8)
    whole = seen(images, ["a", "b", "c"])
    assert np.array_equal(seen(images[1:2], ["b"])[0], whole[1])
    assert not np.array_equal(seen(images[1:2], ["z"])[0], whole[1])


def test_the_camera_does_what_it_says():
    grey = np.full((400, 1, 16, 16), 128, dtype=np.uint8)
    off = {"rotation": 0.0, "blur": (0.0, 0.0), "contrast": 0.0, "light": 0.0, "noise": 0.0}
    keys = [str(i) for i in range(400)]
    bright = np.full((400, 1, 16, 16), 255, dtype=np.uint8)
    assert np.array_equal(seen(grey, keys, **off), grey)
    noisy = seen(grey, keys, **(off | {"noise": 0.12})) / 255
    assert noisy.std() == pytest.approx(0.12, rel=0.03)
    lit = seen(grey, keys, **(off | {"light": 0.35})) / 255
    spread = lit.max(axis=(1, 2, 3)) - lit.min(axis=(1, 2, 3))
    assert spread.max() <= 0.35 * np.sqrt(2) + 0.01
    faded = seen(bright, keys, **(off | {"contrast": 0.35})) / 255
    assert faded.min() == pytest.approx(1 - 0.35 / 2, abs=0.01)
    assert faded.max() > 0.99


def test_synthesized_copies_join_train_and_train_dev_only(context):
    found = prepare(pipeline("camera"), context.settings, context.root)
    copies = np.char.endswith(found.ids, "~camera")
    assert copies.sum() == 1023
    assert set(found.split[copies]) == {"train", "train_dev"}
    assert set(found.sources[copies]) == {"scan~camera"}
    assert len(found.indices("dev")) == 400
    for row in np.flatnonzero(copies)[::100]:
        original = np.flatnonzero(found.ids == found.ids[row].removesuffix("~camera"))[0]
        assert found.groups[row] == found.ids[original] == found.groups[original]
        assert found.split[row] == found.split[original]
        assert found.targets[row] == found.targets[original]
        assert not np.array_equal(found.inputs[row], found.inputs[original])


def test_synthesis_leaves_everybody_else_where_they_were(context):
    plain = prepare(pipeline(), context.settings, context.root)
    more = prepare(pipeline("camera"), context.settings, context.root)
    assert np.array_equal(more.inputs[: len(plain)], plain.inputs)
    assert np.array_equal(more.split[: len(plain)], plain.split)
    assert more.digest != plain.digest


def test_synthesis_without_a_target_is_refused(context):
    with pytest.raises(PipelineError, match=r"needs splits\.target"):
        prepare(pipeline("camera", target=None), context.settings, context.root)


def test_synthesis_of_rows_is_refused(context):
    text = "x,source,label\n" + "".join(f"{i},{'st'[i % 2]},{i % 3 % 2}\n" for i in range(40))
    (context.root / "m.csv").write_text(text)
    document = {
        "data": {"dataset": {"name": "manifest", "path": "m.csv"}, "synthesize": "camera"},
        "splits": {"target": "t"},
        "network": "multilayer-perceptron",
    }
    with pytest.raises(PipelineError, match="rows of features"):
        prepare(Pipeline.model_validate(document), context.settings, context.root)


def test_large_arrays_lie_in_a_file_that_has_no_name(tmp_path, monkeypatch):
    monkeypatch.setattr("gapwise.data.scratch.IN_MEMORY", 10)
    array = scratch(tmp_path / "s", (5, 3))
    assert isinstance(array, np.memmap)
    array[:] = 7
    assert array.sum() == 105
    assert list((tmp_path / "s").iterdir()) == []


def test_options_are_checked_against_the_part(context):
    document = {"data": {"dataset": {"name": "digits", "phones": 3}}, "network": "small-cnn"}
    with pytest.raises(PipelineError, match="phone"):
        read(Pipeline.model_validate(document), context.settings, context.root)


def test_the_report_shows_what_is_there(context):
    examples = read(pipeline(), context.settings, context.root)
    report = summary(examples, draw(pipeline(), examples, context.root))
    assert (report.n, report.input_shape, report.dtype) == (1797, (1, 8, 8), "uint8")
    assert (report.columns[0].low, report.columns[0].high) == (0, 255)
    assert report.columns[0].mean == pytest.approx(examples.inputs.mean())
    assert sum(report.classes_by_source["phone"]) == 774
    assert report.sources_by_split["train"] == {"scan": 800, "phone": 97}
    assert report.duplicates.count == 0
    assert len(report.samples["scan"]) == 8
    assert len({examples.targets[examples.ids == i][0] for i in report.samples["scan"]}) == 8
