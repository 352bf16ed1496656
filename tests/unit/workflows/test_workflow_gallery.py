"""Verification end to end: train, measure, enroll, recognise, forget; wrong input loses nothing."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gapwise.cli import main
from gapwise.errors import DataError, StorageError, UsageError
from gapwise.settings import Settings
from gapwise.workflows.encoding_map import encoding_map
from gapwise.workflows.gallery import open_gallery
from gapwise.workflows.nearest import Nearest
from gapwise.workflows.train import train
from gapwise.workflows.verification import verify

PEOPLE, EACH, SIDE = 24, 6, 16


def face(person: int, number: int) -> np.ndarray:
    """A coarse pattern of its own a person, seen a little darker or noisier each time."""
    pattern = np.random.default_rng(person).integers(0, 256, (4, 4)).repeat(4, 0).repeat(4, 1)
    random = np.random.default_rng([person, number])
    return (pattern * random.uniform(0.7, 1.0) + random.normal(0, 8, (SIDE, SIDE))).clip(0, 255)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A home with one run that verifies, and the folder of its pictures."""
    root = tmp_path_factory.mktemp("people")
    for person in range(PEOPLE):
        folder = root / "people" / f"p{person:02d}"
        folder.mkdir(parents=True)
        for number in range(EACH):
            picture = Image.fromarray(face(person, number).astype(np.uint8))
            picture.save(folder / f"{number}.png")
    (root / "people" / "alone").mkdir()
    Image.fromarray(face(99, 0).astype(np.uint8)).save(root / "people" / "alone" / "0.png")
    (root / "who.yaml").write_text(
        f"""
description: people told apart by their pictures
data: {{dataset: {{name: people, path: {root / "people"}}}}}
splits: {{dev: 36, test: 36, train_dev: 0}}
task: verify
network: {{name: small-cnn, channels: [16, 32], hidden: 0}}
training:
  {{epochs: 25, batch_size: 40, threads: 1, device: cpu, optimizer: {{name: adam, lr: 3e-3}}}}
"""
    )
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MLFLOW_TRACKING_URI", "GAPWISE_LEDGER_URL"):
            patch.delenv(name, raising=False)
        patch.setenv("GAPWISE_MIRROR", "off")  # pages read the runs\' own folders
        patch.setenv("GAPWISE_HOME", str(root / "home"))
        patch.setenv("GAPWISE_CACHE", str(root / "cache"))
        run = train(str(root / "who.yaml"), [], settings=Settings.read()).run_ids[0]
    return root, run


