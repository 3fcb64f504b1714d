"""Where in a head everything stands: worked out once for each sequence of names, of which a proxy sends only a few."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.forward_auth.original_request import Endpoint, family_of

# Answers are kept by these very tuples.
COOKIE = ("cookie",)
_AUTHORIZATION = ("authorization",)
_API_KEY = ("x-api-key",)
_BOTH = {_AUTHORIZATION: COOKIE + _AUTHORIZATION, _API_KEY: COOKIE + _API_KEY}
_CREDENTIALS = COOKIE + _AUTHORIZATION + _API_KEY
_ADDRESS = "x-forwarded-for"
# What browsers and proxies say anew with each request or page, and no check looks at.
_NEVER_READ = (
    "referer",
    "x-real-ip",
    "x-request-id",
    "x-correlation-id",
    "x-amzn-trace-id",
    "x-cloud-trace-context",
    "traceparent",
    "tracestate",
    "if-none-match",
    "if-modified-since",
    "if-range",
    "range",
    "sec-websocket-key",
    "x-csrf-token",
    "x-xsrf-token",
    "cf-connecting-ip",
    "cf-ray",
)
_VARYING = {*_CREDENTIALS, _ADDRESS, *_NEVER_READ}

Headers = Mapping[bytes, bytes]


@dataclass(frozen=True, slots=True)
class HeadLayout:
    """What a check reads, under the spelling in which it was sent; `None`: it was not.

    `varying` names, in order, what differs from one visitor or request to the next; `marks` are what usually stands
    before these values. `target`, `cookie`, `authorization`, `api_key` and `forwarded_for` are places in there.
    """

    varying: tuple[bytes, ...]
    marks: tuple[bytes, ...]
    target: int
    cookie: int | None
    authorization: int | None
    api_key: int | None
    forwarded_for: int | None

    # The family's headers but for the target, in its order.
    rest: tuple[bytes, ...]
    workspace: bytes | None

    # Which headers hold credentials of ours where an API key or a token is found, and where a session is found as well.
    explicit: bool
    strip: tuple[str, ...]
    strip_both: tuple[str, ...]

    def frame(self, headers: Headers) -> Frame:
        return Frame(
            self,
            rest=b"\n" + b"\n".join([headers[name] for name in self.rest]),
            workspace=None if self.workspace is None else headers[self.workspace],
        )

    def values(self, headers: Headers) -> list[bytes]:
        """Give the values of what varies."""
        return [headers[name] for name in self.varying]


# Not frozen: one is made for each head that is new, and that would take as long as to find its place.
@dataclass(slots=True)
class Frame:
    """What a check reads in a head but for what varies: the same in many heads.

    `rest` has the values of the family's other headers, a line feed before each.
    """

    layout: HeadLayout
    rest: bytes
    workspace: bytes | None


def lay_out(names: tuple[bytes, ...], endpoint: Endpoint, *, workspace_header: str) -> HeadLayout | None:
    """Give the layout of a head with these names; `None` for one that is malformed, or says something twice.

    aiohttp, whose lane must not be the stricter one, refuses requests without a host, and WebSockets of long ago.
    A header that names a workspace is read, whatever else its name is used for: it does not vary.
    """
    family = family_of(endpoint)
    spelling = {name.decode("latin-1").lower(): name for name in names}
    if len(spelling) != len(names) or not spelling.keys() >= {"host", *family.names}:
        return None
    if not family.twins.isdisjoint(spelling) or "sec-websocket-key1" in spelling:
        return None
    may_vary = _VARYING - {workspace_header}
    varying = [name for name in spelling if name == family.target or name in may_vary]
    places = {name: place for place, name in enumerate(varying)}
    strip = _AUTHORIZATION if "authorization" in spelling else _API_KEY
    return HeadLayout(
        varying=tuple(spelling[name] for name in varying),
        marks=tuple(b"\n%b: " % spelling[name] for name in varying),
        target=places[family.target],
        cookie=places.get("cookie"),
        authorization=places.get("authorization"),
        api_key=places.get("x-api-key"),
        forwarded_for=places.get(_ADDRESS),
        rest=tuple(spelling[name] for name in family.names if name != family.target),
        workspace=spelling.get(workspace_header) if workspace_header else None,
        explicit="authorization" in spelling or "x-api-key" in spelling,
        strip=strip,
        strip_both=_BOTH[strip],
    )
