"""A credential, whose it is, and what that one is in the organization: in one row, so of one moment."""

from __future__ import annotations

from sqlalchemy import ColumnElement, case, func, literal, select

from gateway.models import Account, ApiKey, ServiceAccount, Session, Standing
from gateway.storage.accounts import account_from_row
from gateway.storage.api_keys import api_key_from_row
from gateway.storage.organizations import ONLY_SLOT
from gateway.storage.prepared_reads import PreparedRead, Row
from gateway.storage.service_accounts import service_account_from_row
from gateway.storage.sessions import SESSION_COLUMNS, session_from_row
from gateway.storage.standing import (
    ORGANIZATION,
    every_workspace_if,
    group_names_of,
    memberships_of,
    service_memberships_of,
    standing_of,
)
from gateway.storage.tables import accounts, api_keys, organizations, service_accounts, sessions

# By its key: of a table with one row the server seldom has statistics, takes it for a long one, and reads others whole.
_THE_ORGANIZATION = organizations.c.slot == literal(ONLY_SLOT, literal_execute=True)

_SESSION = select(
    accounts,
    *SESSION_COLUMNS,
    *ORGANIZATION,
    group_names_of(accounts.c.id).label("group_names"),
    every_workspace_if(accounts.c.role, otherwise=memberships_of(accounts.c.id)).label("memberships"),
).select_from(
    sessions.join(accounts, accounts.c.id == sessions.c.account_id).outerjoin(organizations, _THE_ORGANIZATION)
)

_OWN: ColumnElement[str] = case(
    (accounts.c.id.is_not(None), memberships_of(accounts.c.id)), else_=service_memberships_of(service_accounts.c.id)
)
_API_KEY = select(
    *(column.label(f"api_key_{column.name}") for column in api_keys.c),
    accounts,
    *(column.label(f"service_{column.name}") for column in service_accounts.c),
    *ORGANIZATION,
    group_names_of(accounts.c.id).label("group_names"),
    every_workspace_if(func.coalesce(accounts.c.role, service_accounts.c.role), otherwise=_OWN).label("memberships"),
).select_from(
    api_keys.outerjoin(accounts, accounts.c.id == api_keys.c.account_id)
    .outerjoin(service_accounts, service_accounts.c.id == api_keys.c.service_account_id)
    .outerjoin(organizations, _THE_ORGANIZATION)
)

SESSION_BY_DIGEST = PreparedRead(_SESSION, sessions.c.token_digest)
SESSION_BY_ID = PreparedRead(_SESSION, sessions.c.id)
# An index is enough: nobody can choose a byte of the digest, so the look-up's time tells nothing.
API_KEY_BY_DIGEST = PreparedRead(_API_KEY, api_keys.c.key_digest)


def owned_session(row: Row) -> tuple[Session, Account, Standing | None]:
    """Read a session's row; there is no standing where there is no organization yet."""
    return session_from_row(row), account_from_row(row), standing_of(row)


def owned_api_key(row: Row) -> tuple[ApiKey, Account | ServiceAccount, Standing | None]:
    """Read an API key's row; there is no standing where there is no organization yet."""
    api_key = api_key_from_row(row, "api_key_")
    owner = service_account_from_row(row, "service_") if api_key.of_service else account_from_row(row)
    return api_key, owner, standing_of(row)
