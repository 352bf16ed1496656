"""The ledger as its users meet it: append, read, conflict, repeat, prove."""

import itertools
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from gapwise.database import wal_is_safe
from gapwise.errors import StorageError, UsageError
from gapwise.ledger import human, looks
from gapwise.ledger.conflict import ConflictError
from gapwise.ledger.event import Entry
from gapwise.ledger.ledger import Ledger
from gapwise.ledger.schema import HEAD, metadata
from gapwise.records import HumanLevel


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "home" / "ledger.db"


def label(ledger: Ledger, value: str, **more: Any) -> Any:
    fields = {"dataset": "d", "example_id": "x", "kind": "label", "author": "ann"} | more
    return ledger.append(value={"label": value}, **fields)


def test_reading_makes_no_ledger(ledger: Ledger, file: Path) -> None:
    assert (ledger.revision(), ledger.events(), ledger.verify()) == (0, [], 0)
    assert not file.parent.exists()


def test_events_are_kept_in_order_and_found(ledger: Ledger) -> None:
    first = label(ledger, "cat", reason="blurred")
    label(ledger, "dog", example_id="y")
    label(ledger, "cat", dataset="e")
    assert first.seq == 1
    assert first.prev_hash == "0" * 64
    assert [e.seq for e in ledger.events()] == [1, 2, 3]
    assert [e.seq for e in ledger.events(dataset="d")] == [1, 2]
    assert [e.seq for e in ledger.events(example_id="x", until=2)] == [1]
    assert ledger.events()[0] == first
    assert ledger.revision() == ledger.verify() == 3


def test_g3_second_of_two_people_is_told_and_chooses(ledger: Ledger) -> None:
    seen = label(ledger, "cat").seq
    anns = label(ledger, "dog", seen=seen)
    with pytest.raises(ConflictError) as told:
        label(ledger, "cow", author="bob", seen=seen)
    assert told.value.event == anns
    assert "changed by ann at 20" in str(told.value)
    assert "'dog'" in str(told.value)
    assert ledger.revision() == 2
    bobs = label(ledger, "cow", author="bob", seen=told.value.event.seq)
    assert [e.value["label"] for e in ledger.events(example_id="x")] == ["cat", "dog", "cow"]
    assert bobs.seen == anns.seq


def test_g3_only_the_same_kind_of_the_same_example_conflicts(ledger: Ledger) -> None:
    label(ledger, "cat")
    label(ledger, "dog", author="bob", example_id="y", seen=0)
    label(ledger, "dog", author="bob", kind="tag", seen=0)
    label(ledger, "dog", author="bob", dataset="e", seen=0)
    label(ledger, "dog", author="ann", seen=0)
    with pytest.raises(ConflictError):
        label(ledger, "dog", author="bob", seen=0)


def test_g4_an_event_sent_again_is_one_event(ledger: Ledger) -> None:
    once = label(ledger, "cat", key="client-1", seen=0)
    label(ledger, "dog", author="bob")
    assert label(ledger, "cat", key="client-1", seen=0) == once
    assert ledger.revision() == 2
    with pytest.raises(UsageError, match="the key 'client-1' is that of entry 1 already"):
        label(ledger, "dog", key="client-1")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET author = 'eve' WHERE seq = 1",
        "UPDATE events SET seq = 9",
        "DELETE FROM events",
        "INSERT OR REPLACE INTO events SELECT 1,'k','d','x','label','{}','eve','','',0,'','' ",
        "REPLACE INTO events SELECT 3,key,dataset,example_id,kind,value,author,reason,utc,seen,"
        "prev_hash,hash FROM events WHERE seq = 1",
        "INSERT INTO events SELECT 9,'k','d','x','label','{}','eve','','',0,'',''",
    ],
)
def test_g5_nothing_is_updated_or_deleted(ledger: Ledger, file: Path, statement: str) -> None:
    label(ledger, "cat")
    label(ledger, "dog")
    before = ledger.events()
    connection = sqlite3.connect(file)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(statement)
    connection.close()
    assert ledger.events() == before


def test_g6_an_entry_put_in_by_hand_is_named(ledger: Ledger, file: Path) -> None:
    label(ledger, "cat")
    with sqlite3.connect(file) as connection:
        connection.execute(
            "INSERT INTO events SELECT 2,'k','d','x','label','{}','eve','','',0,hash,'forged' "
            "FROM events"
        )
    connection.close()
    with pytest.raises(StorageError, match="entry 2 was tampered with"):
        ledger.verify()


