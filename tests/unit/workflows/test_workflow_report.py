"""A report says what the diagnosis says, keeps the test error back, and is one safe file."""

import base64
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from gapwise.cli import app
from gapwise.errors import StorageError, UsageError
from gapwise.ledger import looks
from gapwise.ledger.ledger import Ledger
from gapwise.settings import Settings
from gapwise.workflows.diagnose import diagnose_runs
from gapwise.workflows.record import RecordRequest, record_file
from gapwise.workflows.run_report import ReportRequest, write_report

NASTY = ["<script>alert(1)</script>", "a|b `c` *d*", "[x](http://evil)", "plain\x07"]


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.said: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.said.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.said)


def recorded(folder: Path, errors: dict[str, float], n: int = 200, **columns: Any) -> str:
    """Record a run with that share of errors in each split; return its id."""
    frames = []
    for split, share in errors.items():
        target = np.arange(n) % len(NASTY)
        wrong = np.arange(n) < round(share * n)
        predicted = np.where(wrong, (target + 1) % len(NASTY), target)
        rows = {"target": np.take(NASTY, target), "predicted": np.take(NASTY, predicted)}
        ids = [f"{split}-{i} <b>" for i in range(n)]
        frames.append(pd.DataFrame({"example_id": ids, "split": split, **rows, **columns}))
    path = folder / "table.parquet"
    pd.concat(frames).to_parquet(path)
    return record_file(
        RecordRequest(file=path, run_name="<img src=x onerror=alert(1)>", human=("0.01:500",))
    )


