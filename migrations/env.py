"""Alembic's entry. `factory.store.db` hands it an open connection; it owns no settings of its own."""

from __future__ import annotations

from alembic import context

from factory.store.schema import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",  # SQLite alters a table by copying it
    transaction_per_migration=False,
)
context.run_migrations()
