"""Labels through the whole program: diagnose, compare, rescore, train, export and import."""

import csv
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet as pq
from typer.testing import CliRunner

from gapwise.cli import app
from gapwise.errors import DataError, UsageError
from gapwise.ledger import labels, tags
from gapwise.ledger.answers import Answer, answered
from gapwise.ledger.campaigns import Campaign
from gapwise.ledger.labels import Review, reviewed
from gapwise.ledger.ledger import Ledger
from gapwise.settings import Settings
from gapwise.tracking.store import RunStore
from gapwise.workflows import campaign_members, labelled
from gapwise.workflows.campaign import as_json, review
from gapwise.workflows.compare import compare_runs
from gapwise.workflows.diagnose import diagnose_runs
from gapwise.workflows.label_table import from_csv, to_csv
from gapwise.workflows.labels import LabelFile, export_labels, import_labels
from gapwise.workflows.record import RecordRequest, record_file
from gapwise.workflows.rescore import rescore_runs
from gapwise.workflows.suspects import suspects
from gapwise.workflows.train import train

N = 40
SPLITS = ("train", "dev", "test")


def record(folder: Path, name: str, wrong: dict[str, list[int]]) -> str:
    rows = []
    for split in SPLITS:
        for number in range(N):
            bad = number in wrong.get(split, [])
            rows.append(
                {
                    "split": split,
                    "example_id": f"{split}{number}",
                    "target": "cat",
                    "predicted": "dog" if bad else "cat",
                    "score_cat": 0.1 if bad else 0.8,
                    "score_dog": 0.9 if bad else 0.2,
                    "source": "lab" if number % 2 else "field",
                }
            )
    path = folder / f"{name}.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    request = RecordRequest(file=path, dataset="pets", run_name=name, experiment="pets")
    return record_file(request, settings=Settings.read())


@pytest.fixture
def ledger(home: Path) -> Ledger:
    return Ledger(Settings.read().ledger_url)


@pytest.fixture
def runs(home: Path, tmp_path: Path) -> tuple[str, str]:
    """Run ``one`` has 4 dev errors, ``two`` 6, of which it shares 2."""
    one = record(tmp_path, "one", {"dev": [0, 1, 2, 3], "test": [0, 1]})
    two = record(tmp_path, "two", {"dev": [2, 3, 4, 5, 6, 7], "test": [0]})
    return one, two


def mend(ledger: Ledger, *names: str) -> int:
    labels.relabel(ledger, "pets", dict.fromkeys(names, ("cat", "dog")), author="ann")
    return ledger.revision()


