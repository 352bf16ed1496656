"""Which column of a manifest is what: by its name first, by what it holds second."""

from collections.abc import Sequence
from dataclasses import dataclass

from gapwise.data.table import Table
from gapwise.errors import DataError, shown

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
SEEN = 1000
MOST_CATEGORIES = 50

# The first name of each is the reader's own; the others are its common synonyms.
NAMES = {
    "label": ("label", "labels", "class", "class_name", "category", "target", "y"),
    "image": (
        "image", "path", "image_path", "file", "filename", "file_name", "filepath", "picture",
    ),
    "id": ("id", "example_id", "uid", "uuid"),
    "source": ("source", "domain", "distribution", "origin"),
    "group": (
        "group", "person", "person_id", "patient", "patient_id", "subject", "subject_id",
        "writer", "writer_id", "speaker", "speaker_id", "user", "user_id", "video", "video_id",
    ),
    "weight": ("weight", "weights", "sample_weight"),
}  # fmt: skip
# Names that say who labelled an example, or where it was put: never features.
NOT_FEATURES = frozenset(
    ("annotator", "annotator_id", "labeler", "split", "fold", "set", "index", "unnamed: 0")
)


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The columns of a manifest: role → column, features of rows, and all that is left."""

    roles: dict[str, str]
    features: tuple[str, ...]
    others: tuple[str, ...]


def guess_columns(table: Table) -> Columns:
    """Return the role of every column.

    Raises:
        DataError: no column, or more than one, could be the label; or there is neither a column of
            image paths nor one to learn from.
    """
    names = list(table.columns)
    roles = {"label": _label(table)}
    for role in ("id", "source", "group", "weight"):
        column = _named(names, NAMES[role])
        if column is not None and (role != "id" or _is_unique(table, column)):
            roles[role] = column
    free = [name for name in names if name not in roles.values()]
    image = image_column(table, free)
    if image is not None:
        roles["image"] = image
        return Columns(
            roles=roles, features=(), others=tuple(name for name in free if name != image)
        )
    features = tuple(name for name in free if _is_feature(table, name))
    if not features:
        raise DataError(
            f"{table.path} has neither a column of image paths (.png, .jpg, .webp) nor one of "
            f"numbers or categories to learn from; its columns are {_listed(names)}"
        )
    others = tuple(name for name in free if name not in features)
    return Columns(roles=roles, features=features, others=others)


def image_column(table: Table, among: Sequence[str]) -> str | None:
    """Return the column that holds paths of images nearly everywhere, by name where several do."""
    holding = [name for name in among if _holds_images(table, name)]
    return _named(holding, NAMES["image"]) or (holding[0] if holding else None)


def column_of(table: Table, role: str) -> str | None:
    """Return the column whose name says that it has ``role``, None where there is none."""
    return _named(list(table.columns), NAMES[role])


def _label(table: Table) -> str:
    names, known = list(table.columns), NAMES["label"]
    exact = [name for name in names if name.lower() == known[0]]
    found = exact or [name for name in names if name.lower() in known]
    if len(found) == 1:
        return found[0]
    if found:
        raise DataError(
            f"{table.path}: each of the columns {_listed(found)} could be the label; rename the "
            "right one to label"
        )
    raise DataError(
        f"{table.path} has no column called {', '.join(known[:-1])} or {known[-1]}; rename the one "
        f"that holds the classes to label: its columns are {_listed(names)}"
    )


def _named(names: Sequence[str], known: Sequence[str]) -> str | None:
    by_name = {name.lower(): name for name in reversed(names)}
    return next((by_name[name] for name in known if name in by_name), None)


def _is_unique(table: Table, name: str) -> bool:
    cells = table.text(name)
    return len(set(cells)) == len(cells)


def _holds_images(table: Table, name: str) -> bool:
    cells = [cell.lower() for cell in table.text(name)[:SEEN] if cell]
    return bool(cells) and 10 * sum(c.endswith(IMAGE_SUFFIXES) for c in cells) > 9 * len(cells)


def _is_feature(table: Table, name: str) -> bool:
    if name.lower() in NOT_FEATURES or name.lower().endswith("_id"):
        return False
    # Text that is new on nearly every row is a remark, not a category.
    most = min(MOST_CATEGORIES, len(table) // 5)
    return table.is_numeric(name) or 1 < len(set(table.text(name))) <= most


def _listed(names: Sequence[str], most: int = 20) -> str:
    listed = ", ".join(shown(name, 40) for name in names[:most])
    return f"{listed} and {len(names) - most} more" if len(names) > most else listed
