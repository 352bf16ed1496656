"""What code a run was made with: commit, Python and package versions, as tags."""

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("gapwise", "torch", "numpy", "scipy", "mlflow")


def code_versions(folder: Path) -> dict[str, str]:
    """Return tags for the code in use; ``folder`` is where a git checkout is looked for."""
    tags = {"gapwise.version.python": platform.python_version(), "gapwise.host": platform.node()}
    for package in PACKAGES:
        try:
            tags[f"gapwise.version.{package}"] = version(package)
        except PackageNotFoundError:
            continue
    return tags | _commit(folder)


def _commit(folder: Path) -> dict[str, str]:
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return {}
    changed = bool(_git(folder, "status", "--porcelain", "--untracked-files=no"))
    tags = {"mlflow.source.git.commit": commit}
    return tags | {"gapwise.uncommitted_changes": "true"} if changed else tags


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=5, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
