"""People, and what proves them: sessions, second factors, keys."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Integer, LargeBinary, String, Table, Text

from gateway.storage.columns import UtcDateTime, metadata

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

# `scopes` is JSON. `rotated_at` makes a key have one successor, however many ask for it at once.
api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), index=True),
    Column("service_account_id", ForeignKey("service_accounts.id", ondelete="CASCADE"), index=True),
    Column("name", String(80), nullable=False),
    Column("prefix", String(32), nullable=False),
    Column("key_digest", LargeBinary(32), nullable=False, unique=True),
    Column("scopes", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
    Column("rotated_at", UtcDateTime),
    CheckConstraint("(account_id IS NULL) <> (service_account_id IS NULL)", name="ck_api_keys_owner"),
)
