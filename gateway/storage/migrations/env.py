"""Run the migrations on the connection that was handed in: the caller holds the transaction and commits it."""

from __future__ import annotations

from alembic import context

from gateway.storage.tables import accounts

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=accounts.metadata,
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()
