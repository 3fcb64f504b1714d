"""The headers of a check, as both lanes hand them over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

# Lower-case names; a header that was sent on several lines has several values, in order.
RequestHeaders = Mapping[str, Sequence[str]]


def collect_headers(lines: Iterable[tuple[bytes, bytes]]) -> RequestHeaders:
    """Collect raw header lines. Bytes that are not UTF-8 survive as surrogates, and match nothing that we accept."""
    headers: dict[str, list[str]] = {}
    for name, value in lines:
        text = value.decode("utf-8", "surrogateescape").strip(" \t")
        headers.setdefault(name.decode("latin-1").lower(), []).append(text)
    return headers


def only(headers: RequestHeaders, name: str) -> str | None:
    """Give the value of a header that was sent exactly once and is not empty."""
    values = headers.get(name, ())
    return values[0] if len(values) == 1 and values[0] else None
