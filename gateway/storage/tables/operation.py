"""What keeps the gateway itself going: limits, links, mail, the logs."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from gateway.storage.columns import LongNumber, UtcDateTime, metadata

# Keyed by a digest of the canonical e-mail, so that an unknown account behaves like a known one.
login_failures = Table(
    "login_failures",
    metadata,
    Column("account_key", LargeBinary(32), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_failed_at", UtcDateTime, nullable=False, index=True),
    Column("paused_until", UtcDateTime),
)

# Addresses that may not try secrets for a while; accounts carry their ban themselves.
banned_addresses = Table(
    "banned_addresses",
    metadata,
    Column("address", String(49), primary_key=True),
    Column("reason", String(200), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, index=True),
)

one_time_tokens = Table(
    "one_time_tokens",
    metadata,
    Column("token_digest", LargeBinary(32), primary_key=True),
    Column("purpose", String(32), nullable=False),
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE")),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Index("ix_one_time_tokens_purpose_account_id", "purpose", "account_id"),
)

# Mail that waits to be sent. `letter` is sealed, since a link in it is a credential, and goes once it was sent.
outbox = Table(
    "outbox",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("letter", LargeBinary),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("next_attempt_at", UtcDateTime, nullable=False, index=True),
    Column("attempts", Integer, nullable=False),
    Column("sent_at", UtcDateTime),
)

# Security events. `number` and `seal` are given by the sealer, which chains the rows in an order of its own.
audit_events = Table(
    "audit_events",
    metadata,
    Column("id", LongNumber, primary_key=True, autoincrement=True),
    Column("number", LongNumber, unique=True),
    Column("seal", LargeBinary(32)),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("kind", String(40), nullable=False),
    Column("succeeded", Boolean, nullable=False),
    Column("actor", String(80)),
    Column("account_id", String(36)),
    Column("email", String(254)),
    Column("client_address", String(45)),
    Column("request_id", String(36)),
    Column("details", Text, nullable=False),
    # With kind and moment: how long an account's history is must not show in the time of an answer about it.
    Index("ix_audit_events_account_id_kind_at", "account_id", "kind", "at"),
    sqlite_autoincrement=True,
)

audit_checkpoints = Table(
    "audit_checkpoints",
    metadata,
    Column("number", LongNumber, primary_key=True, autoincrement=False),
    Column("seal", LargeBinary(32), nullable=False),
    Column("mac", LargeBinary(32), nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

# Numbers never come back: AUTOINCREMENT on SQLite, a sequence on PostgreSQL.
invalidations = Table(
    "invalidations",
    metadata,
    Column("number", LongNumber, primary_key=True, autoincrement=True),
    Column("subject", String(80), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    sqlite_autoincrement=True,
)

secret_fingerprints = Table(
    "secret_fingerprints",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)