def test_g6_every_flipped_byte_of_a_row_is_named(ledger: Ledger, file: Path) -> None:
    for number in range(5):
        label(ledger, f"label {number}", reason="why", seen=number)
    columns = ("key", "dataset", "example_id", "kind", "value", "author", "reason", "utc", "hash")
    for column in (*columns, "prev_hash"):
        with _tampering(file) as connection:
            (old,) = connection.execute(f"SELECT {column} FROM events WHERE seq = 3").fetchone()
            for place in {0, len(old) // 2, len(old) - 1}:
                new = old[:place] + chr(ord(old[place]) ^ 1) + old[place + 1 :]
                update = f"UPDATE events SET {column} = ? WHERE seq = 3"
                connection.execute(update, (new,))
                connection.commit()
                with pytest.raises(StorageError, match="entry 3 was tampered with"):
                    ledger.verify()
                connection.execute(update, (old,))
                connection.commit()
        connection.close()
    assert ledger.verify() == 5


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("DELETE FROM events WHERE seq = 2", "entry 2 is missing"),
        ("UPDATE events SET seen = NULL WHERE seq = 4", "entry 4 was tampered with"),
        ("DELETE FROM events WHERE seq = 1", "entry 1 is missing"),
    ],
)
def test_g6_missing_and_changed_rows_are_named(
    ledger: Ledger, file: Path, statement: str, told: str
) -> None:
    for number in range(5):
        label(ledger, "cat", seen=number)
    with _tampering(file) as connection:
        connection.execute(statement)
    connection.close()
    with pytest.raises(StorageError, match=told):
        ledger.verify()


def _tampering(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file)
    for trigger in ("events_no_update", "events_no_delete"):
        connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
    return connection


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "=cmd|'/c calc'!A1", "\u202eevil",
                                  "'; DROP TABLE events; --", "😀" * 64])  # fmt: skip
def test_g8_odd_text_is_kept_as_text(ledger: Ledger, text: str) -> None:
    ledger.append(
        dataset=text, example_id=text, kind=text, value={"tag": text}, author=text, reason=text
    )
    (event,) = ledger.events(dataset=text, kind=text, example_id=text)
    assert (event.value["tag"], event.author, event.reason) == (text, text, text)
    assert ledger.verify() == 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"author": "a" * 257}, "an author's name has 257 characters"),
        ({"kind": "k\0"}, r"a kind 'k.*x00' holds a NUL"),
        ({"value": {"tag": "t\0"}}, "a text in a ledger value .* holds a NUL"),
        ({"value": {"tag": ["x" * 10_000]}}, "a text in a ledger value has 10000 characters"),
        ({"value": {"tag": object()}}, "a ledger value must be JSON"),
        ({"value": {"error": float("nan")}}, "a ledger value must be JSON"),
        ({"reason": "\ud800"}, "a reason .* holds half a character"),
        ({"author": ""}, "needs a dataset, a kind and an author"),
        ({"key": "k" * 300}, "a key has 300 characters"),
    ],
)
def test_g8_text_beyond_the_caps_is_refused(
    ledger: Ledger, change: dict[str, Any], told: str
) -> None:
    fields = {"dataset": "d", "kind": "tag", "value": {}, "author": "ann"} | change
    with pytest.raises(UsageError, match=told):
        ledger.append(**fields)
    assert ledger.revision() == 0


def test_g9_order_is_that_of_seq_whatever_clocks_say(file: Path) -> None:
    clock = iter(["2026-03-29T03:30:00+02:00", "2026-03-29T00:30:00+00:00", "1999-01-01T00:00:00"])
    ledger = Ledger(f"sqlite:///{file}", now=lambda: next(clock))
    for value in ("first", "second", "third"):
        label(ledger, value)
    assert [e.value["label"] for e in ledger.events()] == ["first", "second", "third"]
    assert ledger.verify() == 3


