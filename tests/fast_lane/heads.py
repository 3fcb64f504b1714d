"""Requests as bytes; `@cookie@` stands for a session cookie that counts."""

from __future__ import annotations

_TARGET = b"/api/authz/auth-request"
_FAMILY = (b"X-Original-URL: http://app.example.com/reports?page=2", b"X-Original-Method: GET")
COOKIE = b"Cookie: @cookie@"


def check(
    *more: bytes, first: bytes = b"GET " + _TARGET + b" HTTP/1.1", host: bytes = b"Host: gateway", body: bytes = b""
) -> bytes:
    """Give a check that is allowed, unless what is added says otherwise; a body comes behind it as it is."""
    return head(first, *((host,) if host else ()), *_FAMILY, COOKIE, *more) + body


def by(method: bytes, *more: bytes, body: bytes = b"") -> bytes:
    return check(*more, first=method + b" " + _TARGET + b" HTTP/1.1", body=body)


def to(target: bytes, *more: bytes) -> bytes:
    return check(*more, first=b"GET " + target + b" HTTP/1.1")


def in_version(version: bytes, *more: bytes) -> bytes:
    return check(*more, first=b"GET " + _TARGET + b" " + version)


def stranger() -> bytes:
    """Give a check by nobody: the fast lane cannot answer it at once."""
    return head(b"GET " + _TARGET + b" HTTP/1.1", b"Host: gateway", *_FAMILY)


def with_more(whole: bytes, *lines: bytes) -> bytes:
    """Add lines to the end of a head."""
    return whole.removesuffix(b"\r\n") + head(*lines)


def page(path: bytes, *more: bytes) -> bytes:
    return head(b"GET " + path + b" HTTP/1.1", b"Host: gateway", *more)


def head(*lines: bytes) -> bytes:
    return b"\r\n".join([*lines, b"", b""])
