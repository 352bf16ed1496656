"""Sounds, sentences, volumes, and pictures with columns: what is read, and what is set aside."""

import wave
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gapwise.data.base import DATASETS, ReadContext
from gapwise.data.hybrid import with_columns
from gapwise.data.looks import picture_of, pixel_names, pixels
from gapwise.data.normalisation import mean_and_deviation
from gapwise.data.sound_set import Listening, as_wav, read_any, read_sound
from gapwise.data.word_set import as_words, number_of, words_of
from gapwise.errors import DataError, PipelineError
from gapwise.records import ExampleSet
from gapwise.settings import Settings


@pytest.fixture
def context(home: Path, tmp_path: Path) -> ReadContext:
    return ReadContext(settings=Settings.read(), root=tmp_path)


def write(
    path: Path, sound: np.ndarray, rate: int = 8000, width: int = 2, channels: int = 1
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    types = {1: np.uint8, 2: np.int16, 4: np.int32}
    scaled = sound * 127 + 128 if width == 1 else sound * (2 ** (8 * width - 1) - 1)
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        file.writeframes(np.repeat(scaled.astype(types[width]), channels).tobytes())


def tone(pitch: float, seconds: float = 0.5, rate: int = 8000) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * pitch * np.arange(int(seconds * rate)) / rate)


def test_a_tone_is_loudest_in_its_own_band_and_silence_ends_the_example() -> None:
    listening = Listening(seconds=1.0, mels=40)
    bands = [int(listening.features(tone(f))[:, 10].argmax()) for f in (200, 800, 3000)]
    assert bands == sorted(set(bands))
    # The middle of a band on the mel scale, by the formula.
    top = 2595 * np.log10(1 + 4000 / 700)
    wanted = [2595 * np.log10(1 + f / 700) / top * 41 - 1 for f in (200, 800, 3000)]
    assert np.allclose(bands, wanted, atol=1.0)
    found = listening.features(tone(800))
    assert found.shape == (40, listening.frames) == (40, 98)
    assert found.dtype == np.float32
    assert np.allclose(found[:, 60:], -6)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("width", [1, 2, 4])
@pytest.mark.parametrize("channels", [1, 2])
def test_samples_are_read_back_whatever_their_width(
    tmp_path: Path, width: int, channels: int
) -> None:
    write(tmp_path / "a.wav", tone(300), width=width, channels=channels)
    found = read_sound(tmp_path / "a.wav", 8000)
    assert np.allclose(found, tone(300), atol=0.02)


def test_a_sound_is_encoded_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "b.wav").write_bytes(as_wav(tone(300).astype(np.float32), 11025))
    found, rate = read_any(tmp_path / "b.wav")
    assert rate == 11025
    assert np.allclose(found, tone(300), atol=1e-4)


def test_sounds_that_cannot_be_used_are_set_aside_with_the_reason(
    context: ReadContext, tmp_path: Path
) -> None:
    for index in range(6):
        write(tmp_path / "s" / "ab"[index % 2] / f"{index}.wav", tone(300 + 90 * index))
    write(tmp_path / "s" / "a" / "empty.wav", tone(300)[:0])
    write(tmp_path / "s" / "a" / "other.wav", tone(300), rate=16000)
    (tmp_path / "s" / "b" / "text.wav").write_text("not a sound")
    found = DATASETS.get("sounds")(context, path="s", seconds=0.3)
    assert len(found) == 6
    assert found.classes == ("a", "b")
    told = {item.item: (item.code, item.reason) for item in found.quarantine}
    assert told["a/empty.wav"][0] == "sound-empty"
    assert told["a/other.wav"] == (
        "sound-rate",
        "has 16000 samples a second, not 8000; resample it, or set data.dataset.rate",
    )
    assert told["b/text.wav"][0] == "sound-unreadable"
    assert found.notes == (
        "6 of 6 sounds are longer than 0.3 s and were cut there (data.dataset.seconds)",
    )


def test_columns_come_out_of_file_names(context: ReadContext, tmp_path: Path) -> None:
    for name in ("yes_ann_1", "no_ann_2", "yes_bob_1", "no_bob_2"):
        write(tmp_path / "s" / f"{name}.wav", tone(400))
    read = DATASETS.get("sounds")
    pattern = r"(?P<label>\w+)_(?P<who>[a-z]+)_\d"
    found = read(context, path="s", pattern=pattern, group="who")
    assert found.classes == ("no", "yes")
    assert found.groups.tolist() == found.metadata["who"].tolist() == ["ann", "bob", "ann", "bob"]
    with pytest.raises(PipelineError, match=r"no group 'whom'; write \(\?P<whom>…\), or did you"):
        read(context, path="s", pattern=pattern, group="whom")
    with pytest.raises(DataError, match=r"no_ann_2\.wav does not fit"):
        read(context, path="s", pattern=r"(?P<label>\w+)_(?P<who>[a-z]+)_1")
    with pytest.raises(PipelineError, match="no regular expression"):
        read(context, path="s", pattern="(")


