"""What is said about a route: beside it in `routes.py`, and from there in the document."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.errors import GatewayError
    from gateway.permissions import Permission
    from gateway.web.bodies import Body
    from gateway.web.queries import Query
    from gateway.web.rows import Rows


class Tag(enum.StrEnum):
    """The headings of the document, in their order."""

    SESSIONS = "Sessions"
    ACCOUNT = "Account"
    SECOND_FACTOR = "Second factor"
    REGISTRATION = "Registration and reset"
    API_KEYS = "API keys"
    ORGANIZATION = "Organization"
    MEMBERS = "Members"
    WORKSPACES = "Workspaces"
    GROUPS = "Groups"
    SERVICE_ACCOUNTS = "Service accounts"
    INSTALLATION = "This installation"
    PROXIES = "Checks, for proxies"


class Credential(enum.StrEnum):
    """What a route takes as proof, under the name that the document gives it."""

    ACCESS_TOKEN = "accessToken"  # noqa: S105 - a name
    SESSION_COOKIE = "sessionCookie"
    REFRESH_COOKIE = "refreshCookie"
    API_KEY = "apiKey"
    BASIC = "basic"


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer. `content` is a model, or a type over models such as `list[…]`; None has no body."""

    description: str
    content: Any = None
    sets_cookies: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    """One in the query or a header. `kind` is a type name of JSON Schema."""

    name: str
    description: str
    kind: str = "string"
    place: str = "query"


@dataclass(frozen=True, slots=True)
class Operation:
    """All that a route's path, method and guard do not say.

    `credentials`: any of them is proof enough; none are needed if it is empty, or if `anonymous` may ask as well.
    `refusals`: those of this route's own; what every body or access token can be refused for is known already.
    """

    tag: Tag
    summary: str
    answers: Mapping[int, Answer]
    description: str = ""
    body: type[Body | Rows[Any]] | None = None
    # Parameters that are looked at, beside those that are only described.
    query: type[Query] | None = None
    parameters: tuple[Parameter, ...] = ()
    # What the parts of the path are.
    path_parts: Mapping[str, str] = field(default_factory=dict)
    credentials: tuple[Credential, ...] = (Credential.ACCESS_TOKEN,)
    anonymous: bool = False
    refusals: tuple[type[GatewayError], ...] = ()
    # Whoever still has the password that an administrator chose may ask all the same.
    password_may_be_due: bool = False
    # Asked by proxies, never by an application's own code: all that is answered stands in `answers`.
    internal: bool = False


@dataclass(frozen=True, slots=True)
class DescribedRoute:
    """A route as the router has it. `same_origin`: another site's page is refused."""

    method: str
    path: str
    same_origin: bool
    operation: Operation
    permission: Permission | None = None
