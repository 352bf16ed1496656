"""Who is it? A gallery of people that a run's encodings recognise (notes 7.1, 7.2, 7.5).

A person is enrolled with one picture or more; their encodings are computed once and kept, and
nothing is trained. A gallery belongs to one run, for another network's encodings mean other things.
It is a folder of `$GAPWISE_HOME/galleries/`: the people in JSON, encodings and pictures as arrays,
written anew as a whole. Who is forgotten is gone from all three.
"""

import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from gapwise.data.images import BadImageError, Limits, decode, read_bytes, read_header
from gapwise.database import waiting_in_line
from gapwise.errors import DataError, StorageError, UsageError, did_you_mean, shown
from gapwise.settings import Settings
from gapwise.tasks.verify import Verify
from gapwise.training.files import write_atomically
from gapwise.workflows.author import author
from gapwise.workflows.nearest import Nearest
from gapwise.workflows.trained_run import TrainedRun, outputs_of
from gapwise.workflows.verification import open_verifier

FILE = "people.npz"
LONGEST_NAME = 80
SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Enrolled:
    """One picture of a person: whose, when it was enrolled (UTC), and by whom."""

    name: str
    at: str
    by: str


@dataclass(frozen=True, kw_only=True)
class Recognised:
    """Who a picture shows.

    Attributes:
        name: "" where nobody of the gallery is near enough.
        distance: to the nearest picture.
        threshold: τ, the greatest distance that counts as one person.
        nearest: (name, distance) of the nearest people, one picture each.
    """

    name: str
    distance: float
    threshold: float
    nearest: tuple[tuple[str, float], ...]


