"""`gapwise predict` for sounds and sentences, and for runs that compare examples."""

from pathlib import Path

import numpy as np
import pyarrow.csv as pa_csv
import pytest

from gapwise.data.sound_set import as_wav
from gapwise.errors import DataError
from gapwise.settings import Settings
from gapwise.workflows.export import export
from gapwise.workflows.predict import predict
from gapwise.workflows.train import train

REST = """
splits: {dev: 24, test: 24, train_dev: 0}
training: {epochs: 8, batch_size: 16, threads: 1, device: cpu, optimizer: {name: adam, lr: 1e-2}}
"""


def tone(pitch: float, seconds: float = 0.25) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * pitch * np.arange(int(8000 * seconds)) / 8000)).astype("f4")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A home with a run on tones, low and high, and one on sentences, good and bad."""
    root = tmp_path_factory.mktemp("sequences")
    random = np.random.default_rng(0)
    rows = ["id,text,label"]
    for place in range(96):
        kind = place % 2
        folder = root / "tones" / ("low", "high")[kind]
        folder.mkdir(parents=True, exist_ok=True)
        pitch = (400, 1500)[kind] * random.uniform(0.9, 1.1)
        (folder / f"{place}.wav").write_bytes(as_wav(tone(pitch), 8000))
        word = (("fine", "great", "lovely"), ("dull", "poor", "awful"))[kind][place % 3]
        rows.append(f"s{place},a {word} film no {place},{('good', 'bad')[kind]}")
    (root / "films.csv").write_text("\n".join(rows))
    pipelines = {
        "tones": "data:\n"
        f"  dataset: {{name: sounds, path: {root / 'tones'}, seconds: 0.4, mels: 12}}\n"
        "network: {name: temporal-cnn, channels: [8]}\n",
        "films": f"data: {{dataset: {{name: sentences, path: {root / 'films.csv'}, words: 8}}}}\n"
        "network: {name: recurrent, words: 8, vocabulary: 64, units: [8]}\n",
    }
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MLFLOW_TRACKING_URI", "GAPWISE_LEDGER_URL"):
            patch.delenv(name, raising=False)
        patch.setenv("GAPWISE_MIRROR", "off")  # pages read the runs\' own folders
        patch.setenv("GAPWISE_HOME", str(root / "home"))
        patch.setenv("GAPWISE_CACHE", str(root / "cache"))
        for name, text in pipelines.items():
            (root / f"{name}.yaml").write_text(f"description: a small set of {name}\n{text}{REST}")
            run = train(str(root / f"{name}.yaml"), [], settings=Settings.read())
            found[name] = run.run_ids[0]
    return root, found


@pytest.fixture
def stored(runs: tuple[Path, dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    root, found = runs
    monkeypatch.setenv("GAPWISE_HOME", str(root / "home"))
    monkeypatch.setenv("GAPWISE_CACHE", str(root / "cache"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("GAPWISE_LEDGER_URL", raising=False)
    return found


def test_new_sounds_are_heard_as_those_of_training(stored: dict[str, str], tmp_path: Path) -> None:
    for name, pitch in (("a", 420.0), ("b", 1450.0), ("c", 380.0)):
        (tmp_path / f"{name}.wav").write_bytes(as_wav(tone(pitch), 8000))
    (tmp_path / "other.wav").write_bytes(as_wav(tone(400), 44100))
    file, count, aside = predict(stored["tones"], tmp_path, tmp_path / "p.csv")
    assert (count, aside) == (3, 1)
    table = pa_csv.read_csv(file)
    assert table["example_id"].to_pylist() == ["a.wav", "b.wav", "c.wav"]
    assert table["predicted"].to_pylist() == ["low", "high", "low"]
    assert "sound-rate" in (tmp_path / "p.quarantine.jsonl").read_text()


def test_new_sentences_need_no_list_of_words(stored: dict[str, str], tmp_path: Path) -> None:
    rows = ["id,text", "x,a great film no 200", "y,an awful film no 201", "z," + "word " * 9]
    (tmp_path / "new.csv").write_text("\n".join(rows))
    file, count, aside = predict(stored["films"], tmp_path / "new.csv", tmp_path / "p.csv")
    assert (count, aside) == (2, 1)
    table = pa_csv.read_csv(file)
    assert table["predicted"].to_pylist() == ["good", "bad"]
    assert table["text"].to_pylist() == ["a great film no 200", "an awful film no 201"]
    assert "sentence-long" in (tmp_path / "p.quarantine.jsonl").read_text()


@pytest.mark.parametrize("kind", ["tones", "films"])
def test_networks_of_sequences_are_exported_with_equal_outputs(
    stored: dict[str, str], tmp_path: Path, kind: str
) -> None:
    pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    path, difference = export(stored[kind], "onnx", tmp_path / "n.onnx")
    assert path.stat().st_size > 1000
    assert difference < 1e-4


def test_what_a_run_does_not_take_is_named(stored: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("id,text\nx,fine\n")
    (tmp_path / "long.csv").write_text("id,text\nx," + "word " * 9 + "\n")
    for run, path, says in (
        ("tones", tmp_path / "new.csv", "is no folder; run .* takes sounds: give wav files"),
        ("films", tmp_path, "is no table; run .* takes a column of text"),
        ("films", tmp_path / "long.csv", "no sentence of column text can be used; has 9 words"),
        ("films", tmp_path / "none.csv", "is neither a folder nor a file"),
    ):
        with pytest.raises(DataError, match=says):
            predict(stored[run], path, tmp_path / "p.csv")


@pytest.mark.parametrize(
    ("kind", "network", "says"),
    [
        ("tones", "{name: temporal-cnn, words: 8}", "sequences of 12 channels, which are no words"),
        (
            "films",
            "{name: temporal-cnn, channels: [8]}",
            "reads numbers, but films holds sentences",
        ),
        ("tones", "small-cnn", "network small-cnn wants images"),
    ],
)
def test_a_network_for_other_examples_is_refused_before_training(
    runs: tuple[Path, dict[str, str]], stored: dict[str, str], kind: str, network: str, says: str
) -> None:
    from gapwise.errors import PipelineError

    text = (runs[0] / f"{kind}.yaml").read_text()
    lines = [f"network: {network}" if li.startswith("network") else li for li in text.splitlines()]
    (runs[0] / "wrong.yaml").write_text("\n".join(lines))
    with pytest.raises(PipelineError, match=says):
        train(str(runs[0] / "wrong.yaml"), [], settings=Settings.read())
