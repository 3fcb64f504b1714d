"""The one place that opens sessions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from gateway.audit.events import EventKind, record
from gateway.mail.outbox import MailKind
from gateway.models import Account
from gateway.sessions import LoggedIn, Visitor, storable_user_agent
from gateway.storage.accounts import note_login

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.credentials.known_devices import KnownDevices
    from gateway.mail.outbox import Outbox
    from gateway.refresh_tokens import RefreshTokens
    from gateway.sessions import Sessions

_log = structlog.get_logger("gateway.security")


class LoginOpening:
    """Open a session for whoever has proven every factor that the account has."""

    def __init__(
        self, *, sessions: Sessions, refresh_tokens: RefreshTokens, devices: KnownDevices, outbox: Outbox
    ) -> None:
        self._sessions = sessions
        self._refresh_tokens = refresh_tokens
        self._devices = devices
        self._outbox = outbox

    async def open(  # noqa: PLR0913 - one argument for each thing that a login says about its session
        self,
        connection: AsyncConnection,
        account: Account,
        *,
        visitor: Visitor,
        remember_me: bool,
        with_second_factor: bool,
        with_refresh_token: bool = False,
    ) -> LoggedIn:
        """Open a session inside the transaction that counted the proof; programs get a refresh token with it."""
        now = datetime.now(UTC)
        session, token = await self._sessions.open(
            connection,
            account,
            visitor=visitor,
            remember_me=remember_me,
            with_second_factor=with_second_factor,
            now=now,
        )
        refresh_token = await self._refresh_tokens.issue(connection, session, now=now) if with_refresh_token else None
        device = visitor.device or self._devices.new()
        if account.logged_in_at is not None and account.email_verified and not device.knows(account.known_as):
            await self._tell_of_new_device(connection, account, visitor=visitor, now=now)
        await note_login(connection, account.id, now=now)
        await record(connection, EventKind.LOGIN, account=account, session_id=session.id)
        _log.info(
            "login_succeeded",
            client_address=visitor.client_address,
            account_id=account.id,
            session_id=session.id,
        )
        return LoggedIn(account, session, token, refresh_token, device=device.remember(account.known_as))

    async def _tell_of_new_device(
        self, connection: AsyncConnection, account: Account, *, visitor: Visitor, now: datetime
    ) -> None:
        """Post the letter by which the owner notices a login that was not theirs."""
        await self._outbox.post(
            connection,
            MailKind.NEW_DEVICE,
            to=account.email,
            now=now,
            name=account.name,
            client_address=visitor.client_address or "unknown",
            user_agent=storable_user_agent(visitor.user_agent or "unknown"),
            at=f"{now:%Y-%m-%d %H:%M} UTC",
        )
