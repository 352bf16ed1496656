import os
import stat
from pathlib import Path
from typing import Any

import pytest

from gapwise import pipeline_file, yaml_reader
from gapwise.errors import PipelineError
from gapwise.settings import app_root

MINIMAL = "data:\n  dataset: digits\nnetwork: small-cnn\n"
SHIPPED = ("adult", "digits", "fashion", "mnist-to-usps")


def written(folder: Path, text: str, name: str = "p.yaml") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.fixture
def minimal(tmp_path: Path) -> str:
    return written(tmp_path, MINIMAL)


class TestFind:
    def test_the_folder_at_hand_goes_before_the_built_in_ones(self, tmp_path: Path) -> None:
        (tmp_path / "pipelines").mkdir()
        own = tmp_path / "pipelines" / "digits.yaml"
        own.write_text(MINIMAL)
        assert pipeline_file.find("digits", tmp_path) == own
        assert pipeline_file.find("fashion", tmp_path) == app_root() / "pipelines" / "fashion.yaml"

    def test_a_path_is_relative_to_the_start(self, tmp_path: Path) -> None:
        written(tmp_path, MINIMAL)
        assert pipeline_file.find("p.yaml", tmp_path) == tmp_path / "p.yaml"

    def test_a_wrong_name_is_answered_with_the_nearest(self, tmp_path: Path) -> None:
        with pytest.raises(
            PipelineError, match=r"pipeline digit is not known; did you mean digits"
        ):
            pipeline_file.find("digit", tmp_path)

    @pytest.mark.parametrize(
        "name",
        ["", ".", "..", "/", "no/such.yaml", "x" * 5000, "x" * 5000 + ".yaml", "\0", "a\0.yaml",
         "-x", "../../etc/passwd", "/dev/zero", "/dev/null", "\n", "*", "[", "💥.yaml", "\udcff"],
    )  # fmt: skip
    def test_c5_odd_names_are_one_sentence(self, name: str, tmp_path: Path) -> None:
        with pytest.raises(PipelineError) as caught:
            pipeline_file.find(name, tmp_path)
        message = str(caught.value)
        assert "\n" not in message
        assert len(message) < 300
        message.encode("utf-8")


