"""Public datasets: found in ``GAPWISE_DATA``, else downloaded once with a checksum."""

import sys
from dataclasses import dataclass
from pathlib import Path

from gapwise.errors import DataError, ServiceError
from gapwise.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Remote:
    """A file of a public dataset.

    Attributes:
        folder: its folder in ``GAPWISE_DATA`` and in the cache.
        name: its official name.
        url: where it is public.
        sha256: of the official file.
        size: in bytes, said before it is downloaded.
        also: other names under which it may stand in ``GAPWISE_DATA``.
    """

    folder: str
    name: str
    url: str
    sha256: str
    size: int
    also: tuple[str, ...] = ()


def local(settings: Settings, folder: str, *names: str) -> Path | None:
    """Return the first of ``names`` that stands in a folder of ``GAPWISE_DATA``, else None."""
    if settings.data is None:
        return None
    paths = (settings.data / folder / name for name in names)
    return next((path for path in paths if path.is_file()), None)


def local_folder(settings: Settings, folder: str, what: str) -> Path:
    """Return a folder of ``GAPWISE_DATA``, for data that nobody serves file by file.

    Args:
        settings: names the folder of datasets.
        folder: the one wanted.
        what: what belongs there, for who lacks it.

    Raises:
        DataError: it is not there.
    """
    found = None if settings.data is None else settings.data / folder
    if found is None or not found.is_dir():
        place = "GAPWISE_DATA is not set" if found is None else f"there is no {found}"
        raise DataError(
            f"{place}; set GAPWISE_DATA to a folder of datasets, and put into its folder {folder} "
            f"{what}"
        )
    return found


def fetch(settings: Settings, remote: Remote) -> Path:
    """Return where a file is, downloading it into the cache where it is nowhere.

    Raises:
        ServiceError: the server does not answer.
        DataError: what came is not the official file.
    """
    found = local(settings, remote.folder, remote.name, *remote.also)
    return found or _download(settings.cache / "downloads" / remote.folder, remote)


def _download(folder: Path, remote: Remote) -> Path:
    # pooch and requests take 0.2 s to import; who has the file does not need them.
    import pooch  # type: ignore[import-untyped]

    path = folder / remote.name
    if not path.is_file():
        sys.stderr.write(
            f"downloading {remote.name} ({remote.size / 1e6:,.1f} MB) from {remote.url} "
            f"to {folder}\n"
        )
    pooch.get_logger().setLevel("ERROR")
    try:
        return Path(
            pooch.retrieve(remote.url, f"sha256:{remote.sha256}", fname=remote.name, path=folder)
        )
    except OSError as error:
        raise ServiceError(
            f"cannot download {remote.url}: {error}; check the network, or put {remote.name} into "
            f"the folder {remote.folder} of GAPWISE_DATA"
        ) from error
    except ValueError as error:
        raise DataError(
            f"{remote.url} is not the file it should be (sha256 {remote.sha256[:12]}…); try "
            f"again, or put {remote.name} into the folder {remote.folder} of GAPWISE_DATA"
        ) from error
