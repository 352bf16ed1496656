"""What every dataset must hold; a new one is tested without being told.

A dataset without required options is read as it is (from ``GAPWISE_DATA`` where it is not bundled).
One with required options, a reader, needs an example of them in ``RECIPES``; ``PARTS`` says which
part of a large public set is read.
"""

import inspect
import json
import struct
import wave
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gapwise.data.base import DATASETS, SYNTHESIS, Originals, ReadContext
from gapwise.data.checks import check_examples
from gapwise.data.sound_set import Listening, as_wav, read_sound
from gapwise.data.splits import assign
from gapwise.errors import PipelineError
from gapwise.forms.base import form_of
from gapwise.inputs import kind_of
from gapwise.pipeline import Splits
from gapwise.settings import Settings

BUNDLED = ("digits", "digit-scenes", "digit-and-number", "textures")
INPUTS = {
    "row": np.float32,
    "picture": np.uint8,
    "sequence": np.float32,
    "words": np.int32,
    "volume": np.uint8,
}
COUNT = 40


def _write_pictures(root: Path) -> dict:
    random = np.random.default_rng(0)
    for index in range(COUNT):
        path = root / "pictures" / "ab"[index % 2] / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (9, 8, 3), dtype=np.uint8)).save(path)
    return {"path": "pictures"}


def _write_manifest(root: Path) -> dict:
    rows = "".join(f"e{i},{i / 7},{'xyz'[i % 3]},{['no', 'yes'][i % 2]}\n" for i in range(COUNT))
    (root / "m.csv").write_text("id,size,kind,label\n" + rows)
    return {"path": "m.csv"}


def _write_idx(root: Path) -> dict:
    images = np.random.default_rng(0).integers(0, 256, (COUNT, 6, 5), dtype=np.uint8)
    for name, array in (("i.idx", images), ("l.idx", np.arange(COUNT, dtype=np.uint8) % 3)):
        sizes = struct.pack(f">{array.ndim}I", *array.shape)
        (root / name).write_bytes(bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes())
    return {"images": "i.idx", "labels": "l.idx"}


def _write_npz(root: Path) -> dict:
    images = np.random.default_rng(0).integers(0, 256, (COUNT, 6, 5), dtype=np.uint8)
    np.savez(root / "a.npz", images=images, labels=np.arange(COUNT) % 3)
    return {"path": "a.npz"}


