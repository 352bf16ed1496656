"""A node of other versions works for no driver (FAULTS W3)."""

import pytest

from gapwise.errors import UsageError
from gapwise.workers.ray_versions import check_versions, versions


def test_w3_another_version_is_refused_with_both() -> None:
    check_versions(versions())
    here = versions()["torch"]
    with pytest.raises(
        UsageError, match=rf"this node has .*torch {here}.* driver .*torch 1\.0"
    ) as told:
        check_versions(versions() | {"torch": "1.0"})
    assert "install one version" in str(told.value)


def test_w3_what_tells_builds_apart_does_not_count() -> None:
    assert all("+" not in number for number in versions().values())
