"""Which tables are there? SQLAlchemy Core: the same statements run on SQLite and PostgreSQL."""

from __future__ import annotations

from gateway.storage.tables.accounts import (
    accounts,
    api_keys,
    challenges,
    pending_second_factors,
    recovery_codes,
    refresh_families,
    second_factors,
    sessions,
)
from gateway.storage.tables.operation import (
    audit_checkpoints,
    audit_events,
    banned_addresses,
    invalidations,
    login_failures,
    one_time_tokens,
    outbox,
    secret_fingerprints,
)
from gateway.storage.tables.organization import (
    group_members,
    groups,
    organizations,
    service_accounts,
    service_memberships,
    workspace_members,
    workspaces,
)

__all__ = [
    "accounts",
    "api_keys",
    "audit_checkpoints",
    "audit_events",
    "banned_addresses",
    "challenges",
    "group_members",
    "groups",
    "invalidations",
    "login_failures",
    "one_time_tokens",
    "organizations",
    "outbox",
    "pending_second_factors",
    "recovery_codes",
    "refresh_families",
    "second_factors",
    "secret_fingerprints",
    "service_accounts",
    "service_memberships",
    "sessions",
    "workspace_members",
    "workspaces",
]
