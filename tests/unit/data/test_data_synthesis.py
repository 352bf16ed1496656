"""Foreground on backgrounds, speech over noise: what is made, from what, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from gapwise import ingredients
from gapwise.data.base import Originals, ReadContext
from gapwise.data.load import prepare
from gapwise.data.noises import engine, laid_under, loudness_of
from gapwise.data.prepared import Prepared
from gapwise.data.sound_set import Listening, as_wav, read_sound
from gapwise.data.synthesis.backgrounds import backgrounds
from gapwise.data.synthesis.noise import noise
from gapwise.errors import DataError, GapwiseError, PipelineError
from gapwise.pipeline import Pipeline
from gapwise.settings import Settings

RATE = 8000


@pytest.fixture
def context(home: Path, tmp_path: Path) -> ReadContext:
    return ReadContext(settings=Settings.read(), root=tmp_path)


def tone(pitch: float, seconds: float = 0.4, loudness: float = 0.3) -> NDArray[np.float32]:
    time = np.arange(round(seconds * RATE)) / RATE
    return np.asarray(loudness * np.sin(2 * np.pi * pitch * time), np.float32)


def write_sounds(root: Path, count: int = 60) -> None:
    """Write tones of two pitches, some of them recorded on a phone."""
    for row in range(count):
        folder = root / "sounds"
        folder.mkdir(exist_ok=True)
        where = "quiet" if row < 2 * count // 3 else "phone"
        sound = tone(400 + 900 * (row % 2) + 7 * row)
        (folder / f"{'ab'[row % 2]}-{where}-{row}.wav").write_bytes(as_wav(sound, RATE))


def sounds(context: ReadContext, **synthesis: Any) -> Prepared:
    pattern = r"(?P<label>[ab])-(?P<where>quiet|phone)-(?P<take>\d+)"
    document = {
        "data": {
            "dataset": {"name": "sounds", "path": "sounds", "seconds": 0.4, "pattern": pattern,
                        "source": "where"},
            "synthesize": {"name": "noise", **synthesis},
        },
        "splits": {"target": "phone", "dev": 5, "test": 5, "train_dev": 8},
        "network": "temporal-cnn",
    }  # fmt: skip
    return prepare(Pipeline.model_validate(document), context.settings, context.root)


def test_noise_lies_under_speech_at_the_stated_ratio() -> None:
    speech, under = tone(500), engine("one", RATE, 5 * RATE)
    for ratio in (0.0, 6.0, 20.0):
        mixed = laid_under(speech, under, ratio, 0, 2 * len(speech))
        assert len(mixed) == 2 * len(speech)
        scale = loudness_of(mixed[len(speech) :]) / loudness_of(under[len(speech) : len(mixed)])
        heard = mixed[: len(speech)] - scale * under[: len(speech)]
        found = 20 * np.log10(loudness_of(heard) / scale)
        assert found == pytest.approx(ratio, abs=0.01)  # an engine's own loudness is 1


def test_noise_never_overdrives_and_silence_stays_silent() -> None:
    loud = laid_under(tone(500, loudness=1.0), engine("one", RATE, RATE), -20, 3, RATE)
    assert np.abs(loud).max() == pytest.approx(1.0)
    silent = laid_under(np.zeros(100, np.float32), engine("one", RATE, RATE), 0, 0, 200)
    assert np.abs(silent).max() < 1e-9


def test_noise_that_ends_begins_anew() -> None:
    under = np.array([1, 2, 3], np.float32) / 10
    mixed = laid_under(np.array([0.1, -0.1, 0.1, -0.1], np.float32), under, 0, 2, 7)
    heard = mixed - np.array([0.1, -0.1, 0.1, -0.1, 0, 0, 0])
    assert np.allclose(heard / heard[1], [3, 1, 2, 3, 1, 2, 3])


def test_two_keys_are_two_engines_that_hum_below_most_speech() -> None:
    one, other = engine("one", RATE, RATE), engine("two", RATE, RATE)
    assert np.array_equal(one, engine("one", RATE, RATE))
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.2
    for sound in (one, other):
        assert loudness_of(sound) == pytest.approx(1, rel=1e-4)
        power = np.abs(np.fft.rfft(sound)) ** 2
        assert power[:1000].sum() > 0.6 * power.sum()


def test_noisy_copies_tell_their_ingredients(context: ReadContext) -> None:
    write_sounds(context.root)
    found = sounds(context, clips=3)
    copies = np.char.endswith(found.sources, "~noise")
    assert copies.sum() == 40
    assert set(found.sources[copies]) == {"quiet~noise"}
    assert set(found.split[copies]) == {"train", "train_dev"}
    kinds = ingredients.by_kind(found.metadata[ingredients.COLUMN])
    assert frozenset().union(*kinds["noise"]) == {f"engine-{n:04d}" for n in range(3)}
    assert len(frozenset().union(*kinds["original"])) == 40
    assert (found.metadata[ingredients.COLUMN] == "").sum() == len(found) - 40
    assert (found.media[copies] == "").all()
    for row in np.flatnonzero(copies):
        original = np.flatnonzero(found.ids == found.ids[row].removesuffix("~noise"))[0]
        louder = found.inputs[row] - found.inputs[original]
        assert louder.mean() > 0.5  # in powers of ten
        assert found.groups[row] == found.ids[original]


def test_noise_may_be_recorded(context: ReadContext) -> None:
    write_sounds(context.root)
    (context.root / "street").mkdir()
    for name in ("tram", "rain"):
        sound = engine(name, RATE, RATE // 2)
        (context.root / "street" / f"{name}.wav").write_bytes(as_wav(sound / 4, RATE))
    found = sounds(context, path="street")
    kinds = ingredients.by_kind(found.metadata[ingredients.COLUMN])
    assert frozenset().union(*kinds["noise"]) == {"tram.wav", "rain.wav"}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"clips": 0}, "clips is 0"),
        ({"snr": (9, 3)}, "snr 9 to 3"),
        ({"path": "nowhere"}, "nowhere is no folder"),
        ({"path": "empty"}, "holds no wav file"),
        ({"path": "other"}, "has 16000 samples a second, not 8000"),
        ({"path": "broken"}, "cannot be read as wav"),
    ],
)
def test_noise_that_cannot_be_laid_is_refused(
    context: ReadContext, options: dict[str, Any], told: str
) -> None:
    write_sounds(context.root)
    for name in ("empty", "other", "broken"):
        (context.root / name).mkdir()
    (context.root / "other" / "x.wav").write_bytes(as_wav(tone(300), 16000))
    (context.root / "broken" / "x.wav").write_bytes(b"RIFF")
    with pytest.raises(GapwiseError, match=told):
        sounds(context, **options)


def test_sequences_that_are_no_sounds_are_refused(tmp_path: Path) -> None:
    rows = np.zeros((1, 40, 38), np.float32)
    with pytest.raises(PipelineError, match="have no files"):
        noise(Originals(inputs=rows, keys=["a"]))
    file = tmp_path / "x.wav"
    file.write_bytes(as_wav(tone(300), RATE))
    with pytest.raises(PipelineError, match=r"x\.wav is not what the dataset's features"):
        noise(Originals(inputs=rows, keys=["a"], files=[file]))
    listening = Listening.of(rate=RATE, mels=40, frames=38)
    features = listening.features(read_sound(file, RATE))[None]
    assert listening.frames == 38
    assert noise(Originals(inputs=features, keys=["a"], files=[file])).inputs.shape == rows.shape
    file.write_bytes(b"")
    with pytest.raises(DataError, match=r"x\.wav cannot be read"):
        noise(Originals(inputs=features, keys=["a"], files=[file]))


def test_ink_stays_and_the_ground_becomes_a_photograph(tmp_path: Path) -> None:
    pictures = np.zeros((30, 1, 12, 12), np.uint8)
    pictures[:, :, 4:8, 4:8] = 255
    keys = [str(row) for row in range(30)]
    made = backgrounds(Originals(inputs=pictures, keys=keys))
    assert (made.inputs[:, :, 4:8, 4:8] == 255).all()
    ground = made.inputs[:, 0, :3]
    assert ground.max() <= 0.6 * 255 + 1
    assert len({piece.tobytes() for piece in ground}) == 30
    names = ingredients.by_kind(np.array(made.added))["background"]
    assert frozenset().union(*names) == {"brick", "grass", "gravel"}
    light = backgrounds(Originals(inputs=255 - pictures, keys=keys), ground="light", dim=1.0)
    assert (light.inputs[:, :, 4:8, 4:8] == 0).all()
    assert light.inputs[:, 0, :3].mean() > 40


def test_backgrounds_may_be_ones_own(tmp_path: Path) -> None:
    sky = np.zeros((20, 20, 3), np.uint8)
    sky[..., 2] = 200
    Image.fromarray(sky).save(tmp_path / "sky.png")
    black = Originals(inputs=np.zeros((2, 3, 8, 8), np.uint8), keys=["a", "b"], root=tmp_path)
    made = backgrounds(black, path=".", dim=0.5)
    assert (made.inputs[:, 2] == 100).all()
    assert not made.inputs[:, :2].any()
    assert made.added == ["background/sky.png"] * 2


def test_backgrounds_that_cannot_be_are_refused(tmp_path: Path) -> None:
    black = Originals(inputs=np.zeros((1, 1, 40, 40), np.uint8), keys=["a"], root=tmp_path)
    with pytest.raises(DataError, match=r"dim is 1\.5"):
        backgrounds(black, dim=1.5)
    for path, told in (("none", "is no folder"), (".", "holds no image")):
        with pytest.raises(DataError, match=told):
            backgrounds(black, path=path)
    Image.fromarray(np.zeros((20, 60), np.uint8)).save(tmp_path / "low.png")
    with pytest.raises(DataError, match=r"low\.png has 20×60 pixels, fewer than the 40×40"):
        backgrounds(black, path=".")
    (tmp_path / "low.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"low\.png: "):
        backgrounds(black, path=".")
