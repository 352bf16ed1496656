"""What a checkpoint was trained with includes the code that decides its numbers."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import gapwise
from gapwise.errors import UsageError
from gapwise.records import Job
from gapwise.training import identity
from gapwise.training.checkpoints import read_checkpoint
from gapwise.training.job import run_job

PACKAGE = Path(gapwise.__file__).parent


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the package, to be edited."""
    return shutil.copytree(
        PACKAGE, tmp_path / "gapwise", ignore=shutil.ignore_patterns("__pycache__")
    )


def edited(checkout: Path, name: str) -> str:
    with (checkout / name).open("a") as stream:
        stream.write("# edited\n")
    identity.code_digest.cache_clear()
    return identity.code_digest(checkout)


def test_the_digest_is_of_the_content_wherever_it_lies(checkout: Path) -> None:
    assert identity.code_digest(checkout) == identity.code_digest(PACKAGE)


@pytest.mark.parametrize(
    "name",
    [
        *("networks/lenet5.py", "tasks/classify.py", "training/optimizers/adam.py"),
        *("metrics/classification.py", "records.py", "data/prepared.py"),
    ],
)
def test_t8_any_source_that_decides_numbers_counts(checkout: Path, name: str) -> None:
    before = identity.code_digest(checkout)
    assert edited(checkout, name) != before


def test_pages_and_commands_may_change(checkout: Path) -> None:
    before = identity.code_digest(checkout)
    assert edited(checkout, "cli.py") == before


def test_a_source_that_moves_counts(checkout: Path) -> None:
    before = identity.code_digest(checkout)
    (checkout / "networks" / "lenet5.py").rename(checkout / "networks" / "lenet6.py")
    identity.code_digest.cache_clear()
    assert identity.code_digest(checkout) != before


def test_t8_a_changed_checkout_is_refused_without_force(
    make_job: Callable[..., Job], checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run_job(make_job(epochs=1))
    saved = read_checkpoint(Path(first.last_checkpoint)).values["identity"]
    assert saved["code"] == identity.code_digest(PACKAGE)
    edited(checkout, "training/learner.py")
    monkeypatch.setattr(identity, "PACKAGE", checkout)
    with pytest.raises(UsageError, match=r"\(code: \w+ → \w+; digests .*--force"):
        run_job(make_job())
    assert run_job(make_job(), force=True).epochs == 4