class _LedgerAndDictionary(RuleBasedStateMachine):
    """G7: the current state is a fold of events; undo appends."""

    fresh: Callable[[], str]
    numbers = itertools.count()

    @initialize()
    def start(self) -> None:
        self.url = self.fresh()
        next(self.numbers)
        self.ledger = Ledger(self.url)
        self.model: dict[str, str] = {}
        self.past: list[dict[str, str]] = [{}]

    @rule(example=st.sampled_from("xyz"), value=st.sampled_from(["cat", "dog", "cow"]))
    def relabel(self, example: str, value: str) -> None:
        label(self.ledger, value, example_id=example, seen=self.ledger.revision())
        self.model[example] = value
        self.past.append(dict(self.model))

    @rule(example=st.sampled_from("xyz"))
    def undo(self, example: str) -> None:
        history = self.ledger.events(example_id=example)
        if history:
            before = history[-2].value["label"] if len(history) > 1 else ""
            label(self.ledger, before, example_id=example, reason=f"undo {history[-1].seq}")
            self.model[example] = before
            self.past.append(dict(self.model))

    @rule()
    def open_again(self) -> None:
        self.ledger = Ledger(self.url)

    @invariant()
    def fold_is_the_dictionary_at_every_revision(self) -> None:
        if not hasattr(self, "ledger"):
            return
        for revision in {0, len(self.past) // 2, len(self.past) - 1}:
            events = self.ledger.events(until=revision)
            fold = {e.example_id: e.value["label"] for e in events}
            assert fold == self.past[revision]
            assert len(events) == revision


def test_g7_fold_equals_a_dictionary(fresh_url: Callable[[], str]) -> None:
    before = next(_LedgerAndDictionary.numbers)
    machine = type("Machine", (_LedgerAndDictionary,), {"fresh": staticmethod(fresh_url)})
    run_state_machine_as_test(
        machine, settings=settings(max_examples=12, stateful_step_count=15, deadline=None)
    )
    # Ledgers that the machine filled and folded.
    assert next(_LedgerAndDictionary.numbers) - before > 12


def test_g10_a_backup_overwrites_nothing(ledger: Ledger, file: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to back up"):
        ledger.back_up(tmp_path / "copy.db")
    label(ledger, "cat")
    assert ledger.back_up(tmp_path / "copy.db") == 1
    with pytest.raises(UsageError, match="is there already"):
        ledger.back_up(tmp_path / "copy.db")
    with pytest.raises(StorageError, match="cannot back the ledger at"):
        ledger.back_up(tmp_path / "no" / "copy.db")


def test_g10_postgresql_has_its_own_backup(postgresql: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="back it up with pg_dump"):
        Ledger(postgresql).back_up(tmp_path / "copy.db")


def test_g5_postgresql_refuses_too(postgresql: str) -> None:
    ledger = Ledger(postgresql)
    label(ledger, "cat")
    before = ledger.events()
    engine = sa.create_engine(postgresql)
    for statement in ("UPDATE events SET author = 'eve'", "DELETE FROM events", "TRUNCATE events"):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), engine.begin() as connection:
            connection.execute(sa.text(statement))
    engine.dispose()
    assert ledger.events() == before
    assert ledger.verify() == 1


def test_a_batch_is_one_transaction_and_a_conflict_in_it_stops_nobody_else(ledger: Ledger) -> None:
    label(ledger, "cat", author="bob")
    fields = {"dataset": "d", "kind": "label", "author": "ann"}
    batch = [
        Entry(example_id="x", value={"label": "dog"}, seen=0, **fields),
        Entry(example_id="y", value={"label": "dog"}, seen=0, key="k", **fields),
        Entry(example_id="y", value={"label": "dog"}, seen=0, key="k", **fields),
    ]
    refused, saved, again = ledger.append_all(batch)
    assert isinstance(refused, ConflictError)
    assert refused.event.author == "bob"
    assert saved == again
    assert [event.seq for event in ledger.events(after=1)] == [2]
    with pytest.raises(UsageError, match="an author's name has 300 characters"):
        ledger.append_all([batch[0], Entry(**{**vars(batch[1]), "author": "a" * 300, "key": ""})])
    assert ledger.revision() == 2
    assert ledger.append_all([]) == []
    assert ledger.verify() == 2


def test_events_are_found_by_several_kinds(ledger: Ledger) -> None:
    for kind in ("label", "tag", "look", "tag"):
        label(ledger, "cat", kind=kind)
    assert [event.seq for event in ledger.events(kind=("tag", "look"))] == [2, 3, 4]
    assert [event.seq for event in ledger.events(kind="tag", after=2)] == [4]


def test_looks_are_counted(ledger: Ledger) -> None:
    assert looks.count(ledger, "d") == 0
    looks.look(ledger, ["b", "a"], dataset="d", author="ann")
    event = looks.look(ledger, ["a"], dataset="d", author="ann")
    looks.look(ledger, ["a"], dataset="e", author="ann")
    assert looks.count(ledger, "d") == 2
    assert looks.seen(ledger, "d") == {"a", "b"}
    assert event.value == {"run_ids": ["a"]}


def test_all_levels_of_the_latest_statement_count(ledger: Ledger) -> None:
    first = HumanLevel(error=0.2, n=100, source="one doctor")
    team = HumanLevel(error=0.1, n=200, source="team")
    target = HumanLevel(error=0.15, distribution="target")
    human.state(ledger, "d", [first], author="ann")
    human.state(ledger, "d", [team, first, target], author="ann")
    assert human.levels(ledger, "d") == [team, first, target]
    assert human.levels(ledger, "d", until=1) == [first]
    assert human.levels(ledger, "e") == []
    human.state(ledger, "d", [target], author="ann")
    assert human.levels(ledger, "d") == [target]


def test_an_event_of_one_human_level_is_still_read(ledger: Ledger) -> None:
    value = {"error": 0.1, "n": 5, "distribution": "train", "source": ""}
    ledger.append(dataset="d", kind=human.KIND, value=value, author="ann")
    assert human.levels(ledger, "d") == [HumanLevel(error=0.1, n=5)]


@pytest.mark.parametrize(
    ("level", "says"),
    [
        (HumanLevel(error=5), "human error 5 is no fraction"),
        (HumanLevel(error=float("nan")), "human error nan"),
        (HumanLevel(error="0.1"), "human error 0.1"),  # type: ignore[arg-type]
        (HumanLevel(error=0.1, n=0), "n 0 of a human level"),
        (HumanLevel(error=0.1, n=2.5), "n 2.5 of a human level"),  # type: ignore[arg-type]
        (HumanLevel(error=0.1, distribution="dev"), "distribution 'dev'"),  # type: ignore[arg-type]
        (0.1, "is no HumanLevel"),
    ],
)
def test_what_is_no_human_level_is_never_stated(ledger: Ledger, level: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        human.state(ledger, "d", [HumanLevel(error=0.1), level], author="ann")
    assert ledger.revision() == 0


def test_the_migrated_table_is_the_declared_one(ledger: Ledger, file: Path) -> None:
    label(ledger, "cat")
    engine = sa.create_engine(f"sqlite:///{file}")
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with engine.connect() as connection:
        options = {"version_table": "ledger_version", "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == HEAD
    engine.dispose()


def test_k6_a_newer_schema_is_refused(ledger: Ledger, file: Path) -> None:
    label(ledger, "cat")
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE ledger_version SET version_num = '0999'")
    connection.close()
    again = Ledger(f"sqlite:///{file}")
    for action in (again.events, again.verify, lambda: label(again, "dog")):
        with pytest.raises(StorageError, match=r"has schema 0999.*pip install --upgrade gapwise"):
            action()


def test_a_file_that_is_no_ledger_is_told(file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(b"not a database at all, not at all" * 40)
    with pytest.raises(StorageError, match=r"ledger.db is damaged \(file is not a database\)"):
        label(Ledger(f"sqlite:///{file}"), "cat")


@pytest.mark.parametrize("url", ["mysql://u:hunter2@h/d", "ledger.db", "sqlite+nothing://"])
def test_an_address_that_cannot_hold_a_ledger_is_refused(url: str) -> None:
    with pytest.raises((UsageError, StorageError)) as refused:
        label(Ledger(url), "cat")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45, 0), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 52, 0), False),
        ((3, 52, 1), True),
    ],
)
def test_wal_only_where_its_bug_is_fixed(version: tuple[int, ...], safe: bool) -> None:
    assert wal_is_safe(version) is safe


