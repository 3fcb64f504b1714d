"""Security events: who, what, when, from where. Each is written in the transaction of what it records."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from gateway.storage.audit_events import find_email, insert_event

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.models import Account

_MAX_DETAIL = 200
# As wide as its column.
_MAX_ACTOR = 80
_MAX_EMAIL = 254
# PostgreSQL stores neither NUL nor half of a surrogate pair. What a stranger typed must not keep us from recording it.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class EventKind(StrEnum):
    """Everything that is audited."""

    LOGIN = "login"
    SECOND_FACTOR = "second_factor"
    SESSION_ENDED = "session_ended"
    REFRESH_REUSED = "refresh_reused"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the name of an event
    PASSWORD_HANDED_OVER = "password_handed_over"  # noqa: S105 - the name of an event
    PASSWORD_RESET_REQUESTED = "password_reset_requested"  # noqa: S105 - the name of an event
    PASSWORD_RESET = "password_reset"  # noqa: S105 - the name of an event
    REGISTERED = "registered"
    VERIFICATION_REQUESTED = "verification_requested"
    EMAIL_VERIFIED = "email_verified"
    SECOND_FACTOR_ENROLLED = "second_factor_enrolled"
    SECOND_FACTOR_DISABLED = "second_factor_disabled"
    RECOVERY_CODES_REPLACED = "recovery_codes_replaced"
    RECOVERY_CODE_SPENT = "recovery_code_spent"
    ACCOUNT_ADDED = "account_added"
    ACCOUNT_DISABLED = "account_disabled"
    ACCOUNT_ENABLED = "account_enabled"
    ACCOUNT_BANNED = "account_banned"
    ACCOUNT_UNBANNED = "account_unbanned"
    ADDRESS_BANNED = "address_banned"
    ADDRESS_UNBANNED = "address_unbanned"
    API_KEY_CREATED = "api_key_created"
    API_KEY_ROTATED = "api_key_rotated"
    API_KEY_ENDED = "api_key_ended"
    GROUP_CHANGED = "group_changed"
    ROLE_CHANGED = "role_changed"
    ACCOUNT_RENAMED = "account_renamed"
    ACCOUNT_REMOVED = "account_removed"
    WORKSPACE_CHANGED = "workspace_changed"
    SERVICE_ACCOUNT_CHANGED = "service_account_changed"
    ORGANIZATION_CHANGED = "organization_changed"
    ADMINISTRATOR_CREATED = "administrator_created"
    ACCOUNT_EXPIRED = "account_expired"
    SECRET_CHANGED = "secret_changed"  # noqa: S105 - the name of an event


@dataclass(frozen=True, slots=True)
class Circumstances:
    """From where something is done, and by whom if it is not the account concerned."""

    client_address: str | None = None
    request_id: str | None = None
    actor: str | None = None


_NONE = Circumstances()
_circumstances: ContextVar[Circumstances] = ContextVar("circumstances", default=_NONE)


@contextmanager
def under(circumstances: Circumstances) -> Iterator[None]:
    """Let everything that is recorded inside the block be under these circumstances."""
    token = _circumstances.set(circumstances)
    try:
        yield
    finally:
        _circumstances.reset(token)


def note_actor(account_id: str) -> None:
    """Say whose credential came with this request."""
    _circumstances.set(replace(_circumstances.get(), actor=account_id))


async def record(  # noqa: PLR0913 - one argument for each thing that is known about an event
    connection: AsyncConnection,
    kind: EventKind,
    *,
    account: Account | None = None,
    account_id: str | None = None,
    email: str | None = None,
    succeeded: bool = True,
    client_address: str | None = None,
    **details: str,
) -> None:
    """Record an event inside the caller's transaction: if it cannot be written, what it records does not happen.

    Details are for people; nothing secret belongs into them. The circumstances come from the request.
    """
    now = _circumstances.get()
    if account is not None:
        account_id, email = account.id, account.email
    if email is None and account_id is not None:
        email = await find_email(connection, account_id)
    await insert_event(
        connection,
        at=datetime.now(UTC),
        kind=kind.value,
        succeeded=succeeded,
        actor=_storable(_actor(kind, account_id, succeeded=succeeded), _MAX_ACTOR),
        account_id=account_id,
        email=_storable(email, _MAX_EMAIL),
        client_address=client_address or now.client_address,
        request_id=now.request_id,
        details=json.dumps({name: _storable(value, _MAX_DETAIL) for name, value in details.items()}, sort_keys=True),
    )


def _actor(kind: EventKind, account_id: str | None, *, succeeded: bool) -> str | None:
    """Say who did it: whose credential came along, or else who proved to be the account.

    Whoever logs in is the account, though the cookie of another may have come along. Who fails, or asks for a reset
    link, may be anybody.
    """
    if kind is EventKind.LOGIN and succeeded:
        return account_id
    proven = succeeded and kind is not EventKind.PASSWORD_RESET_REQUESTED
    return _circumstances.get().actor or (account_id if proven else None)


def _storable(text: str | None, length: int) -> str | None:
    return None if text is None else _UNSTORABLE.sub("\ufffd", text)[:length]
