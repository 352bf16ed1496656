"""The events table as SQLAlchemy sees it; migrations make and change it."""

from pathlib import Path

import sqlalchemy as sa

from gapwise.database import Schema

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

HEAD = "0001"
"""The newest migration."""

_MIGRATIONS = Path(__file__).parent / "migrations"


def _version(connection: sa.Connection) -> str:
    if not sa.inspect(connection).has_table("ledger_version"):
        return ""
    found = connection.execute(sa.text("SELECT version_num FROM ledger_version")).scalar()
    return str(found or "")


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


SCHEMA = Schema(
    noun="the ledger",
    variable="GAPWISE_LEDGER_URL",
    head=HEAD,
    version=_version,
    upgrade=_upgrade,
    lock=0x6761_7077,
    mend="restore a backup (gapwise doctor --backup makes one)",
)