def test_words_are_numbers_of_their_letters_padded_in_front() -> None:
    assert words_of("It's GOOD, isn't it?") == ["it's", "good", ",", "isn't", "it", "?"]
    found, kept, aside = as_words(["a b", "", "c c c c c"], ["x", "y", "z"], ["1", "2", "3"], 4)
    assert found.tolist() == [[[0, 0, number_of("a"), number_of("b")]]]
    assert found.dtype == np.int32
    assert kept.tolist() == [0]
    assert [(item.item, item.code, item.where) for item in aside] == [
        ("y", "sentence-empty", "2"),
        ("z", "sentence-long", "3"),
    ]
    assert "has 5 words; raise data.dataset.words above 4" in aside[1].reason


def test_a_table_of_sentences_names_the_row_of_one_that_is_too_long(
    context: ReadContext, tmp_path: Path
) -> None:
    rows = [
        "id,said,label,who",
        "e1,one two,yes,ann",
        "e2,one two three four,no,bob",
        "e3,six,no,cy",
    ]
    (tmp_path / "t.csv").write_text("\n".join(rows))
    found = DATASETS.get("sentences")(context, path="t.csv", text="said", words=3)
    assert found.ids.tolist() == ["e1", "e3"]
    assert found.metadata["text"].tolist() == ["one two", "six"]
    assert found.metadata["who"].tolist() == ["ann", "cy"]
    assert [(item.item, item.where) for item in found.quarantine] == [
        ("e2", f"{tmp_path / 't.csv'}:3")
    ]


def test_words_keep_their_values_when_inputs_are_normalised() -> None:
    mean, deviation = mean_and_deviation(np.full((5, 1, 3), 7, np.int32), np.arange(5))
    assert (mean.tolist(), deviation.tolist()) == ([0.0], [1.0])


def test_a_volume_is_shown_from_three_sides_and_a_sequence_low_at_the_bottom() -> None:
    volume = np.zeros((1, 4, 5, 6), np.uint8)
    volume[0, 3, 1, 2] = 1
    shown = picture_of(volume)
    assert shown.shape == (5, 6 + 1 + 6 + 1 + 5)
    assert shown[1, 2] == shown[3, 7 + 2] == shown[3, 14 + 1] == 255
    assert np.count_nonzero(shown == 255) == 3
    sequence = np.array([[0.0, 1.0], [2.0, 4.0]], np.float32)
    assert picture_of(sequence).tolist() == [[128, 255], [0, 64]]
    silent = np.concatenate([sequence, np.zeros((2, 5), np.float32)], axis=1)
    assert picture_of(silent).tolist() == picture_of(sequence).tolist()
    assert picture_of(np.zeros((1, 9), np.int32)) is None
    assert picture_of(np.zeros(9, np.float32)) is None


def test_the_pixels_of_a_row_are_its_picture() -> None:
    pictures = np.arange(2 * 3 * 4 * 5, dtype=np.uint8).reshape(2, 3, 4, 5)
    examples = ExampleSet(
        name="p", inputs=pictures, targets=np.array([0, 1]), classes=("a", "b"),
        ids=np.array(["x", "y"]), sources=np.array(["s", "s"]),
    )  # fmt: skip
    joined = with_columns(examples, np.array([[0.5], [7.0]], np.float32), ["age"])
    assert joined.inputs.shape == (2, 61)
    assert joined.inputs[:, 60].tolist() == [0.5, 7.0]
    assert pixels(joined.feature_names) == (3, 4, 5)
    assert joined.feature_names[:60] == pixel_names((3, 4, 5))
    assert np.array_equal(
        picture_of(joined.inputs[1], joined.feature_names), picture_of(pictures[1])
    )
    assert "picture: [3, 4, 5]" in joined.notes[0]


def test_a_manifest_of_images_may_have_feature_columns(
    context: ReadContext, tmp_path: Path
) -> None:
    lines = ["image,age,sex,label"]
    for index in range(4):
        Image.fromarray(np.full((6, 6), 60 * index, np.uint8)).save(tmp_path / f"{index}.png")
        lines.append(f"{index}.png,{20 + index},{'mf'[index % 2]},{'yn'[index % 2]}")
    (tmp_path / "broken.png").write_text("no picture")
    lines.insert(2, "broken.png,99,m,y")
    (tmp_path / "m.csv").write_text("\n".join(lines))
    read = DATASETS.get("manifest")
    found = read(context, path="m.csv", features=["age", "sex"], min_side=4)
    assert found.feature_names[36:] == ("age", "sex=f", "sex=m")
    assert found.inputs[:, 36].tolist() == [20, 21, 22, 23]
    assert found.inputs[:, 0].tolist() == [0, 60, 120, 180]
    assert read(context, path="m.csv").inputs.shape == (4, 1, 6, 6)