def cli(*words: str) -> Any:
    done = CliRunner().invoke(app, [*words, "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_the_ladder_follows_the_labels_and_any_revision_can_be_asked_for(
    runs: tuple[str, str], ledger: Ledger
) -> None:
    one, _ = runs
    assert cli("diagnose", one)["ladder"][-1]["error"] == 0.1
    revision = mend(ledger, "dev0", "dev1", "dev9")
    now = cli("diagnose", one)
    assert (now["ladder"][-1]["error"], now["label_revision"]) == (0.075, revision)
    then = cli("diagnose", one, "--labels", "0")
    assert (then["ladder"][-1]["error"], then["label_revision"]) == (0.1, 0)
    with pytest.raises(
        UsageError, match=r"label revision 9 is not there; write one from 0 .* to 3"
    ):
        diagnose_runs([one], labels=9)


def test_a_comparison_is_under_one_revision(runs: tuple[str, str], ledger: Ledger) -> None:
    assert compare_runs(*runs).difference == pytest.approx(-0.05)
    mend(ledger, "dev4", "dev5", "dev6", "dev7")
    assert compare_runs(*runs).difference == pytest.approx(0.15)
    assert compare_runs(*runs, labels=0).difference == pytest.approx(-0.05)


def test_flips_are_counted_by_tag(runs: tuple[str, str], ledger: Ledger) -> None:
    said = [("dev0", "blurred"), ("dev0", "dark"), ("dev4", "dark"), ("dev2", "dark")]
    ledger.append_all([tags.tagged("pets", name, tag, author="ann") for name, tag in said])
    document = cli("compare", *runs)
    assert document["by"]["tag"] == {
        "blurred": {"n": 1, "fixed": 1, "broken": 0},
        "dark": {"n": 3, "fixed": 1, "broken": 1},
    }
    assert "By tag: dark +1 −1" in CliRunner().invoke(app, ["compare", *runs]).stdout


def test_suspects_and_select_see_the_labels_as_they_stand(
    runs: tuple[str, str], ledger: Ledger
) -> None:
    one, two = runs
    assert cli("select", "pets")["winner"] == one
    mend(ledger, "dev4", "dev5", "dev6", "dev7")
    assert cli("select", "pets")["winner"] == two
    given = {row.example_id: row.given for row in suspects(one, ["dev"]).found}
    assert (given["dev4"], given["dev0"]) == ("dog", "cat")


def test_every_run_is_rescored_and_the_look_at_test_counted(
    runs: tuple[str, str], ledger: Ledger
) -> None:
    revision = mend(ledger, "dev4", "dev5", "dev6", "dev7")
    found = cli("rescore", "pets")
    assert (found["before"], found["after"], found["relabelled"]) == (0, revision, 4)
    assert found["winner_changed"] is True
    assert found["winner_after"] == [runs[1]]
    assert [rung["rung"] for rung in found["runs"][0]["after"]] == ["train", "dev"]
    with_test = rescore_runs("pets", test=True)
    assert [rung.rung for rung in with_test.runs[0].after] == ["train", "dev", "test"]
    assert with_test.warns.startswith("Only dev was corrected")
    text = CliRunner().invoke(app, ["rescore"]).stdout
    assert "2 → 1" in text
    same = rescore_runs("pets", before=revision, after=revision)
    assert same.relabelled == 0


def test_the_error_table_is_a_document(runs: tuple[str, str], ledger: Ledger) -> None:
    ledger.append_all([tags.tagged("pets", "dev0", "blurred", author="ann")])
    document = cli("errors", runs[0])
    assert document["rows"][0]["name"] == "blurred"
    assert (document["read"], document["errors"]) == (1, 4)
    text = CliRunner().invoke(app, ["errors", runs[0]]).stdout
    assert "blurred" in text
    done = CliRunner().invoke(app, ["errors", runs[0], "--sample", "0"])
    assert isinstance(done.exception, UsageError)


def test_g11_l6_a_run_trains_on_a_pinned_revision(here: Path) -> None:
    settings = Settings.read()
    quick = ("training.epochs=1", "training.threads=1", "training.device=cpu")
    first = train("digits", quick)
    run = RunStore(settings).open(first.run_ids[0])
    table = labelled.read(run, "dev", settings)
    names = table.example_id[:5].tolist()
    given = [table.classes[code] for code in table.target[:5]]
    ledger = Ledger(settings.ledger_url)
    wanted = {n: (g, "7" if g != "7" else "1") for n, g in zip(names, given, strict=True)}
    labels.relabel(ledger, run.dataset, wanted | {"gone": ("1", "2")}, author="ann")
    pinned = ledger.revision()
    second = train("digits", (*quick, "data.labels=latest"))
    ledger.append(dataset=run.dataset, kind="note", value={}, author="ann")
    again = RunStore(settings).open(second.run_ids[0])
    assert (again.pipeline() or {})["data"]["labels"] == pinned
    notes = again.tags["gapwise.notes"]
    assert f"Labels are those of revision {pinned}: 5 differ" in notes
    assert "1 reviewed examples are not in the data any more (gone)" in notes
    after = labelled.read(again, "dev", settings)
    assert after.example_id.tolist() == table.example_id.tolist()
    told = dict(zip(after.example_id.tolist(), after.target.tolist(), strict=True))
    assert [after.classes[told[name]] for name in names] == [label for _, label in wanted.values()]
    # Under the labels of the data, the same run is judged by the labels of the data.
    before = labelled.read(again, "dev", settings, revision=0)
    assert before.target.tolist() == table.target.tolist()
    with pytest.raises(UsageError, match="label revision 999 is not there"):
        train("digits", (*quick, "data.labels=999"))


def fill(ledger: Ledger) -> None:
    odd = ["=1+1", "+cmd", "-x", "@sum", "'quoted", 'a,b\n"c"', "<script>", "مرحبا"]
    ledger.append_all(
        [tags.tagged("pets", f"dev{n}", tag, author="ann") for n, tag in enumerate(odd)]
    )
    ledger.append_all(
        [
            tags.commented("pets", "dev0", '=HYPERLINK("http://x")', author="ann"),
            tags.marked_read("pets", "dev30", author="ann"),
        ]
    )
    one = Review(example_id="dev1", verdict="change", given="cat", label="dog", author="bob")
    ledger.append_all([reviewed("pets", one)])
    second = Review(example_id="dev1", verdict="keep", given="cat", label="cat", author="cid")
    ledger.append_all([reviewed("pets", second, kind=labels.OPINION)])


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("spreadsheet", [False, True])
def test_d15_what_is_exported_comes_back_equal(
    runs: tuple[str, str], ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    ending: str, spreadsheet: bool,
) -> None:  # fmt: skip
    fill(ledger)
    file = LabelFile(file=tmp_path / f"labels.{ending}", spreadsheet=spreadsheet)
    told = export_labels(file)
    assert told["rows"] == 8 + 2 + 1 + 1
    again = import_labels(file)
    assert (again["rows"], again["new"]) == (12, 0)
    if ending == "csv" and spreadsheet:
        with file.file.open(newline="", encoding="utf-8") as stream:
            cells = [cell for row in csv.reader(stream) for cell in row if cell]
        assert not [cell for cell in cells if cell[0] in "=+-@\t\r"]
    monkeypatch.setenv("GAPWISE_LEDGER_URL", f"sqlite:///{tmp_path}/elsewhere.db")
    elsewhere = import_labels(file)
    assert (elsewhere["new"], elsewhere["orphans"]) == (12, [])
    there = Ledger(f"sqlite:///{tmp_path}/elsewhere.db")
    ours, theirs = (tags.book(each, "pets") for each in (ledger, there))
    assert (ours.tags, ours.comments, ours.read) == (theirs.tags, theirs.comments, theirs.read)
    assert labels.book(there, "pets").labels() == {"dev1": "dog"}
    assert labels.book(there, "pets").opinions["dev1"]["cid"].label == "cat"


def test_raw_and_guarded_csv_are_undone_by_their_reader() -> None:
    row = dict.fromkeys(("kind", "example_id", "tag", "label", "given", "verdict", "text",
                         "split", "campaign", "queue", "author"), "'=x\r\n\"")  # fmt: skip
    for guarded in (False, True):
        text = to_csv([row], spreadsheet=guarded)
        assert list(from_csv(text, spreadsheet=guarded)) == [row]


def test_a_plain_table_of_labels_comes_in(
    runs: tuple[str, str], ledger: Ledger, tmp_path: Path
) -> None:
    path = tmp_path / "mended.csv"
    path.write_text("example_id,label\ndev0,dog\ndev1,cat\nnobody,dog\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"row 3: nothing says what the label of 'nobody' is"):
        import_labels(LabelFile(file=path))
    assert ledger.revision() == 0
    path.write_text("example_id,label\ndev0,dog\ndev1,cat\n", encoding="utf-8")
    told = cli("labels", "import", str(path), "--run", runs[0])
    assert (told["new"], told["orphans"]) == (2, [])
    assert labels.book(ledger, "pets").changed().keys() == {"dev0"}


def test_label_studio_there_and_back(runs: tuple[str, str], ledger: Ledger, tmp_path: Path) -> None:
    path = tmp_path / "tasks.json"
    told = export_labels(LabelFile(file=path, run=runs[0]))
    assert (told["format"], told["rows"]) == ("label-studio", N)
    tasks = json.loads(path.read_text())
    first = tasks[0]
    assert first["predictions"][0]["result"][0]["value"]["choices"] == ["dog"]
    assert first["predictions"][0]["score"] == pytest.approx(0.9)
    answer = {"from_name": "label", "to_name": "image", "type": "choices",
              "value": {"choices": ["dog"]}}  # fmt: skip
    first["annotations"] = [
        {"result": [answer], "completed_by": 7},
        {"result": [answer], "was_cancelled": True, "completed_by": 8},
    ]
    path.write_text(json.dumps(tasks))
    assert import_labels(LabelFile(file=path, run=runs[0]))["new"] == 1
    (changed,) = labels.book(ledger, "pets").changed().values()
    assert (changed.label, changed.author) == ("dog", "label-studio 7")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("x.json", "{}", "this is no list of Label Studio tasks"),
        ("x.json", '[{"id": 3, "data": {}}]', "task 3 cannot be read: it lacks 'example_id'"),
        ("x.csv", "id,label\nx,cat\n", "the table has no column 'example_id'"),
        ("x.csv", "example_id,label\nx,cat,more\n", "line 2 has more cells than columns"),
        ("x.csv", "kind,example_id\nlook,x\n", "row 1: kind 'look'"),
        ("x.csv", "example_id,given,verdict\nx,cat,kepe\n", "row 1: verdict 'kepe'"),
        ("x.parquet", "not parquet", "cannot be read as parquet"),
        ("x.json", "[", "cannot be read as label-studio"),
        ("x.json", "[" * 100_000, "cannot be read as label-studio"),
        ("x.csv", "example_id,tag\nx," + "t" * 200_000, "cannot be read as csv"),
        ("x.csv", "kind,example_id,tag\ntag,x,thin\ntag,y,\n", "row 2: a tag needs a name"),
    ],
)
def test_a_file_that_cannot_be_read_loses_nothing(
    runs: tuple[str, str], ledger: Ledger, tmp_path: Path, name: str, content: str, says: str
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=says):
        import_labels(LabelFile(file=tmp_path / name))
    assert ledger.revision() == 0


