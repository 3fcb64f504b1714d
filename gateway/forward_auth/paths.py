"""What a path may mean to the proxy and the application behind; the policy judges each reading."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote_to_bytes

from gateway.errors import MalformedRequest

_MAX_LENGTH = 64 * 1024
_MAX_AMBIGUOUS_LENGTH = 8 * 1024
_MAX_READINGS = 64
# Of all readings together: each is decoded in four ways and judged by every rule, and everybody else waits for that.
_MAX_LENGTH_OF_READINGS = 64 * 1024

_UNREADABLE_AS_SENT = re.compile(r"[^\x21-\x7e]|#|%(?![0-9A-Fa-f]{2})")
# Proxies and applications disagree about these: each of them can make one path into another.
_AMBIGUOUS = re.compile(r"%|//|/\.|;|\\")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# Some file systems drop trailing dots and blanks: a segment of nothing else is another name for its parent.
_BLANK_SEGMENT = re.compile(r"/(?!\.{1,2}(?:/|$))[. ]+(?:/|$)")
_ESCAPED_DOT = re.compile(r"%2e", re.IGNORECASE)
# Where one begins.
_ESCAPED_SLASH = re.compile(r"%(?=2f)", re.IGNORECASE)
_ESCAPED_SLASHES = re.compile(r"%(?=2f|5c)", re.IGNORECASE)
_NETWORK_PATH = re.compile(r"[/\\]{2,}[^/\\]*")
_DOT_SEGMENT = re.compile(r"/\.{1,2}(?:/|$)")


def read_path(path: str) -> tuple[str, ...]:
    """Give every reading of a path, as sent first. Raises `MalformedRequest`."""
    if not path.startswith("/") or len(path) > _MAX_LENGTH or _UNREADABLE_AS_SENT.search(path):
        raise MalformedRequest
    if not _AMBIGUOUS.search(path):
        return (path,)
    if len(path) > _MAX_AMBIGUOUS_LENGTH:
        raise MalformedRequest
    # Each reading is read again in each way, until nothing new appears; a dict keeps the order.
    readings = {path: None}
    waiting = [path]
    while waiting:
        reading = waiting.pop()
        if _CONTROL.search(reading) or _BLANK_SEGMENT.search(reading):
            raise MalformedRequest
        fresh = {new: None for transform in _TRANSFORMATIONS for new in transform(reading) if new not in readings}
        readings |= fresh
        waiting += fresh
        if len(readings) > _MAX_READINGS or sum(map(len, readings)) > _MAX_LENGTH_OF_READINGS:
            raise MalformedRequest
    return tuple(readings)


def _decode_once(path: str) -> Iterator[str]:
    """Decode everything; or keep escaped slashes, so that `a%2fb` stays one segment for `..` to remove; or only dots.

    The last two are how a browser's URL parser (Node's too) and RFC 3986 section 6.2.2 read a path.
    """
    yield _decode(path)
    for kept in (_ESCAPED_SLASH, _ESCAPED_SLASHES):
        # Escaped once more, and decoded to what it was.
        yield _decode(kept.sub("%25", path))
    yield _ESCAPED_DOT.sub(".", path)


def _decode(text: str) -> str:
    # An incomplete escape stays as it is: it was none in what was sent.
    try:
        return unquote_to_bytes(text).decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedRequest from error


def _take_for_another_host(path: str) -> Iterator[str]:
    """Read `//host/path` as an address without its scheme, as URL parsers do when they are given a bare path."""
    if match := _NETWORK_PATH.match(path):
        yield "/" + path[match.end() :].lstrip("/\\")


def _take_backslashes_for_slashes(path: str) -> Iterator[str]:
    yield path.replace("\\", "/")


def _cut_parameters(path: str) -> Iterator[str]:
    yield re.sub(r";[^/]*", "", path)


def _cut_query_and_fragment(path: str) -> Iterator[str]:
    # Whoever cuts at one of the two marks need not cut at the other.
    for mark in "?#":
        yield path.partition(mark)[0]


def _resolve(path: str) -> Iterator[str]:
    """Resolve dot segments and merge slashes.

    Where both meet, a browser's URL parser lets `..` climb out of an empty segment: `/a//../b` is then `/a/b`, to
    everybody else `/b`. And a path that ends in a dot segment is a folder to some and a name to others.
    """
    merged = _climb(_merge(path))
    yield merged
    if _DOT_SEGMENT.search(path):
        yield _merge(_climb(path))
        if path.endswith(("/.", "/..")):
            yield merged.rstrip("/") or "/"


def _merge(path: str) -> str:
    return re.sub("//+", "/", path)


def _climb(path: str) -> str:
    segments = path.split("/")[1:]
    kept: list[str] = []
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    folder = segments[-1] in {".", ".."}
    return "/" + "/".join([*kept, ""] if folder and kept else kept)


_TRANSFORMATIONS: tuple[Callable[[str], Iterator[str]], ...] = (
    _decode_once,
    _take_for_another_host,
    _take_backslashes_for_slashes,
    _cut_parameters,
    _cut_query_and_fragment,
    _resolve,
)
