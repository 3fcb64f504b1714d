"""Why a letter did not go, and what helps."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from enum import StrEnum

from aiosmtplib import (
    SMTPAuthenticationError,
    SMTPDataError,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)

_LONGEST_REPLY = 200
_PERMANENT = 500
_AUTHENTICATION_REQUIRED = 530
# RFC 3463 section 3.8: security or policy. The server refuses us ("relay access denied"), not the mailbox.
_POLICY = re.compile(r"5\.7\.")


class Failure(StrEnum):
    """Stable words for the log."""

    UNKNOWN_HOST = "unknown_host"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    CERTIFICATE = "certificate"
    TLS = "tls"
    LOGIN = "login"
    SENDER = "sender"
    RECIPIENT = "recipient"
    LETTER = "letter"
    SERVER = "server"
    FOLDER = "folder"


class MailFailure(Exception):
    """A letter did not go. `permanent` means that trying again cannot help."""

    def __init__(self, failure: Failure, sentence: str, *, cure: str, permanent: bool = False) -> None:
        super().__init__(sentence)
        self.failure = failure
        self.sentence = sentence
        self.cure = cure
        self.permanent = permanent


def explain(error: Exception, *, server: str, recipient: str) -> MailFailure:
    """Say why the server did not take a letter; its address is nobody's business who reads the log."""
    if isinstance(error, SMTPRecipientsRefused) and error.recipients:
        return _recipient_refused(error.recipients[0], server, recipient)
    if isinstance(error, SMTPResponseException):
        return _refused(error, server, recipient)
    reasons = (_of_the_network(cause, server) for cause in _causes(error))
    # Last of all: errors of certificates are ValueErrors, too.
    return next(filter(None, reasons), None) or _of_the_protocol(error, server)


def _recipient_refused(error: SMTPResponseException, server: str, recipient: str) -> MailFailure:
    reply = _shown(error, recipient)
    if error.code == _AUTHENTICATION_REQUIRED or _POLICY.match(error.message):
        return MailFailure(
            Failure.LOGIN,
            f"{server} does not relay for us: {reply}",
            cure="set mail.username and mail.password, or let the server relay for this machine",
        )
    permanent = error.code >= _PERMANENT
    return MailFailure(
        Failure.RECIPIENT,
        f"{server} refused the recipient: {reply}",
        cure="ask the person for an address that takes mail" if permanent else "wait: it is tried again",
        permanent=permanent,
    )


def _refused(error: SMTPResponseException, server: str, recipient: str) -> MailFailure:
    reply = _shown(error, recipient)
    match error:
        case SMTPAuthenticationError():
            return MailFailure(
                Failure.LOGIN,
                f"{server} refused the login: {reply}",
                cure="check mail.username and mail.password; some providers want a password made for programs",
            )
        case SMTPSenderRefused():
            return MailFailure(
                Failure.SENDER,
                f"{server} refused the sender: {reply}",
                cure="set mail.sender to an address that this server sends for; or log in to it",
            )
        case SMTPDataError():
            return MailFailure(
                Failure.LETTER, f"{server} refused the letter: {reply}", cure="the server's log says more about it"
            )
        case _:
            return MailFailure(
                Failure.SERVER, f"{server} refused to talk: {reply}", cure="the server's log says more about it"
            )


def _of_the_network(cause: BaseException, server: str) -> MailFailure | None:
    match cause:
        case socket.gaierror():
            return MailFailure(
                Failure.UNKNOWN_HOST,
                f"nobody knows the host of {server} ({cause.strerror})",
                cure="check mail.host, and this machine's DNS",
            )
        case ssl.SSLCertVerificationError():
            return MailFailure(
                Failure.CERTIFICATE,
                f"the certificate of {server} is not accepted: {cause.verify_message.rstrip('.')}",
                cure="write mail.host as it stands in the certificate; for an authority of your own set mail.ca_file",
            )
        case ssl.SSLError():
            return MailFailure(Failure.TLS, f"no TLS with {server} ({cause.reason})", cure=_check_port())
        case TimeoutError():
            return MailFailure(Failure.TIMEOUT, f"{server} did not answer in time", cure=_check_port())
        case ConnectionRefusedError():
            return MailFailure(
                Failure.UNREACHABLE,
                f"nothing listens at {server}",
                cure="see that the server runs; check mail.host and mail.port",
            )
        case _:
            return None


def _of_the_protocol(error: Exception, server: str) -> MailFailure:
    match error:
        case SMTPNotSupported() | ValueError():
            return MailFailure(
                Failure.RECIPIENT,
                f"{server} does not take addresses beyond ASCII",
                cure="use a server that knows SMTPUTF8",
                permanent=True,
            )
        case OSError():
            return MailFailure(
                Failure.UNREACHABLE,
                f"there is no connection to {server}, or it was cut off",
                cure="see that the server runs and that no firewall is in between; check mail.host and mail.port",
            )
        case _:
            return MailFailure(
                Failure.SERVER, f"{server} did not speak SMTP with us ({type(error).__name__})", cure=_check_port()
            )


def _check_port() -> str:
    return "check mail.port and mail.security (587 with starttls, 465 with tls, 25 with none), and firewalls in between"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Go from what the library raised to what happened."""
    current: BaseException | None = error.__cause__ or error.__context__
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__
    yield error


def _shown(error: SMTPResponseException, recipient: str) -> str:
    reply = " ".join(error.message.split()).replace(recipient, "(the recipient)")
    return f"{error.code} {reply}"[:_LONGEST_REPLY]
