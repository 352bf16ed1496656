"""A ledger for each test, on SQLite and on PostgreSQL; tests of the file itself on SQLite alone."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from gapwise.ledger.ledger import Ledger


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if {"ledger", "fresh_url"} & set(metafunc.fixturenames):
        both = ["sqlite"] if "file" in metafunc.fixturenames else ["sqlite", "postgresql"]
        metafunc.parametrize("backend", both)


@pytest.fixture
def ledger(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> Ledger:
    if backend == "sqlite":
        return Ledger(f"sqlite:///{tmp_path}/home/ledger.db")
    return Ledger(request.getfixturevalue("postgresql"))


@pytest.fixture
def fresh_url(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[], str]:
    """Addresses of empty ledgers, as many as one likes."""
    numbers = itertools.count()
    if backend == "sqlite":
        return lambda: f"sqlite:///{tmp_path}/{next(numbers)}.db"
    make: Callable[[], str] = request.getfixturevalue("new_database")
    return make
