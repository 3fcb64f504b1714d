"""Login by somebody else's OAuth provider, in LangSmith's words."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr

from gateway.config.section import Section, TruthValue
from gateway.grammar.hosts import is_local_host, split_host_and_port

_ISSUER = re.compile(r"(?P<scheme>https?)://(?P<authority>[^/?#@\\\s]+)(?:/[!-\"$->@-\[\]-~]*)?", re.ASCII)


def _issuer_url(written: object) -> str:
    """Read an issuer as its provider writes it: it is compared letter by letter (OpenID Connect Discovery, 3)."""
    match = _ISSUER.fullmatch(written) if isinstance(written, str) else None
    if match is None:
        message = "must be https://, a host, and perhaps a port and a path; no query, fragment or user"
        raise ValueError(message)
    host, _ = split_host_and_port(match["authority"])
    if match["scheme"] == "http" and not is_local_host(host):
        message = "is http: whoever is on the way could name any visitor, use https"
        raise ValueError(message)
    return match.string


class OAuth(Section):
    """The provider. `enabled: false` passes over the rest, as LangSmith's values have it."""

    enabled: TruthValue | None = Field(default=None, examples=["true"])
    client_id: str | None = Field(default=None, min_length=1, examples=["gateway"])
    client_secret: SecretStr | None = Field(default=None, min_length=1, examples=["what the provider shows for it"])
    issuer_url: Annotated[str, BeforeValidator(_issuer_url)] | None = Field(
        default=None, examples=["https://login.example.com"]
    )
