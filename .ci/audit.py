"""Ask an index of advisories about every pinned package; part of ``make check``.

Where no index answers (no network, a mirror without advisories) that is said, and is no failure.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

PINS = Path(__file__).parents[1] / "constraints.txt"
PATIENCE = 180
"""Seconds for all packages."""

BORNE: dict[str, str] = {}
"""Advisory → why it does not touch Gapwise, and what was done instead."""


def ask() -> dict[str, Any]:
    """Return the report of pip-audit, empty where it came to none."""
    words = [sys.executable, "-m", "pip_audit", "--requirement", str(PINS), "--no-deps",
             "--disable-pip", "--progress-spinner", "off", "--timeout", "10",
             "--format", "json"]  # fmt: skip
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, check=False)
        report: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        return {}
    return report


def judged(report: dict[str, Any]) -> tuple[list[str], int]:
    """Return what is to be said of a report, and the exit code: 1 for an advisory not borne."""
    packages = report.get("dependencies", [])
    known = [one for one in packages if "skip_reason" not in one]
    if not known:
        return ["advisories: no index answers here, so nothing was audited"], 0
    found = [(one, advisory) for one in packages for advisory in one.get("vulns", [])]
    open_ = [pair for pair in found if pair[1]["id"] not in BORNE]
    says = [
        f"{one['name']} {one['version']}: {advisory['id']}; "
        f"raise it to {' or '.join(advisory['fix_versions']) or 'nothing yet: say why it is borne'}"
        for one, advisory in open_
    ]
    unknown = len(packages) - len(known)
    rest = f", {unknown} unknown to the index" if unknown else ""
    borne = f", {len(found) - len(open_)} borne" if len(found) > len(open_) else ""
    says.append(f"advisories: {len(known)} packages audited{rest}: {len(open_)} open{borne}")
    return says, int(bool(open_))


if __name__ == "__main__":
    says, code = judged(ask())
    sys.stdout.write("\n".join(says) + "\n")
    sys.exit(code)
