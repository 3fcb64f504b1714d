"""Mail over SMTP, with the server's certificate verified for its name."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from aiosmtplib import SMTP, SMTPException

from gateway.grammar.hosts import is_ip_host
from gateway.mail.failures import Failure, MailFailure, explain

if TYPE_CHECKING:
    from email.message import EmailMessage

    from gateway.config.mail import MailSettings
    from gateway.mail.outbox import PostedLetter

# For a letter as a whole. Servers that check for spam while we wait take seconds.
DEADLINE = timedelta(seconds=45)
_CONNECTING = timedelta(seconds=10)
_FAREWELL = timedelta(seconds=1)


class SmtpTransport:
    """Hands each letter to the configured server, over a connection of its own."""

    def __init__(self, settings: MailSettings, *, host_name: str, deadline: timedelta = DEADLINE) -> None:
        self._settings = settings
        self._greeting = _own_name(host_name)
        self._deadline = deadline.total_seconds()
        # Made once: it reads every authority that this machine trusts.
        self._tls = ssl.create_default_context(cafile=settings.ca_file)
        self._server = f"{settings.host}:{settings.server_port}"

    async def send(self, letter: PostedLetter, message: EmailMessage) -> str:
        client = SMTP(
            hostname=self._settings.host,
            port=self._settings.server_port,
            local_hostname=self._greeting,
            timeout=self._deadline,
            use_tls=self._settings.security == "tls",
            start_tls=False,
            tls_context=self._tls,
        )
        try:
            async with asyncio.timeout(self._deadline):
                await self._connect(client)
                await client.send_message(message)
        except (SMTPException, OSError, ValueError) as error:
            raise explain(error, server=self._server, recipient=letter.to) from error
        finally:
            await _leave(client)
        return f"{self._server} ({self._settings.security})"

    async def _connect(self, client: SMTP) -> None:
        await client.connect(timeout=min(_CONNECTING.total_seconds(), self._deadline))
        await client.ehlo()
        if self._settings.security == "starttls":
            # Never without: whoever sits in between may have taken the offer away (RFC 3207 section 6).
            if not client.supports_extension("starttls"):
                raise MailFailure(
                    Failure.TLS,
                    f"{self._server} offers no STARTTLS",
                    cure="set mail.security to tls (port 465), or to none for a server on this machine",
                )
            await client.starttls()
            await client.ehlo()
        if self._settings.username is not None and self._settings.password is not None:
            if not client.supported_auth_methods:
                raise MailFailure(
                    Failure.LOGIN,
                    f"{self._server} offers no login that we know",
                    cure="remove mail.username and mail.password, or use the port that is meant for sending",
                )
            await client.login(self._settings.username, self._settings.password.get_secret_value())


async def _leave(client: SMTP) -> None:
    """Say goodbye; what the server answers to it changes nothing about the letter."""
    try:
        if client.is_connected:
            with suppress(SMTPException, OSError):
                await client.quit(timeout=_FAREWELL.total_seconds())
    finally:
        client.close()


def _own_name(host: str) -> str:
    """Write an address as EHLO wants it (RFC 5321 section 4.1.3)."""
    if not is_ip_host(host):
        return host
    return f"[IPv6:{host[1:-1]}]" if host.startswith("[") else f"[{host}]"
