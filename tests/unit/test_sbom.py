"""The bill of materials names every installed package once, with version and licence."""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

PLACE = Path(__file__).parents[2] / ".ci" / "sbom.py"


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> Any:
    target = tmp_path_factory.mktemp("sbom") / "dist" / "sbom.json"
    subprocess.run([sys.executable, str(PLACE), str(target)], check=True, capture_output=True)
    return json.loads(target.read_text())


def test_it_is_of_the_form_that_tools_read(bill: Any) -> None:
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["name"] == "gapwise"
    references = [one["bom-ref"] for one in bill["components"]]
    assert len(set(references)) == len(references)
    names = [one["name"] for one in bill["components"]]
    assert names == sorted(names)


def test_it_holds_what_is_installed(bill: Any) -> None:
    found = {one["name"]: one for one in bill["components"]}
    for name in ("torch", "mlflow", "optuna", "streamlit", "sqlalchemy", "pyyaml"):
        assert found[name]["version"] == version(name)
        assert found[name]["purl"] == f"pkg:pypi/{name}@{version(name)}"
    licensed = [one for one in bill["components"] if "licenses" in one]
    assert len(licensed) > 0.5 * len(found)
    assert found["torch"]["licenses"][0]["expression"].startswith("Apache-2.0")


def test_no_path_of_this_machine_is_in_it(bill: Any) -> None:
    assert "file://" not in json.dumps(bill)
    assert "gapwise" not in {one["name"] for one in bill["components"]}