class TestLoad:
    @pytest.mark.parametrize("name", SHIPPED)
    def test_shipped_pipelines_load(self, name: str) -> None:
        pipeline = pipeline_file.load(name)
        assert pipeline.name == name
        assert pipeline.description

    def test_digits_is_what_the_demo_promises(self) -> None:
        pipeline = pipeline_file.load("digits")
        assert (pipeline.splits.target, pipeline.splits.dev, pipeline.splits.test) == (
            "phone", 400, 250,
        )  # fmt: skip
        assert pipeline.splits.train_dev == 250
        assert pipeline.network.options["channels"] == [32, 64]
        assert pipeline.human == (), "no human level is invented"

    def test_fashion_has_its_measured_human_level(self) -> None:
        (human,) = pipeline_file.load("fashion").human
        assert (human.error, human.n) == (0.165, 1000)
        assert "1,000 test images" in human.source

    def test_the_name_is_the_stem_unless_given(self, minimal: str, tmp_path: Path) -> None:
        assert pipeline_file.load(minimal).name == "p"
        assert pipeline_file.load(written(tmp_path, MINIMAL + "name: q\n")).name == "q"

    def test_defaults(self, minimal: str) -> None:
        pipeline = pipeline_file.load(minimal)
        assert pipeline.training.optimizer.name == "adam"
        assert pipeline.data.duplicates == "stop"
        assert pipeline.human == ()

    def test_byte_order_mark_and_line_ends_of_windows(self, tmp_path: Path) -> None:
        path = tmp_path / "p.yaml"
        path.write_bytes(b"\xef\xbb\xbf" + MINIMAL.replace("\n", "\r\n").encode())
        assert pipeline_file.load(str(path)).network.name == "small-cnn"

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            (b"", "holds no keys"),
            (b"# nothing\n", "holds no keys"),
            (b"- 1\n", "holds no keys"),
            (b"\xff\xfe\x00", "is not UTF-8 at byte 0"),
            (b"a: \xe9\n", "is not UTF-8 at byte 3"),
            (b"a: b\x00\n", "is not YAML"),
            (b"x" * 1_000_001, "is larger than 1 MB"),
            (b"\xe9" * 1_000_001, "is larger than 1 MB"),
        ],
    )
    def test_y5_y10_files_that_are_no_pipeline(
        self, content: bytes, says: str, tmp_path: Path
    ) -> None:
        path = tmp_path / "p.yaml"
        path.write_bytes(content)
        with pytest.raises(PipelineError, match=says) as caught:
            pipeline_file.load(str(path))
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize(
        ("line", "says"),
        [
            ("include: other.yaml", "include: is an unknown key"),
            ("network: !include other.yaml", "carries the tag"),
            ("network: &a [*a]", "alias|anchor"),
        ],
    )
    def test_y9_a_file_includes_no_other_and_never_itself(
        self, tmp_path: Path, line: str, says: str
    ) -> None:
        path = tmp_path / "p.yaml"
        path.write_text(f"data: {{dataset: digits}}\n{line}\n")
        with pytest.raises(PipelineError, match=says):
            pipeline_file.load(str(path))

    def test_y11_a_resolved_pipeline_of_a_release_means_what_it_meant(self) -> None:
        """One file a release is kept as it was written; a key whose meaning changes must fail."""
        files = sorted((Path(__file__).parents[1] / "golden").glob("pipeline-*.yaml"))
        assert files
        for path in files:
            stored = yaml_reader.read(path.read_text(encoding="utf-8"), path.name).value
            now = pipeline_file.resolve(pipeline_file.load(str(path)))
            assert _cut_to(now, stored) == stored

    @pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
    def test_a_file_that_cannot_be_read(self, minimal: str) -> None:
        Path(minimal).chmod(stat.S_IWUSR)
        with pytest.raises(PipelineError, match="cannot be read: Permission denied"):
            pipeline_file.load(minimal)

    def test_the_file_is_named_as_people_name_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "pipelines").mkdir()
        written(tmp_path / "pipelines", MINIMAL + "sed: 1\n")
        monkeypatch.chdir(tmp_path)
        with pytest.raises(PipelineError, match=r"^pipelines/p\.yaml:4:1: sed: is an unknown key"):
            pipeline_file.load("p")


