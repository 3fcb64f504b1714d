"""The organization: workspaces, groups, service accounts, and who is in them."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table

from gateway.storage.columns import UtcDateTime, metadata

# `slot` holds one constant under a unique index: the database itself refuses a second organization.
organizations = Table(
    "organizations",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("slot", Integer, nullable=False, unique=True),
    Column("display_name", String(80), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("auth_mode", String(10), nullable=False),
    # Whoever asks without a credential where nobody logs in. The account can never be removed, being the last admin.
    Column("default_account_id", String(36)),
    Column("pat_creation_disabled", Boolean, nullable=False),
    Column("max_api_key_expiry_days", Integer),
    Column("max_pat_expiry_days", Integer),
    Column("max_service_key_expiry_days", Integer),
)

# Names are unique in the form in which they are compared: applications may know a workspace by its name alone.
workspaces = Table(
    "workspaces",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("organization_id", ForeignKey("organizations.id", ondelete="CASCADE"), nullable=False),
    Column("display_name", String(80), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("canonical_name", String(80), nullable=False),
    Index("uq_workspaces_canonical_name", "canonical_name", unique=True),
)

workspace_members = Table(
    "workspace_members",
    metadata,
    Column("workspace_id", ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True),
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("role", String(20), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

# A table of their own: what logs in and what owns keys of programs can never be mistaken for each other.
service_accounts = Table(
    "service_accounts",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(80), nullable=False),
    Column("canonical_name", String(80), nullable=False, unique=True),
    Column("role", String(40), nullable=False),
    Column("default_workspace_id", ForeignKey("workspaces.id", ondelete="SET NULL")),
    Column("created_at", UtcDateTime, nullable=False),
)

service_memberships = Table(
    "service_memberships",
    metadata,
    Column("workspace_id", ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True),
    Column("service_account_id", ForeignKey("service_accounts.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("role", String(20), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
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