def test_values_are_stored_as_one_canonical_json(ledger: Ledger, file: Path) -> None:
    event = ledger.append(dataset="d", kind="k", value={"b": [1, 2.5], "a": None}, author="ann")
    with sqlite3.connect(file) as connection:
        (text,) = connection.execute("SELECT value FROM events").fetchone()
    connection.close()
    assert text == '{"a":null,"b":[1,2.5]}'
    assert json.loads(text) == event.value


HOLDER = """
import sqlite3, sys, time
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
time.sleep(float(sys.argv[2]))
"""


@pytest.mark.parametrize(("patience", "waits"), [(30_000, True), (200, False)])
def test_k7_another_programs_lock_is_waited_for_then_said(
    file: Path, monkeypatch: pytest.MonkeyPatch, patience: int, waits: bool
) -> None:
    label(Ledger(f"sqlite:///{file}"), "cat")
    monkeypatch.setattr("gapwise.database.PATIENCE_MS", patience)
    words = [sys.executable, "-c", HOLDER, str(file), "1.5"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        ledger = Ledger(f"sqlite:///{file}")
        if waits:
            label(ledger, "dog")
            assert holder.poll() is None or holder.returncode == 0
        else:
            with pytest.raises(StorageError, match="locked"):
                label(ledger, "dog")
    again = Ledger(f"sqlite:///{file}")
    assert again.verify() == again.revision() == (2 if waits else 1)
    label(again, "bird")
    assert again.events()[-1].value == {"label": "bird"}