@pytest.fixture
def quiet(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAPWISE_MIRROR", "off")


def test_a_report_says_what_the_diagnosis_says(quiet: None, tmp_path: Path) -> None:
    shares = {"train": 0.02, "train_dev": 0.05, "dev": 0.3, "test": 0.456}
    run_id = recorded(tmp_path, shares, source="cam & front")
    request = ReportRequest(run=run_id, output=tmp_path / "out" / "r.html", markdown=True)
    written = write_report(request)
    made = diagnose_runs([run_id])
    page = Page(written.file.read_text(encoding="utf-8"))
    assert written.markdown is not None
    markdown = written.markdown.read_text(encoding="utf-8")
    assert written.title == "Data mismatch is the largest gap"
    for text in (page.text.replace("\xa0", " "), markdown.replace("\\", "")):
        assert written.title in text
        assert made.findings[0].says in text
        for rung in made.ladder:
            assert f"{100 * rung.error:.1f} %" in text
            assert rung.low is not None
            assert rung.high is not None
            assert f"{100 * rung.low:.1f} – {100 * rung.high:.1f}" in text
        for finding in made.findings:
            for knob in finding.knobs[:2]:
                assert knob.name in text
        assert run_id in text
        assert "60 wrong of 200 in dev" in text
        assert "45.6" not in text


def test_the_file_is_whole_safe_and_asks_nobody(quiet: None, tmp_path: Path) -> None:
    recorded(tmp_path, {"train": 0.02, "dev": 0.3})
    request = ReportRequest(run="latest", output=tmp_path / "r.html", markdown=True)
    written = write_report(request)
    text = written.file.read_text(encoding="utf-8")
    page = Page(text)
    names = {name for name, _ in page.tags}
    assert names.isdisjoint({"script", "link", "iframe", "object", "form", "base"})
    attributes = [(key, value) for _, found in page.tags for key, value in found.items()]
    assert not [key for key, _ in attributes if key.startswith("on")]
    assert not [value for key, value in attributes if key in ("src", "href")]
    assert re.findall(r"https?://", re.sub(r"\[x\]\(http://evil\)", "", text)) == []
    for name in NASTY[:3]:
        assert name in page.text
    assert "plain�" in page.text
    assert written.markdown is not None
    markdown = written.markdown.read_text(encoding="utf-8")
    assert "\\<script\\>alert(1)\\</script\\>" in markdown
    assert "a\\|b \\`c\\` \\*d\\*" in markdown


def test_test_is_shown_only_when_asked_for_and_then_counted(quiet: None, tmp_path: Path) -> None:
    recorded(tmp_path, {"train": 0.02, "dev": 0.3, "test": 0.456})
    ledger = Ledger(Settings.read().ledger_url)
    plain = write_report(ReportRequest(run="latest", output=tmp_path / "a.html"))
    assert looks.count(ledger, "table") == 0
    assert "45.5" not in plain.file.read_text(encoding="utf-8")
    shown = write_report(ReportRequest(run="latest", output=tmp_path / "b.html", test=True))
    assert looks.count(ledger, "table") == 1
    text = shown.file.read_text(encoding="utf-8")
    assert "45.5" in text
    assert "looked at 1 time." in text


@pytest.mark.parametrize("errors", [{"train": 0.0, "dev": 0.0}, {"dev": 1.0}, {"train": 0.1}])
@pytest.mark.parametrize("n", [1, 40])
def test_the_edges_survive(quiet: None, tmp_path: Path, errors: dict[str, float], n: int) -> None:
    recorded(tmp_path, errors, n=n, group="one")
    written = write_report(ReportRequest(run="latest", output=tmp_path / "r.html", markdown=True))
    assert "nan" not in Page(written.file.read_text(encoding="utf-8")).text.lower()


def test_a_trained_run_has_pictures_curves_and_its_pipeline(
    photo_shop: Any, tmp_path: Path
) -> None:
    request = ReportRequest(
        run=photo_shop.run, output=tmp_path / "r.html", markdown=True, docs="https://docs.test/"
    )
    written = write_report(request, photo_shop.settings)
    page = Page(written.file.read_text(encoding="utf-8"))
    sources = [found["src"] for name, found in page.tags if name == "img"]
    assert 0 < len(sources) <= 24
    for source in sources:
        head, _, data = str(source).partition(",")
        assert head == "data:image/png;base64"
        assert Image.open(io.BytesIO(base64.b64decode(data))).size == (96, 96)
    assert "Error by epoch" in page.text
    assert "digest of splits" in page.text
    assert "batch_size:" in page.text
    links = [found["href"] for name, found in page.tags if name == "a"]
    assert "https://docs.test/diagnosis.md#the-verdict" in links
    assert written.markdown is not None
    assert "```yaml\n" in written.markdown.read_text(encoding="utf-8")


def test_links_lead_to_sections_that_are_there() -> None:
    from gapwise.reports import said

    text = (Path(__file__).parents[3] / "docs" / "diagnosis.md").read_text(encoding="utf-8")
    anchors = {re.sub(r"\W+", "-", title.lower()).strip("-")
               for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}  # fmt: skip
    assert {anchor for _, anchor, _ in said.DOCS} <= anchors


def test_what_cannot_be_written_is_told(
    quiet: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run_id = recorded(tmp_path, {"dev": 0.3})
    done = CliRunner().invoke(app, ["report", run_id, "--json"])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["file"] == f"{run_id[:12]}.html"
    with pytest.raises(UsageError, match="is there already"):
        write_report(ReportRequest(run=run_id))
    with pytest.raises(UsageError, match=r"end it with \.html"):
        write_report(ReportRequest(run=run_id, output=tmp_path / "r.md", markdown=True))
    with pytest.raises(UsageError, match="is a folder"):
        write_report(ReportRequest(run=run_id, output=tmp_path))
    with pytest.raises(UsageError, match="is no address"):
        write_report(ReportRequest(run=run_id, docs="javascript:alert(1)"))
    (Path(Settings.read().runs) / run_id / "predictions" / "dev.parquet").unlink()
    with pytest.raises(StorageError, match="has no file"):
        write_report(ReportRequest(run=run_id, output=tmp_path / "x.html"))
    assert not (tmp_path / "x.html").exists()
