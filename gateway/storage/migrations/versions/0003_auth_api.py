"""Second factors, half-finished logins, refresh families, bans, mail that waits, the audit log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_LONG_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _make_one_time_tokens_anew(
        sa.Column("account_id", sa.String(length=36), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_one_time_tokens_account_id_accounts"), ondelete="CASCADE"
        ),
    )
    op.create_index(op.f("ix_one_time_tokens_expires_at"), "one_time_tokens", ["expires_at"], unique=False)
    op.create_index("ix_one_time_tokens_purpose_account_id", "one_time_tokens", ["purpose", "account_id"], unique=False)
    op.create_table(
        "audit_checkpoints",
        sa.Column("number", _LONG_NUMBER, autoincrement=False, nullable=False),
        sa.Column("seal", sa.LargeBinary(length=32), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_checkpoints")),
    )
    op.create_table(
        "audit_events",
        sa.Column("id", _LONG_NUMBER, autoincrement=True, nullable=False),
        sa.Column("number", _LONG_NUMBER, nullable=True),
        sa.Column("seal", sa.LargeBinary(length=32), nullable=True),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("succeeded", sa.Boolean(), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=True),
        sa.Column("account_id", sa.String(length=36), nullable=True),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("client_address", sa.String(length=45), nullable=True),
        sa.Column("request_id", sa.String(length=36), nullable=True),
        sa.Column("details", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_events")),
        sa.UniqueConstraint("number", name=op.f("uq_audit_events_number")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_events_account_id_kind_at", "audit_events", ["account_id", "kind", "at"], unique=False)
    op.create_index(op.f("ix_audit_events_at"), "audit_events", ["at"], unique=False)
    op.create_table(
        "banned_addresses",
        sa.Column("address", sa.String(length=49), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_banned_addresses")),
    )
    op.create_index(op.f("ix_banned_addresses_expires_at"), "banned_addresses", ["expires_at"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("letter", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("next_attempt_at", _MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index(op.f("ix_outbox_next_attempt_at"), "outbox", ["next_attempt_at"], unique=False)
    op.create_table(
        "challenges",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("token_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("remember_me", sa.Boolean(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_challenges_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_challenges")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_challenges_token_digest")),
    )
    op.create_index(op.f("ix_challenges_account_id"), "challenges", ["account_id"], unique=False)
    op.create_index(op.f("ix_challenges_expires_at"), "challenges", ["expires_at"], unique=False)
    op.create_table(
        "pending_second_factors",
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("recovery_salt", sa.LargeBinary(length=16), nullable=False),
        sa.Column("recovery_digests", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_pending_second_factors_account_id_accounts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_pending_second_factors")),
    )
    op.create_index(
        op.f("ix_pending_second_factors_expires_at"), "pending_second_factors", ["expires_at"], unique=False
    )
    op.create_table(
        "recovery_codes",
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("code_digest", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_recovery_codes_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "code_digest", name=op.f("pk_recovery_codes")),
    )
    op.create_table(
        "second_factors",
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("last_step", sa.Integer(), nullable=True),
        sa.Column("recovery_salt", sa.LargeBinary(length=16), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_second_factors_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_second_factors")),
    )
    op.create_table(
        "refresh_families",
        sa.Column("session_id", sa.String(length=36), nullable=False),
        sa.Column("nonce", sa.LargeBinary(length=32), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("superseded", sa.Text(), nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_refresh_families_session_id_sessions"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_refresh_families")),
    )
    op.create_index(op.f("ix_refresh_families_expires_at"), "refresh_families", ["expires_at"], unique=False)
    op.add_column("accounts", sa.Column("banned_until", _MOMENT, nullable=True))
    op.add_column("accounts", sa.Column("second_factor_since", _MOMENT, nullable=True))
    op.add_column("accounts", sa.Column("logged_in_at", _MOMENT, nullable=True))
    op.add_column("accounts", sa.Column("registered_at", _MOMENT, nullable=True))
    op.create_index(op.f("ix_login_failures_last_failed_at"), "login_failures", ["last_failed_at"], unique=False)
    op.add_column("sessions", sa.Column("second_factor_at", _MOMENT, nullable=True))
    op.add_column("sessions", sa.Column("remembered", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("sessions", "remembered")
    op.drop_column("sessions", "second_factor_at")
    op.drop_index(op.f("ix_login_failures_last_failed_at"), table_name="login_failures")
    op.drop_column("accounts", "registered_at")
    op.drop_column("accounts", "logged_in_at")
    op.drop_column("accounts", "second_factor_since")
    op.drop_column("accounts", "banned_until")
    op.drop_index(op.f("ix_refresh_families_expires_at"), table_name="refresh_families")
    op.drop_table("refresh_families")
    op.drop_table("second_factors")
    op.drop_table("recovery_codes")
    op.drop_index(op.f("ix_pending_second_factors_expires_at"), table_name="pending_second_factors")
    op.drop_table("pending_second_factors")
    op.drop_index(op.f("ix_challenges_expires_at"), table_name="challenges")
    op.drop_index(op.f("ix_challenges_account_id"), table_name="challenges")
    op.drop_table("challenges")
    op.drop_index(op.f("ix_outbox_next_attempt_at"), table_name="outbox")
    op.drop_table("outbox")
    op.drop_index(op.f("ix_banned_addresses_expires_at"), table_name="banned_addresses")
    op.drop_table("banned_addresses")
    op.drop_index(op.f("ix_audit_events_at"), table_name="audit_events")
    op.drop_index("ix_audit_events_account_id_kind_at", table_name="audit_events")
    op.drop_table("audit_events")
    op.drop_table("audit_checkpoints")
    _make_one_time_tokens_anew()
    op.create_index("ix_one_time_tokens_purpose", "one_time_tokens", ["purpose"], unique=False)


def _make_one_time_tokens_anew(*more: sa.schema.SchemaItem) -> None:
    """Make the table with these parts added. What it held lives for minutes: a set-up link is made at each start."""
    op.drop_table("one_time_tokens")
    op.create_table(
        "one_time_tokens",
        sa.Column("token_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        *(part for part in more if isinstance(part, sa.Column)),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        *(part for part in more if isinstance(part, sa.Constraint)),
        sa.PrimaryKeyConstraint("token_digest", name=op.f("pk_one_time_tokens")),
    )
