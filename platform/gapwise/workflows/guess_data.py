"""What a folder of images or a manifest seems to be."""

import os
from collections import Counter
from pathlib import Path

from gapwise.data.features import MISSING
from gapwise.data.table import Table, read_table
from gapwise.errors import DataError, shown
from gapwise.workflows.guess import Guess
from gapwise.workflows.guess_columns import IMAGE_SUFFIXES, Columns, guess_columns
from gapwise.workflows.guess_label import GuessedLabel, guess_label
from gapwise.workflows.picture_sizes import PictureSizes, picture_sizes

MANIFESTS = (".csv", ".parquet", ".pq")


def guess_data(source: Path) -> Guess:
    """Return what ``source`` seems to hold: a folder of images by class, or a manifest.

    Raises:
        DataError: it is missing, or nothing that can be trained on; says what is missing.
    """
    if source.is_dir():
        return _folder(source)
    if not source.is_file():
        raise DataError(f"{source} is neither a folder nor a file; check the path")
    if source.suffix.lower() not in MANIFESTS:
        raise DataError(
            f"{source} is no manifest; give a folder of images by class, or a .csv or .parquet file"
        )
    return _manifest(source)


def _folder(root: Path) -> Guess:
    paths = sorted(
        path
        for path in root.glob("*/**/*")
        if path.suffix.lower() in IMAGE_SUFFIXES
        and not any(part.startswith(".") for part in path.relative_to(root).parts)
    )
    classes = Counter(path.relative_to(root).parts[0] for path in paths)
    if len(classes) < 2:
        raise DataError(_no_classes(root, list(classes)))
    sizes = _sizes(paths, root)
    says = [f"Every folder in {root} is a class: {_counted(classes)}.", *_said_of(sizes)]
    nested = next((path for path in paths if len(path.relative_to(root).parts) > 2), None)
    if nested is not None:
        says.append(f"Folders inside a class count to it (such as {nested.relative_to(root)}).")
    return Guess(
        reader="folder",
        options={"path": _relative(root), **_picture_options(sizes)},
        says=tuple(says),
        classes=dict(sorted(classes.items())),
        shape=(sizes.channels, sizes.height, sizes.width),
    )


def _no_classes(root: Path, classes: list[str]) -> str:
    if classes:
        return (
            f"{root} holds images in one folder only, {shown(classes[0])}; put those of each class "
            f"into a folder of its own, {root}/<class>/"
        )
    tables = sorted(path.name for path in root.iterdir() if path.suffix.lower() in MANIFESTS)
    hint = f", or give the manifest: gapwise init {root / tables[0]}" if tables else ""
    return f"{root} holds no images in folders by class; put them into {root}/<class>/{hint}"


def _manifest(path: Path) -> Guess:
    table = read_table(path)
    columns = guess_columns(table)
    label = guess_label(table, columns.roles["label"])
    shape, options, says = _inputs(table, columns)
    named = {role: column for role, column in columns.roles.items() if role != column}
    sources = Counter(table.text(columns.roles["source"])) if "source" in columns.roles else {}
    named_options = {"columns": named} if named else {}
    kind = {"target": "number"} if label.numbers else {}
    return Guess(
        reader="manifest",
        options={"path": _relative(path)} | named_options | kind | options,
        says=(*_said_of_roles(columns, label), *says),
        classes=dict(sorted(label.classes.items())),
        numbers=label.numbers,
        positive=label.positive,
        sources=dict(sorted(sources.items())),
        shape=shape,
    )


def _inputs(table: Table, columns: Columns) -> tuple[tuple[int, ...], dict[str, object], list[str]]:
    """Return the shape of an example, the reader's options for it, and what to say."""
    if "image" in columns.roles:
        paths = [table.path.parent / text for text in table.text(columns.roles["image"]) if text]
        sizes = _sizes(paths, table.path)
        kept = f"Kept for slicing: {', '.join(columns.others)}." if columns.others else ""
        says = [*_said_of(sizes), *filter(None, [kept])]
        return (sizes.channels, sizes.height, sizes.width), _picture_options(sizes), says
    categories = [name for name in columns.features if not table.is_numeric(name)]
    width = sum(_width(table, name, name in categories) for name in columns.features)
    says = [f"Features: {', '.join(columns.features)}."]
    if categories:
        says.append(f"Of these, categories (one column a value): {', '.join(categories)}.")
    if columns.others:
        says.append(f"Not used as features: {', '.join(columns.others)}.")
    return (width,), {"features": list(columns.features)}, says


def _width(table: Table, name: str, is_category: bool) -> int:
    cells = {cell.strip() for cell in table.text(name)}
    return len(cells) if is_category else 1 + bool(cells & set(MISSING))


def _sizes(paths: list[Path], where: Path) -> PictureSizes:
    sizes = picture_sizes(paths)
    if sizes is None:
        raise DataError(
            f"{where}: none of the images can be read, such as {paths[0]}; check that the paths "
            "start at the manifest's folder and that the files are PNG, JPEG or WebP"
        )
    return sizes


def _picture_options(sizes: PictureSizes) -> dict[str, object]:
    return {"size": [sizes.height, sizes.width], "channels": sizes.channels}


def _said_of(sizes: PictureSizes) -> list[str]:
    kind = "colour" if sizes.colour else "grey"
    form = f"{sizes.height}×{sizes.width} (height × width)"
    if sizes.alike:
        return [f"Pictures are {kind}, {form}."]
    return [f"Pictures are {kind} and differ in size or are large: they are resized to {form}."]


def _said_of_roles(columns: Columns, label: GuessedLabel) -> list[str]:
    roles = columns.roles
    held = label.says or _counted(label.classes)
    says = [f"Label: column {roles['label']}, {held}."]
    meanings = {
        "image": "Image paths",
        "id": "Ids that stay the same when rows are added",
        "source": "Source (the distribution that an example came from)",
        "group": "Group (never straddles splits)",
        "weight": "Weight of each example",
    }
    return says + [f"{meanings[k]}: column {roles[k]}." for k in meanings if k in roles]


def _counted(classes: Counter[str]) -> str:
    told = ", ".join(f"{shown(name, 30)} {count:,}" for name, count in classes.most_common(8))
    more = f" and {len(classes) - 8} more" if len(classes) > 8 else ""
    return f"{len(classes)} classes ({told}{more})"


def _relative(path: Path) -> str:
    """Return the path as the pipeline writes it: from the working folder where it lies inside."""
    absolute = Path(os.path.normpath(path.absolute()))
    cwd = Path.cwd()
    inside = absolute.relative_to(cwd) if absolute.is_relative_to(cwd) else absolute
    return inside.as_posix()
