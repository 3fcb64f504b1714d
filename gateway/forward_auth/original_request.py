"""What the visitor asked the proxy for: one parser for each family of headers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import product

from gateway.errors import MalformedRequest
from gateway.forward_auth.paths import read_path
from gateway.forward_auth.request_headers import RequestHeaders, only
from gateway.grammar.hosts import normalise_host


class Endpoint(StrEnum):
    """Where a check is asked; it says which header family counts and which answer the proxy can use."""

    AUTH_REQUEST = "auth-request"
    FORWARD_AUTH = "forward-auth"


@dataclass(frozen=True, slots=True)
class OriginalRequest:
    """The visitor's request. `authority` is the host as sent, with its port; `host` its normal form, for rules.

    `preflight`: a browser asks whether a page of another origin may send what comes next; it carries no credential.
    """

    method: str
    scheme: str
    host: str
    authority: str
    path: str
    query: str
    readings: tuple[str, ...]
    preflight: bool = False

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.authority}"

    @property
    def url(self) -> str:
        return f"{self.origin}{self.path}{self.query}"


_METHOD = re.compile(r"[A-Z]{1,32}")
_URL = re.compile(r"(?P<scheme>[A-Za-z]+)://(?P<authority>[^/?#\\]+)(?P<target>/.*)", re.DOTALL)
_AUTHORITY = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")
_CONTROL = re.compile(r"[\x00-\x20\x7f]")
# A WebSocket is announced as ws or wss by some proxies; to rules it is the page's own scheme.
_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


def parse_original_request(endpoint: Endpoint, headers: RequestHeaders) -> OriginalRequest:
    """Read the family of the endpoint, and only that one. Raises `MalformedRequest`, never assumes a default."""
    family, parse = family_of(endpoint), _PARSERS[endpoint]
    if not family.twins.isdisjoint(headers):
        raise MalformedRequest
    values = [only(headers, name) for name in family.names]
    if not all(values):
        raise MalformedRequest
    original = parse(*[value for value in values if value])
    return replace(original, preflight=True) if _is_preflight(original, headers) else original


def _parse_auth_request(url: str, method: str) -> OriginalRequest:
    match = _URL.fullmatch(url)
    if match is None:
        raise MalformedRequest
    return _build(method=method, scheme=match["scheme"], authority=match["authority"], target=match["target"])


def _parse_forward_auth(method: str, proto: str, host: str, uri: str) -> OriginalRequest:
    return _build(method=method, scheme=proto, authority=host, target=uri)


def _build(*, method: str, scheme: str, authority: str, target: str) -> OriginalRequest:
    known_scheme = _SCHEMES.get(scheme.lower())
    if known_scheme is None or not _METHOD.fullmatch(method) or not _AUTHORITY.fullmatch(authority):
        raise MalformedRequest
    path, mark, query = target.partition("?")
    if _CONTROL.search(query):
        raise MalformedRequest
    try:
        host = normalise_host(authority)
    except ValueError as error:
        raise MalformedRequest from error
    return OriginalRequest(
        method=method,
        scheme=known_scheme,
        host=host,
        authority=authority,
        path=path,
        query=mark + query,
        readings=read_path(path),
    )


def _is_preflight(original: OriginalRequest, headers: RequestHeaders) -> bool:
    marks = only(headers, "access-control-request-method"), only(headers, "origin")
    return original.method == "OPTIONS" and all(marks)


@dataclass(frozen=True, slots=True)
class Family:
    """The headers that carry an original request, and their other spellings; `target` is the one with the path.

    nginx, WSGI and CGI read `X_Forwarded_Uri` as the same header: whoever sends one tries to speak twice.
    """

    names: tuple[str, ...]
    target: str
    twins: frozenset[str]


def family_of(endpoint: Endpoint) -> Family:
    return _FAMILIES[endpoint]


def _family(*names: str, target: str) -> Family:
    return Family(names, target, frozenset(twin for name in (*names, "x-forwarded-for") for twin in _twins(name)))


def _twins(name: str) -> set[str]:
    words = name.split("-")
    spellings = product("-_.", repeat=len(words) - 1)
    joined = {"".join(map("".join, zip(words, (*marks, ""), strict=True))) for marks in spellings}
    return joined - {name}


_FAMILIES: dict[Endpoint, Family] = {
    Endpoint.AUTH_REQUEST: _family("x-original-url", "x-original-method", target="x-original-url"),
    Endpoint.FORWARD_AUTH: _family(
        "x-forwarded-method", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-uri", target="x-forwarded-uri"
    ),
}
# Each takes the values in the order of its family's names.
_PARSERS: dict[Endpoint, Callable[..., OriginalRequest]] = {
    Endpoint.AUTH_REQUEST: _parse_auth_request,
    Endpoint.FORWARD_AUTH: _parse_forward_auth,
}