@pytest.fixture
def run(world: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> str:
    root, run_id = world
    monkeypatch.setenv("GAPWISE_HOME", str(root / "home"))
    monkeypatch.setenv("GAPWISE_CACHE", str(root / "cache"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("GAPWISE_LEDGER_URL", raising=False)
    gallery = open_gallery(run_id)
    for name in gallery.people:
        gallery.forget(name)
    return run_id


def png(person: int, number: int) -> tuple[str, bytes]:
    stream = io.BytesIO()
    Image.fromarray(face(person, number).astype(np.uint8)).save(stream, "PNG")
    return f"{person}-{number}.png", stream.getvalue()


def test_people_who_never_trained_are_told_apart(run: str) -> None:
    found = verify(run)
    (dev,) = found.splits
    assert (dev.split, dev.people, dev.pictures) == ("dev", 6, 36)
    assert dev.pairs == (6 * 15, 36 * 35 // 2 - 6 * 15)
    assert dev.auroc is not None
    assert dev.auroc.value > 0.95
    assert dev.auroc.interval is not None
    assert dev.false_accepts is not None
    assert dev.false_accepts.value <= 0.01  # τ was chosen on dev for that
    assert [split.split for split in verify(run, test=True).splits] == ["dev", "test"]


def test_a_new_person_is_recognised_by_one_picture_and_a_stranger_is_nobody(run: str) -> None:
    gallery = open_gallery(run)
    for person in range(200, 206):
        gallery.enroll(f"new {person}", [png(person, 0)])
    again = open_gallery(run)
    assert again.people == {f"new {person}": 1 for person in range(200, 206)}
    right = [again.recognise(*png(person, 3)) for person in range(200, 206)]
    assert sum(one.name == f"new {p}" for p, one in zip(range(200, 206), right, strict=True)) >= 5
    assert all(one.nearest[0][1] == one.distance for one in right)
    unknown = [again.recognise(*png(person, 1)).name for person in range(300, 310)]
    assert unknown.count("") >= 8


def test_who_is_forgotten_is_gone_from_the_file(run: str, world: tuple[Path, str]) -> None:
    gallery = open_gallery(run)
    gallery.enroll("ann", [png(200, 0), png(200, 1)])
    gallery.enroll("bob", [png(201, 0)])
    assert gallery.forget("ann") == 2
    again = open_gallery(run)
    assert again.people == {"bob": 1}
    assert len(again.pictures) == 1
    folder = world[0] / "home" / "galleries" / run
    assert b"ann" not in (folder / "people.npz").read_bytes()
    assert sorted(file.name for file in folder.iterdir()) == ["people.npz", "people.npz.lock"]
    with pytest.raises(UsageError, match="nobody is called 'bo'; did you mean bob"):
        again.forget("bo")


def test_two_who_enroll_at_once_lose_nobody(run: str) -> None:
    one, other = open_gallery(run), open_gallery(run)
    one.enroll("ann", [png(200, 0)])
    other.enroll("bob", [png(201, 0)])
    assert open_gallery(run).people == {"ann": 1, "bob": 1}


def test_a_full_disk_leaves_the_gallery_as_it_was_and_no_picture_beside_it(
    run: str, world: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    gallery = open_gallery(run)
    gallery.enroll("bob", [png(201, 0)])
    with monkeypatch.context() as patch:
        patch.setattr("gapwise.training.files.os.fsync", full)
        with pytest.raises(StorageError, match="No space left"):
            gallery.enroll("ann", [png(200, 0)])
    assert open_gallery(run).people == gallery.people == {"bob": 1}
    folder = world[0] / "home" / "galleries" / run
    assert sorted(file.name for file in folder.iterdir()) == ["people.npz", "people.npz.lock"]


@pytest.mark.parametrize(
    ("name", "contents", "says"),
    [
        (" ", [("a.png", b"x")], "give 1 to 80"),
        ("x" * 81, [("a.png", b"x")], "give 1 to 80"),
        ("ann", [], "no picture of ann is given"),
        ("ann", [png(1, 1), ("b.txt", b"no picture")], "b.txt is no image, not JPEG, PNG or WebP"),
        ("ann", [png(1, 1), ("c.png", png(1, 1)[1][:90])], r"c\.png cannot be decoded"),
    ],
)
def test_what_cannot_be_enrolled_leaves_the_gallery_as_it_was(
    run: str, name: str, contents: list[tuple[str, bytes]], says: str
) -> None:
    gallery = open_gallery(run)
    gallery.enroll("bob", [png(201, 0)])
    with pytest.raises((UsageError, DataError), match=says):
        gallery.enroll(name, contents)
    assert open_gallery(run).people == {"bob": 1}


def test_an_empty_and_a_damaged_gallery_say_so(run: str, world: tuple[Path, str]) -> None:
    with pytest.raises(UsageError, match="nobody is enrolled"):
        open_gallery(run).recognise(*png(1, 1))
    gallery = open_gallery(run)
    gallery.enroll("bob", [png(201, 0)])
    file = world[0] / "home" / "galleries" / run / "people.npz"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StorageError, match="cannot be read"):
        open_gallery(run)
    file.write_bytes(whole)


def test_commands(
    run: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def called(*words: str) -> object:
        monkeypatch.setattr("sys.argv", ["gapwise", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code

    def said(*words: str) -> Any:
        assert called(*words, "--json") == 0
        return json.loads(capsys.readouterr().out)

    for person, number in ((200, 0), (200, 4), (300, 0)):
        (tmp_path / f"{person}-{number}.png").write_bytes(png(person, number)[1])
    assert said("enroll", run, "ann", str(tmp_path / "200-0.png"))["people"] == {"ann": 1}
    found = said("recognize", run, str(tmp_path / "200-4.png"), str(tmp_path / "300-0.png"))
    assert [one["nearest"][0][0] for one in found] == ["ann", "ann"]
    assert found[0]["distance"] < found[1]["distance"]
    assert said("verify", run)["splits"][0]["people"] == 6
    assert said("enroll", run, "ann", "--forget")["people"] == {}
    for words in (["verify", run], ["enroll", run, "bob", str(tmp_path / "200-0.png")]):
        assert called(*words) == 0
    assert called("recognize", run, str(tmp_path / "200-4.png")) == 0
    told = capsys.readouterr()
    assert "AUROC" in told.out
    assert "bob" in told.out
    assert called("recognize", run, str(tmp_path / "none.png")) == 3
    assert "none.png: file not found" in capsys.readouterr().err


@pytest.mark.usefixtures("run")
def test_a_run_that_does_not_verify_is_refused() -> None:
    other = train(
        "digits", ["training.epochs=1", "training.threads=1"], settings=Settings.read()
    ).run_ids[0]
    with pytest.raises(UsageError, match="has task classify, which makes no encodings"):
        open_gallery(other)


def test_a_person_with_one_picture_is_set_aside_by_name(run: str) -> None:
    from gapwise.tracking.store import RunStore

    folder = RunStore(Settings.read()).open(run).folder
    assert folder is not None
    told = (folder / "quarantine.jsonl").read_text()
    assert "one-picture" in told
    assert "alone/0.png" in told
    assert "is the only picture of alone" in told


def test_a_map_has_a_place_for_each_picture(run: str) -> None:
    found = encoding_map(run, "dev")
    assert found.places.shape == (36, 2)
    assert len(set(found.people)) == 6
    assert np.mean(found.right) > 0.9
    with pytest.raises(DataError, match="train_dev holds 0 pictures"):
        encoding_map(run, "train_dev")


@pytest.mark.parametrize("large", [10, 10_000])
def test_the_nearest_are_those_of_all_compared(large: int) -> None:
    pytest.importorskip("faiss", reason="the extra index is not installed: pip install '.[index]'")
    random = np.random.default_rng(0)
    points = random.normal(size=(2000, 32)).astype(np.float32)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    found = Nearest(points, large=large)
    assert found.is_exact == (large > 2000)
    hits = 0
    for place in range(50):
        apart = ((points - points[place]) ** 2).sum(1)
        places, distances = found.of(points[place], 5)
        assert np.allclose(distances, apart[places], atol=1e-5)
        hits += len(set(places.tolist()) & set(apart.argsort()[:5].tolist()))
    assert hits >= 240
