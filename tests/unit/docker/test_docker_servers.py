"""N1, N3, N7: what docker/ starts, and that every command and path in it is real.

No engine is at hand where tests run: the same scripts and commands run here as plain processes.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from ruamel.yaml import YAML
from typer.main import get_command
from typer.testing import CliRunner

from gapwise.cli import app
from gapwise.errors import GapwiseError
from gapwise.ledger import team
from gapwise.ledger.ledger import Ledger
from gapwise.search.event_log import EventLog
from gapwise.search.events import Event

ROOT = Path(__file__).parents[3]
DOCKER = ROOT / "docker"
COMPOSE: dict[str, Any] = YAML(typ="safe", pure=True).load((DOCKER / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (DOCKER / "Dockerfile").read_text()
BIN = Path(sys.executable).parent


def made(folder: Path) -> Path:
    subprocess.run([sys.executable, str(DOCKER / "make_secrets.py"), str(folder)], check=True)
    return folder


# Secrets.


def test_n3_each_secret_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    one, other = made(tmp_path / "one"), made(tmp_path / "other")
    files = {path.name: path.read_text() for path in one.iterdir()}
    assert set(files) == {Path(secret["file"]).name for secret in COMPOSE["secrets"].values()}
    for path in one.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600, path
        assert path.read_text() != (other / path.name).read_text(), path
    assert one.stat().st_mode & 0o777 == 0o700
    made(one)
    assert {path.name: path.read_text() for path in one.iterdir()} == files


def test_n3_every_role_has_a_long_password_of_its_own(tmp_path: Path) -> None:
    lines = (made(tmp_path) / "pgpass").read_text().split()
    assert {line.split(":")[3] for line in lines} == {"mlflow", "studies", "ledger_owner", "ledger"}
    passwords = {line.split(":")[4] for line in lines}
    assert len(passwords) == 4
    assert min(map(len, passwords)) == 64


def test_n3_no_password_stands_in_a_file_of_the_repository() -> None:
    for path in DOCKER.iterdir():
        if path.is_file():
            text = path.read_text()
            assert not re.search(r"(?i)password['\"]?\s*=\s*['\"]?\w", text), path
            assert not re.search(r"//\w+:\w+@", text), path
    assert "/docker/secrets/" in (ROOT / ".gitignore").read_text()


# The compose file.


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_held_down(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["user"].startswith("${GAPWISE_UID:?")
    assert not {"privileged", "cap_add", "network_mode", "pid"} & service.keys()
    tag = service["image"].partition(":")[2]
    assert tag, service["image"]
    assert tag != "latest"
    if name not in ("worker", "gpu"):
        assert service["healthcheck"]["test"][0] == "CMD"


def test_n1_the_proxy_alone_is_reached_from_outside() -> None:
    ports = {name: one["ports"] for name, one in SERVICES.items() if "ports" in one}
    assert set(ports) == {"proxy", "postgres"}
    assert ports["postgres"] == ["${GAPWISE_BIND:-127.0.0.1}:5432:5432"]
    assert COMPOSE["networks"]["inside"]["internal"] is True
    outside = {name for name, one in SERVICES.items() if "outside" in one["networks"]}
    assert outside == {"proxy"}
    # Docker publishes no port of a service that is on internal networks alone, and lets none out.
    for name in (*ports, "dashboard"):
        assert set(SERVICES[name]["networks"]) - {"inside"}, name


def test_n7_secrets_come_as_files_and_stand_in_no_command_or_variable() -> None:
    for name, service in SERVICES.items():
        for secret in service.get("secrets", []):
            assert secret in COMPOSE["secrets"], (name, secret)
        words = [*map(str, service.get("command", [])), *service.get("environment", {}).values()]
        used = set(re.findall(r"/run/secrets/([\w-]+)", " ".join(words)))
        assert used <= set(service["secrets"]) if used else True
    assert "--job-execution" not in str(COMPOSE)
    quiet = SERVICES["mlflow"]["environment"]
    assert quiet["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"
    assert quiet["MLFLOW_ALLOW_MODEL_CODE_EXECUTION"] == "false"
    assert SERVICES["worker"]["environment"]["RAY_AUTH_MODE"] == "token"


@pytest.mark.parametrize("name", ["mlflow", "dashboard", "head", "worker", "gpu"])
def test_every_option_of_every_command_is_one(name: str) -> None:
    command = [str(word) for word in SERVICES[name]["command"]]
    options = {word.partition("=")[0] for word in command if word.startswith("--")}
    if command[0] == "gapwise":
        known = get_command(app).commands[command[1]]  # type: ignore[attr-defined]
        names = {option for one in known.params for option in one.opts}
    else:
        help_ = {"mlflow": ["server", "--help"], "ray": ["start", "--help"]}[command[0]]
        done = subprocess.run(
            [BIN / command[0], *help_], capture_output=True, text=True, check=True
        )
        names = set(re.findall(r"--[\w-]+", done.stdout))
    assert options <= names, options - names


def test_every_path_that_is_named_is_there() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = str(volume).partition(":")[0]
            there = (DOCKER / source).exists() or source.startswith("./state/")
            assert there, source
    for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE):
        for name in line.split()[:-1]:
            assert (ROOT / name).exists(), name


def test_the_image_is_pinned_small_and_runs_as_nobody_special() -> None:
    stages = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(stages) == 2
    assert all(re.search(r":\d+\.\d+\.\d+-slim", stage) for stage in stages)
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    assert "apt-get" not in DOCKERFILE
    assert re.search(r"-c constraints\.txt", DOCKERFILE)
    extras = re.search(r'"\.\[([\w,]+)\]"', DOCKERFILE)
    assert extras
    known = (ROOT / "pyproject.toml").read_text()
    assert all(re.search(rf"^{one} = \[", known, re.MULTILINE) for one in extras[1].split(","))


@pytest.mark.parametrize("file", ["Makefile", "docs/team.md"])
def test_commands_that_are_told_exist(file: str) -> None:
    text = (ROOT / file).read_text()
    named = "team|backup|restore|dashboard|migrate|retire|pin|doctor|worker|search|train"
    for words in re.findall(rf"gapwise ({named})\b([^\n`]*)", text):
        known = get_command(app).commands[words[0]]  # type: ignore[attr-defined]
        names = {option for one in known.params for option in one.opts}
        assert set(re.findall(r"(?<!\S)--[\w-]+", words[1])) <= names, words


def test_the_doors_name_services_that_exist() -> None:
    text = (ROOT / "Makefile").read_text()
    for service in re.findall(r"(?:exec -T|--wait|-T) (\w+)", text):
        assert service in SERVICES, service


# PostgreSQL's roles, by the very script that the container runs.


@pytest.fixture(scope="module")
def roles(_postgresql_server: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    address = sa.make_url(_postgresql_server)
    passwords = made(tmp_path_factory.mktemp("secrets")) / "pgpass"
    environment = os.environ | {
        "PGHOST": str(address.host), "PGPORT": str(address.port), "POSTGRES_USER": "gapwise",
        "PGPASSFILE_ROLES": str(passwords),
    }  # fmt: skip
    for again in (True, False):
        done = subprocess.run(
            ["sh", str(DOCKER / "postgres.sh")], env=environment, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert (done.returncode == 0) is again, done.stderr  # a second time it stops at once
    return f"{address.host}:{address.port}"


@pytest.fixture
def at(roles: str) -> Callable[[str, str], str]:
    """The address of a database for a role."""
    return lambda role, name: f"postgresql+psycopg://{role}@{roles}/{name}"


def test_n3_the_ledgers_role_adds_and_reads_and_nothing_else(at: Callable[[str, str], str]) -> None:
    with pytest.raises(GapwiseError):  # it may not make the tables
        team.grant(Ledger(at("ledger", "ledger")), "a@b.org", "lead", author="root")
    team.grant(Ledger(at("ledger_owner", "ledger")), "lea@example.org", "lead", author="root")
    ledger = Ledger(at("ledger", "ledger"))
    team.grant(ledger, "tom@example.org", "tagger", author="lea@example.org")
    assert team.roles(ledger) == {"lea@example.org": "lead", "tom@example.org": "tagger"}
    assert ledger.verify() == 2
    engine = sa.create_engine(at("ledger", "ledger"))
    for statement in (
        "UPDATE events SET author = 'x'", "DELETE FROM events", "TRUNCATE events",
        "DROP TABLE events", "ALTER TABLE events DISABLE TRIGGER ALL",
        "CREATE TABLE mine (a int)", "DELETE FROM ledger_version",
    ):  # fmt: skip
        with engine.connect() as connection, pytest.raises(sa.exc.DBAPIError):
            connection.execute(sa.text(statement))
    engine.dispose()
    assert ledger.verify() == 2


def test_n3_the_tables_are_made_by_their_owner_before_anybody_has_a_role(
    new_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    address = new_database()
    monkeypatch.setenv("GAPWISE_LEDGER_URL", address)
    done = CliRunner().invoke(app, ["team", "--prepare"])
    assert done.exit_code == 0, done.output
    engine = sa.create_engine(address)
    assert sa.inspect(engine).has_table("events")
    engine.dispose()
    assert Ledger(address).revision() == 0


def test_n3_a_role_reaches_its_own_database_alone(at: Callable[[str, str], str]) -> None:
    log = EventLog(at("studies", "studies"))
    log.append("s", 0, [Event(kind="asked", trial=0, facts={"lr": 0.1})])
    assert log.verify() == 1
    for role, name in (("ledger", "studies"), ("studies", "ledger"), ("mlflow", "ledger"),
                       ("studies", "mlflow")):  # fmt: skip
        engine = sa.create_engine(at(role, name))
        with pytest.raises(sa.exc.OperationalError, match="permission denied for database"):
            engine.connect()
        engine.dispose()


def test_the_secrets_script_needs_python_alone() -> None:
    text = (DOCKER / "make_secrets.py").read_text()
    names = re.findall(r"^(?:import|from) (\w+)", text, re.MULTILINE)
    assert set(names) <= sys.stdlib_module_names
