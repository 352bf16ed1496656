"""What holds for the repository as a whole: layout, weight of imports, packaging, doors."""

import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

HELP = "import sys; sys.argv = ['gapwise', '--help']; from gapwise.cli import main; main()"
LOADED = """
import atexit, json, sys
before = set(sys.modules)
atexit.register(lambda: print("@" + json.dumps(sorted(set(sys.modules) - before))))
"""
# All that `gapwise --help` may load beside the standard library and Gapwise itself.
LIGHT = {"annotated_doc", "click", "shellingham", "typer", "typing_extensions"}


def python(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        cwd=environment.get("PWD"),
        capture_output=True,
        text=True,
        check=True,
        timeout=280,
    )
    return done.stdout


def modules_of(code: str) -> set[str]:
    loaded: list[str] = json.loads(python(LOADED + code).rpartition("@")[2])
    return set(loaded)


class TestLayout:
    def test_platform_is_no_package(self) -> None:
        """A package of that name would hide Python's own module ``platform``."""
        assert not (ROOT / "platform" / "__init__.py").exists()
        assert python("import platform; print(platform.system())").strip()

    def test_tests_are_no_packages(self) -> None:
        """A package ``tests/dashboards`` would hide ``dashboards``."""
        assert not list((ROOT / "tests").rglob("__init__.py"))

    def test_test_files_have_names_of_their_own(self) -> None:
        names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
        assert [name for name, count in names.items() if count > 1] == []

    def test_files_are_read_in_one_sitting(self) -> None:
        folders = (ROOT / "platform", ROOT / "dashboards", ROOT / "benchmarks")
        lengths = {
            str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
            for folder in folders
            for path in folder.rglob("*.py")
        }
        assert {name: length for name, length in lengths.items() if length > 300} == {}

    def test_the_licence_is_whole(self) -> None:
        text = (ROOT / "LICENSE").read_text(encoding="utf-8")
        assert "Version 2.0, January 2004" in text
        assert "END OF TERMS AND CONDITIONS" in text
        assert len(text.splitlines()) > 190


class TestWeight:
    def test_import_gapwise_loads_nothing_else(self) -> None:
        loaded = modules_of("import gapwise")
        assert {name for name in loaded if name.startswith("gapwise.")} == set()
        assert outside(loaded) == set()

    def test_help_loads_nothing_heavy(self) -> None:
        loaded = modules_of(HELP)
        assert outside(loaded) <= LIGHT
        ours = {name.split(".")[1] for name in loaded if name.startswith("gapwise.")}
        assert ours <= {"cli", "commands", "terminal", "errors"}


def outside(loaded: set[str]) -> set[str]:
    roots = {name.partition(".")[0] for name in loaded}
    return {name for name in roots - set(sys.stdlib_module_names) if name != "gapwise"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=280,
    )
    (built,) = folder.glob("gapwise-*.whl")
    return built


class TestWheel:
    def test_nothing_generic_lands_in_site_packages(self, wheel: Path) -> None:
        names = zipfile.ZipFile(wheel).namelist()
        version = PROJECT["project"]["version"]
        tops = {name.partition("/")[0] for name in names}
        assert tops == {"gapwise", f"gapwise-{version}.dist-info"}
        assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]

    def test_dashboards_and_pipelines_come_along(self, wheel: Path) -> None:
        names = set(zipfile.ZipFile(wheel).namelist())
        for folder, pattern in (("pipelines", "*.yaml"), ("dashboards", "**/*.py")):
            for path in (ROOT / folder).glob(pattern):
                assert f"gapwise/_app/{path.relative_to(ROOT).as_posix()}" in names
        for path in (ROOT / "platform").rglob("*.py"):
            assert path.relative_to(ROOT / "platform").as_posix() in names
        assert any(name.endswith("/LICENSE") for name in names)

    def test_it_works_outside_a_checkout(self, wheel: Path, tmp_path: Path) -> None:
        site = tmp_path / "site"
        zipfile.ZipFile(wheel).extractall(site)
        told = python(
            "import gapwise, gapwise.settings as s, gapwise.pipeline_file as f\n"
            "from gapwise.registry import Family\n"
            "names = Family('gapwise.networks', 'network').names()\n"
            "print(gapwise.__file__, s.app_root(), f.load('digits').name, 'small-cnn' in names)",
            PYTHONPATH=str(site),
            PWD=str(tmp_path),
        )
        package = site / "gapwise"
        assert told.split() == [
            str(package / "__init__.py"),
            str(package / "_app"),
            "digits",
            "True",
        ]


class TestVersions:
    def test_constraints_are_exact_and_name_no_place(self) -> None:
        for line in constraints():
            assert re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", line), line

    def test_every_dependency_is_pinned(self) -> None:
        pinned = {normal(line.partition("==")[0]) for line in constraints()}
        project = PROJECT["project"]
        asked = [*project["dependencies"], *PROJECT["build-system"]["requires"]]
        for extra in project["optional-dependencies"].values():
            asked += extra
        names = {normal(re.split(r"[<>=!~\[; ]", requirement)[0]) for requirement in asked}
        assert names - pinned == set()

    def test_the_version_is_one(self) -> None:
        told = python("import gapwise; print(gapwise.__version__)").strip()
        assert told == PROJECT["project"]["version"]


def constraints() -> list[str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


class TestDoors:
    DOORS = (
        "demo", "test", "test-faults", "check", "bench", "data", "train", "diagnose", "compare",
        "dashboard", "mlflow", "reference",
    )  # fmt: skip

    def test_plain_make_lists_the_doors(self) -> None:
        told = make()
        for door in self.DOORS:
            assert re.search(rf"^  make {door} +\w", told, re.MULTILINE), door

    def test_make_passes_on_what_is_set(self) -> None:
        told = make("-n", "train", "PIPELINE=fashion", "SET=training.epochs=5 seed=2")
        assert ".venv/bin/gapwise train fashion training.epochs=5 seed=2" in told

    def test_torch_comes_from_where_one_says(self) -> None:
        there = make("-n", "-B", "install", "TORCH_INDEX=some-address")
        assert re.search(r"--index-url 'some-address' --no-deps torch", there)
        assert "--index-url" not in make("-n", "-B", "install", "TORCH_INDEX=")

    def test_nothing_is_reported_to_anybody(self) -> None:
        text = (ROOT / "Makefile").read_text(encoding="utf-8")
        for line in (
            "export MLFLOW_DISABLE_TELEMETRY := true",
            "export DO_NOT_TRACK := true",
            "export STREAMLIT_BROWSER_GATHER_USAGE_STATS := false",
        ):
            assert line in text

    def test_continuous_integration_is_a_script_that_runs(self) -> None:
        script = ROOT / ".ci" / "run"
        assert os.access(script, os.X_OK)
        subprocess.run(["bash", "-n", str(script)], check=True)


def make(*arguments: str) -> str:
    # Under `make test` the outer make's flags would reach this one.
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "SET")}
    done = subprocess.run(
        ["make", *arguments],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=280,
    )  # fmt: skip
    return done.stdout