def test_a_parquet_without_examples_is_refused(
    runs: tuple[str, str], ledger: Ledger, tmp_path: Path
) -> None:
    pq.write_table(pa.table({"label": ["cat"]}), tmp_path / "x.parquet")
    with pytest.raises(DataError, match="the table has no column 'example_id'"):
        import_labels(LabelFile(file=tmp_path / "x.parquet"))
    assert ledger.revision() == 0


def test_an_export_overwrites_nothing(runs: tuple[str, str], tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("mine")
    with pytest.raises(UsageError, match="is there already"):
        export_labels(LabelFile(file=path))
    with pytest.raises(UsageError, match="boxes"):
        export_labels(LabelFile(file=tmp_path / "x.coco"))
    with pytest.raises(UsageError, match="is no file"):
        import_labels(LabelFile(file=tmp_path / "none.csv"))


def test_a_campaign_covers_dev_and_test_by_one_rule(runs: tuple[str, str], ledger: Ledger) -> None:
    settings = Settings.read()
    rule = Campaign(name="round 1", run_ids=(runs[0],), suspects=0.6, wrong=4, right=6)
    campaign_members.begin(rule, settings)
    covered = campaign_members.members(rule, settings)
    assert covered["dev"].queues["suspects"] == ("dev0", "dev1", "dev2", "dev3")
    assert set(covered["test"].queues["suspects"]) == {"test0", "test1"}
    assert covered["dev"].population == {"wrong": 4, "right": 36}
    assert len(covered["dev"].queues["right"]) == 6
    first, second, third, _ = covered["dev"].queues["wrong"]
    entries = [
        reviewed(
            "pets",
            Review(
                example_id=name,
                verdict=verdict,
                given="cat",
                label=label,
                author="ann",
                split="dev",
            ),
        )
        for name, verdict, label in (
            (first, "change", "dog"),
            (second, "keep", "cat"),
            (third, "unsure", "cat"),
            *((name, "keep", "cat") for name in covered["dev"].queues["right"]),
        )
    ]
    ledger.append_all(entries)
    blind = Review(example_id=first, verdict="keep", given="cat", label="cat", author="bob")
    ledger.append_all([reviewed("pets", blind, kind=labels.OPINION)])
    # What is covered does not move when labels do.
    assert campaign_members.members(rule, settings)["dev"].queues == covered["dev"].queues
    best = [labelled.read(RunStore(settings).open(run), "dev", settings) for run in runs]
    found = review(rule, covered, labels.book(ledger, "pets"), best)
    rows = {(row.split, row.queue): (row.reviewed, row.of, row.changed) for row in found.coverage}
    assert rows[("dev", "suspects")] == (3, 4, 1)
    assert rows[("test", "suspects")] == (0, 2, 0)
    dev = found.noise[0]
    assert dev.of_error is not None
    assert (dev.of_error.share, dev.of_error.n) == (0.5, 2)  # not sure is no decision
    assert dev.corrected is not None
    assert dev.corrected.share == pytest.approx(0.05)
    assert found.warns.startswith("Dev is reviewed to") or found.warns.startswith("dev is reviewed")
    assert found.disagree == (first,)
    assert found.agreement.n == 1
    assert found.worth is not None
    assert as_json(found)["coverage"][0]["split"] == "dev"
    # Suspects that were reviewed as such say nothing about a share, whatever sample they are in.
    chosen = Ledger(f"{settings.ledger_url}2")
    for number, name in enumerate(covered["dev"].queues["wrong"], start=1):
        one = Review(example_id=name, verdict="change", given="cat", label="dog", author="ann",
                     queue="suspects")  # fmt: skip
        chosen.append_all([reviewed("pets", one)])
        told = review(rule, covered, labels.book(chosen, "pets"), best).noise[0].of_error
        assert (told is None) == (number < 4)
    assert told is not None
    assert (told.share, told.n) == (1.0, 4)
    with pytest.raises(UsageError, match="a campaign needs a run"):
        campaign_members.members(Campaign(name="x", run_ids=()), settings)


def test_answers_become_human_levels_of_the_ladder(runs: tuple[str, str], ledger: Ledger) -> None:
    for person, wrong in (("ann", 2), ("bob", 5), ("cid", 4)):
        ledger.append_all(
            [
                answered(
                    "pets",
                    Answer(
                        example_id=f"dev{n}",
                        given="cat",
                        author=person,
                        label="dog" if n < wrong else "cat",
                        distribution="target",
                    ),
                )
                for n in range(20)
            ]
        )
    document = cli("diagnose", runs[0])
    levels = {level["name"]: level for level in document["human_levels"]}
    assert (levels["ann"]["error"], levels["ann"]["n"]) == (0.1, 20)
    assert levels["team"]["error"] == pytest.approx(0.2)
    mend(ledger, "dev0", "dev1")
    again = {level["name"]: level for level in cli("diagnose", runs[0])["human_levels"]}
    assert again["ann"]["error"] == 0.0
