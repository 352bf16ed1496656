"""`gapwise style`: by a run's features and by VGG-19's from a file; wrong input is named."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from gapwise.cli import main
from gapwise.errors import DataError, StorageError, UsageError
from gapwise.networks.vgg19 import Vgg19
from gapwise.settings import Settings
from gapwise.workflows import style
from gapwise.workflows.train import train

SMALL = ["training.epochs=1", "training.threads=1", "training.device=cpu"]
WIDTHS = [filters for stage in Vgg19.stages["published"] for filters in stage]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A home with a run on colour patches and one on rows."""
    root = tmp_path_factory.mktemp("style")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MLFLOW_TRACKING_URI", "GAPWISE_LEDGER_URL"):
            patch.delenv(name, raising=False)
        patch.setenv("GAPWISE_MIRROR", "off")  # pages read the runs\' own folders
        patch.setenv("GAPWISE_HOME", str(root / "home"))
        patch.setenv("GAPWISE_CACHE", str(root / "cache"))
        coloured = train("textures", [*SMALL, "network.width=0.25"], settings=Settings.read())
        rows = train("digit-and-number", SMALL, settings=Settings.read())
    return root, {"textures": coloured.run_ids[0], "rows": rows.run_ids[0]}


@pytest.fixture
def stored(runs: tuple[Path, dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    root, ids = runs
    monkeypatch.setenv("GAPWISE_HOME", str(root / "home"))
    monkeypatch.setenv("GAPWISE_CACHE", str(root / "cache"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("GAPWISE_LEDGER_URL", raising=False)
    return ids


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    random = np.random.default_rng(0)
    hill = np.outer(np.hanning(40), np.hanning(60))[..., None] * (255, 200, 90)
    Image.fromarray(hill.astype(np.uint8)).save(tmp_path / "content.png")
    Image.fromarray(random.integers(0, 256, (30, 30, 3), dtype=np.uint8)).save(tmp_path / "s.jpg")
    return tmp_path / "content.png", tmp_path / "s.jpg"


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)


def called(monkeypatch: pytest.MonkeyPatch, *words: object) -> object:
    monkeypatch.setattr("sys.argv", ["gapwise", "style", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


def test_a_run_gives_a_picture_its_style_and_shows_the_way(
    stored: dict[str, str],
    pair: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    made, way = tmp_path / "out" / "made.png", tmp_path / "way"
    words = (*pair, "-o", made, "--run", stored["textures"], "--size", 48, "--steps", 12)
    assert called(monkeypatch, *words, "--progress", way, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert [step["step"] for step in document["steps"]] == [0, 10, 12]
    assert document["steps"][-1]["total"] < document["steps"][0]["total"]
    assert pixels(made).shape == (32, 48, 3)
    assert sorted(file.name for file in way.iterdir()) == [
        "step-0000.png", "step-0010.png", "step-0012.png",
    ]  # fmt: skip
    assert np.array_equal(pixels(made), pixels(way / "step-0012.png"))


def test_the_usual_layers_are_those_of_the_paper() -> None:
    with torch.device("meta"):
        network = Vgg19(input_shape=style.VGG_SHAPE, outputs=1000)
    features = style.Features(
        name="vgg", network=network, normalised=lambda x: x, shape=style.VGG_SHAPE
    )
    content, layers = features.usual()
    assert content == "convolution4_2_activation"
    assert layers == tuple(f"convolution{stage}_1_activation" for stage in range(1, 6))
    assert len(features.choices()) == 16


@pytest.fixture(scope="module")
def vgg_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made file: the convolutions of VGG-19 under torchvision's names, in half precision."""
    state, channels, place = {}, 3, 0
    for stage in Vgg19.stages["published"]:
        for filters in stage:
            scale = (2 / (9 * channels)) ** 0.5
            weight = scale * torch.randn(filters, channels, 3, 3)
            state[f"features.{place}.weight"] = weight.half()
            state[f"features.{place}.bias"] = torch.zeros(filters).half()
            channels, place = filters, place + 2
        place += 1
    path = tmp_path_factory.mktemp("vgg") / "vgg19.safetensors"
    save_file(state, path)
    return path


def test_weights_of_vgg_19_are_taken_from_a_file(
    vgg_file: Path, pair: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    features = style.of_weights(vgg_file)
    convolutions = [m for m in features.network.modules() if isinstance(m, torch.nn.Conv2d)]
    assert [layer.out_channels for layer in convolutions] == WIDTHS
    assert not any(layer.weight.is_meta for layer in convolutions)
    grey = torch.full((1, 3, 1, 1), 255 * 0.485)
    assert float(features.normalised(grey)[0, 0, 0, 0]) == pytest.approx(0, abs=1e-6)
    words = (*pair, "-o", tmp_path / "v.webp", "--weights", vgg_file, "--size", 32, "--steps", 2)
    assert called(monkeypatch, *words, "--style-layer", "convolution2_1_activation=2") == 0
    assert pixels(tmp_path / "v.webp").shape == (21, 32, 3)


def test_other_weights_are_refused_by_name(vgg_file: Path, tmp_path: Path) -> None:
    save_file({"features.0.weight": torch.zeros(64, 1, 3, 3)}, tmp_path / "w.safetensors")
    with pytest.raises(StorageError, match=r"31 missing .* 1 of another shape"):
        style.of_weights(tmp_path / "w.safetensors")
    (tmp_path / "cut.safetensors").write_bytes(vgg_file.read_bytes()[:1000])
    with pytest.raises(StorageError, match="damaged"):
        style.of_weights(tmp_path / "cut.safetensors")


def test_wrong_input_is_named(
    stored: dict[str, str],
    pair: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "t.png").write_text("no picture")
    run, out = ("--run", stored["textures"]), ("-o", tmp_path / "x.png")
    wrong: list[tuple[tuple[object, ...], str]] = [
        ((*pair, *out), "give either --run"),
        ((*pair, *out, *run, "--weights", "w"), "give either --run"),
        ((*pair, *out, "--run", stored["rows"]), "takes no pictures"),
        ((tmp_path / "t.png", pair[1], *out, *run), "is no image, not JPEG, PNG or WebP"),
        ((tmp_path / "none.png", pair[1], *out, *run), "file not found"),
        ((*pair, *out, *run, "--size", 4), "--size is 4; give 32 to 1024"),
        ((*pair, *out, *run, "--content-layer", "convolution9"), "no layer convolution9"),
        ((*pair, *out, *run, "--style-layer", "a=b"), "has no number behind ="),
        ((*pair, "-o", tmp_path / "x.gif", *run, "--steps", 1), "end it in .png"),
    ]
    for words, says in wrong:
        assert called(monkeypatch, *words) not in (0, 1)
        assert says in capsys.readouterr().err
    assert not (tmp_path / "x.png").exists()


def test_a_file_that_is_no_picture_is_told_by_its_name(stored: dict[str, str]) -> None:
    features = style.of_run(stored["textures"])
    asked = style.Asked(content=("a.png", b"x"), style=("b.png", b"y"), size=32)
    with pytest.raises(DataError, match=r"a\.png is no image"):
        style.transfer(features, asked, {})
    with pytest.raises(DataError, match=r"a\.png is no image"):
        style.looked_at("a.png", b"x")
    with pytest.raises(UsageError, match="--size is 5000"):
        style.transfer(features, style.Asked(content=("a", b""), style=("b", b""), size=5000), {})
