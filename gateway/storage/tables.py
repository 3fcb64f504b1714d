"""Every table, in SQLAlchemy Core: the same statements run on SQLite and PostgreSQL."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from gateway.storage.columns import UtcDateTime, metadata

# `slot` holds one constant under a unique index: the database itself refuses a second organization.
organizations = Table(
    "organizations",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("slot", Integer, nullable=False, unique=True),
    Column("display_name", String(80), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

workspaces = Table(
    "workspaces",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("organization_id", ForeignKey("organizations.id", ondelete="CASCADE"), nullable=False),
    Column("display_name", String(80), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("email", String(254), nullable=False, unique=True),
    Column("username", String(80), unique=True),
    Column("name", String(80), nullable=False),
    Column("password_hash", String(255)),
    Column("role", String(40), nullable=False),
    Column("email_verified", Boolean, nullable=False),
    Column("must_change_password", Boolean, nullable=False),
    Column("disabled_at", UtcDateTime),
    Column("banned_until", UtcDateTime),
    Column("second_factor_since", UtcDateTime),
    Column("logged_in_at", UtcDateTime),
    Column("registered_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("token_digest", LargeBinary(32), nullable=False, unique=True),
    Column("level", Integer, nullable=False),
    Column("idle_timeout_seconds", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_seen_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("second_factor_at", UtcDateTime),
    Column("remembered", Boolean, nullable=False),
    Column("client_address", String(45)),
    Column("user_agent", String(256)),
)

# One family of refresh tokens for each session. `superseded` is JSON: when each recent generation was replaced.
refresh_families = Table(
    "refresh_families",
    metadata,
    Column("session_id", ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("nonce", LargeBinary(32), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("superseded", Text, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
)

# Logins that have passed the first factor and wait for the second: never mistaken for a session.
challenges = Table(
    "challenges",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("token_digest", LargeBinary(32), nullable=False, unique=True),
    Column("remember_me", Boolean, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
)

# `secret` is sealed. `last_step` is the newest time step whose code was accepted.
second_factors = Table(
    "second_factors",
    metadata,
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("secret", LargeBinary, nullable=False),
    Column("last_step", Integer),
    Column("recovery_salt", LargeBinary(16), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("code_digest", LargeBinary(32), primary_key=True),
)

# An enrolment that was begun; the factor in force stays until it is confirmed. The digests stand one after another.
pending_second_factors = Table(
    "pending_second_factors",
    metadata,
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("secret", LargeBinary, nullable=False),
    Column("recovery_salt", LargeBinary(16), nullable=False),
    Column("recovery_digests", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
)

# Unique in the form in which names are compared, so that no two groups look alike to a rule.
groups = Table(
    "groups",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(80), nullable=False),
    Column("canonical_name", String(80), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
)

group_members = Table(
    "group_members",
    metadata,
    Column("group_id", ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True, index=True),
)

# `scopes` is JSON. `rotated_at` makes a key have one successor, however many ask for it at once.
api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", String(80), nullable=False),
    Column("prefix", String(32), nullable=False),
    Column("key_digest", LargeBinary(32), nullable=False, unique=True),
    Column("scopes", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
    Column("rotated_at", UtcDateTime),
)

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
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("number", Integer, unique=True),
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
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("seal", LargeBinary(32), nullable=False),
    Column("mac", LargeBinary(32), nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

# Numbers never come back: AUTOINCREMENT on SQLite, a sequence on PostgreSQL.
invalidations = Table(
    "invalidations",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
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
