"""What `make check` says of advisories: open ones fail, silence of the index does not."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest

PLACE = Path(__file__).parents[2] / ".ci" / "audit.py"


@pytest.fixture
def audit() -> Any:
    spec = importlib.util.spec_from_file_location("audit", PLACE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def package(name: str, *advisories: str, fixed: tuple[str, ...] = ()) -> dict[str, Any]:
    vulns = [{"id": one, "fix_versions": list(fixed)} for one in advisories]
    return {"name": name, "version": "1.0", "vulns": vulns}


def test_an_open_advisory_fails_and_names_the_mend(audit: Any) -> None:
    report = {"dependencies": [package("a"), package("b", "CVE-1", fixed=("1.1", "2.0"))]}
    says, code = audit.judged(report)
    assert code == 1
    assert says == [
        "b 1.0: CVE-1; raise it to 1.1 or 2.0",
        "advisories: 2 packages audited: 1 open",
    ]


def test_one_that_is_borne_is_counted(audit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(audit.BORNE, "CVE-1", "the function is never called")
    says, code = audit.judged({"dependencies": [package("b", "CVE-1")]})
    assert (says, code) == (["advisories: 1 packages audited: 0 open, 1 borne"], 0)


def test_an_index_that_does_not_answer_is_no_failure(audit: Any) -> None:
    silent = {"name": "a", "skip_reason": "not found"}
    for report in ({}, {"dependencies": [silent]}):
        says, code = audit.judged(report)
        assert (len(says), code) == (1, 0)
        assert "nothing was audited" in says[0]
    says, code = audit.judged({"dependencies": [silent, package("b")]})
    assert (says, code) == (["advisories: 1 packages audited, 1 unknown to the index: 0 open"], 0)


def test_what_is_borne_says_why(audit: Any) -> None:
    assert all(len(why) > 20 for why in audit.BORNE.values())


def test_an_audit_that_cannot_run_is_told(audit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit.sys, "executable", "/bin/false")
    assert audit.ask() == {}
