"""What the ledger's events come to: tags, labels, answers and campaigns at any revision."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapwise.errors import UsageError
from gapwise.ledger import answers, campaigns, labels, tags
from gapwise.ledger.answers import Answer, answered
from gapwise.ledger.campaigns import Campaign
from gapwise.ledger.conflict import ConflictError
from gapwise.ledger.labels import OPINION, Review, reviewed
from gapwise.ledger.ledger import Ledger
from gapwise.ledger.tags import BUILT_IN, TagSetting

ANN, BOB = "ann", "bob"


def test_several_tags_an_example_by_several_people(ledger: Ledger) -> None:
    ledger.append_all(
        [
            tags.tagged("d", "x", " thin   stroke ", author=ANN),
            tags.tagged("d", "x", "slanted", author=BOB),
            tags.tagged("d", "y", "slanted", author=BOB),
            tags.tagged("d", "y", "slanted", author=ANN, on=False),
            tags.commented("d", "y", "a seven, really", author=ANN),
            tags.marked_read("d", "z", author=ANN),
            tags.tagged("other", "x", "elsewhere", author=ANN),
        ]
    )
    book = tags.book(ledger, "d")
    assert book.of("x") == ["thin stroke", "slanted"]
    assert book.tags["x"] == {"thin stroke": ANN, "slanted": BOB}
    assert book.of("y") == []
    assert book.comments == {"y": "a seven, really"}
    assert book.read == {"x", "y", "z"}
    assert list(book.settings) == [*BUILT_IN, "thin stroke", "slanted"]
    assert tags.book(ledger, "d", until=1).of("x") == ["thin stroke"]
    assert tags.book(ledger, "d", until=0).settings.keys() == BUILT_IN.keys()


def test_what_was_read_by_mistake_is_unread_but_not_where_a_tag_says_otherwise(
    ledger: Ledger,
) -> None:
    ledger.append_all([tags.marked_read("d", name, author=ANN) for name in "xy"])
    ledger.append_all([tags.tagged("d", "y", "thin", author=ANN)])
    ledger.append_all([tags.marked_read("d", name, author=ANN, on=False) for name in "xy"])
    assert tags.book(ledger, "d").read == {"y"}


def test_a_book_that_takes_what_came_since_is_the_book_read_anew(ledger: Ledger) -> None:
    book = tags.book(ledger, "d")
    for number in range(6):
        ledger.append_all([tags.tagged("d", f"x{number % 3}", f"t{number % 2}", author=ANN)])
        before, held = book, tags.book(ledger, "d", until=book.revision)
        book = book.further(ledger.events(kind=tags.KINDS, dataset="d", after=book.revision))
        assert book == tags.book(ledger, "d")
        assert before == held  # whoever reads a book meets no change in it


def test_a_label_book_that_is_read_stays_as_it_is(ledger: Ledger) -> None:
    ledger.append_all([reviewed("d", review("x", "dog"))])
    before = labels.book(ledger, "d")
    said = [reviewed("d", review("x", "cow")),
            reviewed("d", review("x", "cat", author=BOB), kind=OPINION)]  # fmt: skip
    ledger.append_all(said)
    after = before.further(ledger.events(kind=labels.KINDS, dataset="d", after=before.revision))
    assert after == labels.book(ledger, "d")
    assert (before.labels(), before.opinions) == ({"x": "dog"}, {})


def test_keys_and_efforts_are_kept_with_the_tag(ledger: Ledger) -> None:
    ledger.append_all([tags.setting("d", TagSetting(tag="thin", hotkey="T", effort=2), author=ANN)])
    assert tags.book(ledger, "d").settings["thin"] == TagSetting(tag="thin", hotkey="t", effort=2.0)
    with pytest.raises(UsageError, match="key 'tt' is no single letter or digit"):
        tags.setting("d", TagSetting(tag="thin", hotkey="tt"), author=ANN)
    with pytest.raises(UsageError, match="effort -1 is no positive number"):
        tags.setting("d", TagSetting(tag="thin", effort=-1), author=ANN)
    with pytest.raises(UsageError, match="a tag needs a name"):
        tags.tagged("d", "x", " \n ", author=ANN)
    with pytest.raises(UsageError, match="a tag has 300 characters"):
        tags.tagged("d", "x", "t" * 300, author=ANN)


def review(name: str, label: str, given: str = "cat", author: str = ANN, **more: object) -> Review:
    verdict = "keep" if label == given else "change"
    fields = {"verdict": verdict, "split": "dev"} | more
    return Review(example_id=name, given=given, label=label, author=author, **fields)  # type: ignore[arg-type]


def test_labels_at_any_revision_undo_is_a_new_event(ledger: Ledger) -> None:
    ledger.append_all([reviewed("d", review("x", "dog")), reviewed("d", review("y", "cat"))])
    ledger.append_all([reviewed("d", review("x", "cow"))])
    ledger.append_all([reviewed("d", review("x", "cat", verdict="withdrawn"))])
    assert labels.book(ledger, "d", 0).labels() == {"x": "cat", "y": "cat"}
    assert labels.book(ledger, "d", 1).labels() == {"x": "dog", "y": "cat"}
    assert labels.book(ledger, "d", 3).changed().keys() == {"x"}
    now = labels.book(ledger, "d")
    assert now.labels() == {"x": "cat", "y": "cat"}
    assert now.reviews.keys() == {"y"}
    assert ledger.verify() == 4


def test_g3_a_second_reviewer_is_told_chooses_and_both_stay(ledger: Ledger) -> None:
    ledger.append_all([reviewed("d", review("x", "dog"), seen=0)])
    late = reviewed("d", review("x", "cow", author=BOB), seen=0)
    (told,) = ledger.append_all([late])
    assert isinstance(told, ConflictError)
    assert labels.book(ledger, "d").labels() == {"x": "dog"}
    ledger.append_all([reviewed("d", review("x", "cow", author=BOB), seen=told.event.seq)])
    assert labels.book(ledger, "d").labels() == {"x": "cow"}
    assert [e.value["label"] for e in ledger.events(example_id="x")] == ["dog", "cow"]


def test_a_second_opinion_changes_no_label_and_conflicts_with_nobody(ledger: Ledger) -> None:
    ledger.append_all([reviewed("d", review("x", "dog"), seen=0)])
    opinion = reviewed("d", review("x", "cow", author=BOB), kind=OPINION)
    ledger.append_all([opinion])
    book = labels.book(ledger, "d")
    assert book.labels() == {"x": "dog"}
    assert book.opinions["x"][BOB].label == "cow"


def test_a_review_must_fit_its_verdict() -> None:
    with pytest.raises(UsageError, match="the label of 'x' is 'cat' already"):
        reviewed("d", review("x", "cat", verdict="change"))
    with pytest.raises(UsageError, match="verdict 'chnage' is not known; did you mean change"):
        reviewed("d", review("x", "dog", verdict="chnage"))
    # Whatever is said beside a verdict that keeps the label, the label stays.
    assert reviewed("d", review("x", "dog", verdict="unsure")).value["label"] == "cat"


@settings(max_examples=30, deadline=None)
@given(
    moves=st.lists(
        st.tuples(st.sampled_from("xyz"), st.sampled_from(["cat", "dog", "cow", "undo"])),
        max_size=20,
    )
)
def test_labels_fold_to_a_dictionary(
    moves: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder: Path = tmp_path_factory.mktemp("fold")
    ledger = Ledger(f"sqlite:///{folder}/ledger.db")
    model: dict[str, str] = {}
    past = [dict(model)]
    for name, label in moves:
        undo = label == "undo"
        one = review(name, "cat", verdict="withdrawn") if undo else review(name, label)
        ledger.append_all([reviewed("d", one)])
        model[name] = "cat" if undo else label
        past.append(dict(model))
    ever = {name for name, _ in moves}
    for revision, state in enumerate(past):
        assert labels.book(ledger, "d", revision).labels() == dict.fromkeys(ever, "cat") | state


def test_many_labels_at_once(ledger: Ledger) -> None:
    mended = {"x": ("cat", "dog"), "y": ("cat", "cat")}
    assert labels.relabel(ledger, "d", mended, author=ANN, reason="audit") == 1
    assert labels.book(ledger, "d").labels() == {"x": "dog", "y": "cat"}
    assert {event.reason for event in ledger.events()} == {"audit"}


def test_only_the_first_answer_to_an_example_is_blind(ledger: Ledger) -> None:
    def answer(label: str, author: str, seconds: float | None = None) -> Answer:
        return Answer(
            example_id="x", label=label, given="7", distribution="target", author=author,
            seconds=seconds,
        )  # fmt: skip

    said = [answer("1", ANN, 1.23456), answer("7", ANN), answer("7", BOB)]
    ledger.append_all([answered("d", one) for one in said])
    first, second = answers.given(ledger, "d")
    assert (first.label, first.seconds, second.author) == ("1", 1.235, BOB)
    assert len(answers.given(ledger, "d", until=1)) == 1
    with pytest.raises(UsageError, match="distribution 'dev' is not known"):
        answered("d", Answer(example_id="x", label="1", distribution="dev", author=ANN))
    with pytest.raises(UsageError, match="an answer needs a label"):
        answered("d", Answer(example_id="x", label="", distribution="train", author=ANN))


def test_the_latest_statement_of_a_campaign_counts(ledger: Ledger) -> None:
    for name, wrong in (("one", 10), ("two", 20), ("one", 30)):
        one = Campaign(name=name, run_ids=("r",), wrong=wrong)
        campaigns.begin(ledger, one, dataset="d", author=ANN)
    found = campaigns.stated(ledger, "d")
    assert [(one.name, one.wrong) for one in found] == [("one", 30), ("two", 20)]
    assert found[0] == Campaign(name="one", run_ids=("r",), wrong=30)
    with pytest.raises(UsageError, match="a campaign needs a name and a run"):
        campaigns.begin(ledger, Campaign(name="", run_ids=()), dataset="d", author=ANN)
