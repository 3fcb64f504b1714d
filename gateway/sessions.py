"""How long do we remember?"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from gateway.credentials.known_devices import KnownDevice
from gateway.credentials.session_tokens import digest_token, make_token
from gateway.errors import TokenExpired
from gateway.models import Account, RefreshToken, Session, Standing
from gateway.storage import sessions as stored
from gateway.storage.credential_owners import SESSION_BY_DIGEST, SESSION_BY_ID, owned_session
from gateway.storage.last_use import LastUse

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.storage.database import Database
    from gateway.storage.prepared_reads import Row

# Password alone is one factor.
_LEVEL_OF_A_PASSWORD = 1
_LEVEL_OF_TWO_FACTORS = 2
_USER_AGENT_LENGTH = 256


@dataclass(frozen=True, slots=True)
class Visitor:
    """Where a login came from: kept with the session, so that people recognise their devices."""

    client_address: str | None
    user_agent: str | None
    device: KnownDevice | None = None


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """An open session. The token goes into the cookie and nowhere else; programs get one to refresh with as well.

    `device` is the browser as it is now that it knows the account.
    """

    account: Account
    session: Session
    token: str = field(repr=False)
    refresh_token: RefreshToken | None = None
    device: KnownDevice | None = None


@dataclass(frozen=True, slots=True)
class SessionLifetimes:
    idle_timeout: timedelta
    lifetime: timedelta
    remember_me_lifetime: timedelta


@dataclass(frozen=True, slots=True)
class KnownSession:
    """A session that counts now, with its account and what that is."""

    session: Session
    account: Account
    standing: Standing


class Sessions:
    """Open and find sessions. Ending them is `revocation`'s, which writes the invalidation log."""

    def __init__(self, database: Database, *, token_key: bytes, lifetimes: SessionLifetimes) -> None:
        self._database = database
        self._token_key = token_key
        self._lifetimes = lifetimes
        self.last_use = LastUse(database, write=stored.touch_sessions)

    def digest(self, token: str) -> bytes:
        return digest_token(token, key=self._token_key)

    async def open(  # noqa: PLR0913 - one argument for each thing that a login says about its session
        self,
        connection: AsyncConnection,
        account: Account,
        *,
        visitor: Visitor,
        remember_me: bool,
        with_second_factor: bool,
        now: datetime,
    ) -> tuple[Session, str]:
        """Open a session inside the caller's transaction; returns it and its token, which is told to nobody else."""
        lifetime = self._lifetimes.remember_me_lifetime if remember_me else self._lifetimes.lifetime
        session = Session(
            id=str(uuid4()),
            account_id=account.id,
            created_at=now,
            last_seen_at=now,
            expires_at=now + lifetime,
            idle_timeout=lifetime if remember_me else self._lifetimes.idle_timeout,
            level=_LEVEL_OF_TWO_FACTORS if with_second_factor else _LEVEL_OF_A_PASSWORD,
            second_factor_at=now if with_second_factor else None,
            remembered=remember_me,
        )
        token = make_token()
        await stored.insert_session(
            connection,
            session,
            token_digest=self.digest(token),
            client_address=visitor.client_address,
            user_agent=visitor.user_agent and storable_user_agent(visitor.user_agent),
        )
        return session, token

    async def renew_token(self, connection: AsyncConnection, session_id: str) -> str:
        """Give a session a new token inside the caller's transaction; the old one is dead with the commit.

        Raises `TokenExpired` when the session has ended meanwhile.
        """
        token = make_token()
        if not await stored.replace_token(connection, session_id, token_digest=self.digest(token)):
            raise TokenExpired
        return token

    async def note_second_factor(self, connection: AsyncConnection, session_id: str, *, at: datetime | None) -> None:
        """Let a session stand for two factors, the second one proven then; with `None` for a password alone.

        Raises `TokenExpired` when the session has ended meanwhile.
        """
        level = _LEVEL_OF_A_PASSWORD if at is None else _LEVEL_OF_TWO_FACTORS
        if not await stored.set_second_factor(connection, session_id, level=level, second_factor_at=at):
            raise TokenExpired

    async def find_by_token(self, token: str) -> KnownSession | None:
        return _known(await self._database.look_up(SESSION_BY_DIGEST, self.digest(token)), self.last_use)

    def find_by_token_at_once(self, token: str) -> KnownSession | None:
        """Find without waiting, where the database can do that; `None` says nothing."""
        return _known(self._database.look_up_at_once(SESSION_BY_DIGEST, self.digest(token)), self.last_use)

    async def find_within(self, connection: AsyncConnection, session_id: str) -> KnownSession | None:
        """Find inside the caller's transaction: what is decided on it still holds when it commits."""
        return _known(await SESSION_BY_ID.ask(connection, session_id), self.last_use)

    async def find(self, session_id: str) -> KnownSession | None:
        return _known(await self._database.look_up(SESSION_BY_ID, session_id), self.last_use)

    def find_at_once(self, session_id: str) -> KnownSession | None:
        """Find without waiting, where the database can do that; `None` says nothing."""
        return _known(self._database.look_up_at_once(SESSION_BY_ID, session_id), self.last_use)


async def list_open_sessions(
    database: Database, last_use: LastUse, *, account_id: str | None = None
) -> list[stored.StoredSession]:
    """Give the sessions that count now, of one account or of everybody, the newest first."""
    async with database.read() as connection:
        found = await stored.list_sessions(connection, account_id)
    now = datetime.now(UTC)
    seen = (replace(one, session=_as_last_seen(one.session, last_use)) for one in found)
    return [one for one in seen if _is_open(one.session, now)]


def _as_last_seen(session: Session, last_use: LastUse) -> Session:
    """Count the uses of this process that wait to be written."""
    seen_at = last_use.latest(session.id, session.last_seen_at)
    # Mostly none waits, and to make a session anew would take as long as to find one.
    return session if seen_at is None or seen_at == session.last_seen_at else replace(session, last_seen_at=seen_at)


def _is_open(session: Session, now: datetime) -> bool:
    return session.expires_at > now and session.idle_expires_at > now


def storable_user_agent(user_agent: str) -> str:
    """Cut to what is kept; bytes that are no UTF-8 arrive as surrogates, which no database takes."""
    return user_agent[:_USER_AGENT_LENGTH].encode("utf-8", "replace").decode()


def _known(row: Row | None, last_use: LastUse) -> KnownSession | None:
    if row is None:
        return None
    session, account, standing = owned_session(row)
    session = _as_last_seen(session, last_use)
    now = datetime.now(UTC)
    if standing is None or not account.active(now) or not _is_open(session, now):
        return None
    return KnownSession(session, account, standing)
