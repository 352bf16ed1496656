"""The page *Health*, and the figures that a monitor asks for."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from streamlit.testing.v1 import AppTest

from dashboards import metrics_route, sign_in
from dashboards.guard import Guard
from dashboards.sign_in import SignIn
from gapwise.ledger import team
from gapwise.ledger.ledger import Ledger
from gapwise.settings import Settings
from gapwise.workflows.doctor import examine

TOKEN = "0123456789abcdef0123456789abcdef"
HOST = {"host": "localhost"}


@pytest.fixture(autouse=True)
def _nobody_signs_in_afterwards() -> Iterator[None]:
    yield
    sign_in.use(SignIn())


@pytest.fixture
def healthy(stored: Path) -> Path:
    """A home in order: what was copied here is sent to the store that lies here now."""
    # Other tests' runs lay theirs into the folder that was copied, for MLflow keeps whole paths.
    shutil.rmtree(stored / "artifacts")
    assert [check for check in examine()["checks"] if not check["ok"]] == []
    return stored


def app() -> Starlette:
    return Starlette(routes=[metrics_route.route()], middleware=[Middleware(Guard)])


def said(page: AppTest) -> str:
    return " ".join(str(part.value) for part in page.markdown)


def test_the_page_says_that_all_is_well_and_who_is_on_the_team(
    healthy: Path, page: Callable[..., AppTest]
) -> None:
    team.grant(Ledger(Settings.read().ledger_url), "lea@example.org", "lead", author="root")
    shown = page("health")
    assert "# Everything is in order" in said(shown)
    assert "lea" in str([table.value for table in shown.table])


def test_the_page_names_what_fails_and_a_lead_has_it_mended(
    healthy: Path, page: Callable[..., AppTest]
) -> None:
    lost = Settings.read().artifacts / "e" / "0123456789abcdef" / "artifacts"
    lost.mkdir(parents=True)
    shown = page("health")
    assert "# 1 of 9 checks fail" in said(shown)
    assert "belong to no run" in said(shown)
    lost.rmdir()
    lost.parent.rmdir()
    shown.button(key="look-again").click().run()
    assert "# Everything is in order" in said(shown)


def test_a_damaged_file_is_found_when_every_file_is_proved(
    healthy: Path, page: Callable[..., AppTest]
) -> None:
    path = next(healthy.glob("runs/*/predictions/dev.parquet"))
    path.write_bytes(path.read_bytes()[:-9] + b"x" * 9)
    shown = page("health")
    assert "# Everything is in order" in said(shown)
    shown.button(key="prove").click().run()
    assert "# 1 of 10 checks fail" in said(shown)
    assert "is damaged" in said(shown)


def test_the_figures_are_those_of_the_stores(stored: Path, asgi: ModuleType) -> None:
    answer = asgi.http(app(), "GET", "/metrics", HOST)
    lines = answer.body.decode().splitlines()
    assert answer.status == 200
    assert "gapwise_up 1.0" in lines
    assert 'gapwise_runs{status="FINISHED"} 4.0' in lines
    assert 'gapwise_runs{status="KILLED"} 1.0' in lines
    assert "gapwise_ledger_events 0.0" in lines


def test_a_store_that_cannot_be_read_is_down_and_not_silent(stored: Path, asgi: ModuleType) -> None:
    (stored / "mlflow.db").write_bytes(b"no database at all, whatever its name says")
    answer = asgi.http(app(), "GET", "/metrics", HOST)
    assert answer.status == 200
    assert "gapwise_up 0.0" in answer.body.decode().splitlines()


@pytest.mark.parametrize(
    ("given", "status"),
    [(f"Bearer {TOKEN}", 200), (f"Bearer {TOKEN}0", 401), (TOKEN, 401), ("", 401)],
)
def test_n5_where_people_sign_in_a_monitor_needs_its_token(
    home: Path, asgi: ModuleType, given: str, status: int
) -> None:
    sign_in.use(SignIn(by="oidc", host="localhost", key=b"k", metrics_token=TOKEN))
    assert asgi.http(app(), "GET", "/metrics", HOST | {"authorization": given}).status == status
    assert asgi.http(app(), "GET", "/metricsx", HOST | {"authorization": given}).status == 401


def test_n5_without_a_token_no_monitor_is_let_in(home: Path, asgi: ModuleType) -> None:
    sign_in.use(SignIn(by="oidc", host="localhost", key=b"k"))
    assert asgi.http(app(), "GET", "/metrics", HOST | {"authorization": "Bearer "}).status == 401
