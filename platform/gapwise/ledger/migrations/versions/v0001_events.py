"""The events table with the triggers that make it append-only."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_SQLITE = (
    """
    CREATE TRIGGER events_no_update BEFORE UPDATE ON events
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: nothing is updated'); END
    """,
    """
    CREATE TRIGGER events_no_delete BEFORE DELETE ON events
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: nothing is deleted'); END
    """,
    # INSERT OR REPLACE deletes without asking the delete trigger, so the insert is asked too.
    """
    CREATE TRIGGER events_only_next BEFORE INSERT ON events
    WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM events)
      OR EXISTS (SELECT 1 FROM events WHERE key = NEW.key)
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: only the next event can come'); END
    """,
)

_POSTGRESQL = (
    """
    CREATE FUNCTION gapwise_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'the ledger is append-only: nothing is updated or deleted'; END $$
    """,
    """
    CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE ON events
    FOR EACH ROW EXECUTE FUNCTION gapwise_refuse()
    """,
    """
    CREATE TRIGGER events_no_truncate BEFORE TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION gapwise_refuse()
    """,
)


def upgrade() -> None:
    """Make the table, its indices and its triggers."""
    op.create_table(
        "events",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("key", sa.String(256), nullable=False, unique=True),
        sa.Column("dataset", sa.String(256), nullable=False),
        sa.Column("example_id", sa.String(1024), nullable=False),
        sa.Column("kind", sa.String(256), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("author", sa.String(256), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("utc", sa.String(40), nullable=False),
        sa.Column("seen", sa.BigInteger),
        sa.Column("prev_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_index("events_by_example", "events", ["dataset", "example_id", "kind", "seq"])
    op.create_index("events_by_kind", "events", ["kind", "dataset", "seq"])
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in _SQLITE if is_sqlite else _POSTGRESQL:
        op.execute(sa.text(statement))
