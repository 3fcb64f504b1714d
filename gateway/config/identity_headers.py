"""Which headers tell the application who is there."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from gateway.config.section import Section, split_list

IdentityFact = Literal[
    "user",
    "user_id",
    "email",
    "name",
    "groups",
    "role",
    "organization",
    "organization_id",
    "workspace",
    "workspace_id",
    "auth_method",
    "auth_level",
]

PRESETS: dict[str, dict[str, IdentityFact]] = {
    "authelia": {
        "Remote-User": "user",
        "Remote-Email": "email",
        "Remote-Name": "name",
        "Remote-Groups": "groups",
        "Remote-Role": "role",
        "Remote-Organization": "organization",
        "Remote-Workspace": "workspace",
        "Remote-Auth-Method": "auth_method",
        "Remote-Auth-Level": "auth_level",
    },
    "oauth2-proxy": {
        "X-Auth-Request-User": "user",
        "X-Auth-Request-Email": "email",
        "X-Auth-Request-Preferred-Username": "name",
        "X-Auth-Request-Groups": "groups",
    },
    "langsmith": {
        "X-User-Id": "user_id",
        "X-Tenant-Id": "workspace_id",
        "X-Organization-Id": "organization_id",
    },
}

# What our own answers or the visitor's request carry: an identity header of that name would replace it.
_TAKEN = frozenset(
    {
        "accept",
        "accept-encoding",
        "accept-language",
        "access-control-request-method",
        "content-encoding",
        "keep-alive",
        "sec-fetch-dest",
        "sec-fetch-mode",
        "sec-fetch-site",
        "sec-purpose",
        "x-requested-with",
        "authorization",
        "cache-control",
        "connection",
        "content-length",
        "content-type",
        "cookie",
        "date",
        "expect",
        "forwarded",
        "host",
        "location",
        "origin",
        "proxy-authorization",
        "retry-after",
        "sec-websocket-key",
        "server",
        "set-cookie",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "via",
        "www-authenticate",
        "x-api-key",
        "x-auth-challenge",
        "x-auth-reason",
        "x-auth-strip",
        "x-content-type-options",
        "x-decision-id",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-method",
        "x-forwarded-port",
        "x-forwarded-proto",
        "x-forwarded-uri",
        "x-gateway-assertion",
        "x-original-method",
        "x-original-url",
        "x-real-ip",
        "x-request-id",
    }
)
_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")


def _preset(written: object) -> object:
    if written not in PRESETS:
        message = f"must be one of {', '.join(PRESETS)}"
        raise ValueError(message)
    return written


def _header_name(name: str) -> str:
    if not _HEADER_NAME.fullmatch(name) or name.lower() in _TAKEN:
        message = "must be a header name of letters, digits and hyphens that neither requests nor our answers use"
        raise ValueError(message)
    return name


def _header_name_or_nothing(name: str) -> str:
    return "" if name.lower() in {"", "none"} else _header_name(name)


# The header in which a request names its workspace; empty: in none. A variable has to say `none`.
WorkspaceHeader = Annotated[str, AfterValidator(_header_name_or_nothing)]


class IdentityHeaders(Section):
    """Presets and own names; every one of them is on every allowed answer, empty when unknown."""

    presets: Annotated[tuple[Annotated[str, BeforeValidator(_preset)], ...], BeforeValidator(split_list)] = Field(
        default=("authelia",), examples=["[authelia, oauth2-proxy]"]
    )
    headers: dict[Annotated[str, AfterValidator(_header_name)], IdentityFact] = Field(
        default={}, examples=["{X-Forwarded-User: user}"]
    )
    # UTF-8 passes every proxy unchanged; percent is for applications that cannot read it.
    encoding: Literal["utf-8", "percent"] = Field(default="utf-8", examples=["percent"])

    @model_validator(mode="after")
    def _require_one_spelling(self) -> Self:
        names = [name.lower() for name in self.facts]
        if len(set(names)) != len(names):
            message = "headers: a name stands twice, in different letter case: an application would read either"
            raise ValueError(message)
        return self

    @property
    def facts(self) -> dict[str, IdentityFact]:
        """Each header's name with the fact that it carries, in order."""
        merged: dict[str, IdentityFact] = {}
        for preset in self.presets:
            merged |= PRESETS[preset]
        return merged | self.headers
