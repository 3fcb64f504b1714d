"""Where in a head everything stands: worked out once for each sequence of names, of which a proxy sends only a few."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import itemgetter

from gateway.forward_auth.original_request import Endpoint, family_of

# Answers are kept by these very tuples.
COOKIE = ("cookie",)
_AUTHORIZATION = ("authorization",)
_API_KEY = ("x-api-key",)
_BOTH = {_AUTHORIZATION: COOKIE + _AUTHORIZATION, _API_KEY: COOKIE + _API_KEY}


@dataclass(frozen=True, slots=True)
class HeadLayout:
    """The spelling under which each header was sent that a check reads; `None`: it was not.

    `rest` gives the values of the family's headers but for the target.
    """

    family: tuple[bytes, ...]
    target: bytes
    rest: Callable[[Mapping[bytes, bytes]], object]
    cookie: bytes | None
    authorization: bytes | None
    api_key: bytes | None
    forwarded_for: bytes | None
    workspace: bytes | None

    # Which headers hold credentials of ours where an API key or a token is found, and where a session is found as well.
    explicit: bool
    strip: tuple[str, ...]
    strip_both: tuple[str, ...]


def lay_out(names: tuple[bytes, ...], endpoint: Endpoint, *, workspace_header: str) -> HeadLayout | None:
    """Give the layout of a head with these names; `None` for one that is malformed, or says something twice.

    aiohttp, whose lane must not be the stricter one, refuses requests without a host, and WebSockets of long ago.
    """
    family = family_of(endpoint)
    spelling = {name.decode("latin-1").lower(): name for name in names}
    if len(spelling) != len(names) or not spelling.keys() >= {"host", *family.names}:
        return None
    if not family.twins.isdisjoint(spelling) or "sec-websocket-key1" in spelling:
        return None
    rest = [spelling[name] for name in family.names if name != family.target]
    strip = _AUTHORIZATION if "authorization" in spelling else _API_KEY
    return HeadLayout(
        family=tuple(spelling[name] for name in family.names),
        target=spelling[family.target],
        rest=itemgetter(*rest),
        cookie=spelling.get("cookie"),
        authorization=spelling.get("authorization"),
        api_key=spelling.get("x-api-key"),
        forwarded_for=spelling.get("x-forwarded-for"),
        workspace=spelling.get(workspace_header) if workspace_header else None,
        explicit="authorization" in spelling or "x-api-key" in spelling,
        strip=strip,
        strip_both=_BOTH[strip],
    )
