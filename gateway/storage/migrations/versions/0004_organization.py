"""Modes, workspaces with members, service accounts that own keys, limits on keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_COLUMNS = "id, account_id, name, prefix, key_digest, scopes, created_at, expires_at, last_used_at, rotated_at"


def upgrade() -> None:
    op.add_column("organizations", sa.Column("auth_mode", sa.String(length=10), nullable=False, server_default="basic"))
    op.add_column("organizations", sa.Column("default_account_id", sa.String(length=36), nullable=True))
    op.add_column(
        "organizations", sa.Column("pat_creation_disabled", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("organizations", sa.Column("max_api_key_expiry_days", sa.Integer(), nullable=True))
    op.add_column("organizations", sa.Column("max_pat_expiry_days", sa.Integer(), nullable=True))
    op.add_column("organizations", sa.Column("max_service_key_expiry_days", sa.Integer(), nullable=True))
    op.add_column("workspaces", sa.Column("canonical_name", sa.String(length=80), nullable=False, server_default=""))
    # There is one, and its name is `Default`.
    op.execute("UPDATE workspaces SET canonical_name = lower(display_name)")
    op.create_index("uq_workspaces_canonical_name", "workspaces", ["canonical_name"], unique=True)
    op.create_table(
        "workspace_members",
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_workspace_members_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspaces.id"],
            name=op.f("fk_workspace_members_workspace_id_workspaces"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "account_id", name=op.f("pk_workspace_members")),
    )
    op.create_index(op.f("ix_workspace_members_account_id"), "workspace_members", ["account_id"], unique=False)
    # Everybody was in the one workspace.
    op.execute(
        "INSERT INTO workspace_members (workspace_id, account_id, role, created_at) "
        "SELECT workspaces.id, accounts.id, "
        "CASE accounts.role WHEN 'Organization Admin' THEN 'Admin' ELSE 'Editor' END, accounts.created_at "
        "FROM accounts CROSS JOIN workspaces"
    )
    op.create_table(
        "service_accounts",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("canonical_name", sa.String(length=80), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("default_workspace_id", sa.String(length=36), nullable=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["default_workspace_id"],
            ["workspaces.id"],
            name=op.f("fk_service_accounts_default_workspace_id_workspaces"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_accounts")),
        sa.UniqueConstraint("canonical_name", name=op.f("uq_service_accounts_canonical_name")),
    )
    op.create_table(
        "service_memberships",
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("service_account_id", sa.String(length=36), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["service_account_id"],
            ["service_accounts.id"],
            name=op.f("fk_service_memberships_service_account_id_service_accounts"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspaces.id"],
            name=op.f("fk_service_memberships_workspace_id_workspaces"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "service_account_id", name=op.f("pk_service_memberships")),
    )
    op.create_index(
        op.f("ix_service_memberships_service_account_id"),
        "service_memberships",
        ["service_account_id"],
        unique=False,
    )
    _make_api_keys_anew(
        sa.Column("account_id", sa.String(length=36), nullable=True),
        sa.Column("service_account_id", sa.String(length=36), nullable=True),
        sa.ForeignKeyConstraint(
            ["service_account_id"],
            ["service_accounts.id"],
            name=op.f("fk_api_keys_service_account_id_service_accounts"),
            ondelete="CASCADE",
        ),
        sa.CheckConstraint("(account_id IS NULL) <> (service_account_id IS NULL)", name=op.f("ck_api_keys_owner")),
    )
    op.create_index(op.f("ix_api_keys_service_account_id"), "api_keys", ["service_account_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_api_keys_service_account_id"), table_name="api_keys")
    # The former version knows no owner for them.
    op.execute("DELETE FROM api_keys WHERE account_id IS NULL")
    _make_api_keys_anew(sa.Column("account_id", sa.String(length=36), nullable=False))
    op.drop_index(op.f("ix_service_memberships_service_account_id"), table_name="service_memberships")
    op.drop_table("service_memberships")
    op.drop_table("service_accounts")
    op.drop_index(op.f("ix_workspace_members_account_id"), table_name="workspace_members")
    op.drop_table("workspace_members")
    op.drop_index("uq_workspaces_canonical_name", table_name="workspaces")
    op.drop_column("workspaces", "canonical_name")
    for column in (
        "max_service_key_expiry_days",
        "max_pat_expiry_days",
        "max_api_key_expiry_days",
        "pat_creation_disabled",
        "default_account_id",
        "auth_mode",
    ):
        op.drop_column("organizations", column)


def _make_api_keys_anew(*parts: sa.schema.SchemaItem) -> None:
    """Make the table with these owners, and with what it held: SQLite cannot change a column."""
    op.execute(f"CREATE TABLE api_keys_before AS SELECT {_COLUMNS} FROM api_keys")  # noqa: S608 - names of columns
    op.drop_index(op.f("ix_api_keys_account_id"), table_name="api_keys")
    op.drop_table("api_keys")
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=36), nullable=False),
        *(part for part in parts if isinstance(part, sa.Column)),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("prefix", sa.String(length=32), nullable=False),
        sa.Column("key_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=True),
        sa.Column("last_used_at", _MOMENT, nullable=True),
        sa.Column("rotated_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_api_keys_account_id_accounts"), ondelete="CASCADE"
        ),
        *(part for part in parts if isinstance(part, sa.Constraint)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("key_digest", name=op.f("uq_api_keys_key_digest")),
    )
    op.create_index(op.f("ix_api_keys_account_id"), "api_keys", ["account_id"], unique=False)
    op.execute(f"INSERT INTO api_keys ({_COLUMNS}) SELECT {_COLUMNS} FROM api_keys_before")  # noqa: S608 - the same
    op.drop_table("api_keys_before")
