"""X7: pages of a GAPWISE_HOME that nobody may write to."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = """
import os, sys
from pathlib import Path
from streamlit.testing.v1 import AppTest

home = Path(os.environ["GAPWISE_HOME"])
try:
    (home / "probe").write_text("")
except OSError:
    pass
else:
    sys.exit("the home can be written")
shows = {
    "splits": "digits", "what_next": "largest gap", "runs": "5 runs", "run": "Error by epoch",
    "compare": "errs less", "networks": "Its weights cannot be read",
    "select": "Take", "slices": "surely weak", "decision_log": "Nothing has been tried yet",
    "ceiling": "steps made perfect",
    "health": "checks fail",
    "people": "No run tells people apart", "learning_curve": "No learning curve yet",
    "errors": "examples are wrong", "labels": "by one process",
    "style": "No network to see style",
    "human_level": "Nobody has answered", "launch": "Its knobs", "search": "No search yet",
}
failed = []
for file in sorted(Path("dashboards/pages").glob("*.py")):
    test = AppTest.from_file(str(file), default_timeout=100).run()
    said = [str(part.value) for part in (*test.markdown, *test.error, *test.exception)]
    if test.exception or test.error or shows[file.stem.split("_", 2)[2]] not in " ".join(said):
        failed.append(f"{file.name}: {said}")
sys.exit("\\n".join(failed) or 0)
"""


def as_one_who_obeys_permissions() -> list[str]:
    """Return what a command needs before it: root may write anywhere unless it gives that up."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root may write anywhere, and setpriv (util-linux) is not here to forbid it")
    rights = "-dac_override,-dac_read_search"
    return ["setpriv", f"--bounding-set={rights}", f"--inh-caps={rights}"]


def test_x7_every_page_reads_a_read_only_home(stored: Path) -> None:
    for path in (stored, *stored.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    command = [*as_one_who_obeys_permissions(), sys.executable, "-c", PAGES]
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
        )
    finally:
        for path in (stored, *stored.rglob("*")):
            path.chmod(0o755)
    assert done.returncode == 0, done.stderr[-3000:]
