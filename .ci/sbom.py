"""Write what is installed as a bill of materials (CycloneDX 1.6, JSON): ``make sbom``.

Names, versions and licences come from the metadata of the installed packages; nothing is asked of
any server.
"""

import json
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def bill(found: list[Distribution]) -> dict[str, Any]:
    """Return the document: each package once, by name."""
    known = {_name(one): one for one in found}
    main = known.pop("gapwise", None)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": _component("gapwise", main.version if main else "0")},
        "components": [
            _component(name, one.version) | _licence(one) for name, one in sorted(known.items())
        ],
    }


def _name(one: Distribution) -> str:
    return one.metadata["Name"].lower().replace("_", "-")


def _component(name: str, version: str) -> dict[str, Any]:
    reference = f"pkg:pypi/{name}@{version}"
    return {
        "type": "application" if name == "gapwise" else "library",
        "bom-ref": reference,
        "name": name,
        "version": version,
        "purl": reference,
    }


def _licence(one: Distribution) -> dict[str, Any]:
    expression = one.metadata.get("License-Expression")
    named = (one.metadata.get("License") or "").splitlines()
    if expression:
        return {"licenses": [{"expression": expression}]}
    return {"licenses": [{"license": {"name": named[0][:200]}}]} if named else {}


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist" / "sbom.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(bill(list(distributions())), indent=1, ensure_ascii=False) + "\n")
    print(f"{target}: {len(json.loads(target.read_text())['components'])} packages")  # noqa: T201
