"""*Errors*, *Labels* and *Human level* alone, over real runs of classes, numbers and elsewhere."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboards import books, data
from gapwise.ledger import labels, tags
from gapwise.ledger.answers import Answer, answered
from gapwise.ledger.campaigns import Campaign
from gapwise.ledger.labels import Review, reviewed
from gapwise.ledger.ledger import Ledger
from gapwise.settings import Settings
from gapwise.tracking import predictions as tables
from gapwise.tracking.store import RunStore
from gapwise.workflows import background, campaign_members

Page = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def _fresh() -> None:
    books._books.cache_clear()
    books._ledger.cache_clear()
    data._dataset.cache_clear()


@pytest.fixture
def ledger(stored: Path) -> Ledger:
    return Ledger(Settings.read().ledger_url)


def short_run() -> str:
    return RunStore(Settings.read()).open("short").run_id


def said(test: AppTest) -> str:
    parts = (*test.markdown, *test.caption, *test.info, *test.warning)
    return "\n".join(str(part.value) for part in parts).replace("\\", "").replace("\u2060", "")


def test_errors_say_how_many_and_which_sample(page: Page, ledger: Ledger) -> None:
    run = short_run()
    table = tables.read(RunStore(Settings.read()).open(run).needed_predictions("dev"), split="dev")
    wrong = table.example_id[table.error > 0].tolist()
    ledger.append_all([tags.tagged("digits", name, "example", author="ann") for name in wrong])
    test = page("errors", run=run, split="dev")
    assert not test.exception
    assert f"{len(wrong)} of 400 dev examples are wrong" in said(test)
    assert "drawn at random, in an order that stays" in said(test)
    (matrix,) = test.dataframe
    assert {"example", "tag: example", "comment"} == set(matrix.value.columns)
    right = page("errors", run=run, split="dev", view="right")
    assert "favours the run that was looked at" in said(right)
    tagged = page("errors", run=run, split="dev", tag="nobody has it")
    assert "0 of 400" in said(tagged)
    odd = page("errors", run=run, split="dev", slice="nonsense")
    assert "cannot be read" in str(odd.error[0].value)


def test_labels_begin_with_a_campaign_and_show_what_it_found(page: Page, ledger: Ledger) -> None:
    run = short_run()
    assert "Review labels by one process" in said(page("labels", run=run))
    rule = Campaign(name="round 1", run_ids=(run,), suspects=0.9, wrong=10, right=10)
    campaign_members.begin(rule, Settings.read())
    covered = campaign_members.members(rule, Settings.read())
    entries = []
    for split, one in covered.items():
        label = dict(zip(one.table.example_id.tolist(), one.table.target.tolist(), strict=True))
        for queue in ("wrong", "right"):
            for place, name in enumerate(one.queues[queue]):
                given = one.table.classes[label[name]]
                bad = queue == "wrong" and place < 4
                entries.append(
                    reviewed(
                        "digits",
                        Review(
                            example_id=name,
                            verdict="change" if bad else "keep",
                            given=given,
                            label=("7" if given != "7" else "1") if bad else given,
                            split=split,
                            author="ann",
                            queue=queue,
                        ),
                    )
                )
    ledger.append_all(entries)
    second = Review(example_id=covered["dev"].queues["wrong"][0], verdict="keep", given="7",
                    label="7", author="bob")  # fmt: skip
    ledger.append_all([reviewed("digits", second, kind=labels.OPINION)])
    test = page("labels", run=run)
    assert not test.exception
    text = said(test)
    assert "40.0 % of the dev error is wrong labels" in text
    assert "with all labels mended it is about" in text
    assert "The two best runs differ on" in text
    assert "Two people agree on" in text
    assert "8 labels differ between revisions 0 and" in text
    assert "artificial data mismatch" in text
    for queue in ("second", "disagree", "right"):
        assert not page("labels", run=run, queue=queue, split="test").exception


def test_human_level_shows_people_and_stands_in_the_ladder(page: Page, ledger: Ledger) -> None:
    run = short_run()
    assert "Nobody has answered yet" in said(page("human_level", run=run))
    table = tables.read(RunStore(Settings.read()).open(run).needed_predictions("dev"), split="dev")
    for person in ("ann", "bob"):
        ledger.append_all(
            [
                answered("digits", Answer(example_id=str(name), label="1", given="1",
                                          distribution="target", author=person))
                for name in table.example_id[:30]
            ]
        )  # fmt: skip
    test = page("human_level", run=run, distribution="target")
    assert not test.exception
    assert "ann errs on 0.0 %" in said(test)
    assert "Two people agree on 100.0 % of 30 labels" in said(test)


@pytest.mark.parametrize("name", ["errors", "labels", "human_level"])
def test_without_a_run_a_page_says_what_to_do(page: Page, home: Path, name: str) -> None:
    test = page(name)
    assert not test.exception
    assert "make train" in str(test.code[0].value)


def test_train_is_judged_in_a_process_of_its_own(
    page: Page, stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, started = short_run(), []
    monkeypatch.setattr(
        background, "start", lambda name, words, settings: started.append((name, words))
    )
    test = page("labels", run=run)
    test.button(key="judge-train").click().run()
    assert not test.exception
    assert started == [(f"folds-{run}", ("suspects", run, "--folds", "5", "--limit", "1"))]
    folder = stored / "background" / f"folds-{run}"
    folder.mkdir(parents=True)
    (folder / "words.json").write_text('["suspects"]')
    (folder / "log").write_text("fold 2: epoch 3")
    assert "fold 2: epoch 3" in said(page("labels", run=run))
    (folder / "exit").write_text("0\n")
    assert "-folds above, and begin a campaign on its train" in said(page("labels", run=run))
