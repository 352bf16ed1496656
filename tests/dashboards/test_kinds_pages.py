"""Pages over runs whose examples are sounds, sentences, volumes, hybrids, or people compared."""

import io
import wave
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from streamlit.testing.v1 import AppTest

from dashboards import data, desk_data, example_data, sounds
from gapwise.settings import Settings
from gapwise.workflows.example_list import ExampleQuery
from gapwise.workflows.gallery import open_gallery
from gapwise.workflows.train import train

Page = Callable[..., AppTest]
APP = Starlette(routes=[sounds.route()])
PAGES = (
    "what_next", "runs", "run", "splits", "errors", "labels", "human_level", "slices", "networks",
)  # fmt: skip
COUNT, RATE = 96, 8000
HEAD = "description: a small set for the pages of it\n"
TRAINING = (
    "training: {epochs: 1, batch_size: 16, threads: 1, device: cpu, optimizer: {name: adam}}\n"
)
SPLITS = "splits: {dev: 24, test: 24, train_dev: 12}\n"


def tone(place: int) -> np.ndarray:
    random = np.random.default_rng(place)
    pitch = (400, 1500)[place % 2] * random.uniform(0.9, 1.1)
    return 0.3 * np.sin(2 * np.pi * pitch * np.arange(RATE // 4) / RATE)


def make_sounds(root: Path) -> str:
    for place in range(COUNT):
        file = root / "sounds" / ("low", "high")[place % 2] / f"{place}.wav"
        file.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(file), "wb") as sound:
            sound.setparams((1, 2, RATE, 0, "NONE", ""))
            sound.writeframes((tone(place) * 32767).astype("<i2").tobytes())
    return (
        f"data: {{dataset: {{name: sounds, path: {root / 'sounds'}, seconds: 0.4, mels: 12}}}}\n"
        "network: {name: temporal-cnn, channels: [8]}\n"
    )


def make_sentences(root: Path) -> str:
    words = {"good": ("fine", "great", "lovely"), "bad": ("dull", "poor", "awful")}
    rows = ["id,text,label"]
    for place in range(COUNT):
        label = ("good", "bad")[place % 2]
        word = words[label][place % 3]
        rows.append(f's{place},"A {word} film, no. {place} <b>of</b> *its* kind",{label}')
    (root / "films.csv").write_text("\n".join(rows))
    return (
        f"data: {{dataset: {{name: sentences, path: {root / 'films.csv'}, words: 24}}}}\n"
        "network: {name: recurrent, words: 8, vocabulary: 64, units: [8]}\n"
    )


def make_volumes(root: Path) -> str:
    random = np.random.default_rng(0)
    labels = np.arange(COUNT) % 2
    volumes = random.random((COUNT, 8, 8, 8)) < (0.2 + 0.4 * labels[:, None, None, None])
    np.savez(root / "v.npz", images=volumes.astype(np.uint8), labels=labels)
    return (
        f"data: {{dataset: {{name: npz, path: {root / 'v.npz'}}}}}\n"
        "network: {name: voxel-cnn, channels: [4]}\n"
    )


def make_hybrids(root: Path) -> str:
    rows = ["image,age,label"]
    for place in range(COUNT):
        picture = np.random.default_rng(place).integers(0, 256, (8, 8), dtype=np.uint8)
        Image.fromarray(picture).save(root / f"h{place}.png")
        rows.append(f"h{place}.png,{20 + place % 2 * 30 + place % 7},{('young', 'old')[place % 2]}")
    (root / "h.csv").write_text("\n".join(rows))
    return (
        f"data: {{dataset: {{name: manifest, path: {root / 'h.csv'}, features: [age]}}}}\n"
        "network: {name: hybrid, picture: [1, 8, 8], channels: [4], hidden: 8}\n"
    )


def make_people(root: Path) -> str:
    for place in range(COUNT):
        folder = root / "people" / f"p{place % 16:02d}"
        folder.mkdir(parents=True, exist_ok=True)
        pattern = np.random.default_rng(place % 16).integers(0, 256, (4, 4)).repeat(4, 0)
        noise = np.random.default_rng(1000 + place).normal(0, 30, (16, 16))
        picture = (pattern.repeat(4, 1) + noise).clip(0, 255).astype(np.uint8)
        Image.fromarray(picture).save(folder / f"{place}.png")
    return (
        f"data: {{dataset: {{name: people, path: {root / 'people'}}}}}\n"
        "task: verify\nnetwork: {name: small-cnn, channels: [8], hidden: 0}\n"
    )


MAKERS = {
    "sounds": make_sounds,
    "sentences": make_sentences,
    "volumes": make_volumes,
    "hybrids": make_hybrids,
    "people": make_people,
}


@pytest.fixture(scope="module")
def made_here(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A home with a run of each kind."""
    root = tmp_path_factory.mktemp("kinds")
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MLFLOW_TRACKING_URI", "GAPWISE_LEDGER_URL"):
            patch.delenv(name, raising=False)
        patch.setenv("GAPWISE_MIRROR", "off")  # pages read the runs\' own folders
        patch.setenv("GAPWISE_HOME", str(root / "home"))
        patch.setenv("GAPWISE_CACHE", str(root / "cache"))
        for name, make in MAKERS.items():
            (root / f"{name}.yaml").write_text(HEAD + make(root) + SPLITS + TRAINING)
            run = train(str(root / f"{name}.yaml"), [], settings=Settings.read())
            found[name] = run.run_ids[0]
    return root, found


@pytest.fixture
def stored(
    made_here: tuple[Path, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    root, found = made_here
    monkeypatch.setenv("GAPWISE_HOME", str(root / "home"))
    monkeypatch.setenv("GAPWISE_CACHE", str(root / "cache"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("GAPWISE_LEDGER_URL", raising=False)
    return found


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("kind", MAKERS)
def test_every_page_runs(page: Page, stored: dict[str, str], name: str, kind: str) -> None:
    test = page(name, experiment=kind, run=stored[kind])
    assert not test.exception
    assert [str(error.value) for error in test.error] == []


def items(run: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = desk_data.page(
        run, "dev", ExampleQuery(view="all"), "", 0, 30
    )["items"]
    return found


def test_a_sentence_is_told_by_its_text(stored: dict[str, str]) -> None:
    found = items(stored["sentences"])
    assert len(found) == 24
    for item in found:
        assert str(item["words"]).startswith("A ")
        assert str(item["words"]).endswith("<b>of</b> *its* kind")
    one = desk_data.one(stored["sentences"], "dev", str(found[0]["id"]))
    assert "text" not in one["metadata"]
    assert one["pairs"] == {}


@pytest.mark.parametrize(
    ("kind", "shape"),
    [("sounds", (12, 25)), ("volumes", (8, 26)), ("hybrids", (8, 8)), ("people", (16, 16))],
)
def test_what_is_no_photograph_is_shown_as_a_picture(
    stored: dict[str, str], kind: str, shape: tuple[int, int]
) -> None:
    run = stored[kind]
    assert example_data.has_pictures(run)
    drawn = example_data.picture(run, str(items(run)[0]["id"]))
    assert drawn is not None
    assert drawn.shape == shape


def test_a_sound_is_heard_as_it_is(asgi: ModuleType, stored: dict[str, str]) -> None:
    run = stored["sounds"]
    assert example_data.has_sounds(run)
    assert not example_data.has_sounds(stored["people"])
    name = str(items(run)[0]["id"])
    answer = asgi.http(APP, "GET", f"/sounds/{run}/{name.replace('/', '%2F')}", {})
    assert (answer.status, answer.headers["content-type"]) == (200, "audio/wav")
    assert answer.headers["x-content-type-options"] == "nosniff"
    with wave.open(io.BytesIO(answer.body), "rb") as sound:
        assert (sound.getframerate(), sound.getnchannels()) == (RATE, 1)
        heard = np.frombuffer(sound.readframes(RATE), "<i2") / 32767
    place = int(name.split("/")[1].removesuffix(".wav"))
    assert np.allclose(heard, tone(place), atol=1e-3)


@pytest.mark.parametrize("example", ["nobody", "..%2f..%2fhome", "low%2F..%2F..%2Ffilms.csv"])
def test_nothing_else_is_heard(asgi: ModuleType, stored: dict[str, str], example: str) -> None:
    for run in (stored["sounds"], stored["people"], "nobody"):
        answer = asgi.http(APP, "GET", f"/sounds/{run}/{example}", {})
        assert answer.status == 404
        assert answer.headers["cache-control"] == "no-store"


def test_the_desk_tells_the_pairs_that_were_decided_wrongly(stored: dict[str, str]) -> None:
    run = stored["people"]
    table = data.predictions(run, "dev")
    seen = set()
    for row, name in enumerate(table.example_id.tolist()):
        pairs = desk_data.one(run, "dev", name)["pairs"]
        person = table.classes[int(table.target[row])]
        for told, others in pairs.items():
            seen.add(told)
            same = told == "said to be somebody else"
            assert all((other["label"] == person) == same for other in others)
            assert name not in [other["example_id"] for other in others]
        wrong = bool(pairs.get("said to be somebody else"))
        assert wrong == (table.metadata["false_rejects"][row] > 0)
        assert bool(pairs.get("said to be the same person")) == (
            table.metadata["false_accepts"][row] > 0
        )
    assert seen


def test_people_shows_measures_enrols_nobody_by_itself_and_draws_the_map(
    page: Page, stored: dict[str, str]
) -> None:
    run = stored["people"]
    test = page("people", experiment="people", run=run)
    assert not test.exception
    assert [str(error.value) for error in test.error] == []
    text = " ".join(str(part.value) for part in (*test.markdown, *test.caption))
    for part in ("A pair of one person is nearer", "One-shot, 5 people", "Nobody is enrolled yet"):
        assert part in text
    assert open_gallery(run).people == {}
    stream = io.BytesIO()
    Image.fromarray(np.full((20, 20), 90, np.uint8)).save(stream, "PNG")
    open_gallery(run).enroll("[Ann](http://evil.example) <b>", [("a.png", stream.getvalue())])
    test = page("people", experiment="people", run=run)
    shown = [str(part.value) for part in test.markdown if "Ann" in str(part.value)]
    assert shown
    assert "\\[Ann\\]" in shown[0]
    forget = next(button for button in test.button if button.label == "Forget")
    forget.click().run()
    assert open_gallery(run).people == {}
