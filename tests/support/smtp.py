"""A real SMTP server that keeps what it is given, for gateways whose mail has to arrive.

    async with start_mailbox() as mailbox, start_gateway(environment(tmp_path, **mailbox.environment)) as gateway:
        ...                                                    # something that is answered by mail
        letter = await mailbox.next_letter(to="ada@example.com")
        link = link_in(letter)                                 # tests.support.letters: text_of, html_of, link_in

`mailbox.letters` are all letters so far, in order; `await mailbox.wait_for(2)` gives them once there are two.
`next_letter` gives each letter once, so that a second call waits for the next one. `await mailbox.stop()` takes the
server down (connections are refused) and `await mailbox.start_again()` brings it back on the same port.
`mailbox.replies["bob@example.com"] = "550 5.1.1 no such mailbox"` refuses a recipient.

Parameters choose what the server is: `security` ("none", "starttls", "tls") with a `certificate` for `localhost`
(`tests.support.certificate`), `username` and `password` that it asks for, whether it knows `smtputf8`, and whether it
is `silent`: takes connections and never says a word.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import TYPE_CHECKING

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

if TYPE_CHECKING:
    from tests.support.certificate import CertificateFiles

_HOST = "localhost"
_PATIENCE_SECONDS = 30


@dataclass(slots=True)
class Mailbox:
    """What arrived, and how to reach the server; `environment` is what a gateway needs to send its mail here."""

    port: int
    security: str = "none"
    certificate: CertificateFiles | None = None
    username: str | None = None
    password: str | None = None
    smtputf8: bool = True
    silent: bool = False
    letters: list[EmailMessage] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    replies: dict[str, str] = field(default_factory=dict)
    _given: set[int] = field(default_factory=set)
    _server: asyncio.Server | None = None
    _connections: set[asyncio.BaseTransport] = field(default_factory=set)

    @property
    def environment(self) -> dict[str, str]:
        settings = {
            "TRANSPORT": "smtp",
            "HOST": _HOST,
            "PORT": str(self.port),
            "SECURITY": self.security,
            "USERNAME": self.username or "",
            "PASSWORD": self.password or "",
            "CA_FILE": str(self.certificate.chain) if self.certificate else "",
        }
        return {f"GATEWAY_MAIL__{name}": value for name, value in settings.items() if value}

    async def wait_for(self, count: int) -> list[EmailMessage]:
        """Give all letters once there are so many. Raises `TimeoutError` when they do not come."""
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while len(self.letters) < count:  # noqa: ASYNC110 - the server may run in another loop
                await asyncio.sleep(0.01)
        return list(self.letters)

    async def next_letter(self, *, to: str) -> EmailMessage:
        """Give the next letter to somebody that was not given yet. Raises `TimeoutError` when none comes."""
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while True:
                for number, (letter, recipient) in enumerate(zip(self.letters, self.recipients, strict=False)):
                    if recipient == to and number not in self._given:
                        self._given.add(number)
                        return letter
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Refuse connections, and cut off those that are open."""
        assert self._server is not None
        self._server.close()
        for connection in list(self._connections):
            assert isinstance(connection, asyncio.Transport)
            connection.abort()
        self._connections.clear()
        await self._server.wait_closed()
        self._server = None

    async def start_again(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            self._speak, sock=_listen(self.port), ssl=self._tls() if self.security == "tls" else None
        )

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's signature
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.username is not None and not session.authenticated:
            return "530 5.7.0 Authentication required"
        reply = self.replies.get(address, "250 OK")
        if reply.startswith("2"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        assert isinstance(envelope.content, bytes)
        [recipient] = envelope.rcpt_tos
        self.recipients.append(recipient)
        self.senders.append(envelope.mail_from or "")
        self.letters.append(email.message_from_bytes(envelope.content, policy=email.policy.SMTPUTF8))
        return "250 OK"

    def _speak(self) -> asyncio.Protocol:
        if self.silent:
            return _Silence(self._connections)
        protocol = _Server(
            self,
            connections=self._connections,
            loop=asyncio.get_running_loop(),
            hostname=_HOST,
            enable_SMTPUTF8=self.smtputf8,
            tls_context=self._tls() if self.security == "starttls" else None,
            require_starttls=self.security == "starttls",
            auth_require_tls=self.security == "starttls",
            authenticator=self._authenticate,
        )
        if self.username is None:
            # Otherwise the server offers AUTH, whoever listens.
            protocol._auth_methods = {}  # noqa: SLF001 - there is no public switch
        return protocol

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: object
    ) -> AuthResult:
        assert isinstance(given, LoginPassword)
        expected = LoginPassword((self.username or "").encode(), (self.password or "").encode())
        # Without handled=False a refused login is never answered.
        return AuthResult(success=given == expected, handled=False)

    def _tls(self) -> ssl.SSLContext:
        assert self.certificate is not None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate.chain, self.certificate.key)
        return context


@asynccontextmanager
async def start_mailbox(  # noqa: PLR0913 - one argument for each property of a server
    *,
    security: str = "none",
    certificate: CertificateFiles | None = None,
    username: str | None = None,
    password: str | None = None,
    smtputf8: bool = True,
    silent: bool = False,
) -> AsyncIterator[Mailbox]:
    """Run a server on a free port of this machine until the block ends."""
    with socket.socket() as reserved:
        # Stays bound without listening: nobody else gets the port while the server is stopped.
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        reserved.bind(("127.0.0.1", 0))
        mailbox = Mailbox(
            reserved.getsockname()[1],
            security=security,
            certificate=certificate,
            username=username,
            password=password,
            smtputf8=smtputf8,
            silent=silent,
        )
        await mailbox.start_again()
        try:
            yield mailbox
        finally:
            if mailbox._server is not None:  # noqa: SLF001 - its own
                await mailbox.stop()


class _Server(SMTP):
    def __init__(self, handler: Mailbox, *, connections: set[asyncio.BaseTransport], **options: object) -> None:
        super().__init__(handler, **options)  # type: ignore[arg-type]
        self._open = connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._open.add(transport)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self.transport is not None:
            self._open.discard(self.transport)
        super().connection_lost(error)


class _Silence(asyncio.Protocol):
    def __init__(self, connections: set[asyncio.BaseTransport]) -> None:
        self._open = connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._open.add(transport)


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind(("127.0.0.1", port))
    return listener
