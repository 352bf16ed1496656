"""How Alembic reaches the ledger: on the connection that ``upgrade`` was given."""

from alembic import context

from gapwise.ledger.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,
    version_table="ledger_version",
)
context.run_migrations()
