"""The events table as SQLAlchemy sees it; migrations make and change it."""

import sqlalchemy as sa

metadata = sa.MetaData()

EVENTS = sa.Table(
    "events",
    metadata,
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
    sa.Index("events_by_example", "dataset", "example_id", "kind", "seq"),
    sa.Index("events_by_kind", "kind", "dataset", "seq"),
)