def _cut_to(now: Any, stored: Any) -> Any:
    """Leave out of ``now`` the keys that ``stored`` does not know yet."""
    if isinstance(now, dict) and isinstance(stored, dict):
        return {key: _cut_to(now[key], stored[key]) for key in stored}
    return now


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("training:\n  epohs: 5\n", r":5:3: training\.epohs: is an unknown key; .* epochs"),
        ("epochs: 5\n", r":4:1: epochs: is an unknown key; did you mean training\.epochs\?"),
        ("lr: 5\n", r":4:1: lr: is an unknown key; "),
        ("s\ufeffeed: 5\n", r":4:1: s\\ufeffeed: is an unknown key; did you mean seed"),
        ("training:\n  epochs: 0\n", r":5:3: training\.epochs: is 0, but must be at least 1"),
        ("training:\n  epochs: 1e1\n", r"is 10\.0, but must be a whole number"),
        ("training:\n  epochs: '5'\n", r'is "5", but must be a whole number'),
        ("training:\n  epochs: true\n", "is true, but must be a whole number"),
        ("training:\n  epochs: no\n", 'is "no", but must be a whole number'),
        ("training:\n  epochs:\n", "is null, but must be a whole number"),
        ("training:\n  epochs: [1]\n", "is \\[1\\], but must be a whole number"),
        ("training:\n  compile: 1\n", "is 1, but must be true or false"),
        ("training:\n  l2: -1\n", r":5:3: training\.l2: is -1, but must be at least 0"),
        ("training:\n  l2: .inf\n", r"training\.l2: is inf, but must be a finite number"),
        ("training:\n  l2: .nan\n", r"training\.l2: is nan, but must be a finite number"),
        ("training:\n  precision: half\n", "must be 'auto', 'float32' or 'bfloat16'"),
        ("training:\n  device: gpu\n", "must be one of auto, cpu, cuda"),
        ("training: 5\n", ":4:1: training: is 5, but must be a mapping of key: value"),
        ("training:\n  augmentation: {shift: 65}\n", r"augmentation\.shift: is 65, .*at most 64"),
        ("splits: {dev: 1.5}\n", r"splits\.dev: is 1\.5, but must be .* number or less than 1"),
        ("splits: {dev: -1}\n", r"splits\.dev: is -1, but must be at least 0$"),
        ("splits: {dev: 0.6, test: 0.5}\n", "dev 0.6 \\+ test 0.5 is more than all of the target"),
        ("splits: {target_in_train: all}\n", 'is "all", but .* or \'rest\''),
        ("human: {error: 0.1}\n", "human: is .*, but must be a list"),
        ("human:\n  - error: 0.1\n  - error: 2\n", r":6:5: human\.1\.error: is 2, but"),
        ("human:\n  - n: 5\n", r":5:5: human\.0\.error: is missing"),
        ("task: [1]\n", "task: is \\[1\\], but must be a mapping"),
        ("task: {nmae: x}\n", r"task\.name: is missing \(is nmae meant for it\?\)"),
        ("task: 3\n", "task: is 3, but must be a mapping"),
        ("seed: -1\n", ":4:1: seed: is -1, but must be at least 0"),
        ("diagnosis: {delta: 0}\n", r"diagnosis\.delta: is 0, but must be more than 0"),
        ("description: 5\n", "description: is 5, but must be text"),
    ],
)  # fmt: skip
def test_y3_y4_wrong_keys_and_values(text: str, says: str, tmp_path: Path) -> None:
    path = written(tmp_path, MINIMAL + text)
    with pytest.raises(PipelineError, match=says) as caught:
        pipeline_file.load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}:")
    assert "\n" not in message


def test_y4_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r":1:1: network: is missing; add it"):
        pipeline_file.load(written(tmp_path, "data:\n  dataset: digits\n"))
    with pytest.raises(PipelineError, match=r"netwrok: is an unknown key; did you mean network"):
        pipeline_file.load(written(tmp_path, "data:\n  dataset: digits\nnetwrok: small-cnn\n"))


