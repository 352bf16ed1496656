"""The last learning curve of each pipeline, kept under the home for whoever advises by it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gapwise.diagnostics.forecast import Forecast
from gapwise.diagnostics.learning_curve import LearningCurve, Point
from gapwise.errors import StorageError
from gapwise.records import plain
from gapwise.settings import Settings
from gapwise.tracking.files import naming, read_json, write_json

FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One curve: the pipeline as it is, or with overrides such as another network size.

    Attributes:
        name: the overrides as they were written, "" for the pipeline as it is.
        pipeline: the resolved pipeline that was trained, as plain values.
        curve: points and forecasts.
        run_ids: by size, one a seed.
    """

    name: str
    pipeline: Mapping[str, Any]
    curve: LearningCurve
    run_ids: Mapping[int, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class Curves:
    """What ``gapwise curve`` found: the first variant is the pipeline that was asked for.

    Attributes:
        pipeline: its name.
        dataset: the dataset's name.
        data_digest: of the prepared data that the largest size trained on.
        seeds: those that each size was trained under.
        variants: one curve each.
        trained, reused: runs trained now, and runs that were there already.
    """

    pipeline: str
    dataset: str
    data_digest: str
    seeds: tuple[int, ...]
    variants: tuple[Variant, ...]
    trained: int
    reused: int

    @property
    def says(self) -> str:
        """The answer to "would more data help?" in one sentence."""
        return self.variants[0].curve.says

    @property
    def twice(self) -> Forecast | None:
        """What twice the data would give the pipeline; None where nothing can be said."""
        found = [f for f in self.variants[0].curve.forecasts if f.factor == 2 and not f.abstains]
        return found[0] if found else None

    @property
    def at_most(self) -> float | None:
        """The most that twice the data takes off the dev error: the 95 % interval's upper end."""
        return None if self.twice is None else self.twice.gain_high

    def as_json(self) -> dict[str, Any]:
        """Return the document of ``curve --json``: intervals are 95 %."""
        document: dict[str, Any] = plain(asdict(self))
        return document | {"says": self.says, "at_most": self.at_most}


def keep(settings: Settings, curves: Curves) -> Path:
    """Write ``curves`` as the last of its pipeline; return the file.

    Raises:
        StorageError: the file cannot be written.
    """
    path = _path(settings, curves.pipeline)
    with naming(path.parent, "make"):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, {"format": FORMAT} | curves.as_json())
    return path


def latest(settings: Settings, pipeline: str) -> Curves | None:
    """Return the last curve of the pipeline of this name; None where none was made.

    Raises:
        StorageError: its file is damaged.
    """
    path = _path(settings, pipeline)
    return _read(path) if path.is_file() else None


def all_latest(settings: Settings) -> list[Curves]:
    """Return the last curve of every pipeline that has one, the newest first."""
    files = sorted((settings.home / "curves").glob("*.json"), key=lambda f: -f.stat().st_mtime_ns)
    return [_read(path) for path in files]


def _path(settings: Settings, pipeline: str) -> Path:
    return settings.home / "curves" / f"{quote(pipeline, safe='')}.json"


def _read(path: Path) -> Curves:
    document = read_json(path)
    try:
        variants = tuple(_variant(item) for item in document["variants"])
        names = ("pipeline", "dataset", "data_digest", "trained", "reused")
        return Curves(
            seeds=tuple(document["seeds"]),
            variants=variants,
            **{name: document[name] for name in names},
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise StorageError(
            f"{path} is damaged ({error!r}); delete it and call `gapwise curve` again"
        ) from error


def _variant(document: Mapping[str, Any]) -> Variant:
    curve = dict(document["curve"])
    curve["points"] = tuple(Point(**point) for point in curve["points"])
    curve["forecasts"] = tuple(Forecast(**one) for one in curve["forecasts"])
    curve["line"] = tuple(tuple(row) for row in curve["line"])
    run_ids = {int(size): tuple(runs) for size, runs in document["run_ids"].items()}
    return Variant(
        name=document["name"],
        pipeline=document["pipeline"],
        curve=LearningCurve(**curve),
        run_ids=run_ids,
    )
