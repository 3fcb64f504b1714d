"""What a path may mean to the proxy and the application behind; the policy judges each reading."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from gateway.errors import MalformedRequest

_MAX_LENGTH = 64 * 1024
_MAX_AMBIGUOUS_LENGTH = 8 * 1024

# Proxies and applications disagree about these: each of them can make one path into another.
# Refused until every reading of such a path is judged.
_AMBIGUOUS = re.compile(r"//|/\.|;|\\|%(?:2[EF5]|5C|3B|[01][0-9A-F]|7F)", re.IGNORECASE)
_UNREADABLE = re.compile(r"[^\x21-\x7e]|#|%(?![0-9A-Fa-f]{2})")
# Some file systems drop trailing blanks: a segment of nothing else is another name for its parent.
_BLANK_SEGMENT = re.compile(r"/[. ]+(?:/|$)")


def read_path(path: str) -> tuple[str, ...]:
    """Give every reading of a path, as sent first. Raises `MalformedRequest`."""
    if not path.startswith("/") or len(path) > _MAX_LENGTH or _UNREADABLE.search(path) or _AMBIGUOUS.search(path):
        raise MalformedRequest
    if "%" not in path:
        return (path,)
    if len(path) > _MAX_AMBIGUOUS_LENGTH:
        raise MalformedRequest
    try:
        decoded = unquote_to_bytes(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedRequest from error
    # An application that decodes too early sees the path end at a decoded `?` or `#`.
    cut = (decoded.partition(mark)[0] for mark in "?#")
    readings = dict.fromkeys((path, decoded, *cut, re.split("[?#]", decoded, maxsplit=1)[0]))
    if any(_BLANK_SEGMENT.search(reading) for reading in readings):
        raise MalformedRequest
    return tuple(readings)
