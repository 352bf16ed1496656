"""N5, B7: people sign in by OIDC; a role says what each may do, on pages and on routes alike."""

import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dashboards import passes
from gapwise.ledger.ledger import Ledger
from gapwise.settings import Settings
from gapwise.workflows import team
from gapwise.workflows.train import train

ROOT = Path(__file__).parents[2]
SECRET = "0123456789abcdef0123456789abcdef"
MLFLOW_BASIC = "bWxmbG93OnNlY3JldA=="
LEAD, TAGGER, VIEWER, OUTSIDER = (
    *("lea@example.org", "tom@example.org"),
    *("vic@example.org", "eve@evil.example"),
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"nobody listens on port {port}")


@pytest.fixture(scope="module")
def run_id(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A run in a home of its own, which the environment names."""
    folder = tmp_path_factory.mktemp("signed-in")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MLFLOW_TRACKING_URI", "GAPWISE_LEDGER_URL", "GAPWISE_AUTHOR"):
            patch.delenv(name, raising=False)
        patch.setenv("GAPWISE_HOME", str(folder / "home"))
        patch.setenv("GAPWISE_CACHE", str(folder / "cache"))
        yield train("digits", ["training.epochs=2"]).run_ids[0]


@contextmanager
def serving(words: list[str], port: int, **environment: str) -> Iterator[None]:
    """Run a server until the block ends."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "platform")])
    home = Settings.read().home
    with (home / "server.log").open("a") as log:
        process = subprocess.Popen(
            words, cwd=home, env=os.environ | {"PYTHONPATH": paths} | environment,
            stdout=log, stderr=log,
        )  # fmt: skip
        try:
            wait_for(port)
            yield
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture(scope="module")
def provider(run_id: str) -> Iterator[int]:
    """A provider of this machine, and who has which role; gives its port."""
    team.people(LEAD, "lead")
    team.people(TAGGER, "tagger")
    port = free_port()
    program = str(Path(__file__).with_name("provider.py"))
    with serving([sys.executable, program, str(port)], port):
        yield port


@contextmanager
def dashboard(port: int, address: str, provider: int) -> Iterator[None]:
    """Serve the dashboard on a port, to people who come by an address and sign in."""
    file = Settings.read().home / f"sign-in-{port}.toml"
    file.write_text(
        f"""
        [auth]
        redirect_uri = "{address}/oauth2callback"
        cookie_secret = "{SECRET}"
        client_id = "gapwise"
        client_secret = "only for tests"
        server_metadata_url = "http://127.0.0.1:{provider}/.well-known/openid-configuration"
        [people]
        domains = ["example.org"]
        """
    )
    file.chmod(0o600)
    words = [sys.executable, "-m", "dashboards", "--port", str(port)]
    with serving(words, port, GAPWISE_SIGN_IN=str(file)):
        yield


@pytest.fixture(scope="module")
def address(provider: int) -> Iterator[str]:
    """A dashboard where people sign in at a provider of this machine."""
    port = free_port()
    with dashboard(port, f"http://localhost:{port}", provider):
        yield f"http://localhost:{port}"


def enter(browser: Any, address: str, person: str) -> Any:
    """Sign in as somebody, in a browser of their own; return the page."""
    size = {"width": 1440, "height": 900}
    page = browser.new_context(viewport=size, ignore_https_errors=True).new_page()
    page.goto(address)
    page.get_by_role("button", name="Sign in").click(timeout=30_000)
    page.get_by_role("link", name=person).click(timeout=30_000)
    return page


@pytest.fixture
def inside(browser: Any, address: str, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A page of somebody who has signed in and sees the first page."""
    page = enter(browser, address, request.param)
    page.locator(".st-key-who").wait_for(timeout=30_000)
    yield page
    page.context.close()


def post(page: Any, address: str, run_id: str, **event: Any) -> dict[str, Any]:
    """Post one event of the desk from the person's own page; return what was answered."""
    body = json.dumps({"run": run_id, "split": "dev", "events": [event]})
    told: dict[str, Any] = page.evaluate(
        """async ([url, body]) => {
            const answer = await fetch(url, { method: "POST", body });
            return { status: answer.status, ...(await answer.json()) };
        }""",
        [f"{address}/desk/events", body],
    )
    return told


def first_wrong(page: Any, address: str, run_id: str) -> dict[str, Any]:
    url = f"{address}/desk/list?run={run_id}&split=dev&view=wrong&limit=1"
    told: dict[str, Any] = page.evaluate("async (url) => (await fetch(url)).json()", url)
    return dict(told["items"][0])


def test_n5_nobody_sees_a_page_before_signing_in(browser: Any, address: str, run_id: str) -> None:
    page = browser.new_page()
    page.goto(f"{address}/errors?run={run_id}")
    page.get_by_role("button", name="Sign in").wait_for(timeout=30_000)
    text = page.locator("body").inner_text()
    assert run_id[:6] not in text
    assert "What next" not in text  # not even the names of pages
    page.close()


@pytest.mark.parametrize("inside", [LEAD, TAGGER], indirect=True)
def test_b7_who_signs_in_tags_under_that_name(inside: Any, address: str, run_id: str) -> None:
    shown = inside.locator(".st-key-who").inner_text().split()[0]
    who = shown.replace("\u2060", "")  # keeps Markdown from making a link of it
    assert who in (LEAD, TAGGER)
    one = first_wrong(inside, address, run_id)
    told = post(inside, address, run_id, key=f"k-{who}", do="tag", id=one["id"], tag="blurry",
                author="somebody else")  # fmt: skip
    assert told["saved"] == [f"k-{who}"]
    (event,) = [e for e in Ledger(Settings.read().ledger_url).events() if e.key == f"k-{who}"]
    assert event.author == who


@pytest.mark.parametrize("inside", [VIEWER], indirect=True)
def test_b7_a_viewer_sees_and_changes_nothing(inside: Any, address: str, run_id: str) -> None:
    assert "viewer" in inside.locator(".st-key-who").inner_text()
    one = first_wrong(inside, address, run_id)
    told = post(inside, address, run_id, key="k-viewer", do="tag", id=one["id"], tag="blurry")
    assert told["saved"] == []
    assert "for the role tagger" in told["refused"][0]["why"]
    inside.goto(f"{address}/errors?run={run_id}")
    picture = inside.locator(".desk img").first
    picture.wait_for(timeout=30_000)
    # Pictures are for whoever may look; one that never comes is refused here.
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    inside.goto(f"{address}/launch")
    start = inside.get_by_role("button", name="Start")
    start.wait_for(timeout=30_000)
    assert start.is_disabled()


@pytest.mark.parametrize("inside", [TAGGER], indirect=True)
def test_b7_a_tagger_changes_no_label(inside: Any, address: str, run_id: str) -> None:
    one = first_wrong(inside, address, run_id)
    told = post(inside, address, run_id, key="k-label", do="review", id=one["id"],
                verdict="change", label="1", seen=0)  # fmt: skip
    assert "changing labels is for the role lead" in told["refused"][0]["why"]
    told = post(inside, address, run_id, key="k-opinion", do="opinion", id=one["id"],
                verdict="keep")  # fmt: skip
    assert told["saved"] == ["k-opinion"]


def test_b7_a_role_that_is_taken_away_ends_at_the_next_write(
    browser: Any, address: str, run_id: str
) -> None:
    page = enter(browser, address, LEAD)
    page.locator(".st-key-who").wait_for(timeout=30_000)
    one = first_wrong(page, address, run_id)
    team.people(LEAD, "viewer")
    try:
        told = post(page, address, run_id, key="k-late", do="tag", id=one["id"], tag="late")
        assert "lea@example.org has viewer" in told["refused"][0]["why"]
    finally:
        team.people(LEAD, "lead")
    page.context.close()


def test_b7_somebody_of_another_house_is_told_who_lets_them_in(
    browser: Any, address: str, run_id: str
) -> None:
    page = enter(browser, address, OUTSIDER)
    page.get_by_text("You have no role yet").wait_for(timeout=30_000)
    command = page.locator("[data-testid=stCode]", has_text=f"gapwise team {OUTSIDER} viewer")
    command.wait_for(timeout=30_000)
    status = page.evaluate(
        "async (url) => (await fetch(url)).status", f"{address}/desk/list?run={run_id}&split=dev"
    )
    assert status == 401
    page.context.close()


@pytest.mark.parametrize("inside", [TAGGER], indirect=True)
def test_b7_a_pass_ends_with_the_sign_in_and_holds_for_no_other_browser(
    inside: Any, address: str, run_id: str
) -> None:
    url = f"{address}/desk/list?run={run_id}&split=dev&view=wrong&limit=1"
    held = {one["name"]: one["value"] for one in inside.context.cookies()}
    assert asked(url, held) == 200
    only = {passes.COOKIE: held[passes.COOKIE]}
    assert asked(url, only) == 401  # carried off without the sign-in
    assert asked(url, only | {passes.SIGNED_IN: "another"}) == 401
    forged = passes.give(LEAD, held, b"not the server's key")
    assert asked(url, held | {passes.COOKIE: forged}) == 401
    inside.get_by_role("button", name="logout").click()
    inside.get_by_role("button", name="Sign in").wait_for(timeout=30_000)
    status = inside.evaluate("async (url) => (await fetch(url)).status", url)
    assert status == 401


def asked(url: str, cookies: dict[str, str]) -> int:
    told = "; ".join(f"{name}={value}" for name, value in cookies.items())
    request = urllib.request.Request(url, headers={"Cookie": told})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


# Behind the proxy of docker/, with its own Caddyfile.


@pytest.fixture(scope="module")
def proxied(provider: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """The dashboard and a tracking server behind Caddy; gives the address, and MLflow's port."""
    caddy = shutil.which("caddy")
    if caddy is None:
        reason = "no Caddy is installed; `apt-get install caddy` brings one"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    folder = tmp_path_factory.mktemp("caddy")
    inner, outer, plain, tracking = (free_port() for _ in range(4))
    places = {
        "dashboard:8501": f"127.0.0.1:{inner}",
        "mlflow:5000": f"127.0.0.1:{tracking}",
        "http_port 8080": f"http_port {plain}\n\tadmin off\n\tskip_install_trust",
        "https_port 8443": f"https_port {outer}",
        # What Caddy 2.8 reads from the secret's file, which Debian's own does not yet.
        "{file./run/secrets/mlflow-basic}": MLFLOW_BASIC,
    }
    text = (ROOT / "docker" / "Caddyfile").read_text()
    for named, here in places.items():
        assert named in text
        text = text.replace(named, here)
    (folder / "Caddyfile").write_text(text)
    words = [caddy, "run", "--config", str(folder / "Caddyfile")]
    environment = {"GAPWISE_HOST": "localhost", "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    address = f"https://localhost:{outer}"
    server = [sys.executable, "-m", "http.server", "--bind=127.0.0.1", str(tracking)]
    with (
        dashboard(inner, address, provider),
        serving(server, tracking),
        serving(words, outer, **environment),
    ):
        yield address, outer


def test_n5_people_sign_in_and_tag_by_way_of_the_proxy(
    browser: Any, proxied: tuple[str, int], run_id: str
) -> None:
    address, _ = proxied
    page = enter(browser, address, TAGGER)
    page.locator(".st-key-who").wait_for(timeout=30_000)  # so its web socket came through
    cookies = page.context.cookies()
    assert passes.COOKIE in {one["name"] for one in cookies}
    assert all(one["secure"] for one in cookies), cookies
    one = first_wrong(page, address, run_id)
    told = post(page, address, run_id, key="k-proxy", do="tag", id=one["id"], tag="blurry")
    assert told["saved"] == ["k-proxy"]
    (event,) = [e for e in Ledger(Settings.read().ledger_url).events() if e.key == "k-proxy"]
    assert event.author == TAGGER
    page.context.close()


def test_n1_the_proxy_asks_for_mlflows_word_and_tells_browsers_to_keep_to_tls(
    proxied: tuple[str, int],
) -> None:
    _, port = proxied
    right = {"Authorization": f"Basic {MLFLOW_BASIC}"}
    wrong = {"Authorization": f"Basic {MLFLOW_BASIC[:-1]}"}
    sites = [by_tls("mlflow.localhost", port, one) for one in ({}, wrong, right)]
    assert [site.status for site in sites] == [401, 401, 200]
    assert sites[0].headers["WWW-Authenticate"] == "Basic realm=MLflow"
    for site in (*sites, by_tls("localhost", port, {})):
        assert site.headers["Strict-Transport-Security"] == "max-age=31536000"
    forged = by_tls("localhost", port, {"Host": "evil.example"})
    assert (forged.status, forged.length) == (200, 0)  # Caddy's way to say: none of its sites


def by_tls(name: str, port: int, headers: dict[str, str]) -> http.client.HTTPResponse:
    """Ask the proxy for the first page of a site, whoever signed its certificate."""
    trusting = ssl._create_unverified_context()
    with (
        socket.create_connection(("127.0.0.1", port), timeout=20) as raw,
        trusting.wrap_socket(raw, server_hostname=name) as wrapped,
    ):
        connection = http.client.HTTPConnection(name, port)
        connection.sock = wrapped
        connection.request("GET", "/", headers=headers)
        with connection.getresponse() as answer:
            return answer