class TestOverrides:
    @pytest.mark.parametrize(
        ("override", "path", "value"),
        [
            ("training.epochs=5", "training.epochs", 5),
            ("training.l2=1e-3", "training.l2", 0.001),
            ("training.early_stopping={patience: 2}", "training.early_stopping.patience", 2),
            ("training.early_stopping.patience=2", "training.early_stopping.patience", 2),
            ("training.early_stopping=null", "training.early_stopping", None),
            ("splits.target=null", "splits.target", None),
            ("splits.target=", "splits.target", None),
            ("splits.target=no", "splits.target", "no"),
            ("description=a=b", "description", "a=b"),
            ("data.synthesize=camera", "data.synthesize.name", "camera"),
            ("network=resnet20", "network", {"name": "resnet20"}),
            ("network.channels=[8,16]", "network", {"name": "small-cnn", "channels": [8, 16]}),
            ("training.optimizer.lr=0.5", "training.optimizer", {"name": "adam", "lr": 0.5}),
            ("human=[{error: 0.1, n: 7}]", "human.0.n", 7),
            ("human.0.n=9", "human.0.n", 9),
        ],
    )
    def test_sets_what_the_file_could_say(
        self, override: str, path: str, value: object, tmp_path: Path
    ) -> None:
        file = written(tmp_path, MINIMAL + "human:\n  - {error: 0.2, n: 5}\n")
        found: object = pipeline_file.resolve(pipeline_file.load(file, [override]))
        for key in path.split("."):
            found = found[int(key)] if isinstance(found, list) else found[key]  # type: ignore[index]
        assert found == value

    def test_a_part_named_anew_drops_the_options_of_the_one_before(self) -> None:
        pipeline = pipeline_file.load("digits", ["network=resnet20"])
        assert dict(pipeline.network.options) == {}

    def test_later_ones_go_over_earlier_ones(self, minimal: str) -> None:
        both = ["network=resnet20", "network.width=8", "training.epochs=2", "training.epochs=3"]
        pipeline = pipeline_file.load(minimal, both)
        assert (pipeline.network.name, dict(pipeline.network.options)) == ("resnet20", {"width": 8})
        assert pipeline.training.epochs == 3

    @pytest.mark.parametrize(
        ("override", "says"),
        [
            ("training.epochs", "is no override; write key=value"),
            ("=5", "is no override"),
            ("training..epochs=5", "is no override"),
            ("training.epohs=5", r"training\.epohs: is an unknown key; did you mean epochs"),
            ("trainin.epochs=5", "trainin: is an unknown key; did you mean training"),
            ("epochs=5", r"epochs: is an unknown key; did you mean training\.epochs"),
            ("training.epochs.x=5", "is the value 3 and has no key x"),
            ("training.epochs=0", r"training\.epochs: is 0, but must be at least 1"),
            ("human.0.error=0.5", "human is a list of 0|human: is"),
            ("training=[1", "is not YAML"),
            ("training=*a", "alias"),
            ("training=!!python/name:os.system x", "tag"),
            ("training={epochs: 1, epochs: 2}", "again on line 1"),
            ("data.synthesize.noise=1", r"data\.synthesize\.name: is missing"),
            ("network=os:system", "must be the name of a registered part"),
            ("description=\udcff", "is not YAML"),
        ],
    )
    def test_wrong_ones_are_named(self, override: str, says: str, tmp_path: Path) -> None:
        file = written(tmp_path, MINIMAL + "training: {epochs: 3}\n")
        with pytest.raises(PipelineError, match=says) as caught:
            pipeline_file.load(file, [override])
        message = str(caught.value)
        assert message.startswith(f"override {override[:5].strip()}") or "\udcff" in override
        message.encode("utf-8")


def test_y7_variables_are_not_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "canary-5f2c")
    with pytest.raises(PipelineError, match=r"\$\{TOKEN\} is not expanded.*secret:TOKEN") as caught:
        pipeline_file.load(written(tmp_path, MINIMAL + "description: ${TOKEN}\n"))
    assert "canary" not in str(caught.value)
    with pytest.raises(PipelineError, match="is not expanded"):
        pipeline_file.load("digits", ["data.dataset.root=${TOKEN:-x}"])
    assert pipeline_file.load("digits", ["description=$TOKEN"]).description == "$TOKEN"


def test_places_take_no_part_in_equality(tmp_path: Path) -> None:
    first = pipeline_file.load(written(tmp_path, MINIMAL))
    second = pipeline_file.load(written(tmp_path, "# moved down\n\n" + MINIMAL))
    assert first == second
    assert first.network.places[""].endswith(":3:1")
    assert second.network.places[""].endswith(":5:1")
    assert first != pipeline_file.load(written(tmp_path, MINIMAL), ["network.hidden=7"])


def test_dump_keeps_rows_short_and_order(minimal: str) -> None:
    text = pipeline_file.dump(pipeline_file.load(minimal))
    assert text.startswith("name: p\n")
    assert max(map(len, text.splitlines())) <= 110
    assert text.index("data:") < text.index("splits:") < text.index("network:")


@pytest.mark.parametrize("name", SHIPPED)
def test_the_resolved_copy_loads_to_the_same(name: str, tmp_path: Path) -> None:
    pipeline = pipeline_file.load(name)
    assert pipeline_file.load(written(tmp_path, pipeline_file.dump(pipeline))) == pipeline


def test_an_id_of_digits_alone_stays_text_and_a_number_a_number() -> None:
    pipeline = pipeline_file.load(
        "digits", ["transfer.start=0613541967", "training.epochs=07", "name=1e5"]
    )
    assert pipeline.transfer.start == "0613541967"
    assert (pipeline.training.epochs, pipeline.name) == (7, "1e5")