def _write_voc(root: Path) -> dict:
    random = np.random.default_rng(0)
    for folder in ("JPEGImages", "Annotations"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for index in range(COUNT):
        pixels = random.integers(0, 256, (20, 30), dtype=np.uint8)
        Image.fromarray(pixels).save(root / "JPEGImages" / f"{index}.png")
        box = f"<xmin>{index % 9}</xmin><ymin>2</ymin><xmax>{12 + index % 9}</xmax><ymax>9</ymax>"
        thing = f"<object><name>{'ab'[index % 2]}</name><bndbox>{box}</bndbox></object>"
        size = "<size><width>30</width><height>20</height></size>"
        text = f"<annotation><filename>{index}.png</filename>{size}{thing}</annotation>"
        (root / "Annotations" / f"{index}.xml").write_text(text)
    return {"path": "."}


def _write_coco(root: Path) -> dict:
    _write_voc(root)
    names = range(COUNT)
    document = {
        "images": [
            {"id": i, "file_name": f"JPEGImages/{i}.png", "width": 30, "height": 20} for i in names
        ],
        "annotations": [
            {"id": i, "image_id": i, "category_id": 7 + i % 2, "bbox": [i % 9, 2, 12, 7]}
            for i in names
        ],
        "categories": [{"id": 7, "name": "a"}, {"id": 8, "name": "b"}],
    }
    (root / "coco.json").write_text(json.dumps(document))
    return {"path": "coco.json"}


def _write_masks(root: Path) -> dict:
    random = np.random.default_rng(0)
    for folder in ("image", "label"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for index in range(COUNT // 4):
        pixels = random.integers(0, 256, (16, 16), dtype=np.uint8)
        Image.fromarray(pixels).save(root / "image" / f"{index}.png")
        Image.fromarray(pixels // 128 * 255).save(root / "label" / f"{index}.png")
    return {"path": ".", "values": {"dark": 0, "light": 255}, "tile": 8, "margin": 2}


def _write_sounds(root: Path) -> dict:
    random = np.random.default_rng(0)
    for index in range(COUNT):
        path = root / "sounds" / "ab"[index % 2] / f"{index}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(path), "wb") as sound:
            sound.setparams((1, 2, 8000, 0, "NONE", ""))
            sound.writeframes(random.integers(-9000, 9000, 900, dtype=np.int16).tobytes())
    return {"path": "sounds", "seconds": 0.2, "mels": 8}


def _write_sentences(root: Path) -> dict:
    rows = "".join(
        f"e{i},A film no. {i} of its kind,{['bad', 'good'][i % 2]}\n" for i in range(COUNT)
    )
    (root / "s.csv").write_text("id,text,label\n" + rows)
    return {"path": "s.csv", "words": 12}


def _write_people(root: Path) -> dict:
    random = np.random.default_rng(0)
    for index in range(COUNT):
        path = root / "people" / f"p{index % 10}" / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (9, 8), dtype=np.uint8)).save(path)
    return {"path": "people"}


RECIPES = {
    "people": _write_people,
    "sounds": _write_sounds,
    "sentences": _write_sentences,
    "coco": _write_coco,
    "voc": _write_voc,
    "masks": _write_masks,
    "folder": _write_pictures,
    "manifest": _write_manifest,
    "idx": _write_idx,
    "npz": _write_npz,
}
# What keeps a public set to the part that tests have.
PARTS = {"cifar10": {"train_images": 10_000}}


def required(name: str) -> list[str]:
    options = DATASETS.options(name)
    return [key for key, option in options.items() if option.default is inspect.Parameter.empty]


@pytest.fixture(params=DATASETS.names())
def read(request, home, tmp_path, monkeypatch):
    """A function that reads one dataset, the same each time."""
    name = request.param
    options = PARTS.get(name, {})
    if required(name):
        assert name in RECIPES, f"add an example of {name}'s options {required(name)} to RECIPES"
        options = RECIPES[name](tmp_path)
    elif name not in BUNDLED:
        monkeypatch.setenv("GAPWISE_DATA", str(request.getfixturevalue("data_folder")))
    context = ReadContext(settings=Settings.read(), root=tmp_path)
    return lambda: DATASETS.get(name)(context, **options)


def test_a_dataset_gives_sound_examples(read):
    examples = read()
    check_examples(examples)
    count = len(examples)
    assert count > 0
    kind = kind_of(examples.inputs.shape[1:], examples.inputs.dtype)
    assert examples.inputs.dtype == INPUTS[kind]
    plain = np.float32 if examples.labels.kind == "number" else np.int64
    drawn = examples.labels.is_drawn
    assert examples.targets.dtype == (form_of(examples.labels).dtype if drawn else plain)
    for column in (examples.ids, examples.sources):
        assert column.dtype.kind == "U"
        assert all(column.tolist())
    columns = [examples.inputs, examples.targets, examples.sources, *examples.metadata.values()]
    columns += [c for c in (examples.groups, examples.weights, examples.media) if c is not None]
    assert {len(column) for column in columns} == {count}
    assert (len(examples.classes) > 0) == (examples.labels.kind == "class")
    for classes in examples.labels.classes:
        assert len(set(classes)) == len(classes) > 1
    assert (len(examples.feature_names) > 0) == (examples.inputs.ndim == 2)
    assert len(assign(examples, Splits(dev=0.2, test=0.2)).indices("train")) > 0


def test_a_dataset_is_the_same_each_time(read):
    one, other = read(), read()
    assert np.array_equal(one.ids, other.ids)
    assert np.array_equal(one.targets, other.targets)
    assert np.array_equal(one.inputs, other.inputs)


@pytest.mark.parametrize("name", DATASETS.names())
def test_a_dataset_says_what_it_is(name):
    part = DATASETS.get(name)
    assert inspect.getdoc(part)
    assert inspect.getdoc(inspect.getmodule(part))
    for option in DATASETS.options(name):
        assert f"{option}:" in inspect.getdoc(part), f"{name} does not document {option}"


def pictures_to_copy(folder):
    images = np.random.default_rng(0).integers(0, 256, (6, 3, 12, 9), dtype=np.uint8)
    return images, ()


def sounds_to_copy(folder):
    listening, files, features = Listening(seconds=0.3), [], []
    for row in range(6):
        sound = 0.3 * np.sin(np.arange(1500 + 200 * row) * (0.1 + 0.1 * row))
        files.append(folder / f"{row}.wav")
        files[-1].write_bytes(as_wav(sound.astype(np.float32), listening.rate))
        features.append(listening.features(read_sound(files[-1], listening.rate)))
    return np.stack(features), files


TO_COPY = {"camera": pictures_to_copy, "backgrounds": pictures_to_copy, "noise": sounds_to_copy}
"""What each synthesizer is tried on."""


@pytest.mark.parametrize("name", SYNTHESIS.names())
def test_a_synthesizer_keeps_shapes_and_goes_by_its_keys(name, tmp_path):
    part = SYNTHESIS.get(name)
    inputs, files = TO_COPY[name](tmp_path)
    keys = [f"k{i}" for i in range(6)]
    before = inputs.copy()
    made = part(Originals(inputs=inputs, keys=keys, files=files))
    assert made.inputs.shape == inputs.shape
    assert made.inputs.dtype == inputs.dtype
    assert np.array_equal(inputs, before)
    turned = part(Originals(inputs=inputs[::-1], keys=keys[::-1], files=files[::-1]))
    assert np.array_equal(turned.inputs[::-1], made.inputs)
    assert list(turned.added[::-1]) == list(made.added)
    assert len(made.added) in (0, 6)
    for row in range(6):
        assert not np.array_equal(made.inputs[row], inputs[row])


@pytest.mark.parametrize("name", SYNTHESIS.names())
def test_a_synthesizer_refuses_what_it_is_not_for(name):
    rows = Originals(inputs=np.zeros((2, 5), np.float32), keys=["a", "b"])
    with pytest.raises(PipelineError, match=f"{name} is for .*rows of features"):
        SYNTHESIS.get(name)(rows)


@pytest.mark.parametrize("name", SYNTHESIS.names())
def test_a_synthesizer_says_what_it_is(name):
    documented = inspect.getdoc(SYNTHESIS.get(name))
    for option in SYNTHESIS.options(name):
        assert f"{option}:" in documented, f"{name} does not document {option}"
