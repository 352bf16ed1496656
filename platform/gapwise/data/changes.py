"""What changed in the data since a run began: files (FAULTS D11) and classes (L2)."""

from pathlib import Path

from gapwise.data.digests import file_digest
from gapwise.data.prepared import Prepared
from gapwise.errors import DataError


def changed_files(before: Prepared) -> list[str]:
    """Return a sentence for every file of the run's snapshot that changed or went away."""
    sentences = []
    for name, digest in before.snapshot.items():
        path = Path(name)
        if not path.is_file():
            sentences.append(f"{name} is gone; the run keeps the snapshot it began with.")
        elif (now := file_digest(path)) != digest:
            sentences.append(
                f"{name} changed since the run began (sha256 {digest[:12]} then, {now[:12]} now); "
                "the run keeps the snapshot it began with."
            )
    return sentences


def check_unchanged(before: Prepared, after: Prepared, *, accept: bool) -> None:
    """Refuse to go on with other data than a run began with.

    Args:
        before: what the run began with.
        after: what its pipeline gives now.
        accept: the user said ``--accept-data-change``; other classes are refused all the same.

    Raises:
        DataError: the classes differ (told by name), or the data does and was not accepted.
    """
    if before.classes != after.classes:
        raise DataError(
            f"dataset {before.name!r}: the classes changed since the run began "
            f"({class_changes(before.classes, after.classes)}); restore them, or train anew"
        )
    if before.digest != after.digest and not accept:
        raise DataError(
            f"dataset {before.name!r}: the data changed since the run began ({len(before):,} "
            f"examples, digest {before.digest[:12]}, then; {len(after):,}, {after.digest[:12]}, "
            "now); restore it, or go on with --accept-data-change"
        )


def class_changes(before: tuple[str, ...], after: tuple[str, ...]) -> str:
    """Return how two lists of classes differ, for people."""
    gone = [name for name in before if name not in after]
    new = [name for name in after if name not in before]
    moved = [
        f"{name} from {before.index(name)} to {after.index(name)}"
        for name in before
        if name in after and before.index(name) != after.index(name)
    ]
    parts = (("gone", gone), ("new", new), ("moved", moved))
    return "; ".join(f"{what}: {', '.join(names)}" for what, names in parts if names)
