"""How mail is sent."""

from __future__ import annotations

import re
import ssl
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator

from gateway.config.section import Section, Whole
from gateway.grammar.email import NamedAddress, parse_named_address

_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_HOST = re.compile(r"[^\s:/@\[\]]+|[0-9A-Fa-f:.]+")


def _word(written: object) -> object:
    return written.strip().lower() if isinstance(written, str) else written


def _sender(written: object) -> object:
    if isinstance(written, NamedAddress):
        return written
    if not isinstance(written, str):
        message = "must be an e-mail address, perhaps with a name before it"
        raise ValueError(message)  # noqa: TRY004 - pydantic collects ValueError only
    sender = parse_named_address(written)
    if not sender.address.isascii():
        message = "must be an address that every server takes: write it in ASCII"
        raise ValueError(message)
    return sender


def _authority(written: object) -> object:
    if isinstance(written, Path):
        return written
    if not isinstance(written, str) or not written.strip() or not written.isprintable():
        message = "must be the path of a file with certificates"
        raise ValueError(message)
    try:
        ssl.create_default_context(cafile=written)
    except ssl.SSLError:
        message = f"the file {written} holds no certificate in PEM form"
        raise ValueError(message) from None
    except OSError as error:
        message = f"the file {written} cannot be read: {error.strerror}"
        raise ValueError(message) from None
    return Path(written)


class MailSettings(Section):
    """`smtp` sends, `file` writes each letter into the data folder, `none` has no mail at all."""

    transport: Annotated[Literal["smtp", "file", "none"], BeforeValidator(_word)] = Field(
        default="file", examples=["smtp"]
    )
    # Not set: gateway@ the public URL's host.
    sender: Annotated[NamedAddress, BeforeValidator(_sender)] | None = Field(
        default=None, examples=["Example <no-reply@example.com>"]
    )
    host: str | None = Field(default=None, min_length=1, max_length=255, examples=["smtp.example.com"])
    port: Whole | None = Field(default=None, ge=1, le=65535, examples=["587"])
    security: Annotated[Literal["starttls", "tls", "none"], BeforeValidator(_word)] = Field(
        default="starttls", examples=["starttls"]
    )
    # Not set: the authorities that this machine trusts.
    ca_file: Annotated[Path, BeforeValidator(_authority)] | None = Field(
        default=None, examples=["/etc/ssl/certs/our-authority.pem"]
    )
    username: str | None = Field(default=None, min_length=1, examples=["gateway"])
    password: SecretStr | None = Field(default=None, examples=["the mailbox's password"])

    @field_validator("host")
    @classmethod
    def _require_a_name(cls, host: str | None) -> str | None:
        if host is None:
            return None
        host = host.strip()
        if _HOST.fullmatch(host) is None:
            message = "must be the name of a server alone: its port goes into mail.port"
            raise ValueError(message)
        return host

    @model_validator(mode="after")
    def _require_a_server(self) -> Any:  # noqa: ANN401 - pydantic's signature
        if self.transport == "smtp" and self.host is None:
            message = "transport smtp needs mail.host: the name of the server that takes the mail"
            raise ValueError(message)
        if (self.username is None) != (self.password is None):
            message = "mail.username and mail.password belong together: set both or neither"
            raise ValueError(message)
        return self

    @property
    def server_port(self) -> int:
        """The port to connect to."""
        return self.port or _PORTS[self.security]