class Gallery:
    """The people of one run's gallery; opened for reading by everybody, written by one at a time.

    Attributes:
        entries: one for each picture.
        pictures: (n, channels, height, width) uint8, as the network takes them.
    """

    def __init__(self, trained: TrainedRun, task: Verify, folder: Path) -> None:
        self._trained, self._task, self._folder = trained, task, folder
        self.entries: tuple[Enrolled, ...] = ()
        shape = trained.model.spec.input_shape
        self.pictures: NDArray[np.uint8] = np.zeros((0, *shape), np.uint8)
        self._outputs: NDArray[np.float32] = np.zeros((0, trained.model.outputs), np.float32)
        self._index: Nearest | None = None
        self._read()

    @property
    def run_id(self) -> str:
        """The run whose encodings these are."""
        return self._trained.run_id

    @property
    def people(self) -> dict[str, int]:
        """Name → pictures, in the order of enrolment."""
        counts: dict[str, int] = {}
        for entry in self.entries:
            counts[entry.name] = counts.get(entry.name, 0) + 1
        return counts

    def enroll(self, name: str, contents: Sequence[tuple[str, bytes]]) -> None:
        """Add pictures of a person, all or none.

        Args:
            name: whose.
            contents: (what it is called, bytes) of image files.

        Raises:
            UsageError: the name is empty or too long, or no picture is given.
            DataError: a file is no image that can be used; names it.
            StorageError: the gallery cannot be written.
        """
        name = " ".join(name.split())
        if not name or len(name) > LONGEST_NAME:
            raise UsageError(
                f"the name {shown(name)!r} has {len(name)} letters; give 1 to {LONGEST_NAME}"
            )
        if not contents:
            raise UsageError(f"no picture of {shown(name)} is given; give one or more")
        pictures = np.stack([self._decoded(*content) for content in contents])
        entry = Enrolled(name=name, at=datetime.now(UTC).isoformat("T", "seconds"), by=author())
        outputs = self._encoded(pictures)
        with self._alone():
            self._write(
                (*self.entries, *[entry] * len(pictures)),
                np.concatenate([self.pictures, pictures]),
                np.concatenate([self._outputs, outputs]),
            )

    def forget(self, name: str) -> int:
        """Take every picture and encoding of a person out; return how many there were.

        Raises:
            UsageError: nobody has that name.
        """
        with self._alone():
            kept = [place for place, entry in enumerate(self.entries) if entry.name != name]
            gone = len(self.entries) - len(kept)
            if not gone:
                near = did_you_mean(name, self.people) if self.people else "nobody is enrolled"
                raise UsageError(f"nobody is called {shown(name)!r}; {near}")
            entries = tuple(self.entries[place] for place in kept)
            self._write(entries, self.pictures[kept], self._outputs[kept])
        return gone

    def recognise(self, called: str, content: bytes) -> Recognised:
        """Return who the picture shows: the nearest within τ, else nobody.

        Raises:
            DataError: it is no image that can be used.
            UsageError: nobody is enrolled yet.
        """
        if not self.entries:
            raise UsageError(
                f"nobody is enrolled with run {self.run_id[:12]}; `gapwise enroll RUN NAME "
                "PICTURE` adds a person"
            )
        places, distances = self._nearest(self._encoded(self._decoded(called, content)[None])[0])
        best: dict[str, float] = {}
        for place, distance in zip(places.tolist(), distances.tolist(), strict=True):
            best.setdefault(self.entries[place].name, distance)
        nearest = tuple(best.items())[:SHOWN]
        name, distance = nearest[0]
        threshold = self._task.threshold
        is_near = distance <= threshold
        return Recognised(
            name=name if is_near else "", distance=distance, threshold=threshold, nearest=nearest
        )

    def _nearest(self, output: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[Any]]:
        if self._task.learned.size:
            # A learned unit on differences is no distance that an index knows.
            apart = self._task.distances(
                torch.from_numpy(output[None]), torch.from_numpy(self._outputs)
            )
            order = apart[0].detach().numpy().argsort(kind="stable")
            return order, apart[0].detach().numpy()[order]
        if self._index is None:
            self._index = Nearest(_unit(self._outputs))
        return self._index.of(_unit(output[None])[0], 50 * SHOWN)

    def _decoded(self, called: str, content: bytes) -> NDArray[np.uint8]:
        channels, height, width = self._trained.model.spec.input_shape
        try:
            read_header(content, Limits())
            return decode(content, height, width, channels)
        except BadImageError as error:
            raise DataError(f"{shown(called)} {error.reason}; give a JPEG, PNG or WebP") from error

    def _encoded(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        outputs: NDArray[np.float32] = outputs_of(self._trained, pictures).float().numpy()
        return outputs

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other writers away, and see what they wrote before."""
        with waiting_in_line(self._folder / FILE):
            self._read()
            yield

    def _read(self) -> None:
        self._index = None
        try:
            with (
                (self._folder / FILE).open("rb") as stream,
                np.load(stream, allow_pickle=False) as archive,
            ):
                self.entries = tuple(Enrolled(**one) for one in json.loads(str(archive["people"])))
                self.pictures, self._outputs = archive["pictures"], archive["outputs"]
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
            raise StorageError(
                f"the gallery {self._folder / FILE} cannot be read ({error}); take it from a "
                "backup, or delete it and enroll again"
            ) from error

    def _write(
        self,
        entries: tuple[Enrolled, ...],
        pictures: NDArray[np.uint8],
        outputs: NDArray[np.float32],
    ) -> None:
        people = json.dumps([asdict(entry) for entry in entries])
        stream = io.BytesIO()
        np.savez(stream, people=np.array(people), pictures=pictures, outputs=outputs)
        write_atomically(self._folder / FILE, stream.getvalue())
        self.entries, self.pictures, self._outputs = entries, pictures, outputs
        self._index = None


def open_gallery(run_ref: str, settings: Settings | None = None) -> Gallery:
    """Open the gallery of a run that verifies; an empty one where nobody was enrolled.

    Raises:
        UsageError: the run does not verify, or takes no pictures.
        StorageError: the gallery is damaged.
    """
    settings = settings or Settings.read()
    return gallery_of(*open_verifier(run_ref, settings), settings)


def gallery_of(trained: TrainedRun, task: Verify, settings: Settings) -> Gallery:
    """Open the gallery of a verifier that is open already, as it is now.

    Raises:
        UsageError: the run takes no pictures.
        StorageError: the gallery is damaged.
    """
    if len(trained.model.spec.input_shape) != 3:
        raise UsageError(
            f"run {trained.run_id} takes no pictures; name a run that verifies pictures"
        )
    return Gallery(trained, task, settings.home / "galleries" / trained.run_id)


def contents_of(files: Sequence[Path]) -> list[tuple[str, bytes]]:
    """Return (name, content) of image files.

    Raises:
        DataError: a file cannot be read.
    """
    found = []
    for file in files:
        try:
            found.append((str(file), read_bytes(file)))
        except BadImageError as error:
            raise DataError(f"{file}: {error.reason}; check the path") from error
    return found


def _unit(outputs: NDArray[np.float32]) -> NDArray[np.float32]:
    unit: NDArray[np.float32] = F.normalize(torch.from_numpy(outputs), dim=1).numpy()
    return unit
